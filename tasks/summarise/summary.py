"""A summary, and how a person reads it."""

from collections.abc import Iterable, Iterator

from taskkit.results import Result
from taskkit.tasks.summarise.records import Action, Citation, Coverage, Disagreement, Point, Quote

LONGEST = 200  # characters of a quote that are shown


class Summary(Result):
    """`points` are the bullets where there are any, the sentences otherwise. `found` is False when a `focus` was
    given and the text says nothing about it."""

    text: str
    points: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    decisions: tuple[Point, ...] = ()
    actions: tuple[Action, ...] = ()
    questions: tuple[Point, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    pieces: int = 1
    coverage: Coverage = Coverage()
    found: bool = True

    def __str__(self) -> str:
        """The text, then what there is of decisions, actions, questions, disagreements and citations."""
        return shown(self)


def shown(summary: Summary) -> str:
    sections = (
        ("Decisions", map(_point, summary.decisions)),
        ("Action items", map(_action, summary.actions)),
        ("Open questions", map(_point, summary.questions)),
        ("Disagreements", map(_disagreement, summary.disagreements)),
        ("Sources", _citations(summary.citations)),
    )
    parts = [summary.text]
    for title, rows in sections:
        if lines := list(rows):
            parts.append("\n".join((f"{title}:", *lines)))
    return "\n\n".join(part for part in parts if part)


def _point(one: Point) -> str:
    return f"- {one.what}{_at(one)}"


def _action(one: Action) -> str:
    told = [f"owner: {one.owner or 'not said'}", f"due: {one.due or 'not said'}"]
    return f"- {one.what} ({', '.join(told)}){_at(one)}"


def _at(one: Point) -> str:
    return f" [{one.at}]" if one.at else ""


def _disagreement(one: Disagreement) -> str:
    said = "; ".join(f"{position.document}: {_quoted(position)}" for position in one.positions)
    return f"- {one.matter}: {said}"


def _citations(citations: Iterable[Citation]) -> Iterator[str]:
    by_sentence: dict[str, list[Citation]] = {}
    for one in citations:
        by_sentence.setdefault(one.sentence, []).append(one)
    for sentence, places in by_sentence.items():
        found = [f"{_place(one)} {_quoted(one)}" for one in places if one.status != "none"]
        yield "\n".join((f"- {sentence}", *(f"    {one}" for one in found or ["no support was found"])))


def _place(one: Quote) -> str:
    """Where to open it, as `ask` has it: `leave.md:35`, or the page where there are pages."""
    at = one.document
    if one.page:
        at = f"{at} p. {one.page}".strip()
    elif one.line:
        at = f"{at}:{one.line}" if at else f"line {one.line}"
    return f"{at}, characters {one.start}-{one.end}:" if at else f"characters {one.start}-{one.end}:"


def _quoted(one: Quote) -> str:
    words = " ".join(one.quote.split())
    return f'"{words}"' if len(words) <= LONGEST else f'"{words[: LONGEST - 1].rstrip()}…"'
