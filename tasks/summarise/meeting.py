"""What a meeting came to: decisions, actions and open questions, each with the words in which it was said. Whose an
action is and when it is due stand only where they were said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, Field

from taskkit.spans import Span, locate
from taskkit.split import Piece
from taskkit.tasks.summarise.documents import Document
from taskkit.tasks.summarise.figures import dates
from taskkit.tasks.summarise.notes import merged, note_parts
from taskkit.tasks.summarise.numbered import bag
from taskkit.tasks.summarise.reading import PIECE, Numbered, Read, cut_up, named, read_all, read_whole
from taskkit.tasks.summarise.records import Action, Coverage, Point
from taskkit.tasks.summarise.turns import Turn, around
from taskkit.tasks.summarise.work import Work

ROOM = 1400  # tokens for the items, beside the overview
OVERLAP = 100  # tokens of what was said before a piece
BESIDE = 2  # turns on either side of the quoted one in which an owner or a date may be said
NEAR = 400  # characters instead, where there are no turns
SAME = 0.7  # of the words that two items share: they are one
UNSAID = re.compile(
    r"\W*(?:none|null|n/?a|not (?:stated|specified|said|given|mentioned|known)|unknown|unspecified|unassigned|tbd|tba|nobody|no one)?\W*",
    re.IGNORECASE,
)
SPEAKER = {"i", "me", "myself", "ich", "je", "moi", "yo", "io", "eu", "ik"}
_SMALL = set("by before until till on at the end of next this bis am vor avant le d'ici el antes del".split())  # noqa: SIM905

P = TypeVar("P", bound=Point)
F = TypeVar("F", bound="FoundPoint")


class FoundPoint(BaseModel):
    what: str = Field(description="One plain sentence.")
    quote: str = Field(description="Words of the transcript in which it is said, copied exactly.")


class FoundAction(FoundPoint):
    owner: str | None = Field(description="Who is to do it, as the transcript names them; null when it is not said.")
    due: str | None = Field(description="When it is due, in the words of the transcript; null when it is not said.")


class Minutes(BaseModel):
    overview: str = Field(description="What the meeting was about and came to, as running text.")
    decisions: list[FoundPoint] = Field(description="What was decided; none if nothing was.")
    actions: list[FoundAction] = Field(description="What somebody is to do; none if nothing is.")
    questions: list[FoundPoint] = Field(description="Questions that stayed open; none if all were answered.")


@dataclass
class Items:
    decisions: list[Point] = field(default_factory=list[Point])
    actions: list[Action] = field(default_factory=list[Action])
    questions: list[Point] = field(default_factory=list[Point])


async def minutes(work: Work) -> tuple[str, Items, Coverage, int]:
    """The overview, the items, what was read and in how many pieces."""
    whole = [Numbered(0, 1, 1, Piece(one.view.text, 0, len(one.view.text))) for one in work.documents]
    room = work.room + ROOM
    text = work.documents[0].view.text
    alone = len(whole) == 1 and work.job.counter.fits(text, PIECE)
    if alone and work.job.fits(note_parts(work, whole[0], "minutes", problems=""), max_output=room, output=Minutes):
        work.job.strategy = "one call"
        overview, items = await _of_piece(work, whole[0])
        return overview, items, read_whole(work), 1
    pieces = cut_up(work, note_parts(work, None, "minutes", problems=""), room, output=Minutes, overlap=OVERLAP)
    work.job.strategy = f"minutes of {len(pieces)} pieces, merged"
    read: Read[tuple[str, Items]] = await read_all(work, pieces, lambda one: _of_piece(work, one))
    items = Items()
    overviews: list[str] = []
    for one, found in zip(read.pieces, read.found, strict=True):
        if found is not None:
            overviews.append(named(work, one, found[0]))
            items.decisions = _added(items.decisions, found[1].decisions)
            items.actions = _added(items.actions, found[1].actions)
            items.questions = _added(items.questions, found[1].questions)
    return await merged(work, overviews, differences=[]), items, read.coverage, len(pieces)


async def _of_piece(work: Work, one: Numbered) -> tuple[str, Items]:
    """Once more where quotes are not in the piece; what then has none is left out, and that is said."""
    told = work.likely_of(11)
    point = FoundPoint(what=told, quote=told)
    usual = [FoundAction(**dict(point), owner=None, due=None)] if work.job.foresees_faults else []
    words = min(work.limit.words, 180) if one.total > 1 else work.limit.words
    overview = work.likely_of(words) if one.total > 1 else work.likely
    shape = Minutes(overview=overview, decisions=[*usual], actions=usual, questions=[*usual])
    best: tuple[str, Items] = ("", Items())
    problems: list[str] = []
    for number in range(2):
        parts = note_parts(work, one, "minutes", problems="; ".join(problems))
        if number and not work.job.fits(parts, max_output=work.room + ROOM, output=Minutes):
            break  # what was wrong has no room beside the piece
        got = await work.job.complete(parts, output=Minutes, max_output=work.room + ROOM, likely=shape, sample=number)
        items, lost = _located(work, one, got)
        if not number or len(lost) <= len(problems):
            best, problems = (got.overview, items), lost
        if not work.job.foresees("a quote to ask for again") if work.job.engine.rehearses else not problems:
            break
    if problems:
        work.job.warn(
            "not-in-source", f"Left out, since no words of the transcript bear it out: {'; '.join(problems)}."
        )
    return best


def _located(work: Work, one: Numbered, got: Minutes) -> tuple[Items, list[str]]:
    """The items with their places, and what is wrong with those that have none."""
    lost: list[str] = []

    def placed(found: Sequence[F]) -> list[tuple[F, Span, Point]]:
        kept: list[tuple[F, Span, Point]] = []
        for each in found:
            span = locate(each.quote, one.piece.text)
            if span.status == "none":
                lost.append(f"the quote {each.quote[:80]!r} is not in the transcript")
            elif each.what.strip():
                place = Span(one.piece.start + span.start, one.piece.start + span.end, span.status)
                kept.append((each, place, _point(work, one.document, each, place)))
        return kept

    return Items(
        _added((), [point for *_, point in placed(got.decisions)]),
        _added((), [_action(work, one.document, *each) for each in placed(got.actions)]),
        _added((), [point for *_, point in placed(got.questions)]),
    ), lost


def _point(work: Work, document: int, found: FoundPoint, place: Span) -> Point:
    assert place.status != "none"
    touched = around(work.turns[document], place.start, place.end)
    return Point(
        what=" ".join(found.what.split()),
        source=work.documents[document].quote(place.start, place.end, place.status),
        at=touched[0].time if touched else None,
        speaker=touched[0].speaker if touched else None,
    )


def _action(work: Work, document: int, found: FoundAction, place: Span, point: Point) -> Action:
    owner, due = _stated(found.owner), _stated(found.due)
    if owner and owner.casefold().strip(".") in SPEAKER:
        owner = point.speaker
    said = _said_around(work.documents[document], work.turns[document], place)
    for name, value in (("owner", owner), ("due", due)):
        if value and not is_said(value, said) and not work.job.engine.rehearses:
            message = f"The {name} {value!r} of {point.what[:80]!r} is not said there: it was left out."
            work.job.warn("unstated", message)
    return Action(
        **dict(point),
        owner=owner if owner and is_said(owner, said) else None,
        due=due if due and is_said(due, said) else None,
    )


def _stated(value: str | None) -> str | None:
    return None if value is None or UNSAID.fullmatch(value) else " ".join(value.split())


def _said_around(document: Document, turns: Sequence[Turn], place: Span) -> str:
    beside = around(turns, place.start, place.end, BESIDE)
    if beside:
        return document.view.text[beside[0].start : beside[-1].end]
    return document.view.text[max(0, place.start - NEAR) : place.end + NEAR]


def is_said(value: str, text: str) -> bool:
    """As it is, or every word of it that says something, or its day of a month."""
    if locate(value, text).status in {"exact", "normalised"}:
        return True
    days = {(one.month, one.day) for one in dates(value)}
    if days:
        return days <= {(one.month, one.day) for one in dates(text)}
    wanted = {word for word in re.findall(r"\w+", value.casefold()) if word not in _SMALL}
    return bool(wanted) and wanted <= set(re.findall(r"\w+", text.casefold()))


def _added(have: Sequence[P], more: Sequence[P]) -> list[P]:
    """Without what is there already: the same words quoted, or nearly the same said."""
    kept = list(have)
    for one in more:
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return kept


def _same(one: Point, other: Point) -> bool:
    if one.source.document == other.source.document and one.source.start == other.source.start:
        return True
    mine, theirs = bag(one.what), bag(other.what)
    return bool(mine | theirs) and len(mine & theirs) / len(mine | theirs) >= SAME
