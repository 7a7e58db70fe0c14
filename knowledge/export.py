"""A base as lines of JSON: a document each, with its passages."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from taskkit.errors import InputError
from taskkit.files import umask
from taskkit.knowledge.stores import files_of
from taskkit.knowledge.stores.store import Store

if TYPE_CHECKING:
    from taskkit.knowledge.records import Passage


def written(store: Store, to: Path | IO[str], *, vectors: bool) -> int:
    """How many documents. A file is whole or not there."""
    if not isinstance(to, Path):
        return _lines(store, to, vectors=vectors)
    if any(_same(to, one) for one in files_of(store.place)):
        raise InputError(f"{to} is the knowledge base itself.", hint="Give another name, so that it is not lost.")
    scratch = ""
    try:
        to = to.resolve()  # what a link points to is replaced, not the link
        if to.exists() and not to.is_file():  # a device or a named pipe is written, not replaced
            with to.open("w", encoding="utf-8") as file:
                return _lines(store, file, vectors=vectors)
        number, scratch = tempfile.mkstemp(dir=to.absolute().parent, prefix=f".{to.name}-")
        with os.fdopen(number, "w", encoding="utf-8") as file:
            count = _lines(store, file, vectors=vectors)
        Path(scratch).chmod(to.stat().st_mode & 0o777 if to.exists() else 0o666 & ~umask())
        Path(scratch).replace(to)
    except OSError as error:
        raise InputError(f"{to} can not be written: {error.strerror}.", hint="Choose another place.") from error
    except ValueError:  # a NUL in the name
        raise InputError(f"{str(to)!r} is no file name.") from None
    finally:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
    return count


def _same(one: Path, other: Path) -> bool:
    """Whatever name or link leads to it."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return False


def _lines(store: Store, file: IO[str], *, vectors: bool) -> int:
    count = 0
    with store.snapshot():
        for count, row in enumerate(rows(store, vectors=vectors), 1):  # noqa: B007 - counted
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def rows(store: Store, *, vectors: bool) -> Iterator[dict[str, Any]]:
    for listed in store.listed():
        document, numbers = store.document(listed.name), store.numbers(listed.name)
        if document is None:
            continue
        passages = store.passages(numbers)
        rows = store.vectors(numbers) if vectors else {}
        yield {
            "name": document.name, "title": document.title, "format": document.format, "language": listed.language,
            "origin": listed.origin, "metadata": document.metadata, "access": document.access, "text": document.text,
            "passages": [
                _passage(passages[one]) | ({"vector": [round(float(x), 6) for x in rows[one]]} if one in rows else {})
                for one in numbers
            ],
        }  # fmt: skip


def _passage(passage: "Passage") -> dict[str, Any]:
    """Its text is the document's from `start` to `end`, in characters."""
    return {"start": passage.start, "end": passage.end, "headings": passage.headings, "line": passage.line,
            "page": passage.page, "table": passage.table}  # fmt: skip
