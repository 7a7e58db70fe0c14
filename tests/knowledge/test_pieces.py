"""A passage is its document's own characters, and knows its place: line, page, headings, columns."""

from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.pieces import SIZE, pieces
from taskkit.tokens import Counter

parts = st.sampled_from([
    "# Title\n", "\n## Part\n\n", "\n\n", "\r\n", "\n", " ", "word ", "A sentence. " * 40, "- item\n", "| a | b |\n|---|---|\n",
    "| one | two |\n", "```py\n", "```\n", "a,b\n", "1,2\n", '"x\ny",2\n', '{"a": [1, 2]}\n', '{"a":', "[", "]", "}", ",", '"',
    "\f", "Title\n=====\n", ".. note::\n\n   Text.\n", "没有空格的句子。" * 30, "\0", "\ud800",
])  # fmt: skip
texts = st.lists(parts, max_size=60).map("".join)
FORMATS = ("text", "markdown", "html", "code", "rst", "table", "json")


@settings(deadline=None, max_examples=300)
@given(texts, st.sampled_from(FORMATS), st.sampled_from([8, 40, SIZE]))
def test_nothing_is_lost_every_offset_is_true_and_none_is_over(text: str, kind: str, size: int) -> None:
    found = pieces(Document("a", text, "Title", format=kind), size)
    at = 0
    for piece, count in zip(found, Counter().count_many([piece.text for piece in found]), strict=True):
        assert count <= size
        assert piece.start >= at
        assert not text[at : piece.start].strip()
        assert text[piece.start : piece.end] == piece.text
        assert piece.line == text.count("\n", 0, piece.start) + 1
        assert piece.page == (text.count("\f", 0, piece.start) + 1 if "\f" in text else 0)
        assert piece.context.startswith("Title")
        at = piece.end
    assert not text[at:].strip()


def test_a_hit_tells_line_page_and_the_columns_of_its_table() -> None:
    rows = "".join(f"| part {n} | {n} |\n" for n in range(400))
    text = f"# Parts\n\nOnce.\n\f\n# Prices\n\n| Name | Price |\n|---|---|\n{rows}\n\f"
    with KnowledgeBase("h.kb") as base:
        base.add(Document("prices.md", text, format="markdown"))
        passage = base.search("part 377", k=1)[0].passage
        assert "| part 377 | 377 |" in passage.text
        assert (passage.page, passage.headings, passage.table) == (2, ("Prices",), "Name | Price")
        assert passage.shown == f"Name | Price\n{passage.text}"
        assert text.split("\n")[passage.line - 1] == passage.text.splitlines()[0]
        assert passage in base.passages("prices.md")
