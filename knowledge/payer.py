"""Whom an embedder has an endpoint asked by: an engine, or a task's job, which then pays for it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskkit.engine.calls import Calls
    from taskkit.engine.engine import Engine
    from taskkit.job import Job

_BY: ContextVar["Engine | Job | None"] = ContextVar("by", default=None)
_WIDTH: ContextVar[Callable[[], int]] = ContextVar("width", default=lambda: 0)


@contextlib.contextmanager
def questions_of(by: "Engine | Job | None", width: Callable[[], int]) -> Iterator[None]:
    """Who asks an endpoint to embed the questions inside; the engine of the functions when it is not given. Their
    vectors are kept in the journal, as those of passages are in the base, where they have the base's `width`, which is
    asked for only then."""
    tokens = _BY.set(by), _WIDTH.set(width)
    try:
        yield
    finally:
        _BY.reset(tokens[0])
        _WIDTH.reset(tokens[1])


def payer() -> "Engine | Job":
    from taskkit.engine.default import current

    return _BY.get() or current()


async def embedded(texts: Sequence[str], *, model: str, dimensions: int | None = None) -> list[tuple[float, ...]]:
    by: Any = payer()
    keeps = await asyncio.to_thread(_WIDTH.get())
    found: list[tuple[float, ...]] = await by.embed(texts, model=model, dimensions=dimensions, keeps=keeps)
    return found


def engine() -> "Calls":
    by: Any = payer()
    found: Calls = getattr(by, "engine", by)  # a job's
    return found
