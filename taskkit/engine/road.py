"""One endpoint's road: journal, spend, pace and send behind one function, `Road.paid`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TypeVar

from taskkit.engine import loop
from taskkit.engine.call import Call, Embedded, Message, Reply
from taskkit.engine.endpoint import Endpoint
from taskkit.engine.journal import Journal, Run, call_key, vector_key
from taskkit.engine.learn import Learned
from taskkit.engine.pace import Pace, Transient
from taskkit.engine.prices import cost, counts_as_we_do, look_up, worst_case
from taskkit.engine.schema import UnsupportedParameter
from taskkit.engine.send import Transport
from taskkit.engine.spend import Spend
from taskkit.engine.thoughts import Spoken, without
from taskkit.engine.wire import OnText
from taskkit.errors import InputError, TaskkitError
from taskkit.events import Events
from taskkit.models import Model
from taskkit.results import Usage
from taskkit.settings import OPENAI_URL
from taskkit.tokens import at_most

R = TypeVar("R", Reply, Embedded)


class Road:
    """Kept as long as the engine; used on the background loop."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        pace: Pace,
        spend: Spend,
        journal: Journal,
        events: Events,
        learned: Learned,
    ) -> None:
        self.endpoint = endpoint
        self.transport = transport
        self._pace = pace
        self._spend = spend
        self._journal = journal
        self._events = events
        self._learned = learned
        self._on_their_way: dict[bytes, asyncio.Future[None]] = {}

    async def paid(
        self,
        call: Call,
        model: Model,
        *,
        run: Run | None,
        on_text: OnText | None,
        keys: list[bytes] | None = None,
    ) -> Reply:
        """From the journal, else bought. `run` None keeps the journal out of it; `keys` collects what was used."""
        key = b""
        if run is not None:
            key = call_key(call, self.endpoint.identity, run.key)
            if keys is not None:
                keys.append(key)
            while self._journal.gives and (same := self._on_their_way.get(key)):
                await asyncio.wait([same])  # the same call, made at once: its answer will be in the journal
            hit = self._journal.get(key)
            if hit is not None:
                self._events.emit("journal-hit", model=call.model)
                if on_text is not None:
                    on_text(hit.text)
                return hit
        if run is None:
            return await self._bought(call, model, on_text)
        ended = self._on_their_way[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._bought(call, model, on_text)
            self._journal.put(key, reply)
            return reply
        finally:
            ended.set_result(None)
            if self._on_their_way.get(key) is ended:
                del self._on_their_way[key]

    async def _bought(self, call: Call, model: Model, on_text: OnText | None) -> Reply:
        tokens = at_most(call.messages)
        look_up(model, self.endpoint.base_url)  # before anything is paid for: what is paid is then kept at once
        began = 0.0

        async def send(call: Call) -> Reply:
            nonlocal began
            began = began or time.monotonic()
            self._events.emit("call-started", model=call.model, tokens=tokens)
            if on_text is None:
                return await self.transport.chat(call, None)
            spoken = Spoken(on_text)
            reply = await self.transport.chat(call, spoken)
            spoken.end()
            return reply

        try:
            reply, retries = await self._charged(send, call, model, tokens + (call.max_output or 0))
        except TaskkitError as error:
            if began:
                seconds = time.monotonic() - began
                self._events.emit("call-failed", model=call.model, error=type(error).__name__, seconds=seconds)
            raise
        price = self._price(model, reply.usage)
        usage = reply.usage.model_copy(update={"cost": price, "retries": retries})
        self._events.emit(
            "call-finished",
            model=call.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=price,
            seconds=time.monotonic() - began,
        )
        return replace(reply, text=without(reply.text, call.messages), usage=usage)

    async def _charged(
        self, send: Callable[[Call], Awaitable[R]], call: Call, model: Model, tokens: int
    ) -> tuple[R, int]:
        """What `send` gives, at the pace of the endpoint, and the retries. Of each try the worst case is reserved when
        its turn has come, and what it took is settled; what is not known counts as all that was reserved."""

        async def attempt() -> R:
            limited = self._as_limited(call)
            if self._spend.cap is None:
                return await send(limited)
            worst = worst_case(limited, model, self.endpoint.base_url)
            held = await self._spend.reserve(
                self._price(model, worst), model.name, self._price(model, self._unheeded(worst, model))
            )
            true: Decimal | None = None  # of a try that was given up, too: the endpoint may go on with it
            heeded = True
            try:
                got = await send(limited)
            except Transient as failure:
                true = None if failure.billed else Decimal(0)
                raise
            except TaskkitError:
                true = Decimal(0)
                raise
            else:
                true = self._true(model, got, worst)
                heeded = got.usage.output_tokens <= worst.output_tokens
                return got
            finally:
                self._spend.settle(model.name, held, true, heeded=heeded)

        return await self._pace.run(attempt, tokens)

    def _unheeded(self, worst: Usage, model: Model) -> Usage:
        """Where the limit of the answer may not be heeded; at OpenAI, and where there is none, the worst case."""
        sure = self.endpoint.base_url == OPENAI_URL or not worst.output_tokens
        return worst if sure else worst.model_copy(update={"output_tokens": model.max_output})

    def _as_limited(self, call: Call) -> Call:
        """Without a limit of the answer where the endpoint takes none."""
        unlimited = self._learned.takes_no_limit(self.endpoint.base_url, call.model)
        return replace(call, max_output=None) if unlimited and call.max_output else call

    def _true(self, model: Model, got: Reply | Embedded, most: Usage) -> Decimal | None:
        """What a call has cost. Where the endpoint tells nothing it is what we saw, at the most; thoughts are not seen."""
        if got.is_told or (counts_as_we_do(model, self.endpoint.base_url) and not model.reasoning):
            return self._price(model, got.usage)
        if model.reasoning:
            return None
        out = len(got.text.encode()) if isinstance(got, Reply) else 0
        return self._price(model, most.model_copy(update={"output_tokens": out}))

    def _price(self, model: Model, usage: Usage) -> Decimal | None:
        return cost(model, usage, self.endpoint.base_url)

    async def flagged(self, text: str, images: Sequence[str]) -> tuple[tuple[str, ...], int]:
        """The categories that the endpoint's moderation flags, and how many of the images it would not look at. It
        takes one image a request, and there are endpoints that take none."""
        found: set[str] = set()
        unseen = 0
        if text:
            found.update((await self._pace.run(lambda: self.transport.moderate(text), 0))[0])
        for url in images:
            try:
                found.update((await self._pace.run(partial(self.transport.moderate, url, image=True), 0))[0])
            except (InputError, UnsupportedParameter):
                unseen += 1
        return tuple(sorted(found)), unseen

    async def embedded(
        self, model: Model, texts: tuple[str, ...], tokens: int, dimensions: int | None = None, *, keeps: int = 0
    ) -> Embedded:
        """From the journal, text by text, what has `keeps` numbers; what is not there is bought, and kept where it is a
        vector of so many."""
        if not keeps:
            return await self._embedded(model, texts, tokens, dimensions)
        keys = {text: vector_key(self.endpoint.identity, model.name, dimensions, text) for text in texts}
        found = {text: vector for text, key in keys.items() if len(vector := self._journal.vector(key)) == keeps}
        usage = Usage(journal_hits=len(found))
        for _ in found:
            self._events.emit("journal-hit", model=model.name)
        if missing := tuple(text for text in keys if text not in found):
            got = await self._embedded(model, missing, tokens, dimensions)
            for text, vector in zip(missing, got.vectors, strict=True):
                found[text] = vector
                if len(vector) == keeps:
                    self._journal.put_vector(keys[text], vector, model.name)
            usage += got.usage
        return Embedded(tuple(found[text] for text in texts), usage)

    async def _embedded(self, model: Model, texts: tuple[str, ...], tokens: int, dimensions: int | None) -> Embedded:
        call = Call(model.name, tuple(Message("user", one) for one in texts), max_output=0)
        got, retries = await self._charged(
            lambda _: self.transport.embed(model.name, texts, dimensions), call, model, tokens
        )
        usage = got.usage.model_copy(update={"cost": self._price(model, got.usage), "retries": retries})
        return replace(got, usage=usage)


async def shut(roads: dict[str, Road], journal: Journal) -> None:
    """Gives back the connections of all roads, and the journal's file."""
    closing = list(roads.values())
    roads.clear()
    for road in closing:
        await road.transport.close()
    journal.close()


def discard(roads: dict[str, Road], journal: Journal) -> None:
    """An engine that nobody closed, collected or left at the end of the process."""
    if roads:
        loop.finish(shut(roads, journal))
    else:
        journal.close()
