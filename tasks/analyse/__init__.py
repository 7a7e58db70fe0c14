"""What a text holds: labels, findings or fields, each with the words of the text that bear it out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field

import taskkit
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.source import Source, Text, read
from taskkit.taskclass import Task
from taskkit.tasks.analyse.choose import FEELINGS, Choose, chooser, sentiment
from taskkit.tasks.analyse.examples import Example, examples, shown, texts_by_label
from taskkit.tasks.analyse.fields import Fields, extractor
from taskkit.tasks.analyse.find import FindKind, finder
from taskkit.tasks.analyse.found import Evidence, Item, Row, Scores
from taskkit.tasks.analyse.kinds import Kind, Reading
from taskkit.tasks.analyse.labels import MANY, Labels, Shortlist, form, labels
from taskkit.tasks.analyse.pii import Pii, masked, pii
from taskkit.tasks.analyse.result import Analysis
from taskkit.tasks.analyse.schemas import tree
from taskkit.tasks.analyse.table import TABLES, Table, rights, rows_of, scored, table
from taskkit.tasks.analyse.work import Done, Work

__all__ = ["Analyse", "Analysis", "Evidence", "Item", "Row", "Scores", "analyse"]

KindName = Literal["", "labels", "fields", "entities", "sentiment", "aspects", "keyphrases", "relations", "pii"]
# What the answer to one plain prompt is to be.
PLAIN = {"labels": "the label alone", "sentiment": "the label alone", "keyphrases": "one phrase a line"}


def _listed(given: Any) -> Any:
    """Words by themselves are a list of one."""
    return (given,) if isinstance(given, str | Path) else tuple(given) if isinstance(given, list) else given


@taskkit.task
class Analyse(Task[Analysis]):
    """Analyse a text: classify it, or find and quote what it holds."""

    source: Source
    labels: Annotated[
        Sequence[str | Path] | Mapping[str, str],
        BeforeValidator(_listed),
        Field(
            description='To choose from: "praise,complaint", "praise: what it is", or a file of labels and meanings.'
        ),
    ] = ()
    kind: Annotated[
        KindName,
        Field(description="What to look for; labels, fields or keyphrases where not given. Of entities, aspects and "
        "relations --labels names those to find."),
    ] = ""  # fmt: skip
    multi: Annotated[bool, Field(description="Several labels may fit one text, not just the best.")] = False
    votes: Annotated[
        int, Field(ge=1, le=25, description="Ask so often; the majority holds, its share is the confidence.")
    ] = 1
    fields: Annotated[
        Sequence[str], BeforeValidator(_listed),
        Field(description="Fields to extract: name,price:number,due:date (also integer, yes/no, list)."),
    ] = ()  # fmt: skip
    schema: Annotated[
        type[BaseModel] | GenericAlias | Mapping[str, Any] | Path | None,
        Field(description="A JSON schema to extract to: a file, or JSON. From code also a pydantic model."),
    ] = None
    column: Annotated[
        str, Field(description="The column with the texts, of a CSV or JSONL file; each row is then analysed.")
    ] = ""
    by: Annotated[str, Field(description="A column to count the findings by.")] = ""
    truth: Annotated[
        str, Field(description="The column with the right labels, of the table or the examples: labels are scored.")
    ] = ""
    examples: Annotated[
        Path | Text | None, Field(description="A CSV or JSONL file of labelled texts; a few are shown to the model.")
    ] = None
    mask: Annotated[
        bool,
        Field(
            description="Of pii: give the text with what was found masked. The table keeps its own columns, and the --report its text: they are for you."
        ),
    ] = False
    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = (
        "taskkit analyse review.txt --labels praise,complaint\n  taskkit analyse reviews.csv --column text --labels praise,complaint -o labelled.csv --report page.html\n  taskkit analyse labelled.csv --column text --truth label      # how many it gets right\n  taskkit analyse invoice.txt --fields supplier,total:number,due:date\n  taskkit analyse letter.txt --kind pii --mask"
    )

    def check(self) -> None:
        super().check()
        name = self.name
        for given, word, kinds in (
            (self.fields or self.schema, "--fields and --schema", {"fields"}),
            (self.labels, "--labels", {"labels", "entities", "aspects", "relations"}),
            (self.multi, "--multi", {"labels"}),
            (self.mask, "--mask", {"pii"}),
            (self.truth, "--truth", {"labels", "sentiment"}),
        ):
            if given and name not in kinds:
                raise InputError(f"{word} can not go with the kind {name}.", hint="Leave one of the two away.")
        if self.fields and self.schema is not None:
            raise InputError("Fields and a schema say the same.", hint="Give one of them.")
        if name == "fields":
            extractor(tree(self.schema, self.fields))
        if self.votes > 1 and name in {"fields", "pii"}:
            raise InputError(f"There is no vote on the kind {name}.", hint="Leave --votes away.")

    @property
    def name(self) -> str:
        """The kind, also where it was left to the other inputs."""
        if self.kind:
            return self.kind
        if self.fields or self.schema is not None:
            return "fields"
        return "labels" if self.labels or self.truth or self.examples else "keyphrases"

    async def run(self, job: Job) -> Analysis:
        self.check()
        source = job.read(self.source)
        there = self._table(source)
        given = examples(self.examples, self.column, self.truth)
        known = self._labels(there, given)
        right = self._rights(there, known)
        chosen = self._shown(given, there)
        kind = self._kind(known, [one.text for one in chosen])
        work = Work(job, type(self).prompt, kind, self.votes, [self._turn(one, kind) for one in chosen])
        texts = [Text(text) for _, text in there.filled] if there else [source]
        done = await work.all(texts, await self._own_labels(kind, known, given, chosen, texts))
        self._told(job, done, rows=there is not None)
        if there is None:
            return self._of_text(job, source, kind, done[0])
        return self._of_table(job, there, kind, done, right, chosen)

    def baseline(self) -> Sequence[Part]:
        source = read(self.source, documents=True)
        there = self._table(source)
        kind = self._kind(self._labels(there, []), [])
        text = there.filled[0][1] if there else source.text
        question, wanted = kind.question, PLAIN.get(kind.name, "a JSON list")
        if isinstance(kind, Fields):
            question = f"Extract from the text: {', '.join(name or 'each record' for name in kind.root.fields)}. What it does not say is null."
            wanted = "one JSON object of these fields"
        return type(self).prompt.parts("plain", question=question, text=text, wanted=wanted)

    def _table(self, source: Text) -> Table | None:
        if self.column or self.truth or self.by or source.name.lower().endswith(TABLES):
            truth = self.truth if self.examples is None else ""
            return table(source, self.column, [self.by, truth])
        return None

    def _labels(self, there: Table | None, given: Sequence[Example]) -> Labels:
        """Those that were named, else those that the labelled texts have."""
        found = self.labels
        if self.name == "labels" and not found:
            told = [label for one in given for label in one.labels]
            told += there.truths(self.truth) if there and self.truth else []
            found = dict.fromkeys({form(one): one for one in reversed(told)}.values(), "")  # however they are spelt
        known = labels(found, abstains=self.name == "labels" and not self.multi)
        if self.name == "labels" and not known.meanings:
            raise InputError("There are no labels to choose from.", hint="Name them: --labels praise,complaint")
        return known

    def _rights(self, there: Table | None, known: Labels) -> dict[int, tuple[str, ...]]:
        if there is None or not self.truth or self.truth not in there.names:
            return {}
        return rights(there, self.truth, known if self.name == "labels" else Labels(FEELINGS))

    def _kind(self, known: Labels, foreign: Sequence[str]) -> Kind:
        if self.name == "labels":
            return chooser(known, multi=self.multi, shortlists=len(known.names) > MANY)
        if self.name == "sentiment":
            return sentiment()
        if self.name == "fields":
            return extractor(tree(self.schema, self.fields))
        return pii(foreign) if self.name == "pii" else finder(cast("FindKind", self.name), known, foreign)

    def _shown(self, given: Sequence[Example], there: Table | None) -> list[Example]:
        """Examples for the prompt; where it can be, none of the texts that are to be analysed."""
        if self.name in {"fields", "pii"} and given:
            raise InputError(f"There are no examples of the kind {self.name}.", hint="Leave --examples away.")
        own = {text for _, text in there.filled} if there else set()
        fitting = [one for one in given if bool(one.items) != (self.name in {"labels", "sentiment"})]
        if given and not fitting:
            raise InputError(f"The examples do not show {self.name}.", hint='Give a column "label", or a list "items".')
        return shown([one for one in fitting if one.text not in own] or fitting)

    def _turn(self, one: Example, kind: Kind) -> tuple[str, dict[str, Any]]:
        choosing: Literal["one", "each", ""] = ""
        if isinstance(kind, Choose):
            choosing = "each" if kind.multi else "one"
        return one.text, one.answer(choosing)

    async def _own_labels(
        self, kind: Kind, known: Labels, given: Sequence[Example], chosen: Sequence[Example], texts: Sequence[Text]
    ) -> list[str]:
        """Of many labels the few that are nearest to each text; those of its own examples do not count."""
        if not isinstance(kind, Choose) or len(known.names) <= MANY:
            return []
        own = {text.text for text in texts}
        near = [one for one in given if one.text not in own or one in chosen]
        found = await Shortlist(known, texts_by_label(near)).of([text.text for text in texts])
        return [kind.among(one) for one in found]

    def _made(self, job: Job, kind: Kind, done: Done, text: str) -> dict[str, Any]:
        """What was found in one text, as a result or a row has it."""
        reading = kind.merged(done.readings) if done.readings else Reading()
        if isinstance(kind, Pii):
            reading = kind.completed(reading, text)
        for note in reading.notes:
            job.warn("conflict", f"The text says two things: {note}.")
        made: dict[str, Any] = {"items": reading.items}
        if isinstance(kind, Fields):
            made["data"] = kind.data(reading)
        if self.mask and not done.errors:  # half a mask is none
            made["masked"] = masked(text, reading.items)
        return made

    def _told(self, job: Job, done: Sequence[Done], *, rows: bool) -> None:
        """What the model claimed and the text does not bear out: left out, and said."""
        lost = [one for each in done for reading, _ in each.readings for one in reading.lost]
        leaked = sum(reading.leaked for each in done for reading, _ in each.readings)
        if leaked:
            job.warn("leaked", f"{leaked} findings came from the examples and were left out.")
        if lost:
            where = f" in {sum(any(r.lost for r, _ in one.readings) for one in done)} rows" if rows else ""
            more = f"{len(lost)} claims{where}, the first: " if rows or len(lost) > 3 else ""
            said = lost[0] if more else "; ".join(lost)
            meant = " What was meant may stand there unmasked." if self.mask else ""
            job.warn("unsupported", f"Left out, since the text does not bear it out: {more}{said}.{meant}")

    def _of_text(self, job: Job, source: Text, kind: Kind, done: Done) -> Analysis:
        if done.errors and (self.mask or not (done.readings or isinstance(kind, Pii))):
            raise done.errors[0]
        if done.errors:
            job.warn(
                "part-failed",
                f"{done.missed} of {len(source.text)} characters could not be analysed: {done.errors[0]}",
                failure=True,
            )
        made = self._made(job, kind, done, source.text)
        share = round(1 - done.missed / len(source.text), 4)
        return Analysis(
            kind=kind.name, **made, dropped=_dropped([done]), covered=share, text=source.text, name=source.name
        )

    def _of_table(
        self, job: Job, there: Table, kind: Kind, done: Sequence[Done], right: Mapping[int, tuple[str, ...]],
        chosen: Sequence[Example],
    ) -> Analysis:  # fmt: skip
        rows = rows_of(there, done, lambda one, text: self._made(job, kind, one, text))
        failed = [row for row in rows if row.error]
        if failed:
            first = failed[0]
            job.warn(
                "rows-failed", f"{len(failed)} of {len(rows)} rows failed; the first is row {first.number}: {first.error}",
                failure=True,
            )  # fmt: skip
        scores = None
        if right and isinstance(kind, Choose) and not job.engine.rehearses:
            leave = frozenset(one.text for one in chosen)
            if left := sum(row.text in leave for row in rows):
                job.warn("examples-left-out", f"{left} rows served as examples and are not scored.")
            scores = scored(rows, right, kind.labels, leave)
        share = round(1 - len(failed) / len(rows), 4)
        return Analysis(
            kind=kind.name, rows=tuple(rows), dropped=_dropped(done), covered=share, scores=scores, by=self.by,
            mask=self.mask, name=job.read(self.source).name,
        )  # fmt: skip


def _dropped(done: Sequence[Done]) -> int:
    return sum(len(reading.lost) for one in done for reading, _ in one.readings)


analyse = taskkit.function(Analyse)
