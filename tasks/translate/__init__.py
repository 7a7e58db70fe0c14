"""Translation by splice: what is language is found by offset, translated, checked, and written back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

import taskkit
from taskkit.errors import FATAL, InputError, InvalidOutputError, RefusedError, TaskkitError, TruncatedError
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.results import Result
from taskkit.source import Source
from taskkit.taskclass import Task
from taskkit.tasks.translate.checks import check_document
from taskkit.tasks.translate.formats import FORMATS, Opened, Options, opened
from taskkit.tasks.translate.glossary import Terms, glossary, used
from taskkit.tasks.translate.languages import language
from taskkit.tasks.translate.segments import Problem
from taskkit.tasks.translate.units import Unit, batches, errors, taken, units

TRIES = 2  # asked again for one text that came out wrong
LONGER = 2.5  # room kept for a translation, in tokens of its source: some scripts take more
EXAMPLES = 3  # pairs of an earlier batch that a later one is shown


class Item(BaseModel):
    id: str
    translation: str


class Answers(BaseModel):
    items: list[Item]


class Segment(BaseModel):
    """A stretch of the source by its offsets, and what became of it. `kept`: it has no words to translate."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    source: str
    target: str
    status: Literal["translated", "kept", "failed"]


class Issue(BaseModel):
    """Something to look at. `segment` is an index in `segments`, None for what concerns the document."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    severity: Literal["error", "warning"]
    segment: int | None = None


class Translation(Result):
    text: str
    segments: tuple[Segment, ...] = ()
    issues: tuple[Issue, ...] = ()


def known(given: str) -> str:
    """As it is; `InputError` for what is no language, before anything is asked."""
    language(given)
    return given


def a_format(given: str) -> str:
    if given and given not in FORMATS:
        raise InputError(f"There is no format {given!r}.", hint=f"Give one of these: {', '.join(FORMATS)}.")
    return given


@taskkit.task
class Translate(Task[Translation]):
    """Translate a text or a document, leaving what is not language as it is."""

    source: Source
    to: Annotated[
        str,
        AfterValidator(known),
        Field(description="The language to translate to: a code such as fr or pt-BR, or its name."),
    ]
    from_: Annotated[str, Field(description="The language of the source; found out when not given.")] = ""
    glossary: Annotated[
        Path | Mapping[str, str] | None,
        Field(description="Terms and their translations: a CSV file with two columns."),
    ] = None
    register: Annotated[Literal["", "formal", "informal"], Field(description="How the reader is addressed.")] = ""
    format: Annotated[
        str,
        AfterValidator(a_format),
        Field(description=f"The format of the source: {', '.join(FORMATS)}; told by its name when not given."),
    ] = ""

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = "taskkit translate book.md --to fr -o book.fr.md"

    async def run(self, job: Job) -> Translation:
        tag, name = language(self.to)
        spoken = language(self.from_)[1] if self.from_ else ""
        terms = glossary(self.glossary)
        source = opened(self.source, self.format, Options(tag, self.from_ and language(self.from_)[0]))
        todo = units(source.segments, source.format.prose)
        work = Work(self, job, tag, name, spoken, terms)
        done = await work.all(todo)
        return self.result(job, source, todo, done)

    def result(self, job: Job, source: Opened, todo: Sequence[Unit], done: Mapping[str, "Done"]) -> Translation:
        by_segment = {segment: done[unit.id] for unit in todo for segment in unit.segments}
        written = source.written({span: one.target for span, one in by_segment.items() if one.good})
        by_segment |= {span: Done(span.text, [problem], good=False) for span, problem in written.kept.items()}
        good = {span: one.target for span, one in by_segment.items() if one.good}
        text = written.text
        issues: list[Issue] = []
        rows: list[Segment] = []
        for number, span in enumerate(source.segments):
            one = by_segment.get(span)
            status: Literal["translated", "kept", "failed"] = (
                "kept" if one is None else "translated" if one.good else "failed"
            )
            rows.append(
                Segment(
                    start=span.start, end=span.end, source=span.text, target=good.get(span, span.text), status=status
                )
            )
            issues += [
                Issue(code=p.code, message=p.message, severity=p.severity, segment=number)
                for p in (one.problems if one else ())
            ]
        failed = sum(row.status == "failed" for row in rows)
        if failed:
            first = next(row.source for row in rows if row.status == "failed")
            job.warn(
                "untranslated",
                f"{failed} of {len(rows)} segments could not be translated and are left as they were; the first: "
                f"{first[:80]!r}.",
                failure=True,
            )
        for problem in check_document(source.text, text, source.format.prose):
            issues.append(Issue(code=problem.code, message=problem.message, severity=problem.severity))
            job.warn(problem.code, problem.message, failure=problem.severity == "error" and not failed)
        return Translation(text=text, segments=tuple(rows), issues=tuple(issues))


class Done:
    """What came of one unit."""

    __slots__ = ("good", "problems", "target")

    def __init__(self, target: str, problems: Sequence[Problem], *, good: bool) -> None:
        self.target = target
        self.problems = tuple(problems)
        self.good = good


class Work:
    """One document's way through the model."""

    def __init__(self, task: Translate, job: Job, tag: str, name: str, spoken: str, terms: Terms) -> None:
        self.task = task
        self.job = job
        self.tag = tag
        self.values: dict[str, Any] = {"language": name, "source_language": spoken, "register": task.register}
        self.terms = terms

    async def all(self, todo: Sequence[Unit]) -> dict[str, Done]:
        """The first batch by itself: its pairs show the others the terms."""
        around = self._batch([], [], ())
        groups = batches(todo, self.job.counter, int(self.job.room(around) / (1 + LONGER)))
        self.job.strategy = f"{len(todo)} texts in {len(groups)} batches"
        done: dict[str, Done] = {}
        pairs: list[dict[str, str]] = []

        async def one(group: list[Unit]) -> dict[str, Done]:
            return await self.batch(group, pairs)

        for part in (groups[:1], groups[1:]):
            for found in await self.job.map(one, part):
                done |= found
            pairs = [
                {"source": unit.masked.text, "target": done[unit.id].target}
                for unit in todo
                if unit.id in done and done[unit.id].good and not unit.masked.tokens and len(unit.masked.text) < 300
            ][:EXAMPLES]
        return done

    async def batch(self, group: list[Unit], pairs: Sequence[Mapping[str, str]]) -> dict[str, Done]:
        """All at once; then, one by one, what is missing or wrong."""
        answers = {} if len(group) == 1 else await self._asked(group, pairs)
        done: dict[str, Done] = {}
        for unit in group:
            answer = answers.get(unit.id)
            if answer is not None:
                target, problems = taken(unit, answer, self.tag)
                if not errors(problems) or self.job.engine.rehearses:
                    done[unit.id] = Done(target, problems, good=True)
                    continue
                done[unit.id] = await self.alone(unit, errors(problems))
            else:
                done[unit.id] = await self.alone(unit, "")
        return done

    async def _asked(self, group: list[Unit], pairs: Sequence[Mapping[str, str]]) -> dict[str, str]:
        usual = Answers(items=[Item(id=unit.id, translation=unit.masked.text) for unit in group])
        room = self._room([unit.masked.text for unit in group], 24)
        try:
            answers = await self.job.complete(
                self._batch(group, pairs, used(self.terms, [unit.first.text for unit in group])),
                output=Answers,
                max_output=room,
                likely=usual,
            )
        except (InvalidOutputError, TruncatedError, RefusedError):
            return {}
        ids = [item.id for item in answers.items]
        return {item.id: item.translation for item in answers.items if ids.count(item.id) == 1}

    async def alone(self, unit: Unit, problem: str) -> Done:
        """By itself, as plain text; the source is kept when that does not help."""
        failure: TaskkitError | None = None
        problems: Sequence[Problem] = ()
        for number in range(TRIES):
            parts = type(self.task).prompt.parts(
                "one", text=unit.masked.text, has_marks=bool(unit.masked.tokens), problem=problem,
                terms=used(self.terms, [unit.first.text]), **self.values,
            )  # fmt: skip
            try:
                answer = await self.job.complete(
                    parts, max_output=self._room([unit.masked.text], 16), likely=unit.masked.text, sample=number,
                    rounds=0,
                )  # fmt: skip
            except FATAL:
                raise
            except (InputError, RefusedError, TruncatedError, InvalidOutputError) as error:
                failure = error
                continue
            target, problems = taken(unit, bare(answer, unit.first.text), self.tag)
            problem = errors(problems)
            if not problem or self.job.engine.rehearses:
                return Done(target, problems, good=True)
        if failure is not None and not problems:
            problems = (Problem("failed", str(failure)),)
        return Done(unit.first.text, problems, good=False)

    def _room(self, texts: Sequence[str], each: int) -> int:
        return int(sum(self.job.counter.count_many(list(texts))) * LONGER) + each * len(texts) + 64

    def _batch(self, group: Sequence[Unit], pairs: Sequence[Mapping[str, str]], terms: Terms) -> list[Part]:
        listing = "\n\n".join(f"id {unit.id}:\n{unit.masked.text}" for unit in group)
        headings = group[0].first.context if group else ()
        return type(self.task).prompt.parts(
            "batch", items=group, listing=listing, pairs=pairs, terms=terms, headings=headings, **self.values
        )


def bare(answer: str, source: str) -> str:
    """Without the quotation marks or the fence that models like to put around an answer."""
    text = answer.strip()
    lines = text.splitlines()
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```" and "```" not in source:
        text = "\n".join(lines[1:-1]).strip()
    for start, end in (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“")):
        if len(text) > 2 and text[0] == start and text[-1] == end and source.strip()[:1] not in {start, '"', "“"}:
            text = text[1:-1].strip()
    return text


translate = taskkit.function(Translate)
