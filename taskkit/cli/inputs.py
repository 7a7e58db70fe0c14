"""What a command is to work on: each source that was given, and each file of a folder."""

import contextlib
import dataclasses
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

import click

from taskkit.errors import InputError, one_line

SHOWN = 5  # names of files that are left out


@dataclass(frozen=True, slots=True)
class Input:
    """`first` is a task's first input, or nothing. `below` is the path of its result in a folder of results, None for
    what has no name; `folder` the one that it was found in."""

    first: tuple[Any, ...] = ()
    below: Path | None = None
    folder: Path | None = None

    @property
    def source(self) -> Any:
        return self.first[0] if self.first else None


def inputs(cls: Any, firsts: Sequence[tuple[Any, ...]], output: str | None, *, quiet: bool) -> list[Input]:
    """A folder becomes the files in it that the task takes, in the order of their names; what is left out is said.

    Hidden files and what the last run has written are none of them. Raises `InputError` for a folder without any."""
    found: list[Input] = []
    for first in firsts:
        source = first[0] if first else None
        if not (isinstance(source, Path) and cls.suffixes and source.is_dir()):
            found.append(Input(first, Path(source.name) if isinstance(source, Path) else None))
            continue
        files = list(_files(source, Path(output).resolve() if output else None))
        mine = [one for one in files if one.suffix.lower() in cls.suffixes and _inside(one, source) and one.is_file()]
        if not mine:
            raise InputError(f"In {source} there is no file that can be worked on: {', '.join(sorted(cls.suffixes))}.")
        found += [Input((one,), one.relative_to(source), source) for one in mine]
        if not quiet:
            _told("links out of the folder", [one for one in files if not _inside(one, source)], source)
            _told(
                "files of other kinds", [one for one in files if one not in set(mine) and _inside(one, source)], source
            )
    return found


def _told(what: str, files: Sequence[Path], folder: Path) -> None:
    if files:
        names = ", ".join(one_line(str(one.relative_to(folder))) for one in files[:SHOWN])
        more = ", …" if len(files) > SHOWN else ""
        click.echo(f"Left out, as {what}: {len(files)} ({names}{more}).", err=True)


def _files(folder: Path, output: Path | None) -> Iterator[Path]:
    for at, names, files in os.walk(folder):
        names[:] = sorted(one for one in names if not one.startswith(".") and _resolved(Path(at) / one) != output)
        out = [one for one in names if not _inside(Path(at) / one, folder)]  # links, which are not followed
        yield from (Path(at) / one for one in sorted([*files, *out]) if not one.startswith("."))


def _inside(path: Path, folder: Path) -> bool:
    return _resolved(path).is_relative_to(_resolved(folder))


def _resolved(path: Path) -> Path:
    """A link that leads to itself leads nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return Path()


def of_this(values: Mapping[str, Any], one: Input, output: str | None) -> dict[str, Any]:
    """Where a folder is worked on, an option that names a folder (or that of the results) means the file in it that
    lies where this one does."""
    if one.folder is None or one.below is None:
        return dict(values)
    return {
        name: value / one.below if isinstance(value, Path) and (value.is_dir() or str(value) == output) else value
        for name, value in values.items()
    }


def is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def targets(output: str | None, given: Sequence[Input], *, makes_files: bool = False) -> list[Path | None]:
    """Where each result goes, None for standard output; looked at before anything is paid for.

    A folder takes one file a source, under its name, those of a folder in its order, and is made where it is not
    there; with `makes_files` a result without a name is given it as a whole. Raises `InputError` where a file could
    not be written."""
    if not output or output == "-":
        return [None] * len(given)
    path = Path(output)
    if not is_folder(output) and not any(one.folder for one in given):
        if len(given) > 1:
            raise InputError(
                f"{len(given)} results do not go into one file.", hint=f"Give -o a folder: {path}/ is made."
            )
        check_writable(path)
        return [path]
    if len(given) == 1 and given[0].below is None and makes_files:
        check_writable(path / "file", makes=True)
        return [path]
    found = [path / one.below for one in given if one.below is not None]
    if len(found) < len(given):
        raise InputError(f"{path} is a folder, and the result has no name of its own.", hint="Give -o a file.")
    if len(set(found)) < len(found):
        raise InputError(f"Two of the sources have one name in {path}.", hint="Run them one after the other.")
    for target, one in zip(found, given, strict=True):
        if one.folder is not None and not target.resolve().is_relative_to(path.resolve()):
            raise InputError(f"{target} leads out of {path}.", hint="Take the link out of the way.")
        check_writable(target, makes=True)
    return [*found]


def check_kept(outputs: Iterable[Path | None], tasks: Iterable[Any], read: Iterable[Path] = ()) -> None:
    """What was given to be read, by the tasks or besides, is never written over, whatever name or link leads to it
    and whatever folder it is in, and no two outputs are one file. Raises `InputError`."""
    given: dict[Hashable, str] = {}
    folders: dict[Path, str] = {}
    with contextlib.suppress(OSError):  # it is closed
        given = dict.fromkeys(_identity(os.fstat(0)), "what comes through standard input")
    given |= {at: "the source itself" for path in read for at in _place(path)}
    for task in tasks:
        for number, one in enumerate(dataclasses.fields(task)):
            if one.name not in task.rewrites:
                said = "the source itself" if number == 0 else f"the file of --{one.name.rstrip('_').replace('_', '-')}"
                there = list(paths(getattr(task, one.name)))
                given |= {at: said for path in there for at in _place(path)}
                folders |= {_resolved(path): said.replace("file", "folder") for path in there if path.is_dir()}
        given |= {at: "kept or read by this command" for path in task.touched() for at in _place(path)}
    for output in outputs:
        for folder, said in folders.items():
            if output is not None and output.is_file() and _resolved(output).is_relative_to(folder):
                raise InputError(f"{output} is in {said}.", hint="Give another name, so that none is lost.")
        for at in () if output is None else _place(output):
            if at in given:
                raise InputError(f"{output} is {given[at]}.", hint="Give another name, so that none is lost.")
            given[at] = "to take another output, too"


def paths(value: Any) -> Iterator[Path]:
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, Path):
            yield one


def _place(path: Path) -> Iterator[Hashable]:
    """What tells one file from another."""
    try:
        yield from _identity(path.stat())
    except (OSError, ValueError):
        yield str(_resolved(path))


def _identity(found: os.stat_result) -> Iterator[Hashable]:
    """Nothing for what is no file, as a terminal or a pipe."""
    if S_ISREG(found.st_mode):
        yield found.st_dev, found.st_ino


def check_writable(path: Path, *, makes: bool = False) -> None:
    """`makes`: folders that are missing will be made."""
    folder = path.parent
    while makes and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if path.is_dir():
        raise InputError(f"{path} is a folder.", hint="Give -o a file.")
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} to write {path.name} into.", hint="Make it first.")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise InputError(f"{path} can not be written: permission denied.", hint="Give -o another place.")
