"""EPUB: the XHTML files of the spine, in its order; each one is a page."""

import posixpath
from pathlib import Path

from taskkit.errors import InputError
from taskkit.knowledge.readers.archive import Archive, TextOf, attributes, joined
from taskkit.knowledge.readers.lines import paged
from taskkit.knowledge.readers.markup import decoded, readable
from taskkit.knowledge.records import Document

_CONTAINER, _LOCKS = "META-INF/container.xml", "META-INF/encryption.xml"


def read(path: Path) -> Document:
    with Archive(path, "EPUB") as archive:
        roots = [one.get("full-path", "") for one in attributes(archive, _CONTAINER, "rootfile")]
        if not roots:
            raise InputError("is no EPUB file, or a damaged one: it names no package")
        package = roots[0]
        items = {one.get("id", ""): one for one in attributes(archive, package, "item")}
        spine = [items.get(one.get("idref", ""), {}) for one in attributes(archive, package, "itemref")]
        folder = posixpath.dirname(package)
        parts = [joined(folder, one.get("href", "")) for one in spine if "html" in one.get("media-type", "")]
        parts = [one for one in parts if one in archive.names]
        if _LOCKS in archive.names:  # a font may be obfuscated, and nothing is lost
            locked = {joined("", one.get("URI", "")) for one in attributes(archive, _LOCKS, "CipherReference")}
            if not locked.isdisjoint(parts):
                raise InputError("is encrypted")
        title = TextOf("title")
        archive.parse(package, title)
        chapters = [readable(decoded(archive.read(part)))[0] for part in parts]
        if not any(map(str.strip, chapters)):
            raise InputError("has no text")
        return Document(path.name, paged(chapters), " ".join(title.text.split()), format="markdown")
