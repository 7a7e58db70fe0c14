"""Single calls, each over the whole road. It knows of no task: `Engine` stands on it.

prompt -> fit -> journal -> spend -> pace -> send -> finish -> structure -> reply
"""

import asyncio
import contextlib
import copy
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self

from taskkit import settings as settings_
from taskkit.engine import finish, loop, structure
from taskkit.engine.call import Call, Message, Reply
from taskkit.engine.fit import fit
from taskkit.engine.journal import Journal
from taskkit.engine.learn import Learned
from taskkit.engine.road import discard, shut
from taskkit.engine.roads import Roads
from taskkit.engine.route import Answered, Asked, Route, batches_of, sees_images
from taskkit.engine.schema import answer_schema
from taskkit.engine.send import Transport
from taskkit.errors import ConfigurationError, ContextTooLong, EndpointError, InputError, UnsafeError
from taskkit.events import Events
from taskkit.models import user_file
from taskkit.prompt import Part
from taskkit.results import Notice, Usage
from taskkit.tokens import Counter, at_most, count_messages

ANSWER = 4096  # tokens kept for an answer unless a task says otherwise; longer ones are continued
REASONING = 4096  # tokens on top, for what a reasoning model thinks before it answers


class Calls:
    def __init__(
        self,
        model: str | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        context: int | None = None,
        concurrency: int | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        max_cost: Decimal | float | str | None = None,
        temperature: float | None = None,
        tier: str | None = None,
        moderate: str | None = None,
        journal: bool | Path = True,
        fresh: bool = False,
        timeout: float | None = None,
        allow_http: bool | None = None,
        transport: Transport | None = None,
        today: date | None = None,
    ) -> None:
        given = {
            "model": model, "base_url": base_url, "api_key": api_key, "context": context, "rpm": rpm, "tpm": tpm,
            "concurrency": concurrency, "max_cost": max_cost, "moderate": moderate, "timeout": timeout,
            "allow_http": allow_http,
        }  # fmt: skip
        if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 2):
            raise ConfigurationError(f"A temperature of {temperature!r} is not between 0 and 2.")
        self.settings = settings_.load(given)
        self.temperature = temperature
        self.tier = tier
        self.events = Events()
        self.usage: Usage = Usage()
        self.learned = Learned()
        self.capabilities = structure.Capabilities()
        self.rehearses = False  # nothing is sent; answers are made up
        path = journal if isinstance(journal, Path) else settings_.cache_dir() / "journal.sqlite" if journal else None
        self.journal = Journal(path, warn=partial(self.events.once, "warning"), fresh=fresh)
        self.roads = Roads(self.settings, self.events, self.journal, self.learned, transport=transport, today=today)
        self._transport = transport
        weakref.finalize(self, discard, self.roads.open, self.journal)

    def rehearsal(self, transport: Transport) -> Self:
        """This one's likeness that sends nothing and keeps nothing; for the planner."""
        other = copy.copy(self)
        other.rehearses, other.events = True, Events()
        other.journal = Journal(None, warn=partial(other.events.once, "warning"))
        other.roads = self.roads.rehearsal(transport, other.events, other.journal)
        return other

    async def complete(self, parts: Sequence[Part], asked: Asked) -> Answered:
        """The road, from parts to an answer. Raises one of our errors when there is none."""
        return await loop.across(self._complete(parts, asked))

    async def _complete(self, parts: Sequence[Part], asked: Asked) -> Answered:
        options = self.roads.choices(asked.tier)
        for choice, following in zip(options, [*options[1:], None], strict=True):
            try:
                return await self._on(await self.roads.route(choice), parts, asked)
            except EndpointError as error:
                if following is None:
                    raise
                said = f"{choice.model.name} failed ({error}); {following.model.name} is asked instead."
                self.events.once("warning", said)
        raise AssertionError("a tier has a model")

    async def _on(self, route: Route, parts: Sequence[Part], asked: Asked) -> Answered:
        schema = None if asked.output is str else answer_schema(asked.output)
        wanted = self.answer_room(route, asked.max_output)
        fitted = fit(parts, route.window.input_room(wanted), route.counter, schema=schema)
        notices = tuple(
            Notice(code="dropped", message=f"No room for {one}: it was left out.") for one in fitted.dropped
        )
        given = [one for one in fitted.messages if one.role == "user"]
        images = [url for one in fitted.messages for url in one.images]
        if images and not sees_images(route):
            raise InputError(
                f"{route.model.name} takes no images.",
                hint=f"Use a model that does (--model), or say images = true in its row of {user_file()}.",
            )
        notices += await self._moderated(route, asked, "input", "\n".join(one.content for one in given), images)
        checks_output = self._moderates(asked, "output")
        on_text = None if checks_output else asked.on_text  # what may be flagged is not shown before it is looked at
        call = Call(
            route.model.name, fitted.messages, asked.temperature, wanted, schema, stop=(), sample=asked.sample,
            likely=asked.likely,
        )  # fmt: skip
        keys: list[bytes] = []

        async def paid(one: Call) -> Reply:
            show = on_text if one is call else None
            try:
                reply = await route.road.paid(one, route.model, run=asked.run, on_text=show, keys=keys)
            except ContextTooLong as error:  # by our count it had room
                self._learn_ratio(route, one, error.used or 2 * count_messages(one.messages, route.counter))
                raise
            if asked.took is not None:
                asked.took(reply.usage)
            if reply.usage.calls:
                self._learn_ratio(route, one, reply.usage.input_tokens)
            return reply

        async def whole(one: Call) -> Reply:
            return await finish.whole(
                one, paid, rounds=asked.rounds, room=lambda c: self._output_room(route, c.messages), show=on_text
            )

        try:
            if schema is None:
                reply = await whole(call)
                value: Any = reply.text
            else:
                where = (route.road.endpoint.base_url, route.model.name)
                value, reply = await structure.answer(
                    call, asked.output, whole, capabilities=self.capabilities, where=where,
                    room=lambda c: self._room_left(route, c),
                )  # fmt: skip
        except EndpointError:
            _of_no_use(asked, keys)
            raise
        await self._moderated(route, asked, "output", reply.text)
        if checks_output and asked.on_text is not None:
            asked.on_text(reply.text)
        return Answered(value, (*notices, *_cut(reply)))

    def answer_room(self, route: Route, wanted: int | None) -> int:
        """The tokens to keep for an answer: what the task wants, within what the window can give."""
        window = route.window
        room = min(wanted or ANSWER, window.max_output, max(1, window.context // 2))
        if route.model.reasoning:
            room = min(room + REASONING, window.max_output, max(1, window.context // 2))
        return room

    def _output_room(self, route: Route, messages: Sequence[Message]) -> int:
        return route.window.output_room(count_messages(messages, route.counter))

    def _room_left(self, route: Route, call: Call) -> int:
        """Tokens for the answer beside the messages and the schema; nothing is counted where the bytes leave enough."""
        surely = route.window.output_room(at_most(call.messages, call.sent_schema))
        if surely >= (call.max_output or 0):
            return surely
        return route.window.output_room(count_messages(call.messages, route.counter, call.sent_schema))

    def _learn_ratio(self, route: Route, call: Call, used: int) -> None:
        images = any(one.images for one in call.messages)  # what they take is no matter of the text
        if self.rehearses or images or Counter(route.model.encoding, route.model.ratio).is_exact:
            return

        def counted() -> int:
            return count_messages(call.messages, Counter(route.counter.encoding), call.sent_schema)

        self.learned.ratio(route.road.endpoint.base_url, route.model.name, counted, used)

    def _moderates(self, asked: Asked, side: str) -> bool:
        return not self.rehearses and not {side, "both"}.isdisjoint({self.settings.moderate, asked.moderate})

    async def _moderated(
        self, route: Route, asked: Asked, side: str, text: str, images: Sequence[str] = ()
    ) -> tuple[Notice, ...]:
        if not self._moderates(asked, side):
            return ()
        categories, unseen = await route.road.flagged(text, images)
        if categories:
            raise UnsafeError(f"The {side} was flagged: {', '.join(categories)}.", categories=categories, text=text)
        if not unseen:
            return ()
        many = "The image was" if unseen == 1 else f"{unseen} images were"
        message = f"{many} not looked at by the moderation of {route.road.endpoint.base_url}, which refused to."
        return (Notice(code="not-moderated", message=message, failure=True),)

    async def embed(
        self,
        texts: Sequence[str],
        *,
        model: str = "text-embedding-3-small",
        dimensions: int | None = None,
        took: Callable[[Usage], None] | None = None,
        keeps: int = 0,
    ) -> list[tuple[float, ...]]:
        """A vector a text, in order, in batches of at most 2,048 texts and 250,000 tokens; by a model of the endpoint, or
        with `local:NAME` by one on this machine. `dimensions` are how many numbers the endpoint is asked for, where it
        can shorten them. What it took is counted by `took`, else by the engine itself. The journal keeps vectors that
        have `keeps` numbers; who has a place for them needs no second one."""
        return await loop.across(self._embed(texts, model, dimensions, took or self._took, keeps=keeps))

    def _took(self, usage: Usage) -> None:
        self.usage += usage

    async def _embed(
        self, texts: Sequence[str], model: str, dimensions: int | None, took: Callable[[Usage], None], *, keeps: int
    ) -> list[tuple[float, ...]]:
        route = await self.roads.route(self.roads.embedding(model))
        batches = batches_of(texts, route.counter.count_many(list(texts)))

        async def embedded(batch: tuple[str, ...], size: int) -> tuple[tuple[float, ...], ...]:
            got = await route.road.embedded(route.model, batch, size, dimensions, keeps=keeps)
            took(got.usage)  # also where another one fails
            return got.vectors

        got = await asyncio.gather(*(embedded(batch, size) for batch, size in batches))
        return [vector for vectors in got for vector in vectors]

    async def route(self, tier: str) -> Route:
        return await self.roads.route(self.roads.choices(tier)[0])

    async def aclose(self) -> None:
        """Gives back connections and files; an engine that is used again opens them again."""
        await loop.across(shut(self.roads.open, self.journal))

    def close(self) -> None:
        """As `aclose`, and waits; not for ever, as there are servers that never end a connection."""
        with contextlib.suppress(TimeoutError, CancelledError):  # the second where the process ends meanwhile
            loop.run(shut(self.roads.open, self.journal), timeout=loop.patient(5))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of_no_use(asked: Asked, keys: Sequence[bytes]) -> None:
    if asked.run is not None:
        asked.run.useless(keys)


def _cut(reply: Reply) -> tuple[Notice, ...]:
    if reply.finish != "length":
        return ()
    message = f"The answer was still cut off after {len(reply.text)} characters: {reply.why}."
    return (Notice(code="truncated", message=message, failure=True),)
