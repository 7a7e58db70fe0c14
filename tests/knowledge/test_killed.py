"""A sync that is killed with SIGKILL at any moment leaves the base whole, and the next one embeds what is missing."""

import contextlib
import functools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.pieces import pieces
from tests.knowledge.made import Told, mark, page, pages

# Imports once, then forks a process for each line on its standard input, which syncs.
NURSERY = """
import json, os, sys
from pathlib import Path
from taskkit.knowledge import KnowledgeBase
from tests.knowledge.made import Told
with KnowledgeBase("warm.kb", embedder=Told()) as base:
    Path("warm").mkdir()
    Path("warm/page.md").write_text("What is read on first use is read now.")
    base.sync("warm")

for line in sys.stdin:
    place, folder, log = json.loads(line)
    child = os.fork()
    if not child:
        os.write(1, (json.dumps(["pid", os.getpid()]) + "\\n").encode())
        with KnowledgeBase(place, embedder=Told(log=Path(log))) as base:
            report = base.sync(folder)
        os.write(1, (json.dumps(["whole", report.embedded]) + "\\n").encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.write(1, b'["ended"]\\n')
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("place", "count", "kills"), [("file", 500, 50), ("postgres", 100, 20)], indirect=["place"])
def test_killed_at_any_moment_it_is_whole_and_goes_on(place: str, count: int, kills: int, tmp_path: Path) -> None:
    folder, log, pick = pages(tmp_path / "pages", count), tmp_path / "log", random.Random(4)
    turn = killed = again = there = 0
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=pipe, stdout=pipe, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as nursery:
        assert nursery.stdin
        assert nursery.stdout

        def begun(where: str) -> int:
            nursery.stdin.write(json.dumps([where, str(folder), str(log)]).encode() + b"\n")  # type: ignore[union-attr]
            nursery.stdin.flush()  # type: ignore[union-attr]
            return int(json.loads(nursery.stdout.readline())[1])  # type: ignore[union-attr]

        took: list[float] = []
        for number in range(3):  # the first waits until the nursery is there, another is perhaps held up
            began = time.monotonic()
            begun(f"{place}_{number}")
            nursery.stdout.readline()
            nursery.stdout.readline()
            took.append(time.monotonic() - began)
        whole = min(took)
        while killed < kills:
            known = kept(place, folder)
            log.write_text("")
            child = begun(place)
            if select.select([nursery.stdout], [], [], pick.uniform(0, whole))[0] == []:
                with contextlib.suppress(ProcessLookupError):  # it was quicker
                    os.kill(child, signal.SIGKILL)
            told = json.loads(nursery.stdout.readline())
            killed += told[0] == "ended"
            if told[0] == "whole":
                assert told[1] == len(log.read_text().split())
                nursery.stdout.readline()
                turn += 1
                for number in pick.sample(range(count), count // 2):  # for those that are still to come
                    (folder / f"page-{number}.md").write_text(page(number, turn))
            there += bool(known)
            again += len(known & set(log.read_text().split()))
            with KnowledgeBase(place, embedder=Told()) as base:
                assert base.verify() == []
        nursery.kill()
    assert again == 0
    assert there
    missing = texts(folder) - kept(place, folder)
    embedder = Told()
    with KnowledgeBase(place, embedder=embedder) as base:
        assert base.sync(folder).embedded == len(embedder.texts)
        assert {mark(one) for one in embedder.texts} == missing
        assert base.verify() == []
        assert {row.name for row in base.list()} == {path.name for path in folder.iterdir()}
        assert base.stats().passages == count


def texts(folder: Path) -> set[str]:
    """Marks of all that is to be embedded of the files as they are."""
    return {one for path in folder.iterdir() for one in cut(path.name, path.read_text()).values()}


def kept(place: str, folder: Path) -> set[str]:
    """Those of them that the base has a vector of."""
    keys = {key: one for path in folder.iterdir() for key, one in cut(path.name, path.read_text()).items()}
    with KnowledgeBase(place, embedder=Told()) as base:
        return {keys[key] for key in base._store.known(keys)}


@functools.cache
def cut(name: str, text: str) -> dict[str, str]:
    """The keys of a file's passages, and the marks of what is embedded of them."""
    return {part.key("told"): mark(part.embedded) for part in pieces(Document(name, text, format="markdown"))}
