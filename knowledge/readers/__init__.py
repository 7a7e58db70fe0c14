"""Readers: files of one kind as documents. A module a kind, loaded when the first such file comes.

A reader is a function of a file's path; the document's name is given to it afterwards. It raises `InputError` with
what is the matter with the file, as in "is encrypted". Readers run in a process of their own (`apart`), whatever they
do to it. An installed package adds one, or takes a built-in one's place, by an entry point named after the suffix:

    [project.entry-points."taskkit.readers"]
    log = "my_package:read_log"

    def read_log(path: Path) -> Document:
        return Document(path.name, path.read_text(encoding="latin-1"), title="A log")
"""

import functools
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeAlias

from taskkit.errors import InputError, one_line
from taskkit.knowledge import checks
from taskkit.knowledge.records import Document

Reader: TypeAlias = Callable[[Path], Document]

GROUP = "taskkit.readers"
BUILT_IN = {
    "docx": "docx", "docm": "docx", "dotx": "docx", "eml": "mail", "epub": "epub", "htm": "markup", "html": "markup",
    "ipynb": "notebook", "pdf": "pdf", "pptm": "pptx", "pptx": "pptx", "ppsx": "pptx", "xhtml": "markup",
}  # fmt: skip
LARGEST = 50_000_000  # bytes of a file, and characters of its text


def suffix_of(path: Path) -> str:
    return path.suffix[1:].lower()


def known(suffix: str) -> bool:
    """Whether such a file takes more than decoding."""
    return suffix in BUILT_IN or suffix in _plugins()


def read(path: Path) -> Document:
    """A file of a kind that is `known`. Raises `InputError`; a plug-in may raise anything."""
    suffix = suffix_of(path)
    if plugin := _plugins().get(suffix):
        found = _loaded(plugin)(path)
        if not isinstance(found, Document) or not isinstance(found.text, str):
            raise InputError(f"can not be read: {plugin.value} gives {type(found).__name__}, not a document")
        try:
            checks.document(found)
        except InputError as error:
            raise InputError(f"can not be kept as {plugin.value} gives it: {one_line(error.message)}") from error
    else:
        found = import_module(f"{__name__}.{BUILT_IN[suffix]}").read(path)
    if not found.text.strip():
        raise InputError("has no text")
    if len(found.text) > LARGEST:
        raise InputError(f"holds too much text: {len(found.text):,} characters, {LARGEST:,} at most")
    return found


def _loaded(plugin: EntryPoint) -> Reader:
    try:
        return plugin.load()  # type: ignore[no-any-return]
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"
        raise InputError(f"can not be read: the plug-in {plugin.value} can not be loaded: {said}") from error


@functools.cache
def _plugins() -> dict[str, EntryPoint]:
    return {point.name.lower().removeprefix("."): point for point in entry_points(group=GROUP)}
