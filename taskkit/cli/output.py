"""Results out: to standard output, or to a file that is whole or not there."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Any, Self

import click

from taskkit.errors import InputError
from taskkit.files import replace, umask
from taskkit.results import Result


def as_text(result: Any, *, as_json: bool) -> str:
    if not as_json:
        return str(result)
    if isinstance(result, Result):
        with contextlib.suppress(ValueError):  # the name of a file that is no UTF-8
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


def content_of(result: Any, path: Path | None, *, as_json: bool) -> str | bytes:
    """What is written to a file: a document byte for byte, a table where the file is to be one."""
    if isinstance(result, Result) and not as_json:
        made = None if path is None else result.as_file(path.suffix.lower())
        return result.content if made is None else made
    return as_text(result, as_json=as_json)


def put(result: Any, path: Path | None, *, as_json: bool, over: Sequence[Path] | None = None) -> None:
    """To its place, the folders to it made where there are none, or to standard output. With `over` the place is a
    folder for all the files of the result, which may take the place of these."""
    files = result.as_files() if isinstance(result, Result) and path is not None and not as_json else None
    if path is not None and over is not None:
        _put_in(path, files or {}, {one.resolve() for one in over})
        return
    if path is not None and files is not None and len(files) > 1:
        raise InputError(
            f"The result is {len(files)} files ({', '.join(files)}), which do not go into one.",
            hint=f"Give -o a folder: {path.parent}{os.sep} takes them under these names.",
        )
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
    written(content_of(result, path, as_json=as_json), path)
    if path is not None and isinstance(result, Result) and not as_json:
        result.saved(path)


def _put_in(folder: Path, files: Mapping[str, str], over: set[Path]) -> None:
    """All of them, or, where one would take the place of any other file, none."""
    targets = {folder / PurePosixPath(name): text for name, text in files.items()}
    for target, text in targets.items():
        if not target.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{target} leads out of {folder}.", hint="Give -o another folder.")
        same = target.is_file() and target.read_bytes() == text.encode("utf-8", "replace")
        if target.exists() and not same and target.resolve() not in over:
            raise InputError(f"{target} is there already.", hint="Move it away, or give -o another folder.")
    for target, text in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        save(target, text)


def written(content: str | bytes, path: Path | None) -> None:
    data = content if isinstance(content, bytes) else _line(content).encode("utf-8", "replace")
    if path is None and sys.stdout.isatty():
        click.echo(_line(data.decode("utf-8", "replace")), nl=False)
    elif path is None:
        click.echo(data, nl=False)
    elif path.exists() and not path.is_file():  # a device or a named pipe is written, not replaced
        try:
            path.write_bytes(data)
        except OSError as error:
            raise not_written(path, error) from error
    else:
        save(path.resolve(), data)  # what a link points to is replaced, not the link


def _line(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def save(path: Path, content: str | bytes) -> None:
    """Whole, or not at all."""
    try:
        replace(path, content)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} can not be written: {error.strerror or error}.", hint="Give another place.")


def part_of(path: Path) -> Path:
    """Where lines are kept until all are there; a name that nobody else gives his files."""
    path = path.resolve()
    return path.with_name(f"{path.name}.taskkit-part")


class Lines:
    """Lines out in order, each as soon as those before it are there: to standard output, or to a part beside FILE,
    which takes the place of FILE at the end. What ends early leaves the part, whole lines only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part = path
        if path is not None and (not path.exists() or path.is_file()):  # a device is written, not replaced
            self._path = path.resolve()
            self._part = part_of(path)
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
        if isinstance(error, OSError) and error is self._failed and self._part is not None:
            raise not_written(self._part, error) from error

    def _into_place(self) -> None:
        path, part = self._path, self._part
        if path is not None and part is not None and part != path:
            part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask())
            part.replace(path)
