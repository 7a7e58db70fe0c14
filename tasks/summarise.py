"""Summaries of texts of any length: notes on each piece at once, then a tree of merges, every level shorter."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

import taskkit
from taskkit.errors import EndpointError
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.results import Result
from taskkit.source import Piece, Source, Text
from taskkit.spans import sentences
from taskkit.taskclass import Task

Style = Literal["paragraph", "bullets", "tldr", "headline"]

PIECE = 6000  # tokens: pieces much larger than this lose their middle, and make long waits
NOTE_WORDS = 180  # a piece's notes at most
DEPTH = 12  # levels of merging; each must shrink, so this is never reached
ENOUGH = 0.8  # of a level's length: the next one may be so long, or its notes are cut
TOKENS_A_WORD = 2.0  # room to keep for a word of an answer, in any language


class Citation(BaseModel):
    """A sentence of the summary, and the place in the source that bears it out, as character offsets."""

    model_config = ConfigDict(frozen=True)

    sentence: str
    quote: str
    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy"]


class Summary(Result):
    """`points` are the bullets of the style `bullets`, the sentences otherwise. `coverage` is the share of the
    source's characters that some call has read: 1.0 unless a piece failed."""

    text: str
    points: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    pieces: int = 1
    coverage: float = 1.0


@taskkit.task
class Summarise(Task[Summary]):
    """Summarise a text of any length."""

    source: Source
    words: Annotated[int, Field(ge=5, le=20_000, description="The longest that the summary may be.")] = 150
    style: Annotated[Style, Field(description="The form of the summary.")] = "paragraph"
    focus: Annotated[str, Field(description="What to look for: a question, or a reader.")] = ""
    language: Annotated[str, Field(description="The language of the summary; the source's when not given.")] = ""
    cite: Annotated[bool, Field(description="Find, for each sentence, the place in the source that it rests on.")] = (
        False
    )

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = "taskkit summarise report.md --words 100"

    async def run(self, job: Job) -> Summary:
        source = job.read(self.source)
        whole = self.ask("short", piece=source.text)
        if job.counter.fits(source.text, PIECE) and job.fits(whole, max_output=self.room):
            job.strategy = "one call"
            text, pieces = await job.complete(whole, max_output=self.room, show=True, likely=self.likely()), 1
        else:
            text, pieces = await self.of_pieces(job, source)
        text = await self.of_length(job, tidy(text))
        unsupported(job, text, source.text)
        return Summary(
            text=text,
            points=tuple(points(text)),
            citations=tuple(citations(text, source)) if self.cite else (),
            pieces=pieces,
        )

    async def of_pieces(self, job: Job, source: Text) -> tuple[str, int]:
        around = self.ask("note", piece="", before="", headings=(), number=999, total=999, words=NOTE_WORDS)
        note_room = int(NOTE_WORDS * TOKENS_A_WORD)
        pieces = job.split(source, max_tokens=PIECE, around=around, max_output=note_room)
        job.strategy = f"notes on {len(pieces)} pieces, merged"

        async def note(item: tuple[int, Piece]) -> str:
            number, piece = item
            parts = self.ask(
                "note", piece=piece.text, before=piece.before, headings=piece.headings, number=number,
                total=len(pieces), words=NOTE_WORDS,
            )  # fmt: skip
            return await job.complete(parts, max_output=note_room, likely="A note. " * (NOTE_WORDS // 2))

        notes = await job.map(note, list(enumerate(pieces, 1)))
        return await self.merged(job, notes), len(pieces)

    async def merged(self, job: Job, notes: list[str]) -> str:
        """A level packs as many notes into a call as fit, and must come out shorter than it went in."""
        for _ in range(DEPTH):
            final = self.ask("merge", notes=notes, final=True, words=0)
            if job.fits(final, max_output=self.room):
                return await job.complete(final, max_output=self.room, show=True, likely=self.likely())
            before = sum(job.counter.count_many(notes))
            groups = self.packed(job, notes)
            words = max(40, int(before / len(groups) / TOKENS_A_WORD * 0.5))

            async def level(group: list[str], words: int = words) -> str:
                parts = self.ask("merge", notes=group, final=False, words=words)
                room = int(words * TOKENS_A_WORD)
                return await job.complete(parts, max_output=room, likely="A note. " * (words // 2))

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

    def packed(self, job: Job, notes: Sequence[str]) -> list[list[str]]:
        room = job.room(
            self.ask("merge", notes=[""], final=False, words=9999), max_output=job.route.window.context // 6
        )
        groups: list[list[str]] = []
        left = 0
        for note, size in zip(notes, job.counter.count_many(list(notes)), strict=True):
            whole = size + 32  # its fence
            if not groups or whole > left or len(groups[-1]) >= 40:
                groups.append([])
                left = room
            groups[-1].append(note)
            left -= whole
        if len(groups) == len(notes) > 1:
            # Two notes must always go together, or the tree would not end.
            cut = cut_notes(job, notes, max(1, room // 2 - 32))
            groups = [cut[i : i + 2] for i in range(0, len(cut), 2)]
        return groups

    async def of_length(self, job: Job, text: str) -> str:
        """One more call when the summary is much too long, then it is cut at a sentence."""
        if self.style == "bullets" or count_words(text) <= self.words * 1.2:
            return text
        problem = f"{count_words(text)} words long, which is too much"
        shorter = tidy(await job.complete(self.ask("shorten", text=text, problem=problem), max_output=self.room))
        if 0 < count_words(shorter) < count_words(text):
            text = shorter
        if count_words(text) > self.words * 1.2:
            job.warn("length", f"The model kept to no length: the summary was cut to {self.words} words.")
            text = cut_words(text, self.words)
        return text

    def ask(self, block: str, **values: Any) -> list[Part]:
        shapes = {
            "paragraph": f"at most {self.words} words of running text",
            "bullets": f"a list of bullet points, each beginning with '- ', together at most {self.words} words",
            "tldr": f"one or two plain sentences, at most {min(self.words, 50)} words",
            "headline": "one headline of at most 14 words",
        }
        language = self.language or "the language of the text"
        return type(self).prompt.parts(block, shape=shapes[self.style], focus=self.focus, language=language, **values)

    @property
    def room(self) -> int:
        return int(self.words * TOKENS_A_WORD) + 64

    def likely(self) -> str:
        return "A word. " * (self.words // 3)


def cut_notes(job: Job, notes: Sequence[str], tokens: int) -> list[str]:
    """Each at most so long; what goes by that is said."""
    kept = [job.counter.cut(note, tokens) for note in notes]
    gone = sum(len(note) - len(one) for note, one in zip(notes, kept, strict=True))
    if gone:
        message = f"The model did not shorten its notes as asked: {gone} characters of them were cut off."
        job.warn("not-shrinking", message)
    return kept


PREFACE = re.compile(
    r"\A\s*(?:\*\*)?(?:here(?:'s| is)[^\n:]{0,60}|summary|tl;?dr)(?:\*\*)?:(?:\*\*)?\s*", re.IGNORECASE
)


def tidy(text: str) -> str:
    """Without the preface that small models put before what they were asked for."""
    return PREFACE.sub("", text, count=1).strip()


def count_words(text: str) -> int:
    """Words, or, in scripts that write none, characters by twos."""
    return (
        len(re.findall(r"[^\W\u3040-\u30ff\u3400-\u9fff]+", text))
        + len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff]", text)) // 2
    )


def cut_words(text: str, words: int) -> str:
    count, end = 0, 0
    for start, stop in sentences(text):
        count += count_words(text[start:stop])
        if count > words and end:
            break
        end = stop
    kept = text[:end].rstrip()
    if count_words(kept) <= words * 1.2:
        return kept
    rough = kept.split(" ")[:words]  # one endless sentence
    return f"{' '.join(rough)} …"


def points(text: str) -> list[str]:
    bullets = re.findall(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$", text, re.MULTILINE)
    return bullets or [text[start:end].strip() for start, end in sentences(text)]


def citations(text: str, source: Text) -> list[Citation]:
    """For each sentence the source's sentence that shares most of its words, located by its offsets."""
    places = [(start, end, bag(source.text[start:end])) for start, end in sentences(source.text)]
    weight = rarity([words for _, _, words in places])
    found = []
    for point in points(text):
        wanted = bag(point)
        total = sum(weight.get(word, 1.0) for word in wanted)
        score, start, end = max(
            ((sum(weight[word] for word in wanted & words), start, end) for start, end, words in places),
            default=(0.0, 0, 0),
        )
        if total and score / total >= 0.35:
            whole = source.text[start:end]
            quote, lead = whole.strip(), len(whole) - len(whole.lstrip())
            found.append(
                Citation(
                    sentence=point,
                    quote=quote,
                    start=source.start + start + lead,
                    end=source.start + start + lead + len(quote),
                    status="exact",
                )
            )
    return found


def bag(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.lower()) if len(word) > 2 or word.isdigit())


def rarity(bags: Sequence[frozenset[str]]) -> dict[str, float]:
    import math
    from collections import Counter

    seen = Counter(word for words in bags for word in words)
    return {word: math.log(1 + len(bags) / count) for word, count in seen.items()}


NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def unsupported(job: Job, text: str, source: str) -> None:
    """Numbers of the summary that the source does not have."""
    said = {one for one in NUMBER.findall(text) if len(plain(one)) > 1}
    have = {plain(one) for one in set(NUMBER.findall(source))} if said else set()
    strange = sorted(one for one in said if plain(one) not in have)
    if strange:
        job.warn("unsupported-number", f"Not found in the source: {', '.join(strange)}.")


def plain(number: str) -> str:
    return re.sub(r"[.,:]", "", number)


summarise = taskkit.function(Summarise)
