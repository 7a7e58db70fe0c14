"""A table's findings in few words: how often each, by what, in whose words, and how many were right."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from taskkit.tasks.analyse.found import Findings, Row, Scores, one_line

WIDTH = 100
QUOTE = 90  # characters of a quote in a table
FEW = 30  # lines of a table; more findings than that say little in one
NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Count:
    """Of one label: in how many rows it was found, how often in all, and the words that show it best."""

    label: str
    rows: int
    times: int
    quote: str
    row: int


def counts(rows: Sequence[Row], *, fields: bool = False) -> list[Count]:
    """The most frequent first; rows without a finding are counted too. Of fields, how many rows have each."""
    where: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        for item in row.items:
            label = _top(item.label) if fields else _counted(item.label, item.value)
            where.setdefault(label, []).append((row.number, item.evidence.quote if item.evidence else ""))
        if not row.items and not row.error:
            where.setdefault(NONE, []).append((row.number, ""))
    found = [Count(label, len({n for n, _ in all_}), len(all_), *_typical(all_)) for label, all_ in where.items()]
    return sorted(found, key=lambda one: (one.label == NONE, -one.rows, -one.times))


def _counted(label: str, value: object) -> str:
    """A feeling about an aspect is counted as both."""
    return label if value is None else f"{value}: {label}"


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0] or path


def _typical(quotes: Sequence[tuple[int, str]]) -> tuple[str, int]:
    """The quote that has most of what the others say too, for its length."""
    words = [set(quote.casefold().split()) for _, quote in quotes[:500]]
    often = Counter(word for one in words for word in one)

    def weight(number: int) -> float:
        mine = words[number]
        long = len(quotes[number][1]) > 2 * QUOTE
        return sum(often[word] for word in mine) / (4 + len(mine)) - 1000 * long

    row, quote = quotes[max(range(len(words)), key=weight)]
    return one_line(quote), row


def crossed(rows: Sequence[Row], by: str) -> tuple[list[str], dict[str, Counter[str]]]:
    """The values of a column, and for each label how many rows have both."""
    found: dict[str, Counter[str]] = {}
    values: Counter[str] = Counter()
    for row in rows:
        value = str(row.columns.get(by, "")).strip() or "(empty)"
        if row.error:
            continue
        values[value] += 1
        for label in dict.fromkeys(_counted(item.label, item.value) for item in row.items) or {NONE: None}:
            found.setdefault(label, Counter())[value] += 1
    ordered = dict(sorted(found.items(), key=lambda pair: (pair[0] == NONE, -pair[1].total())))
    return [value for value, _ in values.most_common(8)], ordered


def table(found: Findings) -> str:
    parts = [_head(found.rows), _counted_table(found)]
    if found.by and found.kind != "fields":
        parts.append(_crossed_table(found))
    if found.scores is not None:
        cost = "unknown" if found.usage.cost is None else f"${found.usage.cost:.4f}"
        parts.append(_scores_table(found.scores) + f"\n{found.usage.calls:,} calls, cost {cost}.")
    errors = [f"Row {row.number}: {row.error}" for row in found.rows if row.error]
    if errors:
        more = [f"and {len(errors) - 10:,} more"] if len(errors) > 10 else []
        parts.append("\n".join(["Failed:", *errors[:10], *more]))
    return "\n\n".join(part.rstrip() for part in parts)


def _head(rows: Sequence[Row]) -> str:
    failed = sum(bool(row.error) for row in rows)
    return f"{len(rows):,} rows" + (f", {failed:,} of them failed" if failed else "")


def _counted_table(found: Findings) -> str:
    all_ = counts(found.rows, fields=found.kind == "fields")
    good = sum(not row.error for row in found.rows) or 1
    lines = [(one.label, f"{one.rows:,}", f"{one.rows / good:.0%}", one.quote[:QUOTE]) for one in all_[:FEW]]
    more = f"\nand {len(all_) - FEW:,} more" if len(all_) > FEW else ""
    title = "field" if found.kind == "fields" else "found"
    return drawn((title, "rows", "share", "as in"), lines, quotes=True) + more


def _crossed_table(found: Findings) -> str:
    values, table = crossed(found.rows, found.by)
    lines = [(label, *(f"{row[value]:,}" for value in values)) for label, row in list(table.items())[:FEW]]
    return f"By {found.by}:\n" + drawn(("", *values), lines)


def _scores_table(scores: Scores) -> str:
    rows = [
        (one.label, f"{one.precision:.0%}", f"{one.recall:.0%}", f"{one.f1:.0%}", f"{one.support:,}")
        for one in scores.labels[:FEW]
    ]
    text = f"{scores.accuracy:.1%} of {scores.rows:,} labelled rows are right.\n"
    text += drawn(("label", "precision", "recall", "f1", "rows"), rows)
    wrong = sorted(
        ((count, truth, said or NONE) for truth, row in scores.confusion.items() for said, count in row.items()
         if said != truth), key=lambda one: -one[0],
    )  # fmt: skip
    if wrong:
        text += "\n\nMixed up:\n" + drawn(("right", "found", "rows"), [(t, s, f"{c:,}") for c, t, s in wrong[:FEW]])
    return text


def drawn(head: Sequence[str], lines: Sequence[Sequence[str]], *, quotes: bool = False) -> str:
    """A table in plain characters; wide ones of East Asia are counted as such. Figures stand to the right; with
    `quotes` the last column has texts, which are cut where they do not fit."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    last = len(head) - 1
    for number, name in enumerate(head):
        figures = all(line[number][:1].isdigit() for line in lines)
        is_quote = quotes and number == last
        table.add_column(
            Text(name), justify="right" if figures and not is_quote else "left", no_wrap=is_quote,
            overflow="ellipsis" if is_quote else "fold",
        )  # fmt: skip
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
