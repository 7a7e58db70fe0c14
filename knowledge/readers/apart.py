"""Files are read in a process apart: one that hangs, eats memory or crashes its reader ends that process and is told,
and the next file has a new one."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from taskkit.errors import InputError
from taskkit.knowledge.records import Document

SECONDS = 120.0  # a file; a PDF of a thousand pages takes about half a minute
MEMORY = 2_000_000_000  # bytes of address space
LONGER = 10.0  # seconds that a reader has beyond those that it is waited for
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from taskkit.knowledge.readers import apart; "
    "apart.serve(int(sys.argv[2]), float(sys.argv[3]))"
)


class Apart:
    """Begins with the first file that needs it, ends with the block."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    def read(self, path: Path) -> Document:
        """Raises `InputError` with what is the matter with the file."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._begun()
            if self.stopped:
                self._process.kill()
        try:
            said = self._asked(self._process, path)
        except BaseException:  # Ctrl-C: an answer that nobody waits for would be taken for the next file's
            self._end()
            raise
        if "problem" in said:
            raise InputError(str(said["problem"]))
        return Document(**said)

    def stop(self) -> None:
        """From another thread: what is being read is given up."""
        self.stopped = True
        if (process := self._process) is not None:
            process.kill()

    def _begun(self) -> "subprocess.Popen[bytes]":
        # Isolated, and on this process's own path: nothing of the folder that it is started in is imported.
        return subprocess.Popen(  # noqa: S603 - this interpreter
            begun_by(os.getpid(), self._seconds + LONGER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _asked(self, process: "subprocess.Popen[bytes]", path: Path) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, end)
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(str(path.absolute())).encode() + b"\n")
                process.stdin.flush()
            answer = process.stdout.readline()
        finally:
            timer.cancel()
        if answer.endswith(b"\n"):
            return json.loads(answer)  # type: ignore[no-any-return]
        self._end()
        if late.is_set():
            return {"problem": f"took longer to read than {self._seconds:,.0f} seconds"}
        return {"problem": "makes its reader crash"}

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()


def begun_by(parent: int, seconds: float) -> list[str]:
    """The command of a process that serves `parent`."""
    return [sys.executable, "-I", "-c", _START, json.dumps(sys.path), str(parent), str(seconds)]


def serve(parent: int, seconds: float) -> None:
    """Answers for each path on standard input, until that ends, the parent is gone, or a file takes so many seconds."""
    from taskkit.local.child import end_with

    end_with(parent)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a reader prints is no answer
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin.buffer:
        _end_in(seconds)
        answer = json.dumps(_answer(Path(json.loads(line)))).encode() + b"\n"
        _end_in(0)
        answers.write(answer)
        answers.flush()


def _end_in(seconds: float) -> None:
    """By the system, which needs no turn of a reader that gives none to any other thread. 0: not any more."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _answer(path: Path) -> dict[str, Any]:
    from taskkit.knowledge.readers import read, suffix_of

    try:
        found = read(path)
        labels = {key: [value] if isinstance(value, str) else [*value] for key, value in found.access.items()}
        return {**asdict(found), "metadata": dict(found.metadata), "access": labels}
    except InputError as error:
        return {"problem": error.message}
    except MemoryError:
        return {"problem": f"takes more than {MEMORY / 1e9:,.0f} GB of memory to read"}
    except RecursionError:
        return {"problem": "is nested too deeply"}
    except ModuleNotFoundError as error:
        return {"problem": f"needs {error.name} to be read; run: pip install 'taskkit[documents]'"}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a library or a plug-in does
        told = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return {"problem": f"can not be read as {suffix_of(path)}: {told}"}
