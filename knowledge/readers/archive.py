"""ZIP archives of XML (Office, EPUB), read by parts within bounds: what an archive says of its sizes is not believed."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from taskkit.errors import InputError

MOST = 200_000_000  # bytes unpacked, of all parts together
CHUNK = 1 << 16


class Target(Protocol):
    """What is told of the elements as they come; names are without their namespace, `r:` for relationships' apart."""

    def start(self, name: str, given: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


class Archive:
    """Parts are read one after the other and never written anywhere; an archive among them is not opened."""

    def __init__(self, path: Path, kind: str) -> None:
        self._kind = kind
        self._left = MOST
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(_old(path) or f"is no {kind} file, or a damaged one: {error}") from None
        self.names = frozenset(self._zip.namelist())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._zip.close()

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise InputError(f"unpacks to more than {MOST / 1e6:,.0f} MB: a ZIP bomb?")
                    yield chunk
        except KeyError:
            raise InputError(f"is no {self._kind} file, or a damaged one: it has no {name}") from None
        except RuntimeError:  # zipfile's word for a password
            raise InputError("is encrypted") from None
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, zlib.error) as error:
            raise InputError(f"is damaged: {name}: {error}") from None

    def read(self, name: str) -> bytes:
        return b"".join(self._chunks(name))

    def parse(self, name: str, target: Target) -> None:
        """Raises `InputError` also for a document type: these formats have none, and entities are defined there."""
        parser = ET.XMLParser(target=_Guarded(target))  # noqa: S314 - no document type, no entities
        try:
            for chunk in self._chunks(name):
                parser.feed(chunk)
            parser.close()
        except (ET.ParseError, LookupError) as error:
            raise InputError(f"is damaged: {name}: {error}") from None

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """Kind (the last part of its address) and target of each relation of an Office part."""
        folder, base = posixpath.split(name)
        rels = posixpath.join(folder, "_rels", f"{base}.rels")
        found = _Attributes("Relationship")
        if rels in self.names:
            self.parse(rels, found)
        return {
            one.get("Id", ""): (one.get("Type", "").rpartition("/")[2], joined(folder, one.get("Target", "")))
            for one in found.found
            if one.get("TargetMode") != "External"
        }

    def title(self) -> str:
        """That of an Office file's properties, unless it is the program's own."""
        if "docProps/core.xml" not in self.names:
            return ""
        title = TextOf("title")
        self.parse("docProps/core.xml", title)
        found = " ".join(title.text.split())
        return "" if found in {"Word Document", "PowerPoint Presentation"} else found


class _Guarded:
    def __init__(self, target: Target) -> None:
        self._target = target
        self.data = target.data

    def doctype(self, *_: Any) -> None:
        raise InputError("has a document type in its XML, where none may be: an entity bomb?")

    def start(self, tag: str, given: dict[str, str]) -> None:
        self._target.start(tag.rpartition("}")[2], {_short(name): value for name, value in given.items()})

    def end(self, tag: str) -> None:
        self._target.end(tag.rpartition("}")[2])

    def close(self) -> None: ...


def _short(name: str) -> str:
    space, _, bare = name.rpartition("}")
    return f"r:{bare}" if space.endswith("/relationships") else bare


class _Attributes:
    """Of all elements of a name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[dict[str, str]] = []

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == self._name:
            self.found.append(given)

    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...


class TextOf(_Attributes):
    """The text of the first element of a name, too."""

    text = ""
    _inside = False

    def start(self, name: str, given: dict[str, str]) -> None:
        super().start(name, given)
        self._inside = name == self._name and len(self.found) == 1

    def end(self, name: str) -> None:  # noqa: ARG002
        self._inside = False

    def data(self, text: str) -> None:
        if self._inside:
            self.text += text


def attributes(archive: Archive, part: str, name: str) -> list[dict[str, str]]:
    found = _Attributes(name)
    archive.parse(part, found)
    return found.found


def joined(folder: str, target: str) -> str:
    """The name of a part that another one in `folder` names."""
    target = unquote(target.partition("#")[0])
    return posixpath.normpath(target[1:] if target.startswith("/") else posixpath.join(folder, target))


def _old(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            return "is encrypted, or of an old Office format"
    return ""
