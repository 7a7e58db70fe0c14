"""The HTML page: one file, nothing from elsewhere, no scripts; every text in it is escaped."""

import functools
import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from taskkit.tasks.analyse.found import Evidence, Findings, Item, Row
from taskkit.tasks.analyse.report import NONE, Count, counts, crossed

COLOURS = 12
ROWS, LINES = (
    200,
    100,
)  # of a page that somebody is to read: rows with their texts, lines of a table, findings of a text


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of a text with the findings that all of it is part of; none where it is plain."""

    text: str
    items: tuple[Item, ...] = ()

    @property
    def title(self) -> str:
        return " · ".join(dict.fromkeys(named(item) for item in self.items))


def stretches(text: str, items: Iterable[Item]) -> list[Stretch]:
    """The text cut at every border of a finding; joined it is the text. Findings may overlap."""
    placed = [(one.start, one.end, item) for item in items for one in places(item) if 0 <= one.start < one.end]
    borders = sorted({0, len(text), *(min(at, len(text)) for start, end, _ in placed for at in (start, end))})
    opened = deque(sorted(placed, key=lambda one: one[0]))
    found: list[Stretch] = []
    active: list[tuple[int, int, Item]] = []
    for start, end in itertools.pairwise(borders):
        while opened and opened[0][0] <= start:
            active.append(opened.popleft())
        active = [one for one in active if one[1] > start]
        found.append(Stretch(text[start:end], _each(one[2] for one in active)))
    return found


def _each(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple({id(item): item for item in items}.values())


def places(item: Item) -> list[Evidence]:
    if item.subject is not None and item.object is not None:
        return [item.subject, item.object, *([item.evidence] if item.evidence else [])]
    return [item.evidence] if item.evidence else []


def named(item: Item) -> str:
    if item.subject is not None and item.object is not None:
        return f"{item.subject.quote} – {item.label} – {item.object.quote}"
    return item.label if item.value is None else f"{item.label}: {item.value}"


def page(found: Findings) -> str:
    """The page of a text, or of a table with its counts and each of its rows."""
    is_fields = found.kind == "fields"
    one = [Row(number=1, items=tuple(item.model_copy(update={"value": None}) for item in found.items))]
    many = found.kind in {"entities", "relations", "aspects", "pii"}  # a list of single ones tells nothing
    tally = counts(found.rows, fields=is_fields) if found.rows else counts(one) if many and found.items else []
    colours = _colours(found)
    good = sum(not row.error for row in found.rows) or 1
    values, table = crossed(found.rows, found.by) if found.by and not is_fields else ([], {})
    made: str = _template().render(
        found=found,
        title=PurePath(found.name).name or "Analysis",
        tally=tally,
        good=good,
        failed=sum(bool(row.error) for row in found.rows),
        values=values,
        table=table,
        rows=telling(found.rows, tally),
        lines=LINES,
        mixed=sorted(_mixed(found), key=lambda one: -one[2]),
        colours=colours,
        parts=stretches,
        named=named,
        none=NONE,
    )
    return made


def telling(rows: Sequence[Row], tally: Sequence[Count]) -> list[Row]:
    """All rows, or as many as a page has room for: those that the counts quote, then some of each kind in turn."""
    if len(rows) <= ROWS:
        return list(rows)
    kinds: dict[str, list[int]] = {}
    for row in rows:
        for label in ("(failed)",) if row.error else row.labels[:LINES] or (NONE,):
            kinds.setdefault(label, []).append(row.number)
    turns = (number for turn in itertools.zip_longest(*kinds.values()) for number in turn if number is not None)
    first = (one.row for one in tally[: ROWS // 2])
    chosen = set(itertools.islice(dict.fromkeys(itertools.chain(first, turns)), ROWS))
    return [row for row in rows if row.number in chosen]


def _mixed(found: Findings) -> list[tuple[str, str, int]]:
    """The right label, the one that was found, in how many rows."""
    table = {} if found.scores is None else found.scores.confusion
    return [(truth, said, count) for truth, row in table.items() for said, count in row.items()]


def _colours(found: Findings) -> dict[str, int]:
    """A colour for each label; of fields for each field, and of keyphrases, which are all different, one."""
    items: Sequence[Item] = [item for row in found.rows for item in row.items] or found.items
    if found.kind == "keyphrases":
        return dict.fromkeys((item.label for item in items), 0)
    return {label: number % COLOURS for number, label in enumerate(dict.fromkeys(item.label for item in items))}


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("taskkit.tasks.analyse").joinpath("page.html").read_text("utf-8"))
