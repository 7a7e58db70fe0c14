"""The process' own streams: on a terminal text is only text, whoever wrote it, and a stream that is closed says so."""

import contextlib
import io
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from taskkit.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e]|\r(?!\n)")


class Terminal(io.TextIOWrapper):
    """Nothing that is written can move the cursor or set the title, be it of a document, a model or a file's name."""

    def write(self, text: str) -> int:
        super().write(CONTROLS.sub("\ufffd", text))
        return len(text)


class Raw:
    """The same terminal, for what draws on it with signs of its own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if isinstance(self._stream, Terminal):
            return io.TextIOWrapper.write(self._stream, text)
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console() -> "Console":
    """Standard error, for progress bars."""
    from rich.console import Console

    return Console(file=cast("TextIO", Raw(sys.stderr)))


class Closed(io.TextIOBase):
    """In place of a standard output that was closed before the process began."""

    encoding = "utf-8"

    def write(self, _: str) -> int:
        raise InputError("Standard output is closed.", hint="Give -o a file, or leave it open.")


def guard() -> None:
    """For the whole of a process; called once, before anything is written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            encoding = stream.encoding
            setattr(sys, name, Terminal(stream.detach(), encoding, "replace", line_buffering=True))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdout is None:
        sys.stdout = Closed()


def check_open() -> None:
    """Before anything is paid for that could not be shown. Raises `InputError`."""
    if isinstance(sys.stdout, Closed):
        sys.stdout.write("")


def hush() -> None:
    """What is still buffered has nowhere to go; Python would complain of that at its end."""
    import os

    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
