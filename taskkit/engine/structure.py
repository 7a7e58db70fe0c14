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
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from taskkit.engine.call import Call, Message, Reply, Rung
from taskkit.engine.instance import placeholders, texts_of
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
from taskkit.errors import ContextTooLong, InvalidOutputError, RefusedError
from taskkit.results import Usage

T = TypeVar("T")
Ask = Callable[[Call], Awaitable[Reply]]
Where = tuple[str, str]

RUNGS: tuple[Rung, ...] = ("strict", "object", "prompt")
WARMER = 0.1  # degrees of temperature a try
WHOLE_EXCERPT = 800  # characters of a bad reply that are shown as they are
EXCERPT = 300
LEAST = 0.5  # of the room that an answer should have: with less it would be cut
BARE = 200  # characters of an answer that may be a value without any JSON around it

FORM = "Answer with one JSON object and nothing else: no words around it, no code fence. Its fields:\n\n{fields}"
EXAMPLE = "\n\nThis is the form. The values in it are only examples; put the real ones in their place:\n\n{example}"
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
        self._rungs[where] = _lower(self.rung(where), _below(rung))


def _lower(one: Rung, other: Rung) -> Rung:
    return one if RUNGS.index(one) >= RUNGS.index(other) else other


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
    room: Callable[[Call], int] | None = None,
    tries: int = 3,
) -> tuple[T, Reply]:
    """The value, and the reply that it came in with the usage of all tries.

    `ask` gives whole replies (`finish.whole`); `where` is the endpoint's base URL and the model; `room` the most output
    tokens that a call may ask for. Raises InvalidOutputError after `tries` answers that do not hold, RefusedError,
    TruncatedError, and ContextTooLong where what a rung or a repair adds has no room in the window.
    """
    shape: Shape[T] = shape_of(output)
    call = replace(call, schema=shape.schema)
    least: Rung = "strict" if shape.is_strict else "object"
    rung = _lower(call.rung, _lower(capabilities.rung(where), least))
    usage = Usage()
    bad, reply = _Bad((), "", has_json=False), Reply("")
    for number in range(tries):
        try:
            reply, rung = await _on_a_rung(call, rung, ask, capabilities, where, shape, bad, number, room)
        except ContextTooLong:
            if not number:
                raise
            tries = number  # there is no room to say what was wrong
            break
        usage += reply.usage
        if reply.finish in {"refused", "filtered"}:
            raise RefusedError(f"The model declined: {reply.text[:200]}", text=reply.text)
        found = _read(reply.text, shape)
        if isinstance(found, _Good):
            return found.value, replace(reply, usage=usage)
        bad = found
        if not bad.has_json:
            if _DECLINED.match(reply.text):
                raise RefusedError(f"The model declined: {reply.text[:200]}", text=reply.text)
            if number:
                rung = "prompt"  # twice without any JSON: the endpoint takes no notice of what it is told
    what = "; ".join(bad.problems[:3])
    raise InvalidOutputError(
        f"{call.model} gave no usable answer in {tries} tries: {what}.",
        raw=reply.text,
        problems=bad.problems,
        tries=tries,
        hint="Try again, or use a stronger model.",
    )


async def _on_a_rung(
    call: Call,
    rung: Rung,
    ask: Ask,
    capabilities: Capabilities,
    where: Where,
    shape: Shape[Any],
    bad: _Bad,
    number: int,
    room: Callable[[Call], int] | None,
) -> tuple[Reply, Rung]:
    """The reply, and the rung that the endpoint took; stepped down while it refuses the capability."""
    while True:
        try:
            asked = _asked(call, rung, shape, bad, number)
            if room is not None and (number or rung != "strict"):  # which has more than was laid into the window
                most = room(asked)
                if most < (call.max_output or 0) and bad.excerpt:
                    asked = _asked(call, rung, shape, replace(bad, excerpt=""), number)
                    most = room(asked)
                asked = _within(asked, most)
            return await ask(asked), rung
        except UnsupportedParameter as refused:
            if rung == "prompt" or refused.parameter != "response_format":
                raise
            capabilities.refused(where, rung)
            rung = capabilities.rung(where)


def _asked(call: Call, rung: Rung, shape: Shape[Any], bad: _Bad, number: int) -> Call:
    """The call for a rung, its form said in words where the rung does not carry it, and what was wrong before."""
    messages = list(call.messages)
    if rung == "object" or (rung == "strict" and number):
        messages[-1] = _more(messages[-1], FORM.format(fields=constraints_in_words(shape.schema.plain)))
    elif rung == "prompt":
        example = json.dumps(example_instance(shape.schema), ensure_ascii=False)
        form = FORM.format(fields=constraints_in_words(shape.schema.plain)) + EXAMPLE.format(example=example)
        messages[-1] = _more(messages[-1], form)
    if bad.problems:
        problems = "\n".join(f"- {one}" for one in bad.problems)
        messages += [Message("assistant", bad.excerpt or "…"), Message("user", REPAIR.format(problems=problems))]
    asked = replace(call, messages=tuple(messages), rung=rung)
    if call.temperature is None or not number:
        return asked
    return asked.warmer(min(2.0, call.temperature + WARMER * number))


def _within(asked: Call, most: int) -> Call:
    """With less room for the answer, where the window has less."""
    if asked.max_output is None or asked.max_output <= most:
        return asked
    if most < asked.max_output * LEAST:
        raise ContextTooLong(
            f"What says which form the answer is to have is too much for the window, by {asked.max_output - most} tokens.",
            part="schema",
            over=asked.max_output - most,
            hint="Shorten the prompt, or use a model with a larger window (--model, --context).",
        )
    return replace(asked, max_output=most)


def _more(message: Message, text: str) -> Message:
    return replace(message, content=f"{message.content}\n\n{text}")


def _read(text: str, shape: Shape[T]) -> _Good[T] | _Bad:
    """The answer in a reply: of all its JSON values and their readings, the first that holds."""
    try:
        values = find_json(text)
    except NoJson as why:
        bare = text.strip().strip("`").strip()
        if shape.wrapped and bare and len(bare) <= BARE and not why.at and bare[0] not in "{[":
            found = _first([bare], shape)
            if isinstance(found, _Good):
                return found
        return _Bad((str(why),), _excerpt(text, why.at), has_json=why.at > 0)
    return _first(values, shape)


def _first(values: list[Any], shape: Shape[T]) -> _Good[T] | _Bad:
    bad: _Bad | None = None
    unfilled = placeholders(shape.schema)
    for value in values:
        for reading in ({"value": value},) if isinstance(value, str) else shape.readings(value):
            try:
                made = shape.validated(reading)
            except ValidationError as error:
                places = [one["loc"] for one in error.errors(include_url=False, include_input=False)]
                shown = json.dumps(at(reading, places[0]), ensure_ascii=False)
                bad = bad or _Bad(in_words(error), _excerpt(shown), has_json=True)
                continue
            except (KeyError, ValueError, RecursionError) as error:
                bad = bad or _Bad((str(error),), "", has_json=True)
                continue
            if left := unfilled & texts_of(reading):
                bad = bad or _Bad((f"{min(left)} is not filled in",), "", has_json=True)
                continue
            return _Good(made)
    names = ", ".join(sorted(shape.names))
    return bad or _Bad((f"the JSON has none of the fields {names}",), _excerpt(json.dumps(values)), has_json=True)


def _excerpt(text: str, where: int = 0) -> str:
    if len(text) <= WHOLE_EXCERPT:
        return text
    start = max(0, min(where, len(text)) - EXCERPT)
    return text[start : start + 2 * EXCERPT]
