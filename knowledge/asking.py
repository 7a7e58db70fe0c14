"""What the model does for a search: other forms of the question, an answer made up to search with, the best in order."""

import functools
from collections.abc import Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, Field, create_model

from taskkit.errors import FATAL, ContextTooLong, EndpointError, RefusedError, UnsafeError
from taskkit.job import Job
from taskkit.knowledge.records import Passage
from taskkit.prompt import Prompt
from taskkit.taskclass import Task, task

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine

R = TypeVar("R")
FORMS = 3  # besides the question's own
LONGEST = 400  # characters of a form: more is no question


class Queries(BaseModel):
    queries: list[str]


@task
class Forms(Task[tuple[str, ...]]):
    """Other queries that would find what answers a question."""

    question: str

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)

    async def run(self, job: Job) -> tuple[str, ...]:
        parts = type(self).prompt.parts("forms", question=self.question, count=FORMS)
        likely = Queries(queries=[self.question[:LONGEST]] * FORMS if job.foresees_faults else [])
        made = await job.complete(parts, output=Queries, max_output=300, likely=likely)
        known = dict.fromkeys(" ".join(one.split()) for one in made.queries)
        return tuple(one for one in known if one and one != self.question and len(one) <= LONGEST)[:FORMS]


@task
class Imagined(Task[str]):
    """A passage that would answer a question, true or not (HyDE, Gao et al. 2022)."""

    question: str

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)

    async def run(self, job: Job) -> str:
        parts = type(self).prompt.parts("imagined", question=self.question)
        return (await job.complete(parts, max_output=300)).strip()


@task
class Order(Task[tuple[int, ...]]):
    """The places of passages, from 0, those that answer a question best first; the others stay away."""

    question: str
    passages: tuple[Passage, ...]

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    temperature: ClassVar[float] = 0.0

    async def run(self, job: Job) -> tuple[int, ...]:
        parts = type(self).prompt.parts("order", question=self.question, passages=self.passages)
        output = _order(len(self.passages))
        likely = output(best=[*range(1, len(self.passages) + 1)] if job.foresees_faults else [1])
        made: Any = await job.complete(parts, output=output, max_output=20 + 8 * len(self.passages), likely=likely)
        return tuple(dict.fromkeys(number - 1 for number in made.best))


@functools.lru_cache(maxsize=32)
def _order(count: int) -> type[BaseModel]:
    """The form of an answer that names only passages there are."""
    numbers: Any = GenericAlias(list, (Literal[tuple(range(1, count + 1))],))
    about = Field(description="The numbers of the passages that help to answer, the best first.")
    return create_model("Order", best=(numbers, about))


async def asked(work: Task[R], by: "Engine | Job | None", instead: R, otherwise: str) -> R:
    """By an engine, that of the functions when there is none; or as a part of a task's job, which then pays for it.

    A search is of use without it: where the model fails, refuses or answers nonsense there is `instead`, and a warning
    that ends with what the search does `otherwise`. What would meet every call (a key, a quota, a cap) is raised."""
    from taskkit.engine.default import current

    asker = by or current()
    try:
        return await (work.run(asker) if isinstance(asker, Job) else asker.arun(work))
    except (*FATAL, UnsafeError):
        raise
    except (EndpointError, RefusedError, ContextTooLong) as error:
        message = f"{error.message} {otherwise}"
    if isinstance(asker, Job):
        asker.warn("search", message)
    else:
        asker.events.emit("warning", message, code="search")
    return instead


def in_order(count: int, best: Sequence[int]) -> list[int]:
    """All places: the best first, then the others as they stood."""
    return [*best, *(place for place in range(count) if place not in best)]
