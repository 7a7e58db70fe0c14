"""Several folders in one base, and one that was moved: whose documents are whose."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskkit.knowledge import KnowledgeBase
from tests.knowledge.made import Told, page, pages


def write(**files: str) -> None:
    """`a__x=…` is a/x.md."""
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def texts(base: KnowledgeBase) -> dict[str, str]:
    found = {one.name: base.document(one.name) for one in base.list()}
    return {name: one.text for name, one in found.items() if one}


def test_two_folders_with_one_name_keep_their_documents(place: str) -> None:
    write(a__x="In a.", a__y="Also.", b__x="In b.", c__b__x="In c.", c__x="In c, too.")
    both = {"x.md": "In a.", "y.md": "Also.", "b/x.md": "In b."}
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("a")
        assert (base.sync("b").added, texts(base)) == (1, both)
        for folder in ("a", "b"):
            report = base.sync(folder)
            assert (report.added, report.changed, report.removed, report.embedded) == (0, 0, 0, 0)
        base.sync("c")  # which has a file of its own that is called b/x.md
        assert texts(base) == {**both, "c/b/x.md": "In c.", "c/x.md": "In c, too."}
        assert base.sync("c").unchanged == 2
        write(b__x="In b, changed.")
        Path("a/x.md").unlink()
        assert base.sync("b").changed == 1
        assert base.sync("a").removed == 1
        assert texts(base) == {
            "y.md": "Also.", "b/x.md": "In b, changed.", "c/b/x.md": "In c.", "c/x.md": "In c, too.",
        }  # fmt: skip
        assert base.sync("b").unchanged == 1  # its name stays, though the short one is free
        Path("b/x.md").unlink()
        assert base.sync("b").removed == 1
        assert base.verify() == []


def test_what_is_added_takes_no_other_folders_name(place: str) -> None:
    write(a__x="In a.", b__x="In b.", c__x="In c.")
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.add([Path("a"), Path("b/x.md")]).added == 2
        assert base.add(Path("c")).added == 1
        assert texts(base) == {"x.md": "In a.", "b/x.md": "In b.", "c/x.md": "In c."}
        write(a__x="Changed.")
        assert base.add([Path("a/x.md"), Path("a/x.md"), Path("c/x.md")]).changed == 1
        assert texts(base)["x.md"] == "Changed."


def test_what_can_not_be_read_any_more_stays_as_it_was_whatever_it_is_called(place: str) -> None:
    write(a__x="In a.", b__x="In b.", b__y="Also.", b__c="Gone.")
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("a")
        base.sync("b")
        for name in ("x", "y"):
            Path(f"b/{name}.md").unlink()
        Path("b/x.md").symlink_to("nowhere")
        Path("b/y.md").write_bytes(b"\0 no text")
        Path("b/c.md").unlink()
        report = base.sync("b")
        assert (len(report.skipped), report.removed) == (2, 1)
        assert texts(base) == {"x.md": "In a.", "b/x.md": "In b.", "y.md": "Also."}


def test_a_folder_that_was_moved_is_the_same_one(place: str) -> None:
    write(a__x=page(1), a__y=page(2), a__z=page(3), a__gone=page(4), other__o=page(5))
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("a")
        base.sync("other")
        Path("a").rename("b")
        Path("b/gone.md").unlink()
        write(b__y=page(2, turn=1))
        report = base.sync("b")
        assert (report.added, report.changed, report.unchanged, report.removed, report.embedded) == (0, 1, 2, 1, 1)
        assert set(texts(base)) == {"x.md", "y.md", "z.md", "o.md"}
        Path("b/z.md").unlink()
        assert base.sync("b").removed == 1
        Path("b").rename("c")
        report = base.sync("c")
        assert (report.unchanged, report.embedded) == (2, 0)
        Path("c/x.md").unlink()
        Path("other").rename("elsewhere")
        assert base.sync("c").removed == 1
        assert set(texts(base)) == {"y.md", "o.md"}
        assert base.verify() == []


def test_a_folder_that_was_moved_is_the_same_one_whatever_is_said_of_it(place: str) -> None:
    write(a__x=page(1), a__y=page(2), a__gone=page(3))
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("a", metadata={"year": 2025}, access={"team": "hr"})
        Path("a").rename("b")
        Path("b/gone.md").unlink()
        report = base.sync("b", metadata={"year": 2026}, access={"team": "it"})
        assert (report.changed, report.removed, report.embedded) == (2, 1, 0)
        assert set(texts(base)) == {"x.md", "y.md"}
        assert len(base.search("copper", k=9, allow={"team": "it"})) == 2


def test_a_folder_that_is_not_there_is_no_reason_to_drop_what_it_had(place: str) -> None:
    """It may be another machine's."""
    write(a__x=page(1), a__y=page(2), a__z=page(3), b__x=page(4), b__w=page(5))
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync("a")
        Path("a").rename("away")
        report = base.sync("b")
        assert report.removed == 0
        assert {"y.md", "z.md"} <= set(texts(base))


FOLDERS, FILES = ("a", "b", "c"), ("x", "a/x", "b/x", "b/b/x")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(FOLDERS), st.sampled_from(FILES), st.booleans()), max_size=12))
def test_each_file_is_one_document_whatever_is_synced_when(tmp_path: Path, steps: list[tuple[str, str, bool]]) -> None:
    """A file comes or goes, its folder is synced, and the base is what the folders are."""
    import tempfile

    home = Path(tempfile.mkdtemp(dir=tmp_path))
    for folder in FOLDERS:
        (home / folder).mkdir()
    with KnowledgeBase(home / "h.kb", embedder=Told()) as base:
        for folder, name, there in steps:
            file = home / folder / f"{name}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{folder} has {name}") if there else file.unlink(missing_ok=True)
            base.sync(home / folder)
            report = base.sync(home / folder)
            assert (report.added, report.changed, report.removed) == (0, 0, 0)
            assert sorted(texts(base).values()) == sorted(one.read_text() for one in home.rglob("*.md"))


def test_what_lies_in_a_folder_that_can_not_be_read_stays(place: str) -> None:
    """Root reads everything, so another user does it here."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "shut").mkdir()
    for name in ("open.md", "shut/in.md"):
        (folder / name).write_text(f"What {name} says.")
    user = os.geteuid()
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.sync(folder).added == 2
        (folder / "open.md").unlink()
        (folder / "shut").chmod(0)
        try:
            if user == 0:
                os.seteuid(65534)
            report = base.sync(folder)
        finally:
            os.seteuid(user)
            (folder / "shut").chmod(0o755)
        assert [(one.file, one.reason) for one in report.skipped] == [
            ("shut/", "the folder can not be read: Permission denied")
        ]
        assert (report.removed, sorted(texts(base))) == (1, ["shut/in.md"])
    shutil.rmtree(folder)


def test_a_base_in_the_folder_is_no_part_of_it(tmp_path: Path) -> None:
    pages(tmp_path / "f", 3)
    (tmp_path / "f" / "other.db").write_bytes(b"SQLite format 3\0")
    with KnowledgeBase(tmp_path / "f" / "handbook.db", embedder=Told()) as base:
        for report in (base.sync(tmp_path / "f"), base.sync(tmp_path / "f"), base.add(tmp_path / "f")):
            assert [one.file for one in report.skipped] == ["other.db"]
        assert base.stats().documents == 3
