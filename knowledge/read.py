"""Files in: which ones, and their text. What can not be read is told by file and reason, and stops nothing."""

import functools
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from taskkit.errors import InputError
from taskkit.knowledge import checks
from taskkit.knowledge.frontmatter import front_matter
from taskkit.knowledge.patterns import Patterns
from taskkit.knowledge.readers import LARGEST, known, suffix_of
from taskkit.knowledge.readers.apart import Apart
from taskkit.knowledge.records import Document, Skipped
from taskkit.knowledge.stores import files_of
from taskkit.source import Text
from taskkit.source import read as read_source

FORMATS = {
    "rst": "rst",
    "rest": "rst",
    "csv": "table",
    "tsv": "table",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
}
EMPTY = ("is empty", "has no text")  # of a file that was read, and holds none
TITLE = 500  # characters: it goes before each passage
_NEVER = Patterns([".*", "__pycache__/", "node_modules/", "*.kb", "*.kb-*", "*~"])


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read; `name` is its path below `origin`, the folder that was asked for, with `/`."""

    path: Path
    name: str
    origin: str

    @property
    def folder(self) -> Path:
        """The one that it lies in, by its whole path."""
        return self.path.parent if self.path.is_relative_to(self.origin) else Path(self.origin)


def find(
    source: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), *, base: str = ""
) -> Iterator[Found | Skipped]:
    """The files under a folder, or the one file, in the order of their names; of a folder not those of the base itself,
    which may lie in it.

    Raises `InputError` when there is no such file or folder."""
    try:
        root = source.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = "There is no file or folder" if isinstance(error, FileNotFoundError) else "Can not be read:"
        raise InputError(f"{why} {str(source)!r}.", hint="Check its name and folder.") from None
    if not root.is_dir() and (problem := _name_problem(source.name)):
        yield Skipped(_visible(source.name), problem)
        return
    if not root.is_dir():
        yield Found(source, source.name or root.name, str(source.parent.resolve()))
        return
    wanted, unwanted = Patterns(include), Patterns(exclude)
    own = {str(one.resolve()) for one in files_of(base)} if base else ()
    for one in _walk(root, "", unwanted):
        name = one.file if isinstance(one, Skipped) else one
        if isinstance(one, str) and str(root / one) in own:
            continue
        if not wanted or wanted.covers(name) or name.endswith("/"):  # a folder: who knows what is in it
            yield one if isinstance(one, Skipped) else Found(root / one, one, str(root))


def _walk(root: Path, below: str, unwanted: Patterns) -> Iterator[str | Skipped]:
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        if not below:
            raise InputError(f"The folder {root} can not be read: {error.strerror}.") from error
        yield Skipped(f"{below}/", f"the folder can not be read: {error.strerror}")
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        folder = entry.is_dir(follow_symlinks=False)
        if _NEVER.fits(name, folder=folder) or unwanted.fits(name, folder=folder):
            continue
        if problem := _name_problem(entry.name):
            yield Skipped(_visible(name), problem)
        elif entry.is_symlink() and (problem := _link_problem(Path(entry.path), root)):
            yield Skipped(name, problem)
        elif folder:
            yield from _walk(root, name, unwanted)
        else:
            yield name


# What joins or parts signs, as Persian words and the rocket's pilot have it.
_JOINED = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
}  # what steers a terminal, or turns the order of what is shown


def _visible(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().translate(_VISIBLE)


def _name_problem(name: str) -> str:
    """Such a name could write to a terminal, look like another one, or not be stored at all."""
    name = _JOINED.sub("", name)
    if any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in name):
        return "its name has control characters"
    if any("\ud800" <= c <= "\udfff" for c in name):
        return "its name is not UTF-8"
    return ""


def _link_problem(link: Path, root: Path) -> str:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link that leads nowhere"
    if not target.is_relative_to(root):
        return "is a symbolic link out of the folder"
    return "is a symbolic link to a folder, which is read under its own name" if target.is_dir() else ""


def documents(
    given: Iterable[Document | Found | Skipped], apart: Apart | None = None
) -> Iterator[tuple[Document | Skipped, Found | None]]:
    """Each as it is read, with the file that it is from, until `apart` is stopped."""
    with apart or Apart() as reader:
        for one in given:
            if reader.stopped:
                return
            if not isinstance(one, Found):
                yield one, None
                continue
            try:
                yield _document(one, reader), one
            except InputError as error:
                reason = error.message.replace(str(one.path), "", 1).strip().rstrip(".")
                yield Skipped(one.name, " ".join(reason.translate(_VISIBLE).split())), one


def text_of(path: Path) -> Text:
    """What a reader takes out of one file, as the source of a task. Raises `InputError` that names the file."""
    try:
        info = path.stat()
        return _text_of(path.absolute(), str(path), info.st_mtime_ns, info.st_size)
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=16)  # a task looks at its source before, and again while, it works on it
def _text_of(path: Path, name: str, changed: int, size: int) -> Text:
    del changed, size  # a file that was changed is another one
    try:
        if problem := _file_problem(path):
            raise InputError(problem)
        with Apart() as reader:
            made = reader.read(path)
        checks.document(made)  # it may be a plug-in's
    except InputError as error:
        reason = error.message.replace(str(path), "", 1).strip().rstrip(".")
        raise InputError(f"{name} {' '.join(reason.translate(_VISIBLE).split())}.", hint=error.hint) from None
    return Text(made.text, name, made.format, lacks=made.lacks)


def _document(found: Found, apart: Apart) -> Document:
    """Its title is the one that the file itself gives."""
    if problem := _file_problem(found.path):
        raise InputError(problem)
    suffix = suffix_of(found.path)
    if known(suffix):
        made = replace(apart.read(found.path), name=found.name)
        checks.document(made)  # it may be a plug-in's
        return replace(made, title=made.title[:TITLE])
    text = read_source(found.path)
    metadata = front_matter(text.text) if text.format == "markdown" else {}
    title = metadata.get("title")
    return Document(
        found.name,
        text.text,
        title[:TITLE] if isinstance(title, str) else "",
        metadata,
        format=FORMATS.get(suffix, text.format),
    )


def _file_problem(path: Path) -> str:
    try:
        info = path.stat()
    except OSError as error:
        return f"can not be read: {error.strerror}"
    if not stat.S_ISREG(info.st_mode):  # reading a pipe or a device might never end
        return "is not a regular file"
    if not info.st_size and known(suffix_of(path)):
        return EMPTY[0]
    if info.st_size > LARGEST:
        return f"is too large: {info.st_size / 1e6:,.0f} MB, {LARGEST / 1e6:,.0f} at most"
    return ""
