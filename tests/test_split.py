"""Pieces joined are the text, none is over the limit, and cuts come where a reader would make them."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.errors import InputError
from taskkit.source import Piece, Text
from taskkit.tokens import Counter

FORMATS = ("text", "markdown", "html", "code", "rst", "table", "json")
WORDS = "one two three four five six seven eight nine ten "
FAMILY, SCOTLAND, THUMB = (
    "👨\u200d👩\u200d👧\u200d👦",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "👍🏽",
)

parts = st.sampled_from([
    "# Title\n", "\n## Part\n\n", "Under\n=====\n", "\n\n", "\r\n", "\n", "\r", " ", "word ", "A sentence. ", "So? ", "- item\n",
    "| a | b |\n|---|---|\n", "| one | two |\n", "```py\n", "```\n", "> quoted\n", "---\n", "<p>", "<h2>T</h2>", "<li>", "    code()\n",
    "没有空格的句子。", "ภาษาไทย ", "กำ", "한글", "\u1100\u1161\u11a8", FAMILY, SCOTLAND, THUMB, "🇩🇪🇫🇷", "e\u0301\u0302", "\0", "\ud800",
    "\udfff", "\u200d", "\u0301", "\U0010ffff", "a" * 50, " " * 50, "\n" * 9,
])  # fmt: skip
texts = st.lists(parts, max_size=60).map("".join) | st.text(max_size=100)
counters = st.sampled_from([Counter(), Counter("cl100k_base"), Counter(ratio=1.1), Counter(ratio=2.5)])


def checked(text: Text, limit: int, counter: Counter | None = None, **options: int) -> list[Piece]:
    counter = counter or Counter()
    pieces = text.split(limit, counter=counter, overlap=options.get("overlap", 0), balance=bool(options.get("balance")))
    assert "".join(piece.text for piece in pieces) == text.text
    assert all(piece.text for piece in pieces)
    at = text.start
    for piece, count in zip(pieces, counter.count_many([piece.text for piece in pieces]), strict=True):
        assert (piece.start, piece.end) == (at, at + len(piece.text))
        assert count <= limit
        at = piece.end
    return pieces


@pytest.mark.parametrize("text", ["\n## Part\n\n", "Under\n=====\n\n\n\n\n\n\n\n\n\n"])
def test_a_heading_at_the_very_end_leaves_no_empty_piece(text: str) -> None:
    checked(Text(text), 4, Counter(ratio=1.1))


@settings(deadline=None, max_examples=300)
@given(
    texts, st.sampled_from(FORMATS), st.integers(4, 60), counters, st.booleans(), st.integers(0, 20), st.integers(0, 9)
)
def test_joined_the_pieces_are_the_text_and_none_is_over(
    text: str, kind: str, limit: int, counter: Counter, balance: bool, overlap: int, start: int
) -> None:
    pieces = checked(Text(text, format=kind, start=start), limit, counter, balance=balance, overlap=overlap)
    for piece in pieces:
        assert text[: piece.start - start].endswith(piece.before)
        assert counter.count(piece.before) <= overlap
        assert not (piece.text.endswith("\r") and text[piece.end - start :].startswith("\n"))


HARD = {
    "no space": "abcdefghij" * 100_000,
    "chinese": "天地玄黄宇宙洪荒日月盈昃" * 10_000,
    "chinese sentences": "这是一个没有空格的长句子，我们看看它会怎么样。" * 5_000,
    "thai": "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน" * 3_000,
    "emoji": f"{FAMILY}🇩🇪{SCOTLAND}{THUMB}" * 3_000,
    "crlf": "A line of text\r\n\r\nand a second line\r\n" * 10_000,
    "nul": "a\0b \0\0 c. " * 20_000,
    "surrogates": "x \ud800 \udfff y. Hello\udc00 " * 10_000,
    "marks": "e" + "\u0301" * 100_000,
    "flags": "🇩" * 100_000,
    "joiners": "\u200d" * 100_000,
    "dots": "." * 500_000,
    "rows": "| a | b |\n|---|---|\n" + "| one | two |\n" * 20_000,
    "fence": "```\n" + "x = 1\n" * 50_000,
    "quotes": "> " * 100_000,
    "hashes": "# " * 100_000,
    "tags": "<p" * 100_000,
    "one character": "a" * 10_000_000,
    "spaces": " " * 5_000_000,
}


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_are_split_whole_and_soon(name: str) -> None:
    began = time.process_time()
    for kind in ("text", "markdown") if len(HARD[name]) < 2_000_000 else ("markdown",):
        checked(Text(HARD[name], format=kind), 1_500, overlap=30)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("limit", [30, 60, 200])
def test_what_a_reader_sees_as_one_character_stays_whole(limit: int) -> None:
    for cluster in (FAMILY, SCOTLAND, THUMB, "🇩🇪", "กำ", "e\u0301\u0302", "\u1100\u1161\u11a8", "\r\n"):
        for piece in checked(Text(cluster * 500), limit):
            assert len(piece.text) % len(cluster) == 0


def test_one_piece_when_it_fits() -> None:
    text = Text("# A\n\nShort text.", format="markdown", start=5)
    assert text.split(100) == [Piece(text.text, 5, 21, ("A",))]
    assert Text("").split(100) == []


@pytest.mark.parametrize(
    ("limit", "overlap", "says"), [(3, 0, "4 or more"), (-1, 0, "4 or more"), (100, -1, "0 or more")]
)
def test_limits_that_can_not_be_held_are_refused(limit: int, overlap: int, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Text("some text").split(limit, overlap=overlap)
    assert says in f"{caught.value} {caught.value.hint}"


def book() -> str:
    part = "\n\n".join([WORDS * 3 + "end."] * 4)
    return "# Book\n\nIntro.\n\n" + "".join(f"## Chapter {i}\n\n{part}\n\n" for i in range(6))


def test_markdown_is_cut_at_its_chapters_and_each_piece_knows_where_it_is() -> None:
    pieces = checked(Text(book(), format="markdown"), 160)
    for piece in pieces[1:]:
        assert piece.text.startswith("## Chapter")
        assert piece.headings == ("Book", piece.text.partition("\n")[0][3:])
    assert len(pieces) == 6


def test_text_is_cut_at_its_paragraphs_and_long_ones_at_sentences() -> None:
    paragraphs = "\n\n".join(f"{i} {WORDS * 4}." for i in range(20))
    assert all(piece.text[0].isdigit() for piece in checked(Text(paragraphs), 120))
    sentences = " ".join(f"It is {i} {WORDS.strip()}." for i in range(200))
    assert all(piece.text.rstrip().endswith("ten.") for piece in checked(Text(sentences), 120))
    words = checked(Text(WORDS * 200), 50)
    assert all(piece.text.endswith(" ") for piece in words)


def test_code_is_cut_between_functions_else_at_lines() -> None:
    body = "    if x:\n        return 1\n\n    y = 2\n" * 4
    code = "".join(f"def f{i}(x):\n{body}    return {i}\n\n\n" for i in range(12))
    assert all(piece.text.startswith("def ") for piece in checked(Text(code, format="code"), 200))
    assert all(piece.text.endswith("\n") for piece in checked(Text("x = f(1. + 2.)\n" * 300, format="code"), 50))


def test_a_fence_is_cut_at_its_lines_and_a_heading_in_it_is_none() -> None:
    text = "# Real\n\n```sh\n" + "# a comment. Not a title\nrun it. Now\n" * 40 + "```\n\n# Next\n\nText."
    pieces = checked(Text(text, format="markdown"), 100)
    assert {piece.headings for piece in pieces[:-1]} == {("Real",)}
    assert all(piece.text.endswith("\n") for piece in pieces[:-1])


def test_a_table_is_cut_between_rows_and_its_head_goes_along() -> None:
    head = "| name | size |\n|------|------|\n"
    text = "Before.\n\n" + head + "".join(f"| row {i} | {i} |\n" for i in range(80)) + "\nAfter."
    pieces = checked(Text(text, format="markdown"), 100)
    inside = [piece for piece in pieces if piece.text.startswith("| row")]
    assert len(inside) > 3
    assert all(piece.table == head for piece in inside)
    assert pieces[0].table == ""


def test_no_piece_ends_with_a_heading() -> None:
    for limit in range(60, 300, 20):
        for piece in checked(Text(book(), format="markdown"), limit):
            assert not piece.text.rstrip().rpartition("\n")[2].startswith("#")


@pytest.mark.parametrize("kind", FORMATS)
def test_balanced_pieces_are_few_and_of_about_one_size(kind: str) -> None:
    text = Text(book(), format=kind)
    pieces = checked(text, 300, balance=True)
    sizes = Counter().count_many([piece.text for piece in pieces])
    assert len(pieces) <= len(checked(text, 300))
    assert len(pieces) <= Counter().count(text.text) // 300 + 2
    assert min(sizes) * 2 >= max(sizes)


def test_what_comes_before_begins_at_a_sentence() -> None:
    text = " ".join(f"Sentence {i} is here." for i in range(200))
    for before, piece in pairwise(checked(Text(text), 60, overlap=20)):
        assert before.text.endswith(piece.before)
        assert piece.before.startswith("Sentence")
        assert Counter().count(piece.before) > 8


def test_in_a_prompt_a_piece_is_its_text() -> None:
    """As in `f"Sum this up: {piece}"`."""
    for piece in Text("# Ships\n\nOne sank. Two came in.").split(8, counter=Counter("o200k_base")):
        assert f"{piece}" == piece.text
