"""The console script itself, in a process of its own."""

import contextlib
import os
import pty
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskkit.testing import Say, ScriptedServer

Server = Callable[..., ScriptedServer]

SCRIPT = Path(sys.executable).parent / "taskkit"
HEAVY = {"openai", "numpy", "faiss", "jinja2", "pydantic", "rich", "tiktoken", "httpx", "asyncio"}


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the console script; what still runs when the test is over is ended."""
    running: list[subprocess.Popen[str]] = []

    def started(*argv: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        running.append(
            subprocess.Popen([SCRIPT, *argv], text=True, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        )
        return running[-1]

    yield started
    for one in running:
        one.kill()
        one.communicate()


@pytest.mark.parametrize("argv", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(argv: list[str]) -> None:
    code = f"import sys\nfrom taskkit.cli import outcome\noutcome({argv!r})\nprint(*sys.modules, file=sys.stderr)"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(got.stderr.split())


def cpu(argv: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_at_most_three_times_what_click_alone_takes() -> None:
    script, click = [str(SCRIPT), "--help"], [sys.executable, "-c", "import click"]
    pairs = [(cpu(script), cpu(click)) for _ in range(5)]
    assert min(one for one, _ in pairs) <= 3 * min(other for _, other in pairs)


def test_interrupted_it_ends_with_130_and_goes_on_from_the_journal(server: Server, start: Start) -> None:
    Path("in.jsonl").write_text("\n".join(f'"Text {n}."' for n in range(6)))
    hangs = ["Text 4"]
    there = server(lambda body: Say("Fine.", delay=60 if hangs and hangs[0] in str(body) else 0))
    options = ("--base-url", there.base_url, "--model", "gpt-4.1-mini", "--concurrency", "1")
    argv = ("run", "summarise", "in.jsonl", "-o", "out.jsonl", *options)
    running = start(*argv)
    while running.poll() is None and len(there.bodies) < 5:
        os.sched_yield()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "taskkit: Interrupted. What was done is in the journal" in err
    assert "Traceback" not in err
    assert [one.name for one in Path().iterdir()] == ["in.jsonl"]
    hangs.clear()
    running = start(*argv)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "from the journal" in err
    assert len(there.bodies) in {7, 8}  # the answer that came last may not have been kept yet
    assert len(Path("out.jsonl").read_text().splitlines()) == 6


def test_a_reader_that_leaves_is_no_error(server: Server, start: Start) -> None:
    there = server("A fine text. " * 20_000)
    Path("mine.py").write_text(
        "import taskkit\n\n@taskkit.task\nclass Haiku(taskkit.Task[str]):\n    '''Write one.'''\n    subject: str\n"
        "    prompt = taskkit.Prompt('{{ subject }}')\n"
    )
    argv = ("--tasks", "mine.py", "haiku", "sea", "--base-url", there.base_url, "--model", "gpt-4.1-mini")
    running = start(*argv)
    assert running.stdout is not None
    assert running.stderr is not None
    assert running.stdout.read(10) == "A fine tex"
    running.stdout.close()
    assert running.wait(timeout=20) == 0
    assert "BrokenPipe" not in (err := running.stderr.read())
    assert "Traceback" not in err
    running.stderr.close()


def test_completion(start: Start) -> None:
    def completed(words: str, number: int) -> str:
        env = {**os.environ, "_TASKKIT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return start(env=env).communicate(timeout=60)[0]

    assert "plain,summarise" in completed("taskkit summ", 1)
    assert "plain,--words" in completed("taskkit summarise --wo", 2)
    assert "plain,bullets" in completed("taskkit summarise --style b", 3)
    assert "file," in completed("taskkit summarise -o x", 3)


def test_without_a_message_a_terminal_gets_a_conversation(server: Server) -> None:
    there = server(lambda body: {"say": f"Answer {len(body['messages'])}.", "action": "", "emotion": "calm"})
    main, terminal = pty.openpty()
    argv = ("character", "--card", "Brom", "--base-url", there.base_url, "--model", "gpt-4.1-mini")
    with subprocess.Popen([SCRIPT, *argv], stdin=terminal, stdout=terminal, stderr=terminal) as running:
        os.close(terminal)
        os.write(main, b"Good evening\n/what\nAnd now?\n/save kept.jsonl\n/quit\n")
        seen = b""
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while chunk := os.read(main, 4096):
                seen += chunk
        os.close(main)
        assert running.wait(timeout=20) == 0
    assert b"There is no /what." in seen
    assert b"Kept in kept.jsonl." in seen
    assert b"2 calls" in seen
    assert "Good evening" in str(there.bodies[1]["messages"])  # what was said before goes along
    assert len(Path("kept.jsonl").read_text().splitlines()) == 2
