"""What a text holds: labels or findings, each with words of the text that bear it out."""

import functools
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

import taskkit
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.source import Piece, Source
from taskkit.spans import locate
from taskkit.taskclass import Task

Kind = Literal["labels", "entities", "sentiment", "keyphrases"]
WANTED = {
    "labels": "Which of these labels fit the text: {labels}. Give each that fits once.",
    "entities": "Find the people, organisations, places, dates and amounts that the text names. The label is the kind.",
    "sentiment": "Say how the text feels about what it speaks of. The label is positive, negative, neutral or mixed.",
    "keyphrases": "Find the phrases that say what the text is about. The label is the phrase.",
}
PIECE = 3000  # tokens
ROOM = 1024


class Found(BaseModel):
    label: str
    evidence: str = Field(description="Words of the text, copied exactly, that show it.")


class Answers(BaseModel):
    items: list[Found]


@functools.lru_cache(maxsize=64)  # one form for all pieces and rows: its schema is then made once, too
def answers_of(labels: tuple[str, ...]) -> type[Answers]:
    """The answer's form; its schema knows only these labels, and other spellings of them are still taken."""
    if not labels:
        return Answers
    label = (str, Field(json_schema_extra={"enum": list(labels)}))
    found = create_model("Found", __base__=Found, label=label)
    items: dict[str, Any] = {"items": (list[found], ...)}  # type: ignore[valid-type]
    return create_model("Answers", __base__=Answers, **items)


class Evidence(BaseModel):
    model_config = ConfigDict(frozen=True)

    quote: str
    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy"]


class Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    label: str
    evidence: Evidence


class Analysis(Result):
    items: tuple[Item, ...]

    def __str__(self) -> str:
        return "\n".join(f'{one.label}: "{" ".join(one.evidence.quote.split())}"' for one in self.items) or "Nothing."


@taskkit.task
class Analyse(Task[Analysis]):
    """Analyse a text: classify it, or find and quote what it holds."""

    source: Source
    labels: Annotated[
        tuple[str, ...], Field(description="The labels to choose from: once for each, or with commas between.")
    ] = ()
    kind: Annotated[Kind, Field(description="What to look for.")] = "labels"

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = "taskkit analyse review.txt --labels praise,complaint"

    @property
    def choices(self) -> tuple[str, ...]:
        """The labels, also where several stand in one with commas between."""
        return tuple(label.strip() for given in self.labels for label in given.split(",") if label.strip())

    async def run(self, job: Job) -> Analysis:
        source = job.read(self.source)
        kind = "keyphrases" if self.kind == "labels" and not self.labels else self.kind
        wanted = WANTED[kind].format(labels=", ".join(self.choices))
        output = answers_of(self.choices if kind == "labels" else ())
        around = type(self).prompt.parts("find", text="", wanted=wanted, problem="")

        async def of_piece(piece: Piece) -> list[Item]:
            problem = ""
            good: list[Item] = []
            for number in range(2):
                parts = type(self).prompt.parts("find", text=piece.text, wanted=wanted, problem=problem)
                likely = Answers(items=[Found(label="label", evidence=piece.text[:40])])
                answers = await job.complete(parts, output=output, max_output=ROOM, likely=likely)
                found, lost = self.located(answers.items, piece, kind)
                good = found if number == 0 or len(found) >= len(good) else good
                if not lost or job.engine.rehearses:
                    return good
                problem = "; ".join(lost)
            job.warn("unsupported", f"Left out, since the text does not bear it out: {problem}.")
            return good

        pieces = job.split(source, max_tokens=PIECE, around=around, max_output=ROOM)
        job.strategy = f"{len(pieces)} pieces"
        items = [item for group in await job.map(of_piece, pieces) for item in group]
        if kind in {"labels", "sentiment"}:
            items = list({item.label: item for item in reversed(items)}.values())[::-1]
        return Analysis(items=tuple(items))

    def located(self, found: Sequence[Found], piece: Piece, kind: str) -> tuple[list[Item], list[str]]:
        """Items whose evidence stands in the piece, and what is wrong with the others."""
        allowed = {label.casefold(): label for label in self.choices} if kind == "labels" else {}
        good: list[Item] = []
        lost: list[str] = []
        for one in found:
            label = allowed.get(one.label.strip().casefold(), "") if allowed else one.label.strip()
            span = locate(one.evidence, piece.text)
            if not label:
                lost.append(f"{one.label!r} is none of the labels")
            elif span.status == "none":
                lost.append(f"{one.evidence[:80]!r} is not in the text")
            else:
                quote = piece.text[span.start : span.end]
                start = piece.start + span.start
                good.append(
                    Item(
                        label=label,
                        evidence=Evidence(quote=quote, start=start, end=start + len(quote), status=span.status),
                    )
                )
        return good, lost


analyse = taskkit.function(Analyse)
