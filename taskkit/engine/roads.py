"""The endpoints of an engine: what a tier stands for, opened when it is first asked, and the road to it."""

import asyncio
import copy
import os
from datetime import date
from typing import Self

from taskkit.engine import loop
from taskkit.engine.endpoint import Choice, Endpoint, bound, choices, embedding
from taskkit.engine.journal import Journal
from taskkit.engine.learn import Learned
from taskkit.engine.pace import Pace
from taskkit.engine.road import Road
from taskkit.engine.route import Route
from taskkit.engine.send import OpenAITransport, Transport
from taskkit.engine.spend import Spend
from taskkit.events import Events
from taskkit.models import Model, lookup, user_file
from taskkit.settings import OPENAI_URL, Settings
from taskkit.tokens import Counter


class Roads:
    """Kept as long as its engine. `transport`, where it is given, takes the place of every connection."""

    def __init__(
        self,
        settings: Settings,
        events: Events,
        journal: Journal,
        learned: Learned,
        *,
        transport: Transport | None = None,
        today: date | None = None,
    ) -> None:
        self.open: dict[str, Road] = {}
        self._settings = settings
        self._said = events
        self._events = events
        self._journal = journal
        self._learned = learned
        self._transport = transport
        self._scripted = transport is not None
        self._real: Roads | None = None  # what a rehearsal is of
        self._today = today
        self._spend = Spend(settings.max_cost, journal)
        self._bound: dict[str, list[Choice]] = {}
        self._routes: dict[tuple[str, str], tuple[tuple[Road, int | None, float], Route]] = {}
        self._opening = asyncio.Lock()
        self._pid = os.getpid()

    def rehearsal(self, transport: Transport, events: Events, journal: Journal) -> Self:
        """The same choices, but nothing is sent, spent or started; what is to be known is said all the same."""
        other = copy.copy(self)
        other.open, other._transport = {}, transport  # noqa: SLF001 - of the same class
        other._spend, other._events, other._journal = Spend(None), events, journal  # noqa: SLF001
        other._routes, other._real = {}, self  # noqa: SLF001
        return other

    def choices(self, tier: str) -> list[Choice]:
        """The model of a tier, and then its fallbacks."""
        self._own()
        if self._scripted:
            name = self._settings.model or bound(self._settings, tier)
            return [Choice(lookup(name), "scripted://", "")]
        if tier not in self._bound:
            self._bound[tier] = choices(self._settings, tier, today=self._today)
        return self._bound[tier]

    def embedding(self, name: str) -> Choice:
        """Where a model that embeds is asked."""
        if self._scripted:
            return Choice(lookup(name), "scripted://", "")
        return embedding(self._settings, name, lambda: self.choices("fast")[0])

    def _own(self) -> None:
        """In a forked child the parent's connections are left alone, and its own are made."""
        if self._pid != os.getpid():
            self._pid, self._opening = os.getpid(), asyncio.Lock()
            loop.left(dict(self.open))
            self.open.clear()

    def known(self, choice: Choice) -> Route | None:
        """The route of an endpoint that was opened before; no call and no other thread is needed for it."""
        road = self.open.get(choice.key)
        if road is None or choice.is_local or not choice.given:
            return None
        return self._route(road, choice.model, choice)

    async def route(self, choice: Choice) -> Route:
        """Opens the endpoint where it was not; on the background loop."""
        if known := self.known(choice):
            return known
        async with self._opening:
            road, model = await self._opened(choice)
        return self._route(road, model, choice)

    def _route(self, road: Road, model: Model, choice: Choice) -> Route:
        """Made anew where something was learned of the model since."""
        if choice.notice and model == choice.model:
            self._warn(choice.notice)
        where = road.endpoint.base_url, model.name
        context = self._settings.context or self._learned.window(*where, None)
        ratio = self._learned.known_ratio(*where) or model.ratio
        held = self._routes.get(where)
        if held is not None and held[0] == (road, context, ratio):
            return held[1]
        if not (model.known or context is not None or choice.is_local or choice.embeds):  # its limit is learned
            self._warn(
                f"Nothing is known of {model.name}: a context of {model.context} tokens is assumed. "
                f"Say --context, or give it a row in {user_file()}."
            )
        window = model.window if context is None else model.within(context)
        route = Route(model, window, Counter(model.encoding, ratio), road)
        self._routes[where] = (road, context, ratio), route
        return route

    async def _opened(self, choice: Choice) -> tuple[Road, Model]:
        road, model = self.open.get(choice.key), choice.model
        if choice.is_local:
            from taskkit.engine import embedded

            if self._real is not None:
                endpoint, model = embedded.known(choice.model)
            elif choice.embeds:
                endpoint, model = await asyncio.to_thread(embedded.embedding, choice.model, self._notice)
            else:
                endpoint, model = await asyncio.to_thread(
                    embedded.started, choice.model, self._settings.context, self._notice
                )
        else:
            endpoint = Endpoint(choice.base_url, choice.api_key, choice.base_url)
        if road is None or road.endpoint != endpoint:
            if road is not None:  # an embedded model that ended: the next one has another port
                await road.transport.close()
            road = self.open[choice.key] = self._road(endpoint, is_local=choice.is_local)
        if choice.is_local:
            return road, model
        if isinstance(road.transport, OpenAITransport):
            model = await self._served(road.transport, model, given=choice.given)
        elif self._real is not None and not choice.given:
            _, model = await self._real._opened(choice)  # noqa: SLF001 - of the same class
        return road, model

    async def _served(self, transport: OpenAITransport, model: Model, *, given: bool) -> Model:
        """An endpoint of one's own often serves one model, under a name that nobody should have to repeat. It may also
        tell the window that it gives a model of which nothing is known; then it is learned on the way."""
        sized = model.known or self._settings.context is not None
        if transport.base_url == OPENAI_URL or (given and sized):
            return model
        names = await transport.served()
        return model if given or len(names) != 1 else lookup(names[0])

    def _road(self, endpoint: Endpoint, *, is_local: bool) -> Road:
        chosen = self._settings
        pace = Pace(
            self._events,
            concurrency=chosen.concurrency or (2 if is_local else None),
            rpm=None if self._real else chosen.rpm,  # what is not sent need not wait
            tpm=None if self._real else chosen.tpm,
        )
        transport = self._transport or OpenAITransport(
            endpoint.base_url, endpoint.api_key, organization=chosen.organization, timeout=chosen.timeout,
            learned=self._learned, told=pace.told,
        )  # fmt: skip
        return Road(endpoint, transport, pace, self._spend, self._journal, self._events, self._learned)

    def _warn(self, message: str) -> None:
        self._said.once("warning", message)

    def _notice(self, message: str) -> None:
        self._said.once("notice", message)
