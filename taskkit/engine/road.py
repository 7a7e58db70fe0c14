"""One endpoint's road: journal, spend, pace and send behind one function, `Road.paid`."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from taskkit.engine import loop
from taskkit.engine.call import Call, Embedded, Reply
from taskkit.engine.endpoint import Endpoint
from taskkit.engine.journal import Journal, Run, call_key
from taskkit.engine.pace import Pace, Transient
from taskkit.engine.prices import cost
from taskkit.engine.schema import UnsupportedParameter
from taskkit.engine.send import Transport
from taskkit.engine.spend import Spend
from taskkit.engine.wire import OnText
from taskkit.errors import InputError, TaskkitError
from taskkit.events import Events
from taskkit.models import Model
from taskkit.results import Usage
from taskkit.tokens import Counter, at_most, count_messages


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
    ) -> None:
        self.endpoint = endpoint
        self.transport = transport
        self._pace = pace
        self._spend = spend
        self._journal = journal
        self._events = events
        self._on_their_way: dict[bytes, asyncio.Future[None]] = {}

    async def paid(
        self,
        call: Call,
        model: Model,
        counter: Counter,
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
            return await self._bought(call, model, counter, on_text)
        ended = self._on_their_way[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._bought(call, model, counter, on_text)
            self._journal.put(key, reply)
            return reply
        finally:
            ended.set_result(None)
            if self._on_their_way.get(key) is ended:
                del self._on_their_way[key]

    async def _bought(self, call: Call, model: Model, counter: Counter, on_text: OnText | None) -> Reply:
        tokens = at_most(call.messages)
        worst: Decimal | None = None
        if self._spend.cap is not None:
            tokens = count_messages(call.messages, counter, call.schema)
            worst = self._cost(model, tokens, call.max_output or model.max_output)
        held = await self._spend.reserve(worst, model.name)
        true: Decimal | None = Decimal(0)  # of a try that failed before the endpoint did any work
        began = time.monotonic()

        async def attempt() -> Reply:
            nonlocal held, true
            self._events.emit("call-started", model=call.model, tokens=tokens)
            try:
                return await self.transport.chat(call, on_text)
            except Transient as failure:
                if failure.billed and self._spend.cap is not None:
                    self._spend.settle(held, None)
                    held = Decimal(0)
                    held = await self._spend.reserve(worst, model.name)
                raise

        try:
            reply, retries = await self._pace.run(attempt, tokens + (call.max_output or 0))
            price = cost(model, reply.usage, self.endpoint.base_url)
            true = price
            usage = reply.usage.model_copy(update={"cost": price, "retries": retries})
            self._events.emit(
                "call-finished",
                model=call.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost=price,
                seconds=time.monotonic() - began,
            )
            return replace(reply, usage=usage)
        except TaskkitError as error:
            seconds = time.monotonic() - began
            self._events.emit("call-failed", model=call.model, error=type(error).__name__, seconds=seconds)
            raise
        finally:
            self._spend.settle(held, true)

    def _cost(self, model: Model, given: int, out: int) -> Decimal | None:
        return cost(model, Usage(input_tokens=given, output_tokens=out), self.endpoint.base_url)

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

    async def embedded(self, model: Model, texts: tuple[str, ...], tokens: int) -> Embedded:
        held = await self._spend.reserve(
            self._cost(model, tokens, 0) if self._spend.cap is not None else None, model.name
        )
        true: Decimal | None = Decimal(0)
        try:
            got, retries = await self._pace.run(lambda: self.transport.embed(model.name, texts), tokens)
            true = cost(model, got.usage, self.endpoint.base_url)
            return replace(got, usage=got.usage.model_copy(update={"cost": true, "retries": retries}))
        finally:
            self._spend.settle(held, true)


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
