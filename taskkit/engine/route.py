"""What travels between a task's job and the engine: the route taken, the wish, the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from taskkit.engine.endpoint import LOCAL
from taskkit.engine.journal import Run
from taskkit.engine.road import Road
from taskkit.engine.wire import OnText
from taskkit.models import Model
from taskkit.results import Notice, Usage
from taskkit.tokens import Counter
from taskkit.window import Window

BATCH_TEXTS = 2048  # inputs and tokens that OpenAI's embeddings endpoint takes in one request, with a margin
BATCH_TOKENS = 250_000


@dataclass(frozen=True, slots=True)
class Route:
    """A tier, made concrete: the model, its window as it is known now, its counting, and the road to it."""

    model: Model
    window: Window
    counter: Counter
    road: Road


def sees_images(route: Route) -> bool:
    """A model that nobody knows may; its endpoint will say."""
    return route.model.images or not (route.model.known or route.road.endpoint.identity.startswith(LOCAL))


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish of a task: what it gives the engine besides the parts of the prompt."""

    output: Any = str
    tier: str = "fast"
    temperature: float | None = None
    max_output: int | None = None
    on_text: OnText | None = None
    sample: int = 0
    rounds: int = 8  # continuations of a text that is cut; with 0 such a text is a TruncatedError
    likely: str | None = None
    took: Callable[[Usage], None] | None = None  # told of each try, also of those that end in an error
    moderate: str = ""  # "input", "output" or "both", on top of what the settings say
    run: Run | None = None  # the job's run; None keeps the journal out of it


@dataclass(frozen=True, slots=True)
class Answered:
    value: Any
    notices: tuple[Notice, ...] = ()


def batches_of(texts: Sequence[str], sizes: Sequence[int]) -> list[tuple[tuple[str, ...], int]]:
    batches: list[tuple[tuple[str, ...], int]] = []
    batch: list[str] = []
    total = 0
    for text, size in zip(texts, sizes, strict=True):
        if batch and (len(batch) == BATCH_TEXTS or total + size > BATCH_TOKENS):
            batches.append((tuple(batch), total))
            batch, total = [], 0
        batch.append(text)
        total += size
    if batch:
        batches.append((tuple(batch), total))
    return batches
