"""The formats that can be translated, and how a document of any of them is opened.

A format is a module of its own: it finds, by offset, what is to be translated, and says how a translation is written
in that place. No document is ever written anew.
"""

import codecs
from dataclasses import replace
from pathlib import Path

from taskkit.errors import InputError
from taskkit.source import Source, Text, format_of, read
from taskkit.tasks.translate.formats import (
    catalogue,
    fluent,
    jsons,
    markdown,
    plain,
    sheet,
    subtitles,
    webpage,
    word,
    yamls,
)
from taskkit.tasks.translate.formats.opened import Format, Opened, Written
from taskkit.tasks.translate.segments import Options, Segment, room_in

__all__ = ["FORMATS", "Format", "Opened", "Options", "Written", "opened"]

FORMATS = {
    one.name: one
    for one in (
        plain.FORMAT, markdown.FORMAT, subtitles.SRT, subtitles.VTT, catalogue.FORMAT, jsons.FORMAT, yamls.FORMAT,
        fluent.FORMAT, sheet.FORMAT, webpage.FORMAT, word.FORMAT,
    )
}  # fmt: skip
SUFFIXES = {suffix: one for one in FORMATS.values() for suffix in one.suffixes}
MARKS = {
    codecs.BOM_UTF8: ("\ufeff", "utf-8"),
    codecs.BOM_UTF16_LE: ("\ufeff", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("\ufeff", "utf-16-be"),
}


def opened(source: Source, format: str = "", options: Options | None = None) -> Opened:  # noqa: A002 - Text calls it so
    """The source in its format: the one named, else what its name ends in; a `str` is Markdown.

    Raises `InputError` for what can not be read, is no such document, or has no format that is known."""
    kind, asked = _format(source, format), options or Options()
    name = source.name if isinstance(source, Text) else str(source) if isinstance(source, Path) else ""
    if kind.unpack is not None:
        if not isinstance(source, Path):
            raise InputError(f"{kind.name} is read from a file.", hint="Give its path.")
        data = _contents(source)
        parts = kind.unpack(source)
        mark, encoding = "", "utf-8"
    else:
        parts = {"": read(source).text}
        data = _contents(source) if isinstance(source, Path) else b""
        mark, encoding = next((how for start, how in MARKS.items() if data.startswith(start)), ("", "utf-8"))
    return Opened(kind, name, data, parts, tuple(_found(parts, kind, asked, name)), asked, encoding, mark)


def _found(parts: dict[str, str], kind: Format, options: Options, name: str) -> list[Segment]:
    found: list[Segment] = []
    for part, text in parts.items():
        try:
            segments = kind.find(text, options)
        except ValueError as error:
            why = str(error)[:160].rstrip(".")
            raise InputError(f"{name or 'The text'} is no valid {kind.name}: {why}.", hint="Mend it first.") from None
        found += [
            replace(one, id=f"s{number}", part=part, limit=one.limit or room_in(one.note))
            for number, one in enumerate(segments, len(found) + 1)
        ]
    return found


def _format(source: Source, wanted: str) -> Format:
    if wanted:
        known = wanted
    elif isinstance(source, str | bytes):
        known = "markdown"
    else:
        name = source if isinstance(source, Path) else source.name
        said = format_of(source) if isinstance(source, Path) else source.format
        ending = SUFFIXES.get(Path(name).suffix.lower())
        known = ending.name if ending and said not in {"markdown", "html"} else said
    found = FORMATS.get(known)
    if found is None:
        name = "" if isinstance(source, str | bytes) else source.name
        raise InputError(
            f"Translating {known}{f' ({name})' if name and not wanted else ''} is not possible.",
            hint=f"Give one of these formats: {', '.join(FORMATS)}.",
        )
    return found


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        read(path)  # says what is wrong
        raise
