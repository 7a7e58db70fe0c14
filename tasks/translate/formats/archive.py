"""A Word document as a ZIP archive: the members that hold text, and the archive with some of them changed."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from taskkit.errors import InputError
from taskkit.tasks.translate.formats.wordruns import simple

MAIN = "word/document.xml"
NAMESPACE = re.compile(
    r"""\sxmlns:([\w.-]+)\s*=\s*["']http://(?:schemas\.openxmlformats\.org/wordprocessingml/2006"""
    r"""|purl\.oclc\.org/ooxml/wordprocessingml)/main["']"""
)
TAG = re.compile(r"""<[\w/](?:[^<>"']|"[^"]*"|'[^']*')*>""")
WITH_TEXT = frozenset({"header", "footer", "footnotes", "endnotes", "comments"})
# What has words that are not Word's own text.
LEFT = {
    "chart": re.compile(r"word/charts/chart\w*\.xml\Z"),
    "diagram": re.compile(r"word/diagrams/data\w*\.xml\Z"),
    "inserted document": re.compile(r"(?:word/)?afchunk[^/]*\Z", re.IGNORECASE),
}
DRAWN = re.compile(rb"<(?:\w+:)?(?:t|v)(?:\s[^>]*)?>[^<]*[^\W\d_][^<]*</")


def unpack(path: Path) -> dict[str, str]:
    """The main text, headers, footers, notes and comments. Raises InputError for what is no such archive, is encrypted, unpacks
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
                text = archive.read(name).decode()
                parts[name] = simple(_renamed(text, _prefix(text), "w"))
            return parts
    except UnicodeDecodeError:
        raise InputError(f"{path} is damaged: its text is not UTF-8.") from None
    except ValueError as error:
        raise InputError(f"{path} is no valid docx: {error}.") from None
    except InputError as error:
        raise InputError(f"{path} {error}") from None


def left_out(data: bytes) -> dict[str, int]:
    """How many of its parts have words that are not read, by what they are."""
    found = dict.fromkeys(LEFT, 0)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            for kind, place in LEFT.items():
                if place.match(name):
                    found[kind] += kind == "inserted document" or bool(DRAWN.search(archive.read(name)))
    return {kind: count for kind, count in found.items() if count}


def pack(data: bytes, changed: Mapping[str, str]) -> bytes:
    """The archive `data` with the members of `changed` in place of those it had: all in the order, with the dates and
    under the flags that they had."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        new.comment = old.comment
        for one in old.infolist():
            contents = old.read(one)
            if one.filename in changed:
                contents = _renamed(changed[one.filename], "w", _prefix(contents.decode())).encode()
            new.writestr(one, contents, compress_type=one.compress_type)
    return made.getvalue()


def _prefix(text: str) -> str:
    """What a part calls Word's own namespace, which nearly all call `w`."""
    found = NAMESPACE.search(text)
    taken = re.search(r"\sxmlns:w\s*=", text)
    return found[1] if found and not taken else "w"


def _renamed(text: str, prefix: str, to: str) -> str:
    """With another prefix in its tags, and there only."""
    if prefix == to:
        return text
    name = re.compile(
        rf"""("[^"]*"|'[^']*')|(?<=[</\s]){re.escape(prefix)}(?=:)|(?<=\sxmlns:){re.escape(prefix)}(?=\s*=)"""
    )
    return TAG.sub(lambda tag: name.sub(lambda one: one[1] or to, tag[0]), text)
