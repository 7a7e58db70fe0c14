"""Structure: an answer that has a schema is validated, repaired, or refused openly.

A ladder of three rungs: strict `json_schema`, `json_object` with the fields in words, and a plain prompt with an
example. It is stepped down only when the endpoint refuses the capability, and that is remembered; an answer without
any JSON shows an endpoint that takes no notice, and is asked for on the last rung. Every repair shows the model the
problems and the shortest piece of its answer that has them, never the tries before.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from taskkit.engine.call import Call, Message, Reply, Rung
from taskkit.engine.problems import at, in_words
from taskkit.engine.schema import (
    NoJson,
    Shape,
    UnsupportedParameter,
    constraints_in_words,
    example_instance,
    find_json,
    shape_of,
)
from taskkit.engine.instance import placeholders
from taskkit.errors import InvalidOutputError, RefusedError, TruncatedError
from taskkit.results import Usage

T = TypeVar("T")
Ask = Callable[[Call], Awaitable[Reply]]
Where = tuple[str, str]

RUNGS: tuple[Rung, ...] = ("strict", "object", "prompt")
WARMER = 0.1  # degrees of temperature a try
WHOLE_EXCERPT = 800  # characters of a bad reply that are shown as they are
EXCERPT = 300
BARE = 200  # characters of an answer that may be a value without any JSON around it

FORM = "Answer with one JSON object and nothing else: no words around it, no code fence. Its fields:\n\n{fields}"
EXAMPLE = (
    "\n\nThis is the form. The values in it are only examples; put the real ones in their place:\n\n{example}"
)
REPAIR = "That answer can not be used:\n{problems}\n\nGive the whole answer again, as one JSON object, put right."
_DECLINED = re.compile(
    r"\W*(?:i['’]?m sorry|i am sorry|sorry|i apologi[sz]e|i can(?:no|['’])t|i can not|i am (?:unable|not able)"
    r"|i['’]m (?:unable|not able)|as an ai)\b",
    re.IGNORECASE,
)


class Capabilities:
    """What endpoints have refused, by base URL and model, for the life of an engine."""

    def __init__(self) -> None:
        self._rungs: dict[Where, Rung] = {}

    def rung(self, where: Where) -> Rung:
        """The highest rung that has not been refused."""
        return self._rungs.get(where, "strict")

    def refused(self, where: Where, rung: Rung) -> None:
        self._rungs[where] = max(self.rung(where), _below(rung), key=RUNGS.index)


def _below(rung: Rung) -> Rung:
    return RUNGS[min(RUNGS.index(rung) + 1, len(RUNGS) - 1)]


@dataclass(frozen=True, slots=True)
class _Bad:
    """A reply that is no answer: what is wrong, and the piece of it that shows that."""

    problems: tuple[str, ...]
    excerpt: str
    has_json: bool


@dataclass(frozen=True, slots=True)
class _Good(Generic[T]):
    value: T


async def answer(
    call: Call,
    output: type[T] | TypeAdapter[T],
    ask: Ask,
    *,
    capabilities: Capabilities,
    where: Where = ("", ""),
    tries: int = 3,
) -> tuple[T, Reply]:
    """The value, and the reply that it came in with the usage of all tries.

    `ask` gives whole replies (`finish.whole`); `where` is the endpoint's base URL and the model. Raises
    InvalidOutputError after `tries` answers that do not hold, RefusedError, TruncatedError.
    """
    shape = shape_of(output)
    call = replace(call, schema=shape.schema)
    rung = max(call.rung, capabilities.rung(where), "strict" if shape.is_strict else "object", key=RUNGS.index)
    usage = Usage()
    bad, reply = _Bad((), "", has_json=False), Reply("")
    for number in range(tries):
        asked = _asked(call, rung, shape, bad, number)
        reply, rung = await _on_a_rung(asked, rung, ask, capabilities, where, shape, bad, number)
        usage += reply.usage
        ...
