"""Results out: to standard output, or to a file that is whole or not there."""

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Self

import click

from taskkit.errors import InputError
from taskkit.files import replace, umask
from taskkit.results import Result


def as_text(result: Any, *, as_json: bool) -> str:
    if not as_json:
        return str(result)
    if isinstance(result, Result):
        return result.model_dump_json(indent=2)
    import json

    return json.dumps(as_data(result), ensure_ascii=False, indent=2)


def as_data(result: Any) -> Any:
    """What JSON can hold of any result; a text alone becomes an object, as every other result is one."""
    if isinstance(result, Result):
        return result.model_dump(mode="json")
    if isinstance(result, str):
        return {"text": result}
    from pydantic import TypeAdapter

    return TypeAdapter(type(result)).dump_python(result, mode="json")


def targets(output: str | None, sources: Sequence[Any]) -> list[Path | None]:
    """Where each result goes, None for standard output; looked at before anything is paid for.

    A folder takes one file a source, under its name. Raises `InputError` where a file could not be written."""
    if not output or output == "-":
        return [None] * len(sources)
    path = Path(output)
    if not path.is_dir() and not output.endswith(("/", os.sep)):
        if len(sources) > 1:
            raise InputError(f"{len(sources)} results do not go into one file.", hint=f"Make {path} a folder.")
        check_writable(path)
        return [path]
    if not all(isinstance(one, Path) for one in sources):
        raise InputError(f"{path} is a folder.", hint="Give -o a file.")
    found = [path / one.name for one in sources]
    if len(set(found)) < len(found):
        raise InputError(f"Two of the sources have one name in {path}.", hint="Run them one after the other.")
    for target, source in zip(found, sources, strict=True):
        if target.exists() and source.exists() and target.samefile(source):
            raise InputError(f"{target} is the source itself.", hint="Give -o another folder.")
        check_writable(target)
    return [*found]


def check_writable(path: Path) -> None:
    folder = path.parent
    if path.is_dir():
        raise InputError(f"{path} is a folder.", hint="Give -o a file.")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to write {path.name} into.", hint="Make it first.")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InputError(f"{path} can not be written: permission denied.", hint="Give -o another place.")


def written(text: str, path: Path | None) -> None:
    if not text.endswith("\n"):
        text += "\n"
    if path is None:
        click.echo(text.encode("utf-8", "replace"), nl=False)
    elif path.exists() and not path.is_file():  # a device or a named pipe is written, not replaced
        path.write_text(text, "utf-8", "replace")
    else:
        save(path.resolve(), text)  # what a link points to is replaced, not the link


def save(path: Path, content: str | bytes) -> None:
    """Whole, or not at all."""
    try:
        replace(path, content)
    except OSError as error:
        raise InputError(
            f"{path} can not be written: {error.strerror or error}.",
            hint="The work is in the journal: the same command with another -o gives it at once.",
        ) from error


class Lines:
    """Lines out in order, each as soon as those before it are there: to standard output, or to FILE.part, which takes
    the place of FILE at the end. What ends early leaves the part, whole lines only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part = path
        if path is not None and (not path.exists() or path.is_file()):  # a device is written, not replaced
            self._path = path.resolve()
            self._part = self._path.with_name(f"{self._path.name}.part")
        self._waiting: dict[int, bytes] = {}
        self._next = 0
        self._file: FileIO | None = None
        self._failed: OSError | None = None

    def put(self, number: int, line: str) -> None:
        self._waiting[number] = f"{line}\n".encode("utf-8", "replace")
        while ready := self._waiting.pop(self._next, b""):
            if self._part is None:
                click.echo(ready, nl=False)
            else:
                self._keep(ready, self._part)
            self._next += 1

    def _keep(self, line: bytes, part: Path) -> None:
        try:
            self._file = self._file or FileIO(part, "w")
            begin, done = (self._file.tell() if self._file.seekable() else 0), 0
            try:
                while done < len(line):
                    done += self._file.write(line[done:]) or 0
            except OSError:
                if done:
                    self._file.truncate(begin)
                raise
        except OSError as error:
            self._failed = error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        if self._file is not None:
            with self._file as file:
                if kind is None and self._part != self._path:
                    os.fsync(file.fileno())
            if kind is None:
                self._into_place()
            else:
                click.echo(f"The results so far, {self._next:,} of them, are in {self._part}.", err=True)
        if error is not None and error is self._failed:
            raise InputError(
                f"{self._part} can not be written: {self._failed.strerror or self._failed}.",
                hint="The work is in the journal: the same command with another -o gives it at once.",
            ) from error

    def _into_place(self) -> None:
        path, part = self._path, self._part
        if path is not None and part is not None and part != path:
            part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask())
            part.replace(path)
