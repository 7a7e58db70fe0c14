"""What tests of many parts are made with."""

import contextlib
import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import taskkit


@taskkit.task
class Echo(taskkit.Task[str]):
    """Say it again."""

    text: str
    prompt = taskkit.Prompt("{{ text }}")


def on_a_terminal(argv: Sequence[str | Path], *, typed: bytes = b"", **streams: Any) -> tuple[int, bytes]:
    """The exit code, and what a terminal gets that all streams but the given ones are."""
    main, terminal = pty.openpty()
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal, **streams}
    with subprocess.Popen(argv, **streams) as running:
        os.close(terminal)
        if typed:
            os.write(main, typed)
        seen = b""
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while chunk := os.read(main, 4096):
                seen += chunk
        os.close(main)
        return running.wait(timeout=60), seen
