"""Many items in one call, each under an id: only what is missing or wrong is asked for again.

First once more with what is wrong with it, then by halves, then alone; what is still wrong then is told as failed.
Where no answer ever had its form, for which the engine has asked several times, each item is asked for alone, and one
that was alone is given up. Nothing is dropped: whatever the model does, there is one outcome for each item."""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from taskkit.engine.journal import FREEZES_UP_TO
from taskkit.errors import ContextTooLong, InvalidOutputError, RefusedError, TaskkitError, TruncatedError
from taskkit.job import gather

if TYPE_CHECKING:
    from taskkit.job import Job

I = TypeVar("I")  # noqa: E741 - an item
A = TypeVar("A")
V = TypeVar("V")

TIMES = 3  # that an item is asked for, at the last alone, before it is given up
UNUSABLE = (InvalidOutputError, TruncatedError, RefusedError, ContextTooLong)  # another cut may help; a 500 is final


@dataclass(frozen=True, slots=True)
class Outcome(Generic[V]):
    """`value` is the last that came, None when nothing did; `problem` what is wrong with it, empty when it is good: of
    a value in words that a model can act on, of none in the error's."""

    value: V | None
    problem: str = ""

    @property
    def good(self) -> bool:
        return not self.problem


# What asks for some items: they, what was wrong with those that had been asked for before, and the number of the
# attempt from 0 (for `sample`, and for a temperature a little higher). Answers by id; others' ids are left aside.
Ask: TypeAlias = Callable[[Mapping[str, I], Mapping[str, str], int], Awaitable[Mapping[str, A]]]


def warmth(attempt: int) -> float:
    """The temperature of an attempt, from 0: a little higher each time, and never higher than what the journal keeps for
    good."""
    return min(FREEZES_UP_TO, 0.2 + 0.05 * attempt)


async def keyed(
    job: "Job",
    items: Mapping[str, I],
    ask: Ask[I, A],
    check: Callable[[I, A], Outcome[V]],
    *,
    rounds: float = math.inf,
) -> dict[str, Outcome[V]]:
    """An outcome for each id, in the order of `items`. One item that stays wrong costs two calls more, n of them
    2 n at most; `rounds` of asking are the most, where another is not worth it. Errors that no other cut can mend (a
    reached cap, a dead endpoint) are raised."""
    done: dict[str, Outcome[V]] = {}

    told: dict[str, str] = {}  # to the model, of answers that it gave

    async def asked(keys: list[str]) -> type[TaskkitError] | None:
        """The kind of error that there was instead of an answer."""
        try:
            answers = await ask(
                {key: items[key] for key in keys}, {key: told[key] for key in keys if key in told}, attempt
            )
        except UNUSABLE as error:
            done.update((key, Outcome(None, str(error))) for key in keys)
            return type(error)
        for key in keys:
            missing: Outcome[V] = Outcome(None, _missing(key))
            outcome = check(items[key], answers[key]) if key in answers else missing
            rehearsed = job.engine.rehearses and outcome.value is not None  # made-up answers meet no check
            done[key] = Outcome(outcome.value) if rehearsed else outcome
            told[key] = done[key].problem
        return None

    groups = [list(items)] if items else []
    attempt = 0
    while groups and attempt < rounds:
        errors: list[type[TaskkitError] | None] = await gather(asked, groups, keep_errors=False)
        following: list[list[str]] = []
        if not attempt and job.foresees("items to ask for again"):
            told.update((key, _missing(key)) for key in items)
            following += groups
        for group, error in zip(groups, errors, strict=True):
            wrong = [key for key in group if not done[key].good]
            if error is InvalidOutputError:
                following += [[key] for key in wrong if len(group) > 1]
            elif len(wrong) > 1 and (attempt or error):
                following += [wrong[: len(wrong) // 2], wrong[len(wrong) // 2 :]]
            elif wrong and (len(group) > 1 or attempt + 1 < TIMES):
                following.append(wrong)
        groups, attempt = following, attempt + 1
    return {key: done[key] for key in items}


def _missing(key: str) -> str:
    return f"there was no answer for id {key}"


def by_id(pairs: Iterable[tuple[Any, A]]) -> dict[str, A]:
    """Answers by their ids as text. Of two under one id nobody knows which is whose: neither counts."""
    found: dict[str, list[A]] = {}
    for key, answer in pairs:
        found.setdefault(str(key).strip(), []).append(answer)
    return {key: answers[0] for key, answers in found.items() if len(answers) == 1}
