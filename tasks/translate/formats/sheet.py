"""CSV: the cells of the columns that hold text, translated in their place or into the column of the other language.

The columns are those that the caller names (`text`, `3`, or `en=fr` for from one into another), else those that the
header names after the languages, or `source`/`text` and `target`/`translation`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from taskkit.errors import InputError
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.languages import NAMES
from taskkit.tasks.translate.segments import Group, Options, Segment, trim

DELIMITERS = ",;\t|"
SOURCES = ("source", "text", "original", "message", "string", "value", "content", "sentence", "phrase", "label")
TARGETS = ("target", "translation", "translated")
KEYS = ("key", "id", "name", "identifier")
LIMITS = ("limit", "max", "maxlength", "max_length", "max-length", "max length", "max_chars", "max chars")
NOTES = ("context", "comment", "comments", "note", "notes", "description")
HINT = "Name the columns to translate: `text`, or `en=fr` for from one into another."
FORMULA = tuple("=@+")


class Cell(NamedTuple):
    start: int
    end: int
    text: str


class Column(NamedTuple):
    """Where a text is taken from and where its translation goes: one and the same when it is translated in place."""

    source: int
    target: int


def find(text: str, options: Options) -> list[Segment]:
    delimiter = _delimiter(text)
    rows = [row for row in _rows(text, delimiter) if any(cell.text.strip() for cell in row)]
    if not rows:
        return []
    names = [cell.text.strip().casefold() for cell in rows[0]]
    columns, has_header = _columns(names, options)
    key = next((number for number, name in enumerate(names) if has_header and name in KEYS), -1)
    note = next((number for number, name in enumerate(names) if has_header and name in NOTES), -1)
    limit = next((number for number, name in enumerate(names) if has_header and name in LIMITS), -1)
    found: list[Segment] = []
    for number, row in enumerate(rows[has_header:], 1 + has_header):
        for column in columns:
            if column.source < len(row) and row[column.source].text.strip():
                said = f"{row[key].text if 0 <= key < len(row) else number}:{column.source + 1}"
                told = row[note].text if 0 <= note < len(row) and note not in column else ""
                if 0 <= limit < len(row) and row[limit].text.strip().isdecimal():
                    told += f"{' ' if told else ''}max-length: {row[limit].text.strip()}"
                found.append(_segment(text, row, column, delimiter, said, told))
    return sorted(found, key=lambda one: one.start)


def _segment(text: str, row: list[Cell], column: Column, delimiter: str, key: str, note: str) -> Segment:
    source = row[column.source].text
    start, end = row[column.target][:2] if column.target < len(row) else (row[-1].end, row[-1].end)
    missing = max(0, column.target - len(row) + 1)  # cells that a short row lacks
    target = None
    if column.target != column.source:
        target = row[column.target].text.strip() if not missing else ""
    return Segment(
        "", start, end, text[start:end], source[slice(*trim(source, 0, len(source)))], kind="string",
        key=key, note=note, target=target, style=f"{delimiter}{missing}",
    )  # fmt: skip


def write(group: Group, _options: Options) -> str:
    """Quoted where the cell was, or has to be. Raises ValueError for what a spreadsheet would run as a formula."""
    ((segment, target),) = group
    delimiter, missing = segment.style[0], int(segment.style[1:])
    if target.startswith(FORMULA) and not segment.text.startswith(FORMULA):
        raise ValueError(f"{target[:40]!r} begins like a formula.")
    was = _unquoted(segment.raw) if segment.target is None else ""
    start, end = trim(was, 0, len(was))
    cell = was[:start] + target + was[end:]
    if segment.raw.startswith('"') or any(letter in cell for letter in (delimiter, '"', "\r", "\n")):
        cell = '"' + cell.replace('"', '""') + '"'
    return delimiter * missing + cell


def check(source: str, target: str) -> None:
    before, after = ([len(row) for row in _rows(text, _delimiter(source))] for text in (source, target))
    if len(before) != len(after):
        raise ValueError(f"it has {len(after)} rows instead of {len(before)}.")


def _columns(names: list[str], options: Options) -> tuple[list[Column], bool]:
    """And whether the first row is a header."""
    if options.columns:
        if all(re.fullmatch(r"\d+(?:=\d+)?", one) for one in options.columns):
            pairs = [[int(side) - 1 for side in one.split("=")] for one in options.columns]
            return [Column(pair[0], pair[-1]) for pair in pairs], False
        named = [[_named(side, names) for side in one.split("=")] for one in options.columns]
        return [Column(pair[0], pair[-1]) for pair in named], True
    source = _first(names, (*_tags(options.from_), *SOURCES, *(() if options.from_ else _tags("en"))))
    target = _first(names, (*_tags(options.to), *TARGETS))
    if source is None or source == target:
        raise InputError(
            f"No column is named after the language of the source, or `text`: there are {_list(names)}.", hint=HINT
        )
    return [Column(source, source if target is None else target)], True


def _named(name: str, names: list[str]) -> int:
    if name.strip().casefold() not in names:
        raise InputError(f"There is no column {name.strip()!r}: there are {_list(names)}.", hint=HINT)
    return names.index(name.strip().casefold())


def _list(names: list[str]) -> str:
    return ", ".join(repr(name[:30]) for name in names[:12])


def _first(names: list[str], wanted: tuple[str, ...]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _tags(tag: str) -> tuple[str, ...]:
    low = tag.lower()
    base = re.split(r"[-_]", low)[0]
    return tuple(filter(None, (low, low.replace("-", "_"), base, NAMES.get(base, "").lower())))


def _delimiter(text: str) -> str:
    """The one that the first line has most of."""
    line = re.sub(r'"[^"]*"', "", text[:20_000]).partition("\n")[0]
    return max(DELIMITERS, key=line.count)


def _rows(text: str, delimiter: str) -> Iterator[list[Cell]]:
    """Raises ValueError, with its line, for a quoted cell that does not end."""
    cell = re.compile(
        rf'(?:("(?:[^"]|"")*+")[ \t]*|([^{re.escape(delimiter)}\r\n]*+))({re.escape(delimiter)}|\r\n?|\n|\Z)'
    )
    at, row = 0, list[Cell]()
    while at < len(text) or row:
        match = cell.match(text, at)
        if not match or (match[2] and match[2].startswith('"')):
            raise ValueError(f"a quoted cell does not end where it should, in line {text.count(chr(10), 0, at) + 1}.")
        quoted = match[1] is not None
        start, end = match.span(1 if quoted else 2)
        row.append(Cell(start, end, _unquoted(text[start:end])))
        at = match.end()
        if match[3] != delimiter:
            yield row
            row = []


def _unquoted(raw: str) -> str:
    return raw[1:-1].replace('""', '"') if raw[:1] == '"' else raw


FORMAT = Format("csv", (".csv", ".tsv"), find, write, check=check)
