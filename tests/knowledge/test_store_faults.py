"""Disks that are full, files that can only be read, writers in each other's way."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told

ROOT = Path(__file__).parents[2]
FEW = [Document(f"d{number}", f"Copper {number} of the harbour.") for number in range(20)]


def test_a_second_writer_waits_and_is_then_told(place: str) -> None:
    with KnowledgeBase(place, embedder=Told(), wait=0.2) as base:
        base.add(FEW)
        with held(place), pytest.raises(ConfigurationError, match=r"Another process is writing.*0\.2 seconds"):
            base.add(Document("new", "Words."))
        assert base.add(Document("new", "Words.")).added == 1


def test_a_second_writer_goes_on_when_the_first_has_ended(place: str) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(FEW)
        with held(place) as release:
            work = threading.Thread(target=base.add, args=(Document("new", "Words."),))
            work.start()
            assert base.search("copper")
            release()
            work.join(20)
        assert base.document("new") is not None
        assert base.verify() == []


@contextlib.contextmanager
def held(place: str) -> Iterator[Callable[[], None]]:
    """Another process's change, which has not ended yet; what is given ends it."""
    code = f"""
import sys
from taskkit.knowledge import KnowledgeBase
with KnowledgeBase({place!r}) as base, base._store.change() as db:
    if db is None:
        base._store.rows("UPDATE settings SET value = value")
    else:
        db.execute("UPDATE settings SET value = value")
    print("held", flush=True)
    sys.stdin.readline()
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout
        assert other.stdin
        stdin = other.stdin
        assert other.stdout.readline() == "held\n"

        yield stdin.close  # twice is well, too
        stdin.close()


def test_a_reader_sees_the_last_whole_state_while_another_writes(place: str) -> None:
    with KnowledgeBase(place, embedder=Told()) as base, KnowledgeBase(place, embedder=Told()) as reader:
        base.add(FEW)
        with base._store.change():  # type: ignore[attr-defined]
            if place == "h.kb":
                base._store.rows("DELETE FROM words")  # type: ignore[attr-defined]
            base._store.rows("DELETE FROM documents")  # type: ignore[attr-defined]
            assert len(reader.search("copper", k=20)) == 20
            assert len(reader.list()) == 20
        assert reader.search("copper", k=20) == []


FULL = """
import resource, sys
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told
with KnowledgeBase("h.kb", embedder=Told()) as base:
    base.add(Document("first", "Words."))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    base.add([Document(f"d{n}", f"Text {n}. " + "Ledger and orchard. " * 400) for n in range(200)])
"""


def test_a_full_disk_is_told_and_what_was_there_is_kept() -> None:
    for size in (100_000, 400_000, 900_000):
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            [sys.executable, "-c", FULL, str(size)], capture_output=True, text=True, env=env, check=False
        )
        assert ran.returncode == 1
        assert "ConfigurationError" in ran.stderr.splitlines()[-1]
        assert "is kept. Make room" in ran.stderr
        with KnowledgeBase("h.kb", embedder=Told()) as base:
            assert base.verify() == []
            assert base.document("first") is not None
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add([Document(f"d{n}", f"Text {n}. " + "Ledger and orchard. " * 400) for n in range(200)])
        assert len(base.list()) == 201
        assert base.verify() == []


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may write everywhere: without its rights for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def older(path: Path) -> None:
    """Makes the base one that was made before it was kept what work awaits."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE awaited")


def test_a_base_of_before_keeps_what_work_awaits_from_now_on() -> None:
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add(FEW)
    older(Path("h.kb"))
    with KnowledgeBase("h.kb", embedder=Told(left=8)) as base:
        with pytest.raises(ConfigurationError, match="died"):
            base.add([Document(f"new {n}", f"Another text {n}.") for n in range(16)])
        assert (base.stats().awaited, base.compact()) == (8, 0)


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_what_can_only_be_read_is_read(closed: str) -> None:
    folder = Path("/tmp") / f"taskkit-{os.getpid()}-{closed}"
    folder.mkdir()
    path = folder / "h.kb"
    try:
        with KnowledgeBase(path, embedder=Told()) as base:
            base.add(FEW)
            found = base.search("copper 7")
        older(path)
        path.chmod(0o444)
        folder.chmod(0o555 if closed == "folder" else 0o777)
        with nobody(), KnowledgeBase(path, embedder=Told()) as base:
            assert base.search("copper 7") == found
            assert len(base.list()) == 20
            assert base.verify() == []
            assert base.stats().awaited == 0
            with pytest.raises(ConfigurationError, match=r"can only be read.*is kept"):
                base.add(Document("new", "Words."))
    finally:
        folder.chmod(0o777)
        for one in folder.iterdir():
            one.unlink()
        folder.rmdir()


def test_a_folder_that_can_not_be_written_to_has_no_new_base() -> None:
    folder = Path("/tmp") / f"taskkit-{os.getpid()}-shut"
    folder.mkdir(mode=0o555)
    try:
        with nobody(), pytest.raises(ConfigurationError, match="can not be written to"):
            KnowledgeBase(folder / "h.kb")
    finally:
        folder.rmdir()


def test_a_damaged_base_is_told_by_verify_or_at_once() -> None:
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add([Document(f"d{n}", f"Text {n}. " + "Ledger and orchard. " * 100) for n in range(50)])
        assert base.verify() == []
    whole = Path("h.kb").read_bytes()
    for at in range(4096 * 3, len(whole), 4096 * 5):
        Path("h.kb").write_bytes(whole[:at] + b"\xff" * 2000 + whole[at + 2000 :])
        told = "damaged"
        try:
            with KnowledgeBase("h.kb", embedder=Told()) as base:
                told = " ".join(base.verify())
        except ConfigurationError as error:
            told = str(error)
        assert told


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_goes_under_use_is_noticed_before_anything_is_lost(how: str) -> None:
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add(FEW)
        if how == "replaced":
            with KnowledgeBase("new.kb", embedder=Told()):
                pass
            Path("new.kb").rename("h.kb")
        elif how == "moved":
            Path("h.kb").rename("there.kb")
        else:
            Path("h.kb").unlink()
        for work in (lambda: base.add(Document("new", "Words.")), lambda: base.remove("d1"), base.stats, base.compact):
            with pytest.raises(ConfigurationError, match="deleted, moved or replaced"):
                work()
        assert base.search("copper")  # what is open can be read


def test_a_base_that_is_closed_says_so(place: str) -> None:
    base = KnowledgeBase(place, embedder=Told())
    base.add(FEW)
    base.close()
    base.close()
    works: list[Callable[[], object]] = [
        lambda: base.search("copper"), lambda: base.add(Document("new", "Words.")), base.list, base.stats, base.compact,
        lambda: base.remove("d1"), lambda: base.document("d1"), lambda: base.passages("d1"), base.reindex,
        lambda: base.export(Path("out.jsonl")),
    ]  # fmt: skip
    for work in works:
        with pytest.raises(ConfigurationError, match="is closed"):
            work()
    assert "closed" in base.verify()[0]
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize("name", ["a\0b.kb", "", 5, "postgresql://[", "postgresql://127.0.0.1:x/db"])
def test_what_is_no_place_is_told_in_one_line(name: Any) -> None:
    with pytest.raises((InputError, ConfigurationError)):
        KnowledgeBase(name)


def test_a_database_of_somebody_else_is_refused_and_left_alone() -> None:
    with contextlib.closing(sqlite3.connect("other.db")) as db:
        db.execute("CREATE TABLE theirs (x)")
        db.commit()
    before = Path("other.db").read_bytes()
    with pytest.raises(ConfigurationError, match="no knowledge base"):
        KnowledgeBase("other.db")
    assert Path("other.db").read_bytes() == before


def test_many_open_a_new_base_at_once() -> None:
    code = "from taskkit.knowledge import Document, KnowledgeBase\nfrom tests.knowledge.made import Told\nimport sys\nsys.stdin.readline()\nwith KnowledgeBase('h.kb', embedder=Told()) as base:\n    base.add(Document(sys.argv[1], 'Words ' + sys.argv[1]))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    many = [
        subprocess.Popen([sys.executable, "-c", code, f"d{n}"], stdin=pipe, stderr=pipe, text=True, env=env)
        for n in range(4)
    ]
    told = [one.communicate("\n")[1] for one in many]
    assert told == [""] * 4
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        assert len(base.list()) == 4
        assert base.verify() == []
