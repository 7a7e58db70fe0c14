"""A text that fits no call: notes on every piece, then a tree of merges, each level shorter than the one before."""

from collections.abc import Sequence

from taskkit.errors import ContextTooLong, EndpointError, QuotaError, RefusedError
from taskkit.job import Job
from taskkit.prompt import Part
from taskkit.split import Piece
from taskkit.tasks.summarise.nothing import is_nothing
from taskkit.tasks.summarise.reading import Numbered, Read, cut_up, named, read_all
from taskkit.tasks.summarise.work import TOKENS_A_WORD, Work

NOTE_WORDS = 180  # a piece's notes at most
DEPTH = 12  # levels of merging; each must shrink, so this is never reached
ENOUGH = 0.8  # of a level's length: the next one may be so long, or its notes are cut


async def notes(work: Work) -> tuple[list[str], Read[str]]:
    """The notes in order; a piece that has nothing on the focus gives none."""
    room = int(NOTE_WORDS * TOKENS_A_WORD)
    pieces = cut_up(work, note_parts(work, None), room)
    work.job.strategy = f"notes on {len(pieces)} pieces, merged"

    async def note(one: Numbered) -> str:
        return await work.job.complete(note_parts(work, one), max_output=room, likely=work.likely_of(NOTE_WORDS))

    read = await read_all(work, pieces, note)
    return [
        named(work, one, text)
        for one, text in zip(read.pieces, read.found, strict=True)
        if text is not None and not (work.focus and is_nothing(text))
    ], read


def note_parts(work: Work, one: Numbered | None, block: str = "note", **values: object) -> list[Part]:
    """The prompt for a piece, or what stands around one."""
    piece = Piece("", 0, 0) if one is None else one.piece
    return work.ask(
        block, piece=piece.text, before=piece.before, headings=piece.headings, words=NOTE_WORDS,
        name=work.documents[0 if one is None else one.document].name, number=999 if one is None else one.number,
        total=999 if one is None else one.total, **values,
    )  # fmt: skip


async def merged(work: Work, found: Sequence[str], **values: object) -> str:
    """A level packs as many notes into a call as fit, and must come out shorter than it went in."""
    job = work.job
    notes = list(found)
    for _ in range(DEPTH):
        final = work.ask("merge", notes=notes, final=True, words=0, earlier=work.earlier, **values)
        if job.fits(final, max_output=work.room):
            return await job.complete(final, max_output=work.room, show=work.show, likely=work.likely)
        before = sum(job.counter.count_many(notes))
        groups = packed(work, notes)
        words = max(40, int(min(before / len(groups) * 0.5, answer_of(work)) / TOKENS_A_WORD))

        async def level(group: list[str], words: int = words) -> str:
            parts = work.ask("merge", notes=group, final=False, words=words, earlier="", **values)
            room = int(words * TOKENS_A_WORD)
            try:
                return await job.complete(parts, max_output=room, likely=work.likely_of(words))
            except (QuotaError, ContextTooLong):
                raise
            except (EndpointError, RefusedError) as error:
                kept = job.counter.cut("\n".join(group), room)
                work.job.warn(
                    "not-merged", f"Some notes could not be put together, their start was kept: {error}", failure=True
                )
                return kept

        notes = await job.map(level, groups)
        if sum(job.counter.count_many(notes)) > before * ENOUGH:
            # The model does not shorten; yet the next level has to be smaller than this one.
            notes = cut_notes(job, notes, int(words * TOKENS_A_WORD))
            if sum(job.counter.count_many(notes)) >= before:
                break
    raise EndpointError(
        "The notes do not get shorter from level to level.",
        hint="Use a model with a larger window, or fewer --words.",
    )


def answer_of(work: Work) -> int:
    """Tokens to keep for the answer of a merge that is not the last."""
    return work.job.route.window.context // 6


def packed(work: Work, notes: Sequence[str]) -> list[list[str]]:
    around = work.ask("merge", notes=[""], final=False, words=9999, earlier="", differences=[])
    room = work.job.room(around, max_output=answer_of(work))
    groups: list[list[str]] = []
    left = 0
    for note, size in zip(notes, work.job.counter.count_many(list(notes)), strict=True):
        whole = size + 32  # its fence
        if not groups or whole > left or len(groups[-1]) >= 40:
            groups.append([])
            left = room
        groups[-1].append(note)
        left -= whole
    if len(groups) == len(notes) > 1:
        # Two notes must always go together, or the tree would not end.
        cut = cut_notes(work.job, notes, max(1, room // 2 - 32))
        groups = [cut[i : i + 2] for i in range(0, len(cut), 2)]
    return groups


def cut_notes(job: Job, notes: Sequence[str], tokens: int) -> list[str]:
    """Each at most so long; what goes by that is said."""
    kept = [job.counter.cut(note, tokens) for note in notes]
    gone = sum(len(note) - len(one) for note, one in zip(notes, kept, strict=True))
    if gone:
        message = f"The model did not shorten its notes as asked: {gone} characters of them were cut off."
        job.warn("not-shrinking", message)
    return kept
