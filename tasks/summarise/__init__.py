"""Summaries of texts of any length: notes on each piece at once, then a tree of merges, every level shorter."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

import taskkit
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.source import Source, read
from taskkit.taskclass import Task
from taskkit.tasks.summarise import meeting, mend, nothing
from taskkit.tasks.summarise.cite import cited
from taskkit.tasks.summarise.density import denser
from taskkit.tasks.summarise.disagree import disagreements
from taskkit.tasks.summarise.documents import documents
from taskkit.tasks.summarise.length import HEADLINE, TLDR, Limit, Style, points
from taskkit.tasks.summarise.notes import merged, notes
from taskkit.tasks.summarise.reading import PIECE, read_whole
from taskkit.tasks.summarise.records import (
    Action,
    Citation,
    Coverage,
    Disagreement,
    Point,
    Quote,
    Reading,
)
from taskkit.tasks.summarise.speech import language_of
from taskkit.tasks.summarise.summary import Summary
from taskkit.tasks.summarise.work import Work

__all__ = [
    "Action",
    "Citation",
    "Coverage",
    "Disagreement",
    "Point",
    "Quote",
    "Reading",
    "Style",
    "Summarise",
    "Summary",
    "summarise",
]

EARLIER = 5  # an earlier summary has at most a fifth of the window


@taskkit.task
class Summarise(Task[Summary]):
    """Summarise a text of any length.

    Every part of it is read, whatever the window of the model: a long text in pieces, whose notes are merged. The
    limits are kept, by cutting if need be. Numbers, dates and names that the source does not have are put right or
    told. Subtitles (SRT, WebVTT) are read as transcripts.

    --style meeting finds decisions, action items and open questions in a transcript, with their times. --focus looks
    for one thing, and says so when the text has nothing on it. --cite shows for each sentence what it rests on.
    --together makes one summary of several files, and tells where they disagree."""

    source: Source
    words: Annotated[int, Field(ge=5, le=20_000, description="The most words that the summary may have.")] = 150
    style: Annotated[
        Style, Field(description="The form: a headline has at most 14 words, a tldr at most 50 and two sentences.")
    ] = "paragraph"
    focus: Annotated[str, Field(description="What to look for: a question, or a reader.")] = ""
    language: Annotated[
        str, Field(description="The language of the summary (de, German, …); the source's when not given.")
    ] = ""
    cite: Annotated[bool, Field(description="Find, for each sentence, the places in the source that it rests on.")] = (
        False
    )
    sentences: Annotated[int | None, Field(ge=1, le=1000, description="The most sentences that it may have.")] = None
    bullets: Annotated[
        int | None, Field(ge=1, le=200, description="The most bullet points that it may have; makes it bullets.")
    ] = None
    also: Annotated[
        tuple[Source, ...], Field(description="Another document of the same summary; disagreements are told.")
    ] = ()
    earlier: Annotated[
        Source | None,
        Field(description="An earlier summary to bring up to date: the source is what is new, or the new state."),
    ] = None
    density: Annotated[
        int, Field(ge=0, le=5, description="Rounds that put in names and numbers that are missing, at the same length.")
    ] = 0

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    together: ClassVar[str] = "also"
    example: ClassVar[str] = (
        "taskkit summarise report.md --words 100 --cite\n"
        "  taskkit summarise long.txt --bullets 3 --focus 'what it costs'\n"
        "  taskkit summarise standup.vtt --style meeting\n"
        "  taskkit summarise monday.md tuesday.md --together\n"
        "  taskkit summarise new.md --earlier summary.txt --language German"
    )

    @field_validator("sentences", "bullets")
    @classmethod
    def _fits_the_style(cls, value: int | None, info: ValidationInfo) -> int | None:
        style, other = info.data.get("style", "paragraph"), info.data.get("sentences")
        if value is None:
            return value
        if info.field_name == "bullets" and other is not None:
            raise ValueError("Give sentences or bullets, not both")
        if style not in (
            {"paragraph", "bullets"} if info.field_name == "bullets" else {"paragraph", "abstract", "meeting", "tldr"}
        ):
            raise ValueError(f"A {style} can not be told its {info.field_name}; leave one of the two out")
        return value

    def baseline(self) -> Sequence[Part]:
        texts = [read(one, images=True, documents=True).text for one in (self.source, *self.also)]
        limit = self.limit
        form = {
            "bullets": f" as {limit.bullets or 'a few'} bullet points",
            "headline": " as a headline",
            "abstract": " as an abstract",
            "meeting": ", and list its decisions, its action items with owner and due date, and its open questions",
        }
        wanted = f"Summarise the following text in at most {limit.words} words{form.get(limit.style, '')}."
        if self.focus:
            wanted += f" Focus on: {self.focus}"
        if self.language:
            wanted += f" Write in {self.language}."
        return [Part("user", "\n\n".join((wanted, *texts)), "cut")]

    async def run(self, job: Job) -> Summary:
        work = self.work(job)
        items = meeting.Items()
        differences = await disagreements(work) if len(work.documents) > 1 else []
        if self.style == "meeting":
            text, items, coverage, pieces = await meeting.minutes(work)
        else:
            text, coverage, pieces = await written(work, differences)
        found = not (work.focus and nothing.is_nothing(text))
        made: list[Citation] = []
        if found:
            text = await self.finished(work, work.limit.formed(text))
            mend.told(
                work, "\n".join((text, *(one.what for one in (*items.decisions, *items.actions, *items.questions))))
            )
            made = await cited(work, text) if self.cite else []
        else:
            text = nothing.nothing_about(work.focus, work.code, work.documents[0].view.text)
            job.warn("nothing-found", f"The text says nothing about {work.focus!r}.")
        return Summary(
            text=text, points=tuple(points(text)), citations=tuple(made), decisions=tuple(items.decisions),
            actions=tuple(items.actions), questions=tuple(items.questions), disagreements=tuple(differences),
            pieces=pieces, coverage=coverage, found=found,
        )  # fmt: skip

    async def finished(self, work: Work, text: str) -> str:
        """Denser, in its language, borne out, and at last of its length."""
        text = await mend.in_language(work, text)
        text = await mend.of_length(work, text)
        if self.density:
            text = await denser(work, text, self.density)
        text = await mend.borne_out(work, text)
        return await mend.of_length(work, text)

    @property
    def limit(self) -> Limit:
        style: Style = "bullets" if self.bullets is not None else self.style
        most = {"headline": HEADLINE, "tldr": TLDR}.get(style, self.words)
        few = 2 if style == "tldr" and self.sentences is None else self.sentences
        return Limit(style, min(self.words, most), few, self.bullets)

    def work(self, job: Job) -> Work:
        code, name = language_of(self.language)
        texts = documents(job, (self.source, *self.also))
        if not self.language:
            from taskkit.knowledge.languages import guess

            code = guess(texts[0].view.text)
        earlier = "" if self.earlier is None else job.read(self.earlier).text
        if earlier and not job.counter.fits(earlier, most := job.route.window.context // EARLIER):
            earlier = job.counter.cut(earlier, most)
            job.warn("earlier-cut", f"Only the first {len(earlier)} characters of the earlier summary were taken.")
        return Work(
            job, type(self).prompt, texts, self.limit, focus=self.focus.strip(), code=code, language=name,
            asked_language=bool(self.language), earlier=earlier,
        )  # fmt: skip


async def written(work: Work, differences: Sequence[Disagreement]) -> tuple[str, Coverage, int]:
    """The summary as the model first gives it, what was read for it, and in how many pieces."""
    told = [
        f"{one.matter}: "
        + "; ".join(f'{place.document} says "{" ".join(place.quote.split())}"' for place in one.positions)
        for one in differences
    ]
    texts = [
        f"Document: {one.name}\n\n{one.view.text}" if len(work.documents) > 1 else one.view.text
        for one in work.documents
    ]
    whole = work.ask("short", texts=texts, differences=told, earlier=work.earlier)
    if work.job.counter.fits("".join(texts), PIECE) and work.job.fits(whole, max_output=work.room):
        work.job.strategy = "one call"
        text = await work.job.complete(whole, max_output=work.room, show=work.show, likely=work.likely)
        return text, read_whole(work), 1
    found, done = await notes(work)
    if not found:  # nothing in any of them on what was looked for
        return nothing.WORD, done.coverage, len(done.pieces)
    return await merged(work, found, differences=told), done.coverage, len(done.pieces)


summarise = taskkit.function(Summarise)
