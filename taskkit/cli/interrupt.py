"""Ctrl-C and SIGTERM end the work within a second, whatever holds the process up: a model that is loaded, a file that
is read, an import in which what is raised gets lost."""

import atexit
import contextlib
import os
import signal
import sys
import time
from _thread import start_new_thread
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
SOON, LAST = 0.4, 0.15  # seconds to tidy up in, and for what Python does at its end where that was not done
SHOWN = b"\x1b[?25h"  # the cursor, which a progress bar hides

_came: dict[object, int] = {}  # the signal that is obeyed
_done: list[str] = []  # of the end


def listen() -> None:
    """A second signal ends the process at once."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    with contextlib.suppress(ValueError):  # not in the main thread
        for number, handler in usual.items():
            if signal.getsignal(number) == handler:
                signal.signal(number, _obey)


def _obey(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    this = object()
    _came[this] = number
    start_new_thread(_watch, (this,))  # the thread of `threading` would wait for locks that may be held here
    raise KeyboardInterrupt


def _watch(this: object) -> None:
    time.sleep(SOON)
    if this in _came:
        with contextlib.suppress(OSError):
            os.write(2, (SHOWN if os.isatty(2) else b"") + (b"" if _done else b"\ntaskkit: Interrupted.\n"))
        start_new_thread(end, ())  # a folder of texts is removed
        time.sleep(LAST)
        os._exit(_code())


def obeyed() -> bool:
    return bool(_came)


def forgiven() -> None:
    """It was meant for what is done now, and that was stopped: the process goes on."""
    for number in _came.values():
        signal.signal(number, _obey)
    _came.clear()


def told() -> None:
    _done.append("told")


def end() -> NoReturn:
    """Without waiting for other threads, as their work can not be stopped."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    atexit._run_exitfuncs()  # noqa: SLF001 - the rest of what Python does at its end
    os._exit(_code())


def _code() -> int:
    return TERMINATED if signal.SIGTERM in _came.values() else INTERRUPTED
