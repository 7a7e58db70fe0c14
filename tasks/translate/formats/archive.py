"""A Word document as a ZIP archive: the members that hold text, and the archive with some of them changed."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from taskkit.errors import InputError

MAIN = "word/document.xml"
WITH_TEXT = frozenset({"header", "footer", "footnotes", "endnotes"})


def unpack(path: Path) -> dict[str, str]:
    """The main text, headers, footers and notes. Raises InputError for what is no such archive, is encrypted, unpacks
    to more than it may, or defines entities."""
    from taskkit.knowledge.readers.archive import MOST, Archive, attributes

    try:
        with Archive(path, "Word") as archive:
            with zipfile.ZipFile(path) as whole:
                if sum(one.file_size for one in whole.infolist()) > MOST:
                    raise InputError(f"unpacks to more than {MOST / 1e6:,.0f} MB: a ZIP bomb?")
            main = next((at for kind, at in archive.relations("").values() if kind == "officeDocument"), MAIN)
            others = sorted(at for kind, at in archive.relations(main).values() if kind in WITH_TEXT)
            parts: dict[str, str] = {}
            for name in (main, *(one for one in others if one in archive.names)):
                attributes(archive, name, "")  # refuses what is not well formed, and document types
                parts[name] = archive.read(name).decode()
            return parts
    except UnicodeDecodeError:
        raise InputError(f"{path} is damaged: its text is not UTF-8.") from None
    except InputError as error:
        raise InputError(f"{path} {error}") from None


def pack(data: bytes, changed: Mapping[str, str]) -> bytes:
    """The archive `data` with the members of `changed` in place of those it had: all in the order, with the dates and
    under the flags that they had."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        new.comment = old.comment
        for one in old.infolist():
            contents = changed[one.filename].encode() if one.filename in changed else old.read(one)
            new.writestr(one, contents, compress_type=one.compress_type)
    return made.getvalue()
