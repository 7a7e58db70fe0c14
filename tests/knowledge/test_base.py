"""The knowledge base as its users meet it: real files, a real store."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge import Document, KnowledgeBase

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HANDBOOK, tmp_path / "handbook"))


def test_a_folder_is_found_again_with_true_offsets(folder: Path, place: str) -> None:
    with KnowledgeBase(place) as base:
        report = base.sync(folder)
        assert report.added == len(list(folder.rglob("*.md")))
        hits = base.search("How many days of holiday can be carried over?", k=3, explain=True)
        top = hits[0].passage
        assert top.document == "people/holidays-and-leave.md"
        assert "five days" in top.text
        source = (folder / top.document).read_text()
        assert all(
            (folder / hit.passage.document).read_text()[hit.passage.start : hit.passage.end] == hit.passage.text
            for hit in hits
        )
        assert source[top.start : top.end] == top.text
        assert hits[0].reasons is not None
        assert base.verify() == []


def test_only_what_changed_is_embedded_again(folder: Path, place: str) -> None:
    with KnowledgeBase(place) as base:
        first = base.sync(folder)
        assert base.sync(folder).embedded == 0
        page = folder / "people" / "holidays-and-leave.md"
        page.write_text(page.read_text().replace("five days", "six days", 1))
        changed = base.sync(folder)
        assert (changed.changed, changed.embedded) == (1, 1)
        page.rename(folder / "people" / "leave.md")
        moved = base.sync(folder)
        assert moved.embedded == 0
        assert "people/leave.md" in {row.name for row in base.list()}
        (folder / "people" / "leave.md").unlink()
        assert base.sync(folder).removed == 1
        assert all(hit.passage.document != "people/leave.md" for hit in base.search("holiday", k=20))
        assert first.embedded > 40
        assert base.compact() > 0
        assert base.verify() == []


def test_filters_and_labels_hold_before_the_search(place: str) -> None:
    with KnowledgeBase(place) as base:
        base.add(
            [
                Document("old", "Expenses are paid on Monday.", metadata={"year": 2020}),
                Document("new", "Expenses are paid on Friday.", metadata={"year": 2024}),
                Document("pay", "Expenses of the board are secret.", access={"team": "hr"}),
            ]
        )
        names = [hit.passage.document for hit in base.search("expenses", where={"year": {"$gte": 2021}})]
        assert names == ["new"]
        assert "pay" not in {hit.passage.document for hit in base.search("expenses")}
        assert "pay" in {hit.passage.document for hit in base.search("expenses", allow={"team": "hr"})}
        assert "pay" not in {hit.passage.document for hit in base.search("expenses", allow={"team": "it"})}
        with pytest.raises(InputError, match="operator"):
            base.search("expenses", where={"year": {"$like": "x"}})
        assert base.search("expenses", where={"year'; DROP TABLE documents; --": 1}) == []


def test_other_scripts_are_found(place: str) -> None:
    with KnowledgeBase(place) as base:
        base.add(
            [
                Document("zh", "报销单每月十五日支付。"),
                Document("th", "ค่าใช้จ่ายจะจ่ายทุกวันศุกร์"),
                Document("en", "snake_case_name"),
            ]
        )
        assert base.search("报销", k=1)[0].passage.document == "zh"
        assert base.search("ค่าใช้จ่าย", k=1)[0].passage.document == "th"
        assert base.search("snake_case_name", k=1)[0].passage.document == "en"


def test_what_can_not_be_read_is_told_and_stops_nothing(tmp_path: Path, place: str) -> None:
    there = tmp_path / "docs"
    there.mkdir()
    (there / "good.md").write_text("# Good\n\nWords.")
    (there / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (there / "empty.txt").write_text("")
    (there / "out.md").symlink_to("/etc/hostname")
    with KnowledgeBase(place) as base:
        report = base.sync(there)
        assert report.added == 1
        assert {one.file for one in report.skipped} == {"image.png", "empty.txt", "out.md"}


def test_what_is_no_knowledge_base_is_refused() -> None:
    with pytest.raises(InputError, match="kb sync"):
        KnowledgeBase("missing.kb", create=False)
    Path("other.kb").write_text("no database")
    with pytest.raises(ConfigurationError):
        KnowledgeBase("other.kb")


def test_another_embedder_is_refused_with_the_way_out(place: str) -> None:
    with KnowledgeBase(place) as base:
        base.add(Document("a", "Words."))
    with pytest.raises(ConfigurationError, match=r"wordllama.*reindex"):
        KnowledgeBase(place, embedder="openai")


def test_a_base_of_another_version_is_refused_and_left_as_it_is() -> None:
    KnowledgeBase("old.kb").close()
    db = sqlite3.connect("old.kb")
    db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(ConfigurationError, match="another version"):
        KnowledgeBase("old.kb")


def test_a_path_may_be_a_str_and_what_is_none_is_told() -> None:
    Path("a.md").write_text("Words.\n")
    Path("b.md").write_text("More words.\n")
    with KnowledgeBase("h.kb") as base:
        assert base.add("a.md").added == 1
        assert base.add(["a.md", Path("b.md")]).added == 1
        wrong: Any
        for wrong in ("none.md", ["none.md"], [5], [None]):
            with pytest.raises(InputError, match=r"none\.md|no file, folder or document"):
                base.add(wrong)
