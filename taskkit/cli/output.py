"""Results out: to standard output, or to a file that is whole or not there."""

import contextlib
import os
import tempfile
from pathlib import Path

import click

from taskkit.errors import InputError


def check_writable(output: str | None) -> None:
    """Before anything is paid for. Raises `InputError` where the file could not be written at the end."""
    if not output or output == "-":
        return
    path = Path(output)
    folder = path.parent
    if path.is_dir():
        raise InputError(f"{path} is a folder.", hint="Give -o a file.")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to write {path.name} into.", hint="Make it first.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"Nothing can be written into the folder {folder}.")


def written(text: str, output: str | None) -> None:
    if not text.endswith("\n"):
        text += "\n"
    if not output or output == "-":
        click.echo(text.encode("utf-8", "replace"), nl=False)
        return
    save(Path(output), text)


def save(path: Path, text: str) -> None:
    """Beside the file first, then in its place in one step."""
    name = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8", newline="", errors="replace"
        ) as file:
            name = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError as error:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise InputError(
            f"{path} can not be written: {error.strerror or error}.",
            hint="The work is in the journal: the same command with another -o gives it at once.",
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
