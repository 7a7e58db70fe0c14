"""Each row of a table: its text in, its findings out, in order, with an error where there are none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskkit.errors import InputError
from taskkit.rows import Record, records
from taskkit.source import Text
from taskkit.tasks.analyse.examples import several, text_column
from taskkit.tasks.analyse.found import Row, Scores
from taskkit.tasks.analyse.labels import NONE, Labels
from taskkit.tasks.analyse.scores import scores
from taskkit.tasks.analyse.work import Done

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Table:
    """The rows of a file, and which column has the texts."""

    rows: tuple[Record, ...]
    column: str

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row.values))

    def text(self, row: Record) -> str:
        value = row.values.get(self.column)
        return "" if value is None else str(value)

    @property
    def filled(self) -> list[tuple[Record, str]]:
        return [(row, text) for row in self.rows if (text := self.text(row)).strip()]

    def truths(self, column: str) -> list[str]:
        """The right labels that its rows have, each once."""
        return list(dict.fromkeys(label for row in self.rows for label in several(row.values.get(column))))


def table(source: Text, column: str, wanted: Sequence[str]) -> Table:
    """Raises `InputError` where a column is missing: `column`, or one of those that are `wanted`."""
    rows = tuple(records(source))
    made = Table(rows, text_column(rows, column))
    if missing := next((name for name in wanted if name and name not in made.names), ""):
        raise InputError(
            f"There is no column {missing!r}; there are: {', '.join(made.names[:12])}.", hint="Check its name."
        )
    if not made.filled:
        raise InputError(f"The column {made.column!r} has no text in any row.", hint="Say which has: --column NAME")
    return made


def rows_of(there: Table, done: Sequence[Done], made: Callable[[Done, str], dict[str, Any]]) -> list[Row]:
    """`made` gives what a row has of its findings."""
    outcomes = iter(done)
    found: list[Row] = []
    for row in there.rows:
        text = there.text(row)
        common: dict[str, Any] = {"number": row.number, "text": text, "columns": dict(row.values)}
        if row.problem or not text.strip():
            found.append(Row(**common, error=f"The row {row.problem or f'has no text in {there.column!r}'}."))
            continue
        outcome = next(outcomes)
        error = str(outcome.errors[0]) if outcome.errors else ""
        found.append(Row(**common, **made(outcome, text), error=error))  # some may be found though the model failed
    return found


def rights(there: Table, truth: str, known: Labels) -> dict[int, tuple[str, ...]]:
    """The right labels of the rows that have some, by the rows' numbers. Raises `InputError` for one that is none."""
    found: dict[int, tuple[str, ...]] = {}
    for row in there.rows:
        for label in several(row.values.get(truth)):
            meant = known.known(label)
            if meant is None:
                raise InputError(f"Row {row.number} has the label {label!r} in {truth!r}, which is none of the labels.")
            found[row.number] = (*found.get(row.number, ()), meant)
    return found


def scored(rows: Sequence[Row], right: Mapping[int, tuple[str, ...]], known: Labels, leave: frozenset[str]) -> Scores:
    """Texts that served as examples are left out."""
    pairs = [
        (right[row.number], None if row.error else row.labels)
        for row in rows
        if row.number in right and row.text not in leave
    ]
    return scores([(tuple(one for one in truth if one != NONE), found) for truth, found in pairs], known.names)
