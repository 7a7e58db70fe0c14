"""Tables: CSV, TSV and JSONL in, row by row, one that is broken told as such; CSV and JSONL out."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from taskkit.errors import InputError
from taskkit.source import Text

DELIMITERS = ",;\t|"
LONGEST = 2**31 - 1  # characters of a cell; the csv module's own limit is 131,072
FORMULA = re.compile(r"[\s\0]*(?:[=@]|[+-](?![\d\s().,/-]*\Z))")
LONGER = 1_000_000  # a wrong line's head is looked at no further


@dataclass(frozen=True, slots=True)
class Record:
    """`number` counts the rows from 1. `problem` says why there are no values."""

    number: int
    values: Mapping[str, Any]
    problem: str = ""


def records(source: Text) -> list[Record]:
    """The rows of a table; its kind is told by its name, else by its first character.

    Raises `InputError` for a table without a head, with two columns of one name, or with a quote that never ends."""
    name = source.name.lower()
    is_lines = name.endswith((".jsonl", ".ndjson")) or (
        not name.endswith((".csv", ".tsv")) and source.text.lstrip()[:1] in {"{", '"'}
    )
    found = list(_lines(source.text) if is_lines else _cells(source))
    if not found:
        raise InputError(f"{source.name or 'The table'} has no rows.", hint="Give it a row for each text.")
    return found


def _lines(text: str) -> Iterator[Record]:
    """An object a line, or a text, which is then the column `text`."""
    lines = (line for line in text.split("\n") if line.strip())
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Record(number, {}, f"is no JSON: {str(error)[:120]}")
            continue
        if isinstance(value, str):
            value = {"text": value}
        if isinstance(value, dict):
            yield Record(number, value)
        else:
            yield Record(number, {}, "is neither an object nor a text")


def _cells(source: Text) -> Iterator[Record]:
    first = source.text.lstrip("\r\n")[:LONGER].partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda sign: (first.count(sign), -DELIMITERS.index(sign)))
    name = source.name or "The table"
    head, *rows = cells(source.text, delimiter, name) or [[]]
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(head, 1)]
    if twice := next((one for one in names if names.count(one) > 1), ""):
        raise InputError(f"{name} has two columns {twice!r}.", hint="Rename one.")
    for number, row in enumerate(rows, 1):
        if len(row) > len(names) and any(row[len(names) :]):
            yield Record(number, {}, f"has {len(row)} cells where the head has {len(names)}")
        else:
            filled = [*row, *[""] * (len(names) - len(row))]
            yield Record(number, dict(zip(names, filled, strict=False)))


def cells(text: str, delimiter: str, name: str) -> list[list[str]]:
    """The rows of a CSV text that have a cell, whatever its length. Raises `InputError`, with the `name` of its file."""
    before = csv.field_size_limit(LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [row for row in reader if row]
    except csv.Error as error:
        raise InputError(
            f"{name} is no CSV at line {reader.line_num}: {error}.",
            hint="Look for a quotation mark that is not closed or not doubled.",
        ) from error
    finally:
        csv.field_size_limit(before)


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)


def as_csv(rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> str:
    """Every column that any row has, in the order in which they come; a nested value as JSON."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def inert(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula with an apostrophe before it; a number or a phone number, which
    may begin like one, as it is."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list | tuple) else value
