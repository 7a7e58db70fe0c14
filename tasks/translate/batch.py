"""A document's texts on their way through the model: in batches, each under an id, what came out wrong again."""

import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from taskkit.job import Job, waves
from taskkit.keyed import UNUSABLE, Outcome, by_id, keyed, warmth
from taskkit.prompt import Part, Prompt
from taskkit.tasks.translate.answers import Answers, Item, apart, bare
from taskkit.tasks.translate.checks import check_segment
from taskkit.tasks.translate.glossary import used
from taskkit.tasks.translate.memory import Memory
from taskkit.tasks.translate.record import Pair, Record
from taskkit.tasks.translate.segments import Problem
from taskkit.tasks.translate.units import Unit, batches, taken
from taskkit.tasks.translate.verify import AGAIN, Wanted, verified, worth_another_try

LONGER = 2.5  # room kept for a translation, in tokens of its source: some scripts take more
EXAMPLES = 5  # pairs of before that a batch is shown
BEFORE = 300  # characters of what stands before a batch


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one text, and what is still wrong with it."""

    target: str
    problems: tuple[Problem, ...] = ()
    status: Literal["translated", "memory", "earlier", "part"] = "translated"

    @property
    def good(self) -> bool:
        return not any(one.severity == "error" for one in self.problems)

    @property
    def faults(self) -> tuple[int, int]:
        """How bad it is: errors, then warnings that were worth another try."""
        return sum(one.severity == "error" for one in self.problems), sum(one.code in AGAIN for one in self.problems)


@dataclass(frozen=True, slots=True)
class Manner:
    """What every prompt says. `values` are for the prompt's own words."""

    wanted: Wanted
    values: Mapping[str, Any]
    reflect: bool = False


class Work:
    def __init__(self, job: Job, prompt: Prompt, manner: Manner, memory: Memory, record: Record) -> None:
        self.job = job
        self.prompt = prompt
        self.manner = manner
        self.memory = memory
        self.record = record
        self._best: dict[str, Done] = {}
        self._tries: dict[str, int] = {}
        self._meant: frozenset[str] = frozenset()  # texts of several meanings, or forms: no memory tells them apart

    async def all(self, todo: Sequence[Unit], kept: int = 0) -> dict[str, Done]:
        """The outcome of each unit by its id; `good` or not. `kept` are the texts beside them that stay."""
        counts = Counter(unit.first.text for unit in todo)
        self._meant = frozenset(text for text, count in counts.items() if count > 1)
        done = {unit.id: hit for unit in todo if (hit := self.remembered(unit)) is not None}
        for unit in todo:
            if unit.id in done:
                self.record.add(unit.first.text, done[unit.id].target)
        rest = [unit for unit in todo if unit.id not in done]
        groups = batches(rest, self.job.counter, self.room)
        self.job.strategy = _told(kept, len(done), len(rest), len(groups))
        before = {unit.id: last.first.text[-BEFORE:] for last, unit in itertools.pairwise(todo)}

        async def one(group: list[Unit]) -> dict[str, Done]:
            found = {unit.id: hit for unit in group if (hit := self.remembered(unit)) is not None}
            group = [unit for unit in group if unit.id not in found]
            return found | (await self.batch(group, before.get(group[0].id, "")) if group else {})

        for wave in waves(groups):
            for found in await self.job.map(one, wave):
                done |= found
            for unit in (unit for group in wave for unit in group if done[unit.id].good):
                self.record.add(unit.first.text, done[unit.id].target)
                if unit.first.text not in self._meant:
                    self.memory.add(unit.first.text, done[unit.id].target)
        return done

    @functools.cached_property
    def room(self) -> int:
        """Tokens of texts in one call, so that their translations have room too."""
        return int(self.job.room(self._batch([], {}, "")) / (1 + LONGER))

    def remembered(self, unit: Unit) -> Done | None:
        """From the memory, if it is as good as an answer has to be."""
        hit = None if unit.first.text in self._meant else self.memory.exact(unit.first.text, unit.masked)
        if hit is None:
            return None
        target, problems = hit
        if self.job.engine.rehearses and target == unit.first.text:  # made up: a real one would be good
            return Done(target, status="memory")
        wanted = self.manner.wanted
        problems = (*problems, *check_segment(unit.first, target, unit.masked, wanted.to))
        problems = (*problems, *verified(unit.first, target, wanted))
        asked = [one for one in problems if one.severity == "error" or one.code != "untranslated"]  # that was, then
        return None if worth_another_try(asked, 1) else Done(target, problems, "memory")

    async def batch(self, group: list[Unit], before: str) -> dict[str, Done]:
        """All at once; then, in smaller and smaller groups, what is missing or wrong."""
        pairs = self._pairs(group)

        async def ask(items: Mapping[str, Unit], problems: Mapping[str, str], attempt: int) -> Mapping[str, str]:
            asked = list(items.values())
            how: dict[str, Any] = {"sample": attempt, "temperature": warmth(attempt)}
            if len(asked) == 1:
                (unit,) = asked
                parts = self._one(unit, problems.get(unit.id, ""), pairs)
                room = self._room([unit.masked.text], 16)
                answer = await self.job.complete(parts, max_output=room, likely=unit.masked.text, rounds=0, **how)
                return {unit.id: bare(answer, unit.first.text)}
            return await self._answers(self._batch(asked, problems, before, pairs), asked, **how)

        outcomes = await keyed(self.job, {unit.id: unit for unit in group}, ask, self._outcome)
        done = {unit.id: self._settled(unit, outcomes[unit.id]) for unit in group}
        return await self._improved(group, done) if self.manner.reflect else done

    async def _answers(self, parts: list[Part], asked: Sequence[Unit], **how: Any) -> Mapping[str, str]:
        usual = Answers(items=[Item(id=unit.id, translation=unit.masked.text) for unit in asked])
        room = self._room([unit.masked.text for unit in asked], 24)
        answers = await self.job.complete(parts, output=Answers, max_output=room, likely=usual, **how)
        return apart(asked, by_id((item.id, item.translation) for item in answers.items))

    def _outcome(self, unit: Unit, answer: str) -> Outcome[Done]:
        self._tries[unit.id] = tried = self._tries.get(unit.id, 0) + 1
        target, problems = taken(unit, answer, self.manner.wanted.to)
        done = Done(target, (*problems, *verified(unit.first, target, self.manner.wanted)))
        best = self._best.get(unit.id)
        if best is None or done.faults < best.faults:
            self._best[unit.id] = done
        return Outcome(done, worth_another_try(done.problems, tried))

    def _settled(self, unit: Unit, outcome: Outcome[Done]) -> Done:
        """The best that came; the source and the last problem where nothing did."""
        best = self._best.get(unit.id)
        if self.job.engine.rehearses and outcome.value is not None:
            return Done(outcome.value.target)
        return best or Done(unit.first.text, (Problem("failed", outcome.problem),))

    async def _improved(self, group: list[Unit], done: dict[str, Done]) -> dict[str, Done]:
        """A second look at all of a batch: taken where it is at least as sound."""
        good = [unit for unit in group if done[unit.id].good]
        texts = [
            {"id": unit.id, "source": unit.masked.text, "draft": self._masked(unit, done[unit.id])} for unit in good
        ]
        parts = self.prompt.parts("improve", texts=texts, terms=self._terms(good), **self.manner.values)
        try:
            answers = await self._answers(parts, good) if good else {}
        except UNUSABLE:
            return done
        for unit in good:
            if unit.id in answers:
                better = self._outcome(unit, answers[unit.id]).value
                if better is not None and better.faults <= done[unit.id].faults:
                    done[unit.id] = better
        return done

    def _masked(self, unit: Unit, done: Done) -> str:
        text = self._as_may_be(done.target, unit.first.text)
        for number, token in enumerate(unit.masked.tokens, 1):
            text = text.replace(token, unit.masked.mark(number), 1)
        return " ".join(text.split()) if unit.masked.breaks else text

    def _pairs(self, group: Sequence[Unit]) -> list[dict[str, str]]:
        """What is like these texts in the memory, then what was said in this document of what they speak of."""
        texts = [unit.first.text for unit in group]
        likes = [pair for text in texts for pair in self.memory.like(text, 1)]
        shown: list[Pair] = list(dict.fromkeys([*likes, *self.record.shown(texts, EXAMPLES)]))[:EXAMPLES]
        room = self.room // 2
        shown = [(source, self._as_may_be(target, source)) for source, target in shown]
        sizes = self.job.counter.count_many([" ".join(pair) for pair in shown])
        kept: list[dict[str, str]] = []
        for (source, target), size in zip(shown, sizes, strict=True):
            room -= size + 60  # the fences around it
            if room >= 0:
                kept.append({"source": source, "target": target})
        return kept

    def _as_may_be(self, target: str, source: str) -> str:
        """What is made up for a plan is the source again; a translation may have half or `LONGER` times the tokens."""
        if not self.job.engine.rehearses or target != source:
            return target
        half = target[: len(target) // 2]
        return target * int(LONGER) + half if self.job.foresees_faults else half

    def _terms(self, group: Sequence[Unit]) -> Sequence[Any]:
        return used(self.manner.wanted.terms, [unit.first.text for unit in group])

    def _room(self, texts: Sequence[str], each: int) -> int:
        return int(sum(self.job.counter.count_many(list(texts))) * LONGER) + each * len(texts) + 64

    def _one(self, unit: Unit, problem: str, pairs: Sequence[Mapping[str, str]]) -> list[Part]:
        best = self._best.get(unit.id)
        return self.prompt.parts(
            "one", text=unit.masked.text, marks=bool(unit.masked.tokens), problem=problem, pairs=pairs[:2],
            last=self._masked(unit, best) if problem and best is not None else "", terms=self._terms([unit]),
            about=_about(unit), **self.manner.values,
        )  # fmt: skip

    def _batch(
        self, group: Sequence[Unit], problems: Mapping[str, str], before: str, pairs: Sequence[Mapping[str, str]] = ()
    ) -> list[Part]:
        listing = "\n\n".join(f"id {unit.id}:\n{unit.masked.text}" for unit in group)
        return self.prompt.parts(
            "batch", items=group, listing=listing, pairs=pairs, terms=self._terms(group), before=before,
            headings=group[0].first.context if group else (),
            notes=[(unit.id, note) for unit in group if (note := _about(unit))],
            problems=[(unit.id, problems[unit.id]) for unit in group if unit.id in problems], **self.manner.values,
        )  # fmt: skip


def _told(kept: int, hits: int, rest: int, groups: int) -> str:
    """For a plan: what there is, and what of it costs nothing."""
    all_ = kept + hits + rest
    found = [f"{all_} text{'' if all_ == 1 else 's'}"]
    found += [f"{kept} kept as translated before"] if kept else []
    found += [f"{hits} from the memory"] if hits else []
    return ", ".join([*found, f"{rest} to translate in {groups} batch{'' if groups == 1 else 'es'}"])


def _about(unit: Unit) -> str:
    """What a translator has to know of a text that it does not say itself."""
    one = unit.first
    said = [one.note] if one.note else []
    if one.limit is not None and one.limit.width:
        said.append(f"at most {one.limit.width * max(1, one.limit.lines)} characters")
    return "; ".join(" ".join(text.split())[:300] for text in said)
