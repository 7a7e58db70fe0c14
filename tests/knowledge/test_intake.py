"""Documents on their way in: in groups, told once over the whole, and kept when it is broken off."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskkit.errors import ConfigurationError
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.reading import AT_ONCE
from taskkit.knowledge.records import Report
from tests.knowledge.made import Told, page, pages

COUNT = 2 * AT_ONCE + 50  # three groups


def test_a_folder_is_kept_while_it_is_still_read(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", COUNT)
    there: list[int] = []
    told: list[tuple[int, int, str]] = []
    with KnowledgeBase(place, embedder=Told(batch=100)) as base, KnowledgeBase(place, embedder=Told()) as other:

        def tell(done: int, total: int, name: str) -> None:
            told.append((done, total, name))
            if len({name for _, _, name in told}) == COUNT:
                there.append(other.stats().documents)

        assert base.sync(folder, progress=tell).added == COUNT
    assert there[0] >= AT_ONCE  # when the last one is read
    done = [done for done, _, _ in told]
    assert done == sorted(done)
    assert {total for _, total, _ in told} == {COUNT}
    assert told[-1] == (COUNT, COUNT, "")


def test_documents_are_taken_as_they_come() -> None:
    """Of those that are made one after the other, no more are asked for than are at hand."""
    ahead: list[int] = []
    told: list[tuple[int, int, str]] = []
    with KnowledgeBase("h.kb", embedder=Told(batch=100)) as base, KnowledgeBase("h.kb", embedder=Told()) as other:

        def made() -> Iterator[Document]:
            for number in range(COUNT):
                if number % 100 == 0:
                    ahead.append(number - other.stats().documents)
                yield Document(f"d{number}", page(number))

        assert base.add(made(), progress=lambda *at: told.append(at)).added == COUNT
        assert max(ahead) < 2 * AT_ONCE
        assert {total for _, total, _ in told[:-1]} == {0}  # nobody knows how many
        assert told[-1] == (COUNT, COUNT, "")


def test_of_two_of_one_name_the_later_one_is_kept(place: str) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Document("a", "The old words."))
        report = base.add([Document("a", "New words."), Document("a", "The old words.")])
        assert report.changed == 2
        assert base.document("a") == Document("a", "The old words.")


def test_folders_that_come_in_at_once_take_no_names_from_each_other(place: str, tmp_path: Path) -> None:
    """Both see the names free when they begin; whoever is later finds them taken when it keeps its own."""
    mine, other = pages(tmp_path / "a", 30), pages(tmp_path / "b", 30)
    for number in range(30):
        (other / f"page-{number}.md").write_text(page(number, 1))

    class Meanwhile(Told):
        async def embed(self, texts):
            if not self.texts:
                with KnowledgeBase(place, embedder=Told()) as base:
                    assert await asyncio.to_thread(base.sync, other)
            return await super().embed(texts)

    with KnowledgeBase(place, embedder=Meanwhile()) as base:
        assert base.sync(mine).added == 30
        assert base.stats().documents == 60
        kept = {row.name: base.document(row.name) for row in base.list()}
        assert {one.text for one in kept.values() if one} == {
            path.read_text() for folder in (mine, other) for path in folder.iterdir()
        }
        for folder in (mine, other):
            assert base.sync(folder) == Report(unchanged=30)
        (other / "page-3.md").unlink()
        assert base.sync(other).removed == 1
        assert base.stats().documents == 59


def test_renamed_and_broken_off_nothing_is_embedded_again(tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", COUNT)
    with KnowledgeBase("h.kb", embedder=Told(batch=100)) as base:
        base.sync(folder)
        for number in range(COUNT):
            (folder / f"page-{number}.md").rename(folder / f"moved-{number}.md")
        (folder / "new.md").write_text("New words.")
    with (
        KnowledgeBase("h.kb", embedder=Told(left=0)) as base,
        pytest.raises(ConfigurationError, match="told failed: OSError: the embedder died"),
    ):
        base.sync(folder)
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        assert base.stats().documents == COUNT
        report = base.sync(folder)
        assert (report.added, report.removed, report.unchanged, report.embedded) == (1, 0, COUNT, 1)
        assert base.verify() == []


class Paid(Told):
    """Answers `answers` batches, four at a time, and then no more."""

    at_once = 4

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers
        self.waits = asyncio.Event()

    async def embed(self, texts):
        self.answers -= 1
        if self.answers < 0:
            self.waits.set()
            await asyncio.Event().wait()
        return await super().embed(texts)


def test_what_was_answered_is_kept_when_it_is_broken_off_meanwhile() -> None:
    """Another writer has the base at that moment: the answers wait for it."""
    many = [Document(f"d{number}", page(number)) for number in range(64)]
    paid = Paid(answers=3)

    async def broken_off(base: KnowledgeBase) -> None:
        other = sqlite3.connect("h.kb", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        work = asyncio.create_task(base.aadd(many))
        await paid.waits.wait()
        work.cancel()
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
        with pytest.raises(asyncio.CancelledError):
            await work
        assert other.execute("SELECT count(*) FROM vectors").fetchone() == (24,)
        other.close()

    with KnowledgeBase("h.kb", embedder=paid) as base:
        asyncio.run(broken_off(base))
    again = Told()
    with KnowledgeBase("h.kb", embedder=again) as base:
        assert base.stats().vectors == 24
        assert base.add(many).embedded == 40
        assert not {*again.texts} & {*paid.texts}
        assert base.verify() == []
