"""Translation by splice: what is language is found by offset, translated, checked, and written back."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

import taskkit
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.source import Source
from taskkit.taskclass import Task
from taskkit.tasks.translate import unread
from taskkit.tasks.translate.batch import Done, Manner, Work
from taskkit.tasks.translate.bilingual import both
from taskkit.tasks.translate.checks import check_document
from taskkit.tasks.translate.earlier import earlier, lines_of
from taskkit.tasks.translate.formats import FORMATS, SUFFIXES, Opened, Options, opened
from taskkit.tasks.translate.glossary import Term, glossary
from taskkit.tasks.translate.languages import NAMES, language, manner
from taskkit.tasks.translate.memory import Memory, memory
from taskkit.tasks.translate.plurals import rules_installed
from taskkit.tasks.translate.record import Record, proper_names
from taskkit.tasks.translate.result import Issue, Segment, Status, Translation
from taskkit.tasks.translate.segments import Segment as Span
from taskkit.tasks.translate.units import Cut, Unit, cut, units
from taskkit.tasks.translate.verify import Wanted, base, spoken

__all__ = ["Issue", "Segment", "Translate", "Translation", "translate"]


def known(given: str) -> str:
    """As it is; `InputError` for what is no language, before anything is asked."""
    if given:
        language(given)
    return given


def a_format(given: str) -> str:
    if given and given not in FORMATS:
        raise InputError(f"There is no format {given!r}.", hint=f"Give one of these: {', '.join(FORMATS)}.")
    return given


@taskkit.task
class Translate(Task[Translation]):
    """Translate a text, a document or a folder of them, leaving what is not language as it is.

    Placeholders, code, links and markup come through unchanged: what a model gets wrong is asked for again, and what
    stays wrong is told, with the source in its place. Sent once, a text is never paid for twice: the journal keeps
    what was done, --memory keeps it for other documents, and --update sends only what has changed.
    """

    source: Source
    to: Annotated[
        str,
        Field(min_length=1, description="The language to translate to: a code such as fr or pt-BR, or its name."),
        AfterValidator(known),
    ]
    from_: Annotated[
        str, AfterValidator(known), Field(description="The language of the source; found out when not given.")
    ] = ""
    glossary: Annotated[
        Path | Mapping[str, str] | None,
        Field(
            description="Terms and their translations: a TBX file, or a CSV file with the columns term, translation "
            "(= keeps the term as it is), forbidden words with | between, note."
        ),
    ] = None
    memory: Annotated[
        Path | None,
        Field(description="A TMX file: what it has is not sent, and what is translated is added to it."),
    ] = None
    update: Annotated[
        Path | None,
        Field(
            description="The earlier translation: where the source has not changed it is kept, byte for byte. Give it "
            "from the first time on, as it is written to: -o page.de.md --update page.de.md."
        ),
    ] = None
    was: Annotated[
        Path | None,
        Field(
            description="The source that --update was translated from, where no .lock beside it tells what has changed "
            "since. PO files need none."
        ),
    ] = None
    register: Annotated[Literal["", "formal", "informal"], Field(description="How the reader is addressed.")] = ""
    format: Annotated[
        str,
        AfterValidator(a_format),
        Field(description=f"The format of the source: {', '.join(FORMATS)}; told by its name when not given."),
    ] = ""
    columns: Annotated[
        list[str],
        Field(
            description="What to translate of a CSV file: text for a column in its place, en=fr for one into another; "
            "told by its header when not given."
        ),
    ] = Field(default_factory=list)
    reflect: Annotated[
        bool, Field(description="Have each translation revised once, for about twice the cost; it may not be better.")
    ] = False
    bilingual: Annotated[
        bool, Field(description="Give each paragraph with its translation below it; for text and Markdown.")
    ] = False

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = (
        "taskkit translate book.md --to fr -o book.fr.md\n"
        "  taskkit translate docs/ --to de -o docs-de/ --memory de.tmx --glossary terms.csv\n"
        "  taskkit translate en.json --to pt-BR -o pt-BR.json --update pt-BR.json"
    )
    suffixes: ClassVar[frozenset[str]] = frozenset(SUFFIXES)
    rewrites: ClassVar[frozenset[str]] = frozenset({"update"})

    def check(self) -> None:
        if self.from_ and language(self.from_)[0] == language(self.to)[0]:
            raise InputError(f"The source and the target are both {language(self.to)[1]}.")
        if self.bilingual and self.document.format.name not in {"text", "markdown"}:
            raise InputError(
                f"There is no bilingual {self.document.format.name}.", hint="It is made of text and Markdown."
            )
        if self.was is not None and self.update is None:
            raise InputError("There is a former source, but no translation of it.", hint="Give it: --update FILE")
        _ = self.document, self.terms, self.known

    @functools.cached_property
    def tags(self) -> tuple[str, str]:
        """Of the target, and of the source as it was given: "" when it was not."""
        return language(self.to)[0], self.from_ and language(self.from_)[0]

    @functools.cached_property
    def document(self) -> Opened:
        return opened(self.source, self.format, Options(*self.tags, tuple(self.columns)))

    @functools.cached_property
    def terms(self) -> tuple[Term, ...]:
        return glossary(self.glossary, *self.tags)

    @functools.cached_property
    def known(self) -> Memory:
        return memory(self.memory, self.tags[0], self.tags[1])

    @property
    def binary(self) -> bool:
        return self.document.binary

    @property
    def learns(self) -> bool:
        return self.memory is not None

    def baseline(self) -> Sequence[Part]:
        return [
            Part("user", f"Translate to {language(self.to)[1]}:"),
            Part("user", self.document.text, "cut"),
        ]

    async def run(self, job: Job) -> Translation:
        source, known = self.document, self.known.rehearsal() if job.engine.rehearses else self.known
        unread.told(job, source)
        had: dict[Span, str] = {one: one.current for one in source.segments if not one.new and one.target is not None}
        if self.update is not None:
            kept, changed = earlier(job, source, self.update, self.was)
            had |= kept
            known.lend(changed)
        spans = [one for one in source.segments if one not in had]
        work = self.work(job, spans, known)
        for text, target in (*((span.text, target) for span, target in had.items()), *known.lately()):
            work.record.add(text, target)
        parts = cut(spans, job.counter, work.room)
        stay = tuple(term.source for term in self.terms if term.stays)
        todo = units(spans, source.format.prose, stay, parts)
        try:
            done = await work.all(todo, len(had))
        finally:
            if not job.engine.rehearses:
                known.save()
        if self.update is not None and had and not job.engine.rehearses:
            job.engine.events.emit("notice", f"{len(had)} of {len(source.segments)} texts are kept from {self.update}.")
        outcomes = {span: Done(target, status="earlier") for span, target in had.items()}
        return self.result(job, outcomes | joined(todo, done, parts))

    def work(self, job: Job, spans: Sequence[Span], known: Memory) -> Work:
        tag, from_ = self.tags
        texts = [one.text for one in spans]
        found = from_ or spoken("\n".join(texts[:200]))
        if not from_ and found == tag:
            job.warn("same-language", f"The source seems to be {NAMES[found]} already; say --from if it is not.")
        if not rules_installed() and any(one.plural is not None and not one.plural.examples for one in spans):
            job.warn(
                "plural-rules",
                f"Which plural forms {language(self.to)[1]} has is not known without babel: messages keep those of the "
                'source. Run: pip install "taskkit[documents]"',
            )
        values = {
            "language": language(self.to)[1], "source_language": NAMES.get(base(found), ""),
            "register": self.register, "manner": manner(tag),
        }  # fmt: skip
        if from_:
            values["source_language"] = language(self.from_)[1]
        how = Manner(Wanted(tag, found, self.terms, proper_names(texts)), values, self.reflect)
        return Work(job, type(self).prompt, how, known, Record(texts, base(found)))

    def result(self, job: Job, outcomes: Mapping[Span, Done]) -> Translation:
        source = self.document
        wanted = {span: one.target for span, one in outcomes.items() if one.good or one.status == "part"}
        written = source.written({**wanted, **both(source, wanted)} if self.bilingual else wanted)
        rows: list[Segment] = []
        issues: list[Issue] = []
        for number, span in enumerate(source.segments):
            one = outcomes.get(span)
            problems = () if one is None else one.problems
            if span in written.kept:
                one, problems = Done(span.current), (written.kept[span],)
            status: Status = "kept" if one is None else "failed"
            if one is not None and span in wanted and span not in written.kept and one.status != "part":
                status = one.status
            target = span.current if span in written.kept else wanted.get(span, span.current)
            rows.append(
                Segment(start=span.start, end=span.end, source=span.text, target=target, status=status, key=span.key)
            )
            issues += [Issue(code=p.code, message=p.message, severity=p.severity, segment=number) for p in problems]
        told(job, rows, issues)
        if not self.bilingual:
            failed = any(row.status == "failed" for row in rows)
            for problem in check_document(source.text, written.text, source.format.name):
                issues.append(Issue(code=problem.code, message=problem.message, severity=problem.severity))
                job.warn(problem.code, problem.message, failure=problem.severity == "error" and not failed)
        result = Translation(text=written.text, segments=tuple(rows), issues=tuple(issues), language=self.tags[0])
        result._data = written.data  # noqa: SLF001 - what JSON does not hold
        if self.update is not None and not self.bilingual:
            whole = {span: target for span, target in wanted.items() if outcomes[span].status != "part"}
            untouched = {span: span.current for span in source.segments if span not in outcomes}
            sound = {span: target for span, target in (whole | untouched).items() if span not in written.kept}
            result._lock = lines_of(source.segments, sound)  # noqa: SLF001
        return result


def joined(todo: Sequence[Unit], done: Mapping[str, Done], parts: Cut) -> dict[Span, Done]:
    """The outcome of each segment; of a long one, that of its parts together."""
    found = {span.id: done[unit.id] for unit in todo for span in unit.segments}
    inner = {one.segment.id for stretches in parts.values() for one in stretches}
    outcomes = {span: done[unit.id] for unit in todo for span in unit.segments if span.id not in inner}
    for whole, stretches in parts.items():
        mine = [found.get(one.segment.id, Done(one.segment.text)) for one in stretches]
        text = "".join(
            one.before + (each.target if each.good else one.segment.text) + one.after
            for one, each in zip(stretches, mine, strict=True)
        )
        good = all(one.good for one in mine)
        problems = tuple(problem for one in mine for problem in one.problems)
        outcomes[whole] = Done(text, problems, mine[0].status if good else "part")
    return outcomes


def told(job: Job, rows: Sequence[Segment], issues: Sequence[Issue]) -> None:
    """One line for what was left undone, one for what should be looked at."""
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        job.warn(
            "untranslated",
            f"{len(failed)} of {len(rows)} segments could not be translated and are left as they were; the first: "
            f"{failed[0].source[:80]!r}.",
            failure=True,
        )
    counts = Counter(one.code for one in issues if one.severity == "warning")
    if counts:
        kinds = ", ".join(f"{count} {code}" for code, count in counts.most_common())
        job.warn("to-review", f"To look at: {kinds}. --report FILE tells where.")


translate = taskkit.function(Translate)
