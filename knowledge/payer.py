"""Whom an embedder has an endpoint asked by: an engine, or a task's job, which then pays for it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskkit.engine.calls import Calls
    from taskkit.engine.engine import Engine
    from taskkit.job import Job

_BY: ContextVar["Engine | Job | None"] = ContextVar("by", default=None)


@contextlib.contextmanager
def paid_by(by: "Engine | Job | None") -> Iterator[None]:
    """Who asks an endpoint to embed what is embedded inside; the engine of the functions when it is not given."""
    token = _BY.set(by)
    try:
        yield
    finally:
        _BY.reset(token)


def payer() -> "Engine | Job":
    from taskkit.engine.default import current

    return _BY.get() or current()


def engine() -> "Calls":
    by: Any = payer()
    found: Calls = getattr(by, "engine", by)  # a job's
    return found
