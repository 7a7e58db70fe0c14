"""Texts through the model: long ones in pieces, short ones several to a call, each with one outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, create_model

from taskkit.errors import InvalidOutputError, TaskkitError
from taskkit.job import Job, gather
from taskkit.keyed import UNUSABLE, Outcome, by_id, keyed, warmth
from taskkit.prompt import Part, Prompt, fence
from taskkit.source import Text
from taskkit.tasks.analyse.kinds import Kind, Reading

PIECE = 1500  # tokens of a text that are read at once
BATCH = 10  # texts in one call; small models mix up longer lists
BATCH_TOKENS = 1500
ANSWERS = 1600  # tokens that the answers of one call may take together
TRIES = 2  # after that a usable answer is good enough, and what is wrong with it is told
VOTING = 0.7  # the temperature of answers that are to differ
ID_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Unit:
    """What is asked about at once: a text, or a piece of one. `labels` are those that it is to choose from."""

    id: str
    document: int
    text: str
    start: int
    labels: str = ""


@dataclass(slots=True)
class Done:
    """What became of one text: its readings with the lengths of their pieces, and what could not be read."""

    readings: list[tuple[Reading, int]] = field(default_factory=list)
    errors: list[TaskkitError] = field(default_factory=list)
    missed: int = 0  # characters


class Work:
    """`shown` are examples, each a text with its answer."""

    def __init__(
        self, job: Job, prompt: Prompt, kind: Kind, votes: int, shown: Sequence[tuple[str, dict[str, Any]]]
    ) -> None:
        self.job = job
        self.prompt = prompt
        self.kind = kind
        self.votes = votes
        self.alone = [{"input": fence(text), "output": answer} for text, answer in shown]
        self.among = [
            {"input": fence(text, f"text e{n}"), "output": {"items": [{"id": f"e{n}", **answer}]}}
            for n, (text, answer) in enumerate(shown, 1)
        ]
        self.form = _with_id(kind.form)
        self.best: dict[tuple[str, int], Reading] = {}
        self.tried: dict[tuple[str, int], int] = {}
        self.errors: dict[str, TaskkitError] = {}

    async def all(self, texts: Sequence[Text], labels: Sequence[str] = ()) -> list[Done]:
        """One outcome a text, in order; `labels` are what each is to choose from, where that differs."""
        units = self._units(texts, labels)
        groups = self._groups(units, many=len(texts) > 1)
        calls = f"{len(groups)} calls" if len(groups) > 1 else "one call"
        parts = f"{len(texts)} texts in {calls}" if len(texts) > 1 else f"{len(units)} pieces"
        self.job.strategy = parts + (f", {self.votes} times" if self.votes > 1 else "")
        done = [Done() for _ in texts]
        for group, got in zip(groups, await self.job.map(self._group, groups, keep_errors=True), strict=True):
            for unit in group:
                there = done[unit.document]
                if isinstance(got, TaskkitError) or unit.id not in got:
                    there.errors.append(got if isinstance(got, TaskkitError) else self._error(unit))
                    there.missed += len(unit.text)
                else:
                    there.readings.append((got[unit.id], len(unit.text)))
        return done

    def _error(self, unit: Unit) -> TaskkitError:
        return self.errors.get(unit.id) or InvalidOutputError("The model gave no usable answer for it.")

    def _units(self, texts: Sequence[Text], labels: Sequence[str]) -> list[Unit]:
        found: list[Unit] = []
        around = self._one(Unit("1", 0, "", 0, max(labels, key=len, default="")), "")[:1]
        limit = min(PIECE, self.job.room(around, max_output=self.kind.each))
        sizes = self.job.counter.count_many([text.text for text in texts])
        for number, (text, size) in enumerate(zip(texts, sizes, strict=True)):
            own = labels[number] if labels else ""
            if size <= limit:
                found.append(Unit(str(len(found) + 1), number, text.text, 0, own))
                continue
            for piece in self.job.split(text, max_tokens=PIECE, around=around, max_output=self.kind.each):
                if piece.text.strip():
                    found.append(Unit(str(len(found) + 1), number, piece.text, piece.start, own))
        return found

    def _groups(self, units: Sequence[Unit], *, many: bool) -> list[list[Unit]]:
        """In order; of one long text each piece is asked about alone."""
        most = max(1, min(BATCH, ANSWERS // (self.kind.each + ID_TOKENS))) if many else 1
        room = self.job.room(self._one(Unit("1", 0, "", 0), "")[:1], max_output=self._room(most))
        limit = max(16, min(BATCH_TOKENS, room - 64 * most))
        made: list[list[Unit]] = []
        left = 0
        for unit, size in zip(
            units, self.job.counter.count_many([one.text + one.labels for one in units]), strict=True
        ):
            if not made or len(made[-1]) >= most or size > left:
                made.append([])
                left = limit
            made[-1].append(unit)
            left -= size
        return made

    def _room(self, count: int) -> int:
        return (self.kind.each + ID_TOKENS) * count + 64

    async def _group(self, units: list[Unit]) -> dict[str, Reading]:
        """A reading for each unit that was answered; its votes at once."""
        readings: list[dict[str, Reading]] = await gather(
            lambda vote: self._voted(units, vote), range(self.votes), keep_errors=False
        )
        found: dict[str, Reading] = {}
        for unit in units:
            votes = [one[unit.id] for one in readings if unit.id in one]
            if votes:
                found[unit.id] = self.kind.voted(votes) if self.votes > 1 else votes[0]
        return found

    async def _voted(self, units: Sequence[Unit], vote: int) -> dict[str, Reading]:
        async def ask(some: Mapping[str, Unit], problems: Mapping[str, str], attempt: int) -> Mapping[str, Any]:
            try:
                return await self._asked(list(some.values()), problems, attempt, vote)
            except UNUSABLE as error:
                self.errors.update(dict.fromkeys(some, error))
                raise

        def check(unit: Unit, answer: Any) -> Outcome[Reading]:
            return self._checked(unit, answer, vote)

        outcomes = await keyed(self.job, {unit.id: unit for unit in units}, ask, check)
        return {key: self.best[key, vote] for key in outcomes if (key, vote) in self.best}

    def _checked(self, unit: Unit, answer: Any, vote: int) -> Outcome[Reading]:
        """Of several answers about one text, what is borne out is kept."""
        key = unit.id, vote
        reading = self.kind.read(unit.text, answer, unit.start)
        if key in self.best:
            reading = self.kind.better(self.best[key], reading)
        self.best[key] = reading
        self.tried[key] = self.tried.get(key, 0) + 1
        fine = self.kind.acceptable(reading) or self.tried[key] >= TRIES
        return Outcome(reading, "" if fine else "; ".join(reading.lost)[:600])

    async def _asked(
        self, units: Sequence[Unit], problems: Mapping[str, str], attempt: int, vote: int
    ) -> Mapping[str, Any]:
        alone = units[0] if len(units) == 1 else None
        known = self.best.get((alone.id, vote)) if alone else None
        kind = self.kind if known is None else self.kind.again(known)
        usual = [kind.usual(unit.text) for unit in units]
        answer = await self.job.complete(
            self._one(alone, problems.get(alone.id, ""), kind) if alone else self._several(units, problems),
            output=kind.form if alone else self.form,
            max_output=self._room(len(units)),
            temperature=VOTING if self.votes > 1 else warmth(attempt) if attempt else None,
            sample=vote * 10 + attempt,
            likely=usual[0] if alone else {"items": [{"id": u.id, **one} for u, one in zip(units, usual, strict=True)]},
        )
        return {alone.id: answer} if alone else by_id((one.id, one) for one in getattr(answer, "items"))  # noqa: B009

    def _one(self, unit: Unit, problem: str, kind: Kind | None = None) -> list[Part]:
        return self.prompt.parts(
            "one", examples=self.alone, question=(kind or self.kind).question, text=unit.text, labels=unit.labels,
            problem=problem,
        )  # fmt: skip

    def _several(self, units: Sequence[Unit], problems: Mapping[str, str]) -> list[Part]:
        rows = [
            {"id": one.id, "text": one.text, "labels": one.labels, "problem": problems.get(one.id, "")} for one in units
        ]
        return self.prompt.parts("several", examples=self.among, question=self.kind.question, rows=rows)


def _with_id(form: type[BaseModel]) -> type[BaseModel]:
    """The form of several answers, each under the id of its text, which comes first."""
    fields: dict[str, Any] = {"id": (str, ...)}
    fields |= {name: (one.annotation, one) for name, one in form.model_fields.items()}
    one = create_model("Answer", **fields)
    many: dict[str, Any] = {"items": (list[one], ...)}  # type: ignore[valid-type]
    return create_model("Answers", **many)
