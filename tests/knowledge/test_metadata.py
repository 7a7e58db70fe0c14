"""What documents are told of themselves: by the head of their file, and by whoever takes them in."""

from pathlib import Path

from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told


def test_a_document_without_a_title_is_listed_by_its_first_heading(place: str) -> None:
    files = {
        "head.md": "---\nyear: 2024\n---\n\n# Leave\n\nWords.\n", "plain.md": "# Pay ##\n\nWords.\n", "none.md": "Words.\n",
        "titled.md": '---\ntitle: "On: trains"\n---\n\n# Leave\n\nWords.\n', "late.md": "Words.\n\n## Later\n\nWords.\n",
        "text.txt": "# no heading\n",
    }  # fmt: skip
    Path("d").mkdir()
    for name, text in files.items():
        Path("d", name).write_text(text)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("d")
        base.add(Document("own", "# Heading\n\nWords.", "Its own", {"title": "x"}, format="markdown"))
        assert {one.name: one.title for one in base.list()} == {
            "head.md": "Leave", "plain.md": "Pay", "none.md": "", "titled.md": "On: trains", "late.md": "Later",
            "text.txt": "", "own": "Its own",
        }  # fmt: skip
        assert [hit.passage.document for hit in base.search("words", where={"year": 2024})] == ["head.md"]
        assert [hit.passage.document for hit in base.search("words", where={"title": "On: trains"})] == ["titled.md"]
