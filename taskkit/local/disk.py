"""Files that several processes may want at once, on a disk that may be full."""

import contextlib
import errno
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from taskkit.errors import ConfigurationError

MARGIN = 64 * 2**20  # bytes left free for everybody else


@contextlib.contextmanager
def lock(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """One holder at a time, in whatever process or thread; the system frees it when the holder dies.

    The file itself stays: whoever removes a lock file takes it from those who wait for it.
    """
    with writing(file.parent):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = file.open("a+b")
    with handle:
        if not taken(handle, wait=False):
            waiting()
            while not taken(handle, wait=True):
                pass
        yield


if sys.platform == "win32":
    import msvcrt

    def taken(handle: IO[bytes], *, wait: bool) -> bool:
        """Whether this handle now holds the file, until it is closed."""
        handle.seek(0)
        try:  # LK_LOCK itself waits ten seconds
            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def taken(handle: IO[bytes], *, wait: bool) -> bool:
        """Whether this handle now holds the file, until it is closed."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what the disk refuses into a `ConfigurationError`."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "The disk is full" if full else f"The folder can not be written ({error.strerror})"
        raise ConfigurationError(
            f"{what}: {folder}.",
            kept="What has come so far is kept.",
            hint="Make room, or set TASKKIT_CACHE to a folder elsewhere.",
        ) from error


@contextlib.contextmanager
def opened(file: Path, mode: str) -> Iterator[IO[bytes]]:
    """For writing. Whoever writes flushes under `writing`: closing tries that again, and says nothing more of it."""
    with writing(file.parent):
        out = file.open(mode)
    try:
        yield out
    finally:
        with contextlib.suppress(OSError):
            out.close()


def need_room(folder: Path, size: int) -> None:
    """`size` in bytes. Raises `ConfigurationError` before anything is fetched in vain."""
    free = shutil.disk_usage(folder).free
    if free < size + MARGIN:
        raise ConfigurationError(
            f"Not enough room in {folder}: {size / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free.",
            hint="Make room, or set TASKKIT_CACHE to a folder elsewhere.",
        )


def sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def replace(file: Path, text: str) -> None:
    """The old text or the new one, whatever happens in between."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
