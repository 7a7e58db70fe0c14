"""What documents are told of themselves: by the head of their file, and by whoever takes them in."""

from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told, pages


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


def test_what_is_given_comes_before_what_a_document_says(place: str) -> None:
    Path("d").mkdir()
    Path("d/a.md").write_text("---\nyear: 2023\nkind: rule\n---\nWords.\n")
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Path("d"), metadata={"year": 2024}, access={"team": "hr"})
        report = base.sync("d", metadata={"year": 2025})
        assert (report.changed, report.embedded) == (1, 0)
        (one,) = base.list()
        assert one.metadata == {"year": 2025, "kind": "rule"}
        assert one.access == {"team": ["hr"]}
        assert base.sync("d", metadata={"year": 2025}).unchanged == 1
        base.sync("d", access={})  # that is said, not forgotten
        assert base.list()[0].access == {}
        base.add(
            Document("own", "Words.", metadata={"year": 1}, access={"team": "it"}),
            metadata={"year": 2},
            access={"level": "2"},
        )
        (_, own) = base.list()
        assert (own.metadata, own.access) == ({"year": 2}, {"team": ["it"], "level": ["2"]})
        wrongs: list[dict[str, Any]] = [
            {"metadata": {"x": float("nan")}},
            {"metadata": 5},
            {"access": {"team": 5}},
            {"access": "hr"},
        ]
        for wrong in wrongs:
            with pytest.raises(InputError):
                base.sync("d", **wrong)


def test_a_file_keeps_its_labels_under_another_name(place: str, tmp_path: Path) -> None:
    """Whoever renames it, or puts it in the place of another file, does not open it to everybody."""
    folder = pages(tmp_path / "pages", 4)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add([folder / "page-0.md", folder / "page-1.md"], access={"team": "hr"})
        base.add([folder / "page-2.md", folder / "page-3.md"])
        (folder / "page-0.md").rename(folder / "renamed.md")
        (folder / "page-1.md").rename(folder / "page-2.md")
        report = base.sync(folder)
        assert (report.unchanged, report.changed, report.removed, report.embedded) == (2, 1, 1, 0)
        assert {hit.passage.document for hit in base.search("copper", k=9)} == {"page-3.md"}
        for name in ("renamed.md", "page-2.md"):
            document = base.document(name)
            assert document is not None
            assert document.access == {"team": ["hr"]}
        (folder / "renamed.md").rename(folder / "other.md")
        report = base.sync(folder, metadata={"year": 2026})  # as does whoever says something else of it
        assert (report.added, report.changed, report.removed, report.embedded) == (1, 2, 1, 0)
        assert {hit.passage.document for hit in base.search("copper", k=9)} == {"page-3.md"}
        (folder / "other.md").rename(folder / "again.md")
        assert base.sync(folder, access={}, metadata={"year": 2026}).unchanged == 1
        assert {hit.passage.document for hit in base.search("copper", k=9)} == {"page-3.md", "page-2.md", "again.md"}


def test_files_that_change_places_open_nothing(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 4)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(folder / "page-0.md", access={"team": "hr"})
        base.sync(folder)
        secret = (folder / "page-0.md").read_text()
        (folder / "page-0.md").write_text((folder / "page-1.md").read_text())
        (folder / "page-1.md").write_text(secret)
        (folder / "copy.md").write_text(secret)
        assert base.sync(folder).embedded == 0
        assert {hit.passage.document for hit in base.search("copper", k=9)} == {"page-2.md", "page-3.md"}
        assert len(base.search("copper", k=9, allow={"team": "hr"})) == 5
        base.add(folder / "copy.md", access={})
        assert "copy.md" in {hit.passage.document for hit in base.search("copper", k=9)}


def test_the_title_at_the_head_of_a_file_goes_before_all_of_its_passages(place: str) -> None:
    Path("d").mkdir()
    parts = "".join(f"# Part {n}\n\n" + f"Copper {n} of the harbour. " * 80 + "\n\n" for n in range(3))
    Path("d/titled.md").write_text(f"---\ntitle: Sickness\nyear: 2024\n---\n\n{parts}")
    Path("d/same.md").write_text("---\ntitle: Leave\n---\n\n# Leave\n\nWords.\n")
    Path("d/number.md").write_text("---\ntitle: 1984\n---\n\nA book.\n")
    Path("d/bare.md").write_text(parts)
    embedder = Told()
    with KnowledgeBase(place, embedder=embedder) as base:
        base.sync("d")
        hits = base.search("sickness", k=3)
        assert {hit.passage.document for hit in hits} == {"titled.md"}
        assert ("Sickness", "Part 2") in [one.path for one in base.passages("titled.md")]
        assert [one.path for one in base.passages("same.md")] == [("Leave",)]
        assert [one.path for one in base.passages("number.md")] == [()]
        assert {text.partition("\n")[0] for text in embedder.texts} >= {"Sickness > Part 2", "Part 2", "Leave"}
        text = Path("d/titled.md").read_text()
        assert all(text[one.start : one.end] == one.text for one in base.passages("titled.md"))
        assert base.sync("d").unchanged == 4


def test_an_enormous_title_goes_before_no_passage_whole(place: str) -> None:
    Path("d").mkdir()
    parts = "".join(f"# Part {n}\n\n" + f"Copper {n} of the harbour. " * 80 + "\n\n" for n in range(20))
    Path("d/a.md").write_text(f"---\ntitle: {'sickness ' * 5_000}\n---\n\n{parts}")
    Path("d/a.html").write_text(f"<title>{'sickness ' * 50_000}</title><p>Copper.</p>")
    embedder = Told()
    with KnowledgeBase(place, embedder=embedder) as base:
        base.sync("d")
        assert max(map(len, embedder.texts)) < 6_000
        assert base.search("sickness", k=3)[0].passage.title.startswith("sickness ")


def labels(base: KnowledgeBase) -> dict[str, Any]:
    return {one.name: one.access for one in base.list()}


HR = {"team": ["hr"]}


def test_what_a_folder_was_taken_in_with_holds_for_what_comes_later(place: str, tmp_path: Path) -> None:
    """A file that is renamed and edited, and a new one, are not open to everybody."""
    folder = pages(tmp_path / "pages", 3)
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.sync(folder, metadata={"year": 2024}, access={"team": "hr"}).as_before == ()
        (folder / "page-0.md").rename(folder / "renamed.md")
        (folder / "renamed.md").write_text("Other words of copper.\n")
        (folder / "deep").mkdir()
        (folder / "deep/new.md").write_text("New words of copper.\n")
    with KnowledgeBase(place, embedder=Told()) as base:
        report = base.sync(folder)
        assert (report.added, report.unchanged, report.removed) == (2, 2, 1)
        assert report.as_before == (f"{folder}: access team = hr, metadata year = 2024",)
        assert labels(base) == dict.fromkeys(("deep/new.md", "page-1.md", "page-2.md", "renamed.md"), HR)
        assert {one.metadata["year"] for one in base.list()} == {2024}
        assert base.search("copper", k=9) == []
        (folder / "deep/later.md").write_text("Later words of copper.\n")
        base.add(folder / "deep/later.md")  # alone, too
        assert labels(base)["later.md"] == HR
        assert base.sync(folder, metadata={"year": 2025}).as_before == (f"{folder}: access team = hr",)
        assert set(map(str, labels(base).values())) == {str(HR)}


def test_what_is_said_of_a_folder_is_taken_off_by_saying_so(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 1)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(folder, metadata={"year": 2024}, access={"team": "hr"})
        assert base.sync(folder, metadata={}, access={}).as_before == ()
        (folder / "new.md").write_text("New words.\n")
        assert base.sync(folder).as_before == ()
        assert labels(base) == {"new.md": {}, "page-0.md": {}}
        assert [dict(one.metadata) for one in base.list()] == [{}, {}]


def test_the_nearest_folder_that_something_was_said_of_tells(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 1)
    (folder / "open").mkdir()
    (folder / "open/a.md").write_text("Open words.\n")
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync(folder, access={"team": "hr"})
        base.add(folder / "open", access={})
        base.add(folder / "open")
        assert base.document("a.md").access == {}  # type: ignore[union-attr]
        base.sync(folder, access={"team": "it"})  # of all that is in it
        (folder / "open/b.md").write_text("More words.\n")
        base.add(folder / "open/b.md")
        assert base.document("b.md").access == {"team": ["it"]}  # type: ignore[union-attr]


def test_a_folder_that_is_moved_keeps_what_was_said_of_it(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 4)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync(folder, metadata={"year": 2024}, access={"team": "hr"})
        moved = folder.rename(tmp_path / "moved")
        (moved / "new.md").write_text("New words.\n")
        report = base.sync(moved)
        assert (report.added, report.unchanged, report.removed) == (1, 4, 0)
        assert labels(base)["new.md"] == HR
        assert base.document("new.md").metadata == {"year": 2024}  # type: ignore[union-attr]
