"""Texts that are labelled already: a few are shown to the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from taskkit.errors import InputError
from taskkit.rows import Record, records
from taskkit.source import Text, read

SHOWN = 8
LONG = 1200  # characters: a longer text is no good example


@dataclass(frozen=True, slots=True)
class Example:
    """`labels` of a judgement; or `items`, the findings as the model would have to give them."""

    text: str
    labels: tuple[str, ...] = ()
    items: tuple[Mapping[str, Any], ...] = ()

    def answer(self, choosing: Literal["one", "each", ""]) -> dict[str, Any]:
        """As the model has to answer: a judgement, each that fits, or findings."""
        judged = [{"evidence": self.text.strip()[:200], "label": label} for label in self.labels]
        if choosing == "one":
            return judged[0]
        return {"labels": judged} if choosing else {"items": list(self.items)}


def examples(source: Path | Text | None, column: str, truth: str) -> list[Example]:
    """The rows of a table: its texts, with the right labels or with a list `items`."""
    if source is None:
        return []
    table = records(read(source))
    column = text_column(table, column)
    found: list[Example] = []
    for row in table:
        if row.problem:
            raise InputError(f"Row {row.number} of the examples {row.problem}.")
        text = str(row.values.get(column) or "")
        items = row.values.get("items")
        if text.strip() and isinstance(items, list):
            found.append(Example(text, (), tuple(one for one in items if isinstance(one, dict))))
        elif text.strip() and (labels := several(row.values.get(truth or "label"))):
            found.append(Example(text, labels))
    if not found:
        wanted = truth or "label"
        raise InputError(
            f"The examples have no labels: there is no column {wanted!r} with a text in {column!r}.",
            hint="Name the columns: --column and --truth.",
        )
    return found


def text_column(table: Sequence[Record], wanted: str) -> str:
    """The column that the texts stand in: the one that was named, else `text`, else the only one."""
    names = list(dict.fromkeys(name for row in table for name in row.values))
    if wanted in names:
        return wanted
    if not wanted and "text" in names:
        return "text"
    if not wanted and len(names) == 1:
        return names[0]
    if not names and (broken := next((row for row in table if row.problem), None)):
        raise InputError(f"No row of the table can be read; row {broken.number} {broken.problem}.")
    said = f"There is no column {wanted!r}" if wanted else "No column was named"
    raise InputError(f"{said}; there are: {', '.join(names[:12])}.", hint="Say which has the texts: --column NAME")


def several(value: Any) -> tuple[str, ...]:
    """The labels in one cell, with ; or | between."""
    if isinstance(value, list):
        return tuple(str(one).strip() for one in value)
    return tuple(
        one.strip() for one in str(value if value is not None else "").replace("|", ";").split(";") if one.strip()
    )


def shown(given: Sequence[Example], size: int = SHOWN) -> list[Example]:
    """A few, of each label in turn, the shortest first: they teach the form and cost little."""
    short = sorted((one for one in given if len(one.text) <= LONG), key=lambda one: len(one.text))
    by_label: dict[tuple[str, ...], list[Example]] = {}
    for one in short:
        by_label.setdefault(one.labels, []).append(one)
    turns = [group[turn] for turn in range(size) for group in by_label.values() if turn < len(group)]
    return turns[:size]


def texts_by_label(given: Sequence[Example], each: int = 5) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in given:
        for label in one.labels:
            if len(found.setdefault(label, [])) < each:
                found[label].append(one.text[:300])
    return found
