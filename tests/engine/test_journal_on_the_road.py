"""Whatever happens to the journal, a job ends whole, with right answers; what can not be kept is said once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.testing import ScriptedServer, echo
from tests.made import Echo

Server = Callable[..., ScriptedServer]
SCRIPT = Path(sys.executable).parent / "taskkit"


def ran(there: ScriptedServer, journal: Path, count: int = 50) -> tuple[list[Any], list[str], taskkit.Engine]:
    seen: list[Any] = []
    engine = taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=journal)
    with engine, engine.events.listen(seen.append):
        results = engine.map([Echo(f"Line {number}") for number in range(count)])
    return results, [one.message for one in seen if one.kind == "warning"], engine


LINES = [f"Line {number}" for number in range(50)]

FULL = """
import json, resource, signal, sys
from pathlib import Path
import taskkit
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

@taskkit.task
class Echo(taskkit.Task[str]):
    "Say it again."
    text: str
    prompt = taskkit.Prompt("{{ text }}")

url, limit = sys.argv[1], int(sys.argv[2])
with taskkit.Engine("gpt-4.1-mini", base_url=url, api_key="k", journal=Path("journal.sqlite")) as engine:
    seen = []
    with engine.events.listen(lambda event: event.kind == "warning" and seen.append(event.message)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        results = engine.map([Echo(f"Line {n} " + "word " * 200) for n in range(200)])
print(json.dumps([results, seen]))
"""


@pytest.mark.parametrize("limit", [0, 5_000, 40_000, 100_000])
def test_a_disk_that_is_full_from_the_start_or_gets_full_on_the_way(server: Server, limit: int) -> None:
    """A limit on the size of files: the system refuses to write, as on a full disk."""
    there = server(echo)
    argv = [sys.executable, "-c", FULL, there.base_url, str(limit)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    results, warnings = json.loads(done.stdout)
    assert results == [(f"Line {n} " + "word " * 200).rstrip() for n in range(200)] or results == [
        f"Line {n} " + "word " * 200 for n in range(200)
    ]
    assert len(there.bodies) == 200
    assert len(warnings) == 1
    assert "journal.sqlite can not be used" in warnings[0]
    assert "Free the disk" in warnings[0]
    again, more, _ = ran(there, Path("journal.sqlite"))  # the disk has room again: what it left is a journal still
    assert (again, more) == (LINES, [])


MOUNTED = """
mount -t tmpfs -o size=$1 tmpfs small && cd small && shift && "$@"
code=$?
cp journal.sqlite* .. 2>/dev/null
exit $code
"""


def a_small_disk(size: str, argv: list[str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command on a disk of its own; skips the test where none may be mounted."""
    Path("small").mkdir()
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    try:
        subprocess.run([*apart, MOUNTED, "sh", "64k", "true"], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    return subprocess.run([*apart, MOUNTED, "sh", size, *argv], capture_output=True, text=True, check=True, timeout=60)


@pytest.mark.parametrize("size", ["8k", "64k", "256k"])
def test_a_disk_without_a_byte_left(server: Server, size: str) -> None:
    """The smallest has no room for an empty journal, the largest for some answers."""
    there = server(echo)
    done = a_small_disk(size, [sys.executable, "-c", FULL, there.base_url, str(10**9)])
    results, warnings = json.loads(done.stdout)
    assert [one.rstrip() for one in results] == [(f"Line {n} " + "word " * 200).rstrip() for n in range(200)]
    assert len(there.bodies) == 200
    assert len(warnings) == 1
    assert "journal.sqlite can not be used (d" in warnings[0]  # "database or disk is full", or "disk I/O error"
    assert "Free the disk" in warnings[0]
    again, more, _ = ran(there, Path("journal.sqlite"))  # what was left of it, on a disk with room
    assert (again, more) == (LINES, [])


def test_a_folder_where_nothing_can_be_written(server: Server) -> None:
    there = server(echo)
    results, warnings, _ = ran(there, Path("/proc/self/fdinfo/journal.sqlite"))  # not for root either
    assert results == LINES
    assert len(warnings) == 1
    assert "can not be used" in warnings[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_of_somebody_else(server: Server) -> None:
    Path("shut").mkdir(mode=0o500)
    results, warnings, _ = ran(server(echo), Path("shut/journal.sqlite"))
    assert (results, len(warnings)) == (LINES, 1)


@pytest.mark.parametrize("damage", ["head", "middle", "end", "cut", "empty", "another"])
def test_a_damaged_file(server: Server, damage: str) -> None:
    there = server(echo)
    path = Path("journal.sqlite")
    ran(there, path)
    data = bytearray(path.read_bytes())
    size = len(data)
    match damage:
        case "head":
            data[:100] = os.urandom(100)
        case "middle":
            data[size // 4 : 3 * size // 4] = os.urandom(3 * size // 4 - size // 4)
        case "end":
            data[-4096:] = os.urandom(4096)
        case "cut":
            data = data[: size // 2]
        case "empty":
            data = bytearray()
        case _:
            data = bytearray(b"A letter to my aunt. " * 1000)
    path.write_bytes(data)
    results, warnings, _ = ran(there, path)
    assert results == LINES
    assert len(warnings) <= 1
    results, warnings, engine = ran(there, path)
    assert results == LINES
    assert warnings == [], "the second job has a sound journal"
    assert engine.usage.journal_hits == 50


def test_two_commands_at_once_on_one_journal(server: Server) -> None:
    there = server(echo, latency=0.002)
    Path("in.jsonl").write_text("\n".join(f'"Line {n}"' for n in range(120)))
    Path("mine.py").write_text(
        "import taskkit\n\n@taskkit.task\nclass Echo(taskkit.Task[str]):\n    'Say it again.'\n    text: str\n"
        "    prompt = taskkit.Prompt('{{ text }}')\n"
    )
    options = ["--base-url", there.base_url, "--model", "gpt-4.1-mini"]
    argv = [str(SCRIPT), "--tasks", "mine.py", "run", "echo", "in.jsonl", *options]
    both = [subprocess.Popen([*argv, "-o", f"{n}.jsonl"], stderr=subprocess.PIPE, text=True) for n in range(2)]
    for number, one in enumerate(both):
        _, err = one.communicate(timeout=60)
        assert one.returncode == 0, err
        assert "can not be used" not in err
        rows = [json.loads(line)["text"] for line in Path(f"{number}.jsonl").read_text().splitlines()]
        assert rows == [f"Line {n}" for n in range(120)]
    asked = len(there.bodies)
    assert subprocess.run([*argv, "-o", "again.jsonl"], capture_output=True, check=True).returncode == 0
    assert len(there.bodies) == asked, "all that was paid for is there"


def test_a_change_asks_again_for_what_it_touches_and_for_nothing_else(server: Server) -> None:
    there = server(echo)

    def asked(count: int = 20, changed: int = -1, **options: Any) -> list[str]:
        before = len(there.bodies)
        given = {"model": "gpt-4.1-mini", "base_url": there.base_url, "api_key": "k", "temperature": 0.2, **options}
        with taskkit.Engine(**given) as engine:
            engine.map([Echo(f"Line {n}" + " anew" * (n == changed)) for n in range(count)])
        return [body["messages"][-1]["content"] for body in there.bodies[before:]]

    assert len(asked()) == 20
    assert asked() == []
    assert asked(changed=7) == ["Line 7 anew"]
    assert sorted(asked(count=22)) == ["Line 20", "Line 21"]
    assert len(asked(model="gpt-4.1")) == 20, "another model is another answer"
    assert len(asked(temperature=0.1)) == 20
    assert asked(concurrency=3, rpm=100_000, timeout=30) == [], "how it is sent is no part of it"
    assert len(asked(fresh=True)) == 20
    assert len(asked(journal=False)) == 20
    assert asked() == []


@pytest.mark.parametrize(("temperature", "kept"), [(0.0, True), (0.3, True), (0.31, False), (1.0, False)])
def test_a_finished_command_is_answered_from_the_journal_where_it_is_cool(
    server: Server, temperature: float, kept: bool
) -> None:
    there = server(echo)
    for _ in range(2):
        with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", temperature=temperature) as engine:
            engine.run(Echo("again"))
    assert len(there.bodies) == (1 if kept else 2)


def test_nothing_is_written_where_it_is_turned_off(server: Server, tmp_path: Path) -> None:
    with taskkit.Engine("gpt-4.1-mini", base_url=server(echo).base_url, api_key="k", journal=False) as engine:
        engine.run(Echo("secret words"))
    assert not list(tmp_path.rglob("journal*"))
