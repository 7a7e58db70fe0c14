"""Terms and how they are to be translated: from a mapping or a CSV file with two columns."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from taskkit.errors import InputError
from taskkit.source import read

Terms = tuple[tuple[str, str], ...]


def glossary(given: Path | Mapping[str, str] | None) -> Terms:
    """Raises `InputError` for a row without two columns."""
    if not given:
        return ()
    if isinstance(given, Mapping):
        return tuple(given.items())
    rows = [row for row in csv.reader(io.StringIO(read(given).text)) if any(cell.strip() for cell in row)]
    for number, row in enumerate(rows, 1):
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise InputError(f"Row {number} of {given} has no term and translation.", hint="Give two columns.")
    return tuple((row[0].strip(), row[1].strip()) for row in rows)


def used(terms: Terms, texts: Iterable[str]) -> Terms:
    """Those that stand in the texts, as whole words."""
    text = "\n".join(texts).lower()
    return tuple(pair for pair in terms if re.search(rf"(?<!\w){re.escape(pair[0].lower())}", text))
