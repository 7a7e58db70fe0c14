"""What is sent: the different texts of a document, each once, in batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from taskkit.source import Text
from taskkit.tasks.translate.checks import check_segment
from taskkit.tasks.translate.mask import Masked, mask, unmask
from taskkit.tasks.translate.patterns import COUNT
from taskkit.tasks.translate.segments import Problem, Prose, Segment
from taskkit.tokens import Counter

BATCH = 10  # texts; small models mix up longer lists
BATCH_TOKENS = 700
LONG = 1500  # tokens of one text; beyond this models begin to leave things out


@dataclass(frozen=True, slots=True)
class Unit:
    """One text to translate, and the segments that have it."""

    id: str
    masked: Masked
    segments: tuple[Segment, ...]

    @property
    def first(self) -> Segment:
        return self.segments[0]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a segment that is too long for one call, and the blanks around it."""

    before: str
    segment: Segment
    after: str


Cut = Mapping[Segment, tuple[Stretch, ...]]


def cut(segments: Sequence[Segment], counter: Counter, room: int) -> Cut:
    """The long ones in parts, between sentences where it can be; joined they are the segment."""
    limit = max(16, min(LONG, room))
    return {one: tuple(_stretches(one, counter, limit)) for one in segments if not counter.fits(one.text, limit)}


def _stretches(segment: Segment, counter: Counter, limit: int) -> Iterator[Stretch]:
    for number, piece in enumerate(Text(segment.text).split(limit, counter=counter), 1):
        text = piece.text.strip()
        lead = piece.text[: len(piece.text) - len(piece.text.lstrip())] if text else piece.text
        tail = piece.text[len(piece.text.rstrip()) :] if text else ""
        yield Stretch(lead, replace(segment, id=f"{segment.id}.{number}", text=text), tail)


def units(
    segments: Sequence[Segment], prose: Prose, keep: tuple[str, ...] = (), parts: Cut | None = None
) -> list[Unit]:
    """Those that have words; equal texts of one kind and meaning are one unit. `keep` are terms that stay, `parts`
    what is to be sent for a long segment."""
    same: dict[tuple[object, ...], list[Segment]] = {}
    for whole in segments:
        for one in [part.segment for part in parts[whole]] if parts and whole in parts else [whole]:
            same.setdefault((one.text, one.kind, one.keep, one.plural, one.note), []).append(one)
    found: list[Unit] = []
    for group in same.values():
        masked = mask(group[0].text, prose, (*group[0].keep, *keep))
        if masked.translatable:
            found.append(Unit(str(len(found) + 1), masked, tuple(group)))
    return found


def batches(todo: Sequence[Unit], counter: Counter, room: int) -> list[list[Unit]]:
    """In order; a text over the limit is a batch of its own."""
    limit = max(16, min(BATCH_TOKENS, room))
    made: list[list[Unit]] = []
    left = 0
    for unit, size in zip(todo, counter.count_many([one.masked.text for one in todo]), strict=True):
        if not made or len(made[-1]) >= BATCH or size > left:
            made.append([])
            left = limit
        made[-1].append(unit)
        left -= size
    return made


def taken(unit: Unit, answer: str, to: str) -> tuple[str, tuple[Problem, ...]]:
    """The translation that an answer gives, and what is wrong with it."""
    target, problems = unmask(answer, unit.masked)
    if unit.first.plural is not None:
        problems = tuple(_allowed(one, unit.masked) for one in problems)
    return target, (*problems, *check_segment(unit.first, target, unit.masked, to))


def _allowed(problem: Problem, masked: Masked) -> Problem:
    """A plural form may say the number in a word of its own."""
    if problem.code == "token_missing" and COUNT.fullmatch(masked.tokens[problem.mark - 1]):
        return replace(problem, severity="warning")
    return problem
