"""Pieces of what is summarised, each read once; what fails is read again in halves, and what was read is told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from taskkit.errors import ContextTooLong, InvalidOutputError, RefusedError, TaskkitError, TruncatedError
from taskkit.prompt import Part
from taskkit.source import Text
from taskkit.split import Piece
from taskkit.tasks.summarise.records import Coverage, Reading
from taskkit.tasks.summarise.work import Work

T = TypeVar("T")

PIECE = 6000  # tokens: pieces much larger than this lose their middle, and make long waits
HALVED = (InvalidOutputError, RefusedError, TruncatedError)  # what a smaller piece may mend
LEAST = 16  # tokens of a piece that is worth halving


@dataclass(frozen=True, slots=True)
class Numbered:
    """A piece of the `document`th document; `number` counts from 1 through all of them. Halves of a piece bear its
    number."""

    document: int
    number: int
    total: int
    piece: Piece


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What each piece gave, in order; None for one that failed."""

    pieces: Sequence[Numbered]
    found: Sequence[T | None]
    coverage: Coverage


def cut_up(
    work: Work, around: Sequence[Part], room: int, *, output: type[object] | None = None, overlap: int = 0
) -> list[Numbered]:
    pieces = [
        (number, piece)
        for number, document in enumerate(work.documents)
        for piece in work.job.split(
            document.view, max_tokens=PIECE, around=around, max_output=room, output=output, overlap=overlap
        )
    ]
    return [Numbered(document, number, len(pieces), piece) for number, (document, piece) in enumerate(pieces, 1)]


async def read_all(work: Work, pieces: Sequence[Numbered], read: Callable[[Numbered], Awaitable[T]]) -> Read[T]:
    """Every piece once, and in halves where it failed. What fails for good does not take the others with it: it is
    told, and is missing from the coverage. Raises what stops the whole job, and the error of the first piece when all
    fail."""
    results: list[T | TaskkitError] = await work.job.map(read, pieces, keep_errors=True)
    pieces, results = await in_halves(work, pieces, results, read)
    errors = [one for one in results if isinstance(one, TaskkitError)]
    again = next((one for one in errors if isinstance(one, ContextTooLong)), None)
    if again is not None or len(errors) == len(results):
        raise again or errors[0]
    found = [None if isinstance(one, TaskkitError) else one for one in results]
    readings = [
        _reading(work, one, str(result) if isinstance(result, TaskkitError) else "")
        for one, result in zip(pieces, results, strict=True)
    ]
    coverage = covered(readings)
    if errors:
        lost = [one for one in readings if one.status == "failed"]
        where = ", ".join(f"{one.start}-{one.end}{f' of {one.document}' if one.document else ''}" for one in lost[:5])
        work.job.warn(
            "not-read",
            f"{len(lost)} of {len(pieces)} pieces were not read, {1 - coverage.share:.1%} of the text "
            f"(characters {where}{', …' if len(lost) > 5 else ''}): {errors[0]}",
            failure=True,
        )
    return Read(pieces, found, coverage)


async def in_halves(
    work: Work,
    pieces: Sequence[Numbered],
    results: Sequence[T | TaskkitError],
    read: Callable[[Numbered], Awaitable[T]],
) -> tuple[list[Numbered], list[T | TaskkitError]]:
    """The pieces with their results, those that failed replaced by their halves; not where all of many failed alike."""
    failed = {number for number, one in enumerate(results) if isinstance(one, HALVED)}
    if len(failed) == len(results) > 1:
        failed.clear()
    if len(pieces) > 1:
        failed |= {number for number in range(len(pieces)) if work.job.foresees("a piece to read in halves")}
    cut = {number: halves(work, pieces[number]) for number in sorted(failed)}
    again = [half for some in cut.values() for half in some]
    if not again:
        return list(pieces), list(results)
    found = iter(zip(again, await work.job.map(read, again, keep_errors=True), strict=True))
    both = [
        pair
        for number, whole in enumerate(zip(pieces, results, strict=True))
        for pair in ([next(found) for _ in cut[number]] if cut.get(number) else [whole])
    ]
    return [one for one, _ in both], [result for _, result in both]


def halves(work: Work, one: Numbered) -> list[Numbered]:
    """Of a piece that can be cut; else none."""
    counter = work.job.counter
    size = counter.count(one.piece.text)
    if size < LEAST:
        return []
    text = Text(one.piece.text, format=work.documents[one.document].view.format, start=one.piece.start)
    cut = text.split(size * 2 // 3, counter=counter, balance=True)
    before = [one.piece.before, *("" for _ in cut[1:])]
    return [
        replace(one, piece=replace(half, headings=half.headings or one.piece.headings, before=context))
        for half, context in zip(cut, before, strict=True)
    ]


def _reading(work: Work, one: Numbered, problem: str) -> Reading:
    document = work.documents[one.document]
    start, end = document.outside(one.piece.start, one.piece.end)
    if document.runs:  # the times between two cues are read with the first of them
        last = one.piece.end >= len(document.view.text)
        start = document.source.start if one.piece.start == 0 else start
        end = (
            document.source.start + len(document.source.text)
            if last
            else document.outside(one.piece.end, one.piece.end)[0]
        )
    return Reading(
        document=document.name, start=start, end=end, status="failed" if problem else "read", problem=problem
    )


def covered(readings: Sequence[Reading]) -> Coverage:
    every = sum(one.end - one.start for one in readings)
    read = sum(one.end - one.start for one in readings if one.status == "read")
    return Coverage(share=read / every if every else 1.0, readings=tuple(readings))


def read_whole(work: Work) -> Coverage:
    """All documents in one call."""
    texts = [(one.name, one.source) for one in work.documents]
    return covered([Reading(document=name, start=one.start, end=one.start + len(one.text)) for name, one in texts])


def named(work: Work, one: Numbered, text: str) -> str:
    """Of several documents each note says whose it is."""
    return f"From {work.documents[one.document].name}:\n{text}" if len(work.documents) > 1 else text
