"""Broken off at a stage at which another thread, or a process apart, is at work for long: nobody waits for it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).parent / "taskkit"
SOON = 20  # seconds, on a machine that is busy; what is at work would take minutes

ENDLESS = """
import os, pathlib, time
pathlib.Path("reader").write_text(str(os.getpid()))
time.sleep(600)
"""


def started(*argv: str, **env: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [SCRIPT, *argv], env={**os.environ, **env}, text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


def gone(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.mark.parametrize(
    "command",
    [
        ("summarise", "a.pdf", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"),
        ("summarise", "a.pdf", "--plan", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"),
        ("kb", "add", "a.pdf", "--knowledge", "a.kb"),
    ],
    ids=["a task", "a plan", "a knowledge base"],
)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_while_a_file_is_read(command: tuple[str, ...], how: signal.Signals) -> None:
    Path("slow").mkdir()
    Path("slow/pypdf.py").write_text(ENDLESS)
    Path("a.pdf").write_bytes(b"%PDF-1.4 of many pages")
    with started(*command, PYTHONPATH="slow") as running:
        while running.poll() is None and not (Path("reader").exists() and Path("reader").read_text()):
            os.sched_yield()
        began = time.monotonic()
        running.send_signal(how)
        _, err = running.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert running.returncode == (130 if how is signal.SIGINT else -how)
    assert "Traceback" not in err
    while not gone(int(Path("reader").read_text())):
        assert time.monotonic() - began < SOON, "the reader goes on"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no file that is never whole")
def test_while_a_model_is_loaded() -> None:
    os.mkfifo("m.gguf")
    Path("a.txt").write_text("The harbour was closed.")
    with started("summarise", "a.txt", "--model", "local:m.gguf") as running:
        loading = None
        while running.poll() is None and loading is None:
            with contextlib.suppress(OSError):  # nobody reads it yet
                loading = os.open("m.gguf", os.O_WRONLY | os.O_NONBLOCK)
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert running.returncode == 130
    assert "Traceback" not in err
    assert loading is not None
    os.close(loading)


DEAF = """
import sys, time
import taskkit

@taskkit.task
class Deaf(taskkit.Task[str]):
    "Hear nothing."

    def check(self):
        print("deaf", flush=True)
        try:
            time.sleep(600)
        except BaseException:
            time.sleep(600)
"""


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_where_what_is_raised_gets_lost(how: signal.Signals, code: int) -> None:
    """As in an import that tries one thing and then another."""
    Path("deaf.py").write_text(DEAF)
    with started("--tasks", "deaf.py", "deaf", "--model", "m", "--base-url", "http://127.0.0.1:9/v1") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "deaf\n"
        began = time.monotonic()
        running.send_signal(how)
        _, err = running.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert (running.returncode, err) == (code, "\ntaskkit: Interrupted.\n")
