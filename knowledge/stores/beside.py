"""A file beside a store with what was derived from it: it bears the store's generation and its own checksums, and
one that is missing or damaged is as good as none."""

import contextlib
import glob
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"taskkit index 2\n"


def place(store: Path) -> Path:
    return store.with_name(f"{store.name}-index")


def write(store: Path, generation: str, parts: Sequence[bytes | memoryview]) -> None:
    """In one step. A folder that can not be written to is left."""
    sums = " ".join(f"{len(part)} {zlib.crc32(part)}" for part in parts)
    file = place(store)
    scratch = file.with_name(f"{file.name}-{os.getpid()}")
    with contextlib.suppress(OSError):
        _clear(file)
        try:
            with scratch.open("wb") as out:
                out.writelines([MAGIC, f"{generation} {sums}\n".encode(), *parts])
            scratch.replace(file)
        finally:
            scratch.unlink(missing_ok=True)


def _clear(file: Path) -> None:
    """What processes that were killed had begun to write."""
    for one in file.parent.glob(f"{glob.escape(file.name)}-*"):
        process = one.name.rpartition("-")[2]
        if not process.isdecimal():
            continue
        try:
            os.kill(int(process), 0)
        except (ProcessLookupError, OverflowError):
            one.unlink(missing_ok=True)
        except OSError:  # somebody else's, which lives
            continue


def read(store: Path) -> "tuple[str, list[np.ndarray[Any, Any]]]":
    """The generation, and the parts as bytes: none of what is not sound."""
    import numpy as np

    parts: list[np.ndarray[Any, Any]] = []
    try:
        with place(store).open("rb") as file:
            if file.readline() != MAGIC:
                return "", []
            generation, *sums = file.readline().decode().split()
            for size, check in zip(sums[::2], sums[1::2], strict=True):
                part = np.fromfile(file, dtype=np.uint8, count=int(size))
                if len(part) != int(size) or zlib.crc32(part.data) != int(check):
                    return "", []
                parts.append(part)
    except (OSError, ValueError):
        return "", []
    return generation, parts
