"""A sync of several groups that is killed between two of its changes is gone on with to the same end."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskkit.knowledge import KnowledgeBase
from tests.knowledge.made import Told, mark, page, pages
from tests.knowledge.test_killed import ROOT, kept, texts

# Imports once, then forks a process for each line on its standard input, which syncs and kills itself as its change of
# that number begins; where the store is a server, as its batch of that number is to be embedded.
NURSERY = """
import json, os, signal, sys
from pathlib import Path
from taskkit.knowledge import KnowledgeBase
from tests.knowledge.made import Told

class Dying(Told):
    async def embed(self, texts):
        counted("embed")
        return await super().embed(texts)

def counted(what):
    global left
    left -= what.startswith(("BEGIN IMMEDIATE" if place.endswith(".kb") else "embed"))
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

KnowledgeBase("warm.kb").close()
for line in sys.stdin:
    place, folder, log, left = json.loads(line)
    child = os.fork()
    if not child:
        with KnowledgeBase(place, embedder=Dying(batch=1000, log=Path(log))) as base:
            if place.endswith(".kb"):
                base._store._db.set_trace_callback(counted)
            base.sync(folder)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def killed() -> Iterator[Callable[[str, Path, Path, int], int]]:
    """What a sync ended with that was to be killed at the change of that number."""
    pipe, env = subprocess.PIPE, {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", NURSERY], stdin=pipe, stdout=pipe, env=env, text=True) as nursery:

        def killed_at(place: str, folder: Path, log: Path, number: int) -> int:
            assert nursery.stdin
            assert nursery.stdout
            nursery.stdin.write(json.dumps([place, str(folder), str(log), number]) + "\n")
            nursery.stdin.flush()
            return int(nursery.stdout.readline())

        yield killed_at
        assert nursery.stdin
        nursery.stdin.close()


def edited(folder: Path) -> Path:
    """Three groups of changes: texts, names from early to late and back, two that change places, and what went."""
    names = sorted(folder.iterdir())
    count = len(names)
    for number in range(count - 90):
        names[number].write_text(page(number, 1))
    for number in (3, 4, count // 2, count - 80):
        names[number].write_text(page(number))  # as it was, but
    names[3].rename(folder / "zz-last.md")
    names[count - 80].rename(folder / "aa-first.md")
    names[4].rename(folder / "swap")
    names[count // 2].rename(names[4])
    (folder / "swap").rename(names[count // 2])
    for number in (10, count // 3, count - 5):
        names[number].unlink()
    return folder


def moved(folder: Path) -> Path:
    """To another place, where half of them are no longer, and nearly half of the others are changed: two groups."""
    there = folder.rename(folder.with_name("moved"))
    names = sorted(there.iterdir())
    for number in range(505):
        names[number].write_text(page(number, 1))
    for name in names[1060:]:
        name.unlink()
    return there


def whole(place: str, folder: Path) -> None:
    """The base is what the folder is, and nothing in it is lost or double."""
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.verify() == []
        there = {row.name for row in base.list()}
        assert there == {path.name for path in folder.iterdir()}
        counts = base.stats()
        assert counts.passages == counts.documents == len(there)
        assert counts.vectors - counts.unused == len(texts(folder))
        for name in sorted(there)[:: len(there) // 50]:
            document = base.document(name)
            assert document is not None
            assert document.text == (folder / name).read_text()
        found = base.search("copper", k=300)
        assert {hit.passage.text for hit in found} <= {path.read_text().strip() for path in folder.iterdir()}


@pytest.mark.parametrize(("count", "changed"), [(1150, edited), (2080, moved)])
def test_killed_as_any_of_its_changes_begins_a_sync_goes_on_to_the_same_end(
    count: int, changed: Callable[[Path], Path], killed: Callable[[str, Path, Path, int], int], tmp_path: Path
) -> None:
    folder = pages(tmp_path / "pages", count, name="page-{:04}.md")
    with KnowledgeBase("before.kb", embedder=Told(batch=5000)) as base:
        base.sync(folder)
    folder, log = changed(folder), tmp_path / "log"
    missing = texts(folder) - kept("before.kb", folder)
    number, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        number += 1
        shutil.copy("before.kb", "h.kb")
        log.write_text("")
        ended = killed("h.kb", folder, log, number)
        with KnowledgeBase("h.kb", embedder=Told()) as base:
            assert base.verify() == []
        before, embedder = kept("h.kb", folder), Told(batch=1000)
        with KnowledgeBase("h.kb", embedder=embedder) as base:
            assert base.sync(folder).embedded == len(embedder.texts)
        assert {mark(one) for one in embedder.texts} == texts(folder) - before
        assert texts(folder) - before <= missing
        whole("h.kb", folder)
    assert ended == 0
    assert number > 5


def test_killed_between_groups_a_server_is_whole_and_the_sync_goes_on(
    postgres: str, killed: Callable[[str, Path, Path, int], int], tmp_path: Path
) -> None:
    folder, log = pages(tmp_path / "pages", 1100, name="page-{:04}.md"), tmp_path / "log"
    with KnowledgeBase(postgres, embedder=Told(batch=5000)) as base:
        base.sync(folder)
    edited(folder)
    for number in (2, 2):  # a batch a group
        assert killed(postgres, folder, log, number) == -signal.SIGKILL
        with KnowledgeBase(postgres, embedder=Told()) as base:
            assert base.verify() == []
    missing, embedder = texts(folder) - kept(postgres, folder), Told(batch=1000)
    with KnowledgeBase(postgres, embedder=embedder) as base:
        assert base.sync(folder).embedded == len(embedder.texts)
    assert {mark(one) for one in embedder.texts} == missing
    whole(postgres, folder)
