"""The console script itself, in a process of its own."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Say, ScriptedServer
from tests.made import on_a_terminal

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
    part = Path("out.jsonl.taskkit-part")
    while running.poll() is None and (len(there.bodies) < 5 or part.read_text().count("\n") < 4):
        os.sched_yield()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "taskkit: Interrupted. What was done is in the journal" in err
    assert "Traceback" not in err
    assert sorted(one.name for one in Path().iterdir()) == ["in.jsonl", "out.jsonl.taskkit-part"]
    assert f"The results so far, 4 of them, are in {Path('out.jsonl.taskkit-part').resolve()}" in err
    assert [json.loads(line)["text"] for line in Path("out.jsonl.taskkit-part").read_text().splitlines()] == [
        "Fine."
    ] * 4
    hangs.clear()
    running = start(*argv)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "from the journal" in err
    assert len(there.bodies) in {7, 8}  # the answer that came last may not have been kept yet
    assert len(Path("out.jsonl").read_text().splitlines()) == 6
    assert not Path("out.jsonl.taskkit-part").exists()


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_ended_from_outside_it_leaves_no_texts_behind(
    name: str, code: int, server: Server, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("texts").mkdir()
    Path("texts/a.md").write_text("The launch code is secret.")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    there = server(Say("Fine.", delay=60))
    options = ("--base-url", there.base_url, "--model", "gpt-4.1-mini")
    running = start("ask", "What is the code?", "--knowledge", "texts", "--expand", "queries", *options)
    while running.poll() is None and not there.bodies:
        os.sched_yield()
    assert list(scratch.iterdir())
    running.send_signal(getattr(signal, name))
    _, err = running.communicate(timeout=60)
    assert running.returncode == code, err
    assert err.strip() == "taskkit: Interrupted.", "nothing was answered that would be in the journal"
    assert list(scratch.iterdir()) == []


HOLDS = """
import sys
import time
import taskkit

@taskkit.task
class Hold(taskkit.Task[str]):
    "Hold the loop."
    async def run(self, job: taskkit.Job) -> str:
        print("held", flush=True)
        time.sleep(60)
        return ""
"""


def test_ctrl_c_does_not_wait_for_a_task_that_holds_everything_up(server: Server, start: Start) -> None:
    Path("holds.py").write_text(HOLDS)
    running = start("--tasks", "holds.py", "hold", "--base-url", server("").base_url, "--model", "gpt-4.1-mini")
    assert running.stdout is not None
    assert running.stdout.readline() == "held\n"
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "taskkit: Interrupted." in err
    assert time.monotonic() - began < 30, "long before it is done"


VARIED = """
import taskkit

@taskkit.task
class Varied(taskkit.Task[str]):
    "Say something about a word."
    temperature = 1.0
    word: str
    prompt = taskkit.Prompt("About {{ word }}.")
"""


@pytest.mark.parametrize("task", ["summarise", "varied"])
def test_killed_it_leaves_whole_lines_and_goes_on_where_it_was(server: Server, start: Start, task: str) -> None:
    """Also where the temperature is high: what a command that was broken off had finished is not asked for again."""
    Path("mine.py").write_text(VARIED)
    count, kills = 1200, 3
    rows = [f'"Word {n % 550}."' if n % 100 else "{}" for n in range(count)]  # 12 rows that fail, and many alike
    Path("in.jsonl").write_text("\n".join(rows))
    numbers = iter(range(10**9))
    letters = str.maketrans("0123456789", "abcdefghij")  # a number that the text does not have would be asked about
    there = server(lambda body: f"Answer {str(next(numbers)).translate(letters)}. " + "word " * 50)
    options = ("--base-url", there.base_url, "--model", "gpt-4.1-mini", "-o", "out.jsonl", "--concurrency", "16")
    part, parts = Path("out.jsonl.taskkit-part"), []
    for kill in range(1, kills + 1):
        running = start("--tasks", "mine.py", "run", task, "in.jsonl", *options)
        while running.poll() is None and len(there.bodies) < kill * count // 8:
            os.sched_yield()
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert not Path("out.jsonl").exists()
        parts.append(part.read_bytes())
        assert parts[-1].endswith(b"\n")
        assert [json.loads(line) for line in parts[-1].splitlines()]
    asked = len(there.bodies)
    running = start("--tasks", "mine.py", "run", task, "in.jsonl", *options)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "12 of 1200 lines failed" in err
    assert not part.exists()
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert ["error" in line for line in lines] == [not n % 100 for n in range(count)]
    texts = [line["text"] for line in lines if "text" in line]
    # The answers on their way when it was killed, 16 at most, are lost each time; no other is paid for twice.
    if task == "varied":
        assert len(set(texts)) == len(texts) == 1188, "rows that are alike have answers of their own"
        assert len(there.bodies) <= 1188 + kills * 16
    else:
        assert len(there.bodies) <= 550 + kills * 16
    assert asked < len(there.bodies)
    whole = Path("out.jsonl").read_bytes()
    assert whole.startswith(parts[0][: parts[0].index(b"\n") + 1])


def test_a_full_disk_under_the_results_is_one_line(server: Server) -> None:
    Path("in.jsonl").write_text("\n".join(f'"Text {n}."' for n in range(40)))
    there = server("A fine text. " * 40)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
        "from taskkit.cli import main; main()"
    )
    argv = ["run", "summarise", "in.jsonl", "-o", "out.jsonl", "--base-url", there.base_url, "--model", "gpt-4.1-mini"]
    ran = subprocess.run(
        [sys.executable, "-c", code, *argv, "--no-journal"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2, ran.stderr
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("taskkit: ")
    assert "out.jsonl.taskkit-part can not be written: File too large" in last
    kept = Path("out.jsonl.taskkit-part").read_bytes()
    assert 0 < len(kept) <= 8000
    assert kept.endswith(b"\n")


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


@pytest.mark.parametrize("argv", [("models", "list"), (), ("prompts", "show", "summarise"), ("--help",)])
def test_a_reader_that_was_never_there_is_none_either(argv: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([SCRIPT, *argv], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_models_text_can_not_speak_to_a_terminal_now_or_out_of_a_file(server: Server, start: Start) -> None:
    said = "\x1b]0;owned\x07Red \x1b[31mtext.\tFine.\nTwo lines."
    there = server(said)
    argv = ("summarise", "in.txt", "--base-url", there.base_url, "--model", "gpt-4.1-mini", "--quiet")
    Path("in.txt").write_text("Ships sail.")
    code, seen = on_a_terminal([SCRIPT, *argv])
    assert code == 0
    assert b"text.\tFine.\r\nTwo lines." in seen
    assert not {b"\x1b", b"\x07"} & {bytes([one]) for one in seen}
    assert start(*argv).communicate(timeout=30)[0] == "]0;ownedRed [31mtext.\tFine.\nTwo lines.\n"


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
    argv = ("character", "--card", "Brom", "--base-url", there.base_url, "--model", "gpt-4.1-mini")
    typed = b"Good evening\n/what\nAnd now?\n/save kept.jsonl\n/quit\n"
    code, seen = on_a_terminal([SCRIPT, *argv], typed=typed)
    assert code == 0
    assert b"There is no /what." in seen
    assert b"Kept in kept.jsonl." in seen
    assert b"2 calls" in seen
    assert "Good evening" in str(there.bodies[1]["messages"])  # what was said before goes along
    assert len(Path("kept.jsonl").read_text().splitlines()) == 2


def shown_on(screen: str, argv: list[str]) -> str:
    """What is seen of a command whose standard output, or standard error, is a terminal."""
    streams: dict[str, Any] = dict.fromkeys({"stdin", "stdout", "stderr"} - {screen}, subprocess.DEVNULL)
    code, seen = on_a_terminal([SCRIPT, *argv], **streams)
    assert code == 0
    return seen.decode()


def test_a_bar_on_a_terminal_shows_the_pieces_and_what_they_took(server: Server) -> None:
    there = server("The harbour was closed on day 5.", latency=0.3)
    Path("long.txt").write_text("\n\n".join(f"On day {n} the harbour of town {n} was closed." for n in range(2000)))
    argv = ["summarise", "long.txt", "--base-url", there.base_url, "--model", "gpt-4.1-mini", "-o", "out.txt"]
    seen = shown_on("stderr", [*argv, "--concurrency", "2"])
    pieces = len(there.bodies) - 1
    assert re.search(rf"[1-9]\d*/{pieces}\b", seen)
    assert re.search(r"\d tokens, \$0\.\d{4}", seen)
    assert "\n" not in seen.strip() or f"{pieces + 1} calls" in seen.splitlines()[-1]


@pytest.mark.parametrize("long", [False, True])
def test_on_a_terminal_a_text_with_nothing_on_the_focus_is_told_in_one_sentence(server: Server, long: bool) -> None:
    there = server(Say("NOTHING", chunk=3, pause=0.01))
    lines = (f"On day {n} the harbour of town {n} was closed." for n in range(2000 if long else 20))
    Path("text.txt").write_text("\n\n".join(lines))
    argv = ["summarise", "text.txt", "--focus", "whales", "--base-url", there.base_url, "--model", "gpt-4.1-mini"]
    seen = shown_on("stdout", argv)
    assert seen.strip() == "The text says nothing about this: whales"
