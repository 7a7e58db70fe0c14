"""The engine: every model call of every task takes its one road.

prompt -> fit -> journal -> spend -> pace -> send -> finish -> structure -> reply
"""

import asyncio
import contextlib
import copy
import os
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from taskkit import settings as settings_
from taskkit.engine import finish, loop, structure
from taskkit.engine.call import Call, Message, Reply
from taskkit.engine.endpoint import Choice, Endpoint, bound, choices
from taskkit.engine.fit import fit
from taskkit.engine.journal import Journal, Run
from taskkit.engine.learn import Learned
from taskkit.engine.pace import Pace
from taskkit.engine.plan import Plan, planned
from taskkit.engine.road import Road, discard, shut
from taskkit.engine.route import Answered, Asked, Route, batches_of
from taskkit.engine.schema import answer_schema
from taskkit.engine.send import OnText, OpenAITransport, Transport
from taskkit.engine.spend import Spend
from taskkit.engine.stream import Stream
from taskkit.errors import (
    ConfigurationError,
    ContextTooLong,
    CostCapError,
    EndpointError,
    InvalidOutputError,
    QuotaError,
    TaskkitError,
    TruncatedError,
    UnsafeError,
)
from taskkit.events import Events
from taskkit.models import Model, lookup
from taskkit.prompt import Part
from taskkit.results import Notice, Result, Usage
from taskkit.tokens import Counter

if TYPE_CHECKING:
    from taskkit.job import Job
    from taskkit.taskclass import Task

R = TypeVar("R")

ANSWER = 4096  # tokens kept for an answer unless a task says otherwise; longer ones are continued
REASONING = 4096  # tokens on top, for what a reasoning model thinks before it answers
FATAL = (ConfigurationError, CostCapError, QuotaError)  # what stops a whole job, not one piece of it


class Engine:
    """Runs tasks. Arguments that are not given come from the settings (environment, project, user's file).

    `max_cost` in dollars is for all that this engine runs. `journal` False turns it off, a path moves it; `fresh`
    asks anew and records. `moderate` is "input", "output" or "both". `temperature` and `tier` replace those of
    the tasks. `transport` is for tests: see `taskkit.testing`."""

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
        if temperature is not None and not 0 <= temperature <= 2:
            raise ConfigurationError(f"A temperature of {temperature} is not between 0 and 2.")
        self.settings = settings_.load(given)
        self.temperature = temperature
        self.tier = tier
        self.events = Events()
        self.usage = Usage()
        self._transport = transport
        self._scripted = transport is not None
        self._today = today
        self._warned: set[str] = set()
        path = journal if isinstance(journal, Path) else settings_.cache_dir() / "journal.sqlite" if journal else None
        self.journal = Journal(path, warn=self.warn, fresh=fresh)
        self._spend = Spend(self.settings.max_cost)
        self.learned = Learned()
        self.capabilities = structure.Capabilities()
        self._roads: dict[str, Road] = {}
        self._bound: dict[str, list[Choice]] = {}
        self._opening = asyncio.Lock()
        self._pid = os.getpid()
        self.rehearses = False  # nothing is sent; answers are made up
        weakref.finalize(self, discard, self._roads, self.journal)

    # Running tasks -----------------------------------------------------------------------------------------------

    def run(self, task: "Task[R]") -> R:
        """Runs a task and waits for it."""
        return loop.run(self.arun(task))

    async def arun(self, task: "Task[R]", *, on_text: OnText | None = None) -> R:
        started = time.monotonic()
        try:
            job, result = await self._worked(task, on_text)
        except ContextTooLong as error:
            if error.part != "messages":
                raise
            # The server has told its real window: what was cut for another is cut again, once.
            self.warn(f"{error.message} The text is cut anew for that window.")
            job, result = await self._worked(task, on_text)
        if isinstance(result, Result):
            usage = job.usage.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
            return cast(
                "R",
                result.model_copy(update={"usage": usage, "warnings": job.notices, "prompts": job.prompts}),
            )
        return result

    async def _worked(self, task: "Task[R]", on_text: OnText | None) -> "tuple[Job, R]":
        from taskkit.job import Job

        task.check()
        choice = self._choices(self.tier or task.tier)[0]
        known = self._known(choice)
        route = known if known is not None else await loop.across(self._open(choice))
        job = Job(self, task, route, on_text)
        job.run = None if task.conversation or not self.journal.on else Run(self.journal, job.key)
        try:
            result = await task.run(job)
        except TaskkitError as error:
            error.usage = job.usage
            raise
        finally:
            self.usage += job.usage
        if job.run is not None:
            job.run.end()
        return job, result

    def stream(self, task: "Task[R]") -> Stream[R]:
        return Stream(lambda put: self.arun(task, on_text=put))

    def map(self, tasks: "Sequence[Task[R]]") -> "list[R | TaskkitError]":
        """All of them, at once and in order; an error of one stands in its place."""
        from taskkit.job import gather

        return loop.run(gather(self.arun, tasks, keep_errors=True))

    def plan(self, task: "Task[Any]") -> Plan:
        """What the task would take. Its own code runs over answers made up on the spot; nothing is sent."""
        return loop.run(planned(self, task))

    def rehearsal(self, transport: Transport) -> "Engine":
        """This engine's likeness that sends nothing and keeps nothing; for the planner."""
        other = copy.copy(self)
        other.rehearses, other._transport, other._roads = True, transport, {}  # noqa: SLF001 - of the same class
        other._spend, other.events, other.journal = Spend(None), Events(), Journal(None, warn=self.warn)  # noqa: SLF001
        other.settings = replace(self.settings, moderate="")
        return other

    # One call --------------------------------------------------------------------------------------------------

    async def complete(self, parts: Sequence[Part], asked: Asked) -> Answered:
        """The road, from parts to an answer. Raises one of our errors when there is none."""
        return await loop.across(self._complete(parts, asked))

    async def _complete(self, parts: Sequence[Part], asked: Asked) -> Answered:
        failed: EndpointError | None = None
        options = self._choices(asked.tier)
        for number, choice in enumerate(options):
            try:
                return await self._on(await self._open(choice), parts, asked)
            except (InvalidOutputError, TruncatedError, QuotaError) as error:
                failed = error
            except EndpointError as error:
                failed = error
            if number + 1 < len(options):
                self.warn(f"{choice.model.name} failed ({failed}); {options[number + 1].model.name} is asked instead.")
        assert failed is not None
        raise failed

    async def _on(self, route: Route, parts: Sequence[Part], asked: Asked) -> Answered:
        schema = None if asked.output is str else answer_schema(asked.output)
        wanted = self.answer_room(route, asked.max_output)
        fitted = fit(parts, route.window.input_room(wanted), route.counter, schema=schema)
        notices = tuple(
            Notice(code="dropped", message=f"No room for {one}: it was left out.") for one in fitted.dropped
        )
        await self._moderated(route, "input", "\n".join(one.content for one in fitted.messages if one.role == "user"))
        call = Call(
            route.model.name, fitted.messages, asked.temperature, wanted, schema, stop=(), sample=asked.sample,
            likely=asked.likely,
        )  # fmt: skip
        keys: list[bytes] = []

        async def paid(one: Call) -> Reply:
            show = asked.on_text if one is call else None
            reply = await route.road.paid(one, route.model, route.counter, run=asked.run, on_text=show, keys=keys)
            if asked.took is not None:
                asked.took(reply.usage)
            return reply

        async def whole(one: Call) -> Reply:
            return await finish.whole(
                one, paid, rounds=asked.rounds, room=lambda c: self._output_room(route, c.messages), show=asked.on_text
            )

        try:
            if schema is None:
                reply = await whole(call)
                value: Any = reply.text
            else:
                where = (route.road.endpoint.base_url, route.model.name)
                value, reply = await structure.answer(
                    call, asked.output, whole, capabilities=self.capabilities, where=where
                )
        except (InvalidOutputError, TruncatedError, EndpointError):
            self.journal.forget(keys)  # an answer that was of no use must not be given again
            raise
        await self._moderated(route, "output", reply.text)
        if reply.finish == "length":
            message = f"The answer was still cut off after {len(reply.text)} characters."
            notices = (*notices, Notice(code="truncated", message=message, failure=True))
        self._learn_ratio(route, call, reply)
        return Answered(value, notices)

    def answer_room(self, route: Route, wanted: int | None) -> int:
        """The tokens to keep for an answer: what the task wants, within what the window can give."""
        window = route.window
        room = min(wanted or ANSWER, window.max_output, max(1, window.context // 2))
        if route.model.reasoning:
            room = min(room + REASONING, window.max_output, max(1, window.context // 2))
        return room

    def _output_room(self, route: Route, messages: Sequence[Message]) -> int:
        from taskkit.tokens import count_messages

        return route.window.output_room(count_messages(messages, route.counter))

    def _learn_ratio(self, route: Route, call: Call, reply: Reply) -> None:
        if route.model.known and route.model.ratio == 1.0:
            return
        self.learned.ratio(route.road.endpoint.base_url, route.model.name, call.messages, reply.usage, route.counter)

    async def _moderated(self, route: Route, side: str, text: str) -> None:
        if self.settings.moderate not in {side, "both"} or not text:
            return
        categories = await route.road.transport.moderate(text)
        if categories:
            raise UnsafeError(f"The {side} was flagged: {', '.join(categories)}.", categories=categories, text=text)

    async def embed(self, texts: Sequence[str], *, model: str = "text-embedding-3-small") -> list[tuple[float, ...]]:
        """A vector a text, in order, in batches of at most 2,048 texts and 250,000 tokens."""
        return await loop.across(self._embed(texts, model))

    async def _embed(self, texts: Sequence[str], model: str) -> list[tuple[float, ...]]:
        choice = replace(self._choices("fast")[0], model=lookup(model), given=True)
        route = await self._open(choice)
        batches = batches_of(texts, route.counter.count_many(list(texts)))
        got = await asyncio.gather(*(route.road.embedded(route.model, batch, size) for batch, size in batches))
        for one in got:
            self.usage += one.usage
        return [vector for one in got for vector in one.vectors]

    # Endpoints ---------------------------------------------------------------------------------------------------

    async def route(self, tier: str) -> Route:
        return await self._open(self._choices(tier)[0])

    def _own(self) -> None:
        """In a forked child the parent's connections are left alone, and its own are made."""
        if self._pid != os.getpid():
            self._pid, self._opening = os.getpid(), asyncio.Lock()
            loop.left(dict(self._roads))
            self._roads.clear()

    def _choices(self, tier: str) -> list[Choice]:
        self._own()
        if self._scripted:
            name = self.settings.model or bound(self.settings, tier)
            return [Choice(lookup(name), "scripted://", "")]
        if tier not in self._bound:
            self._bound[tier] = choices(self.settings, tier, today=self._today, warn=self.warn)
        return self._bound[tier]

    async def _open(self, choice: Choice) -> Route:
        if known := self._known(choice):
            return known
        async with self._opening:
            road, model = await self._opened(choice, choice.key)
        return self._route(road, model, choice)

    def _known(self, choice: Choice) -> Route | None:
        """The route of an endpoint that was opened before; no call and no other thread is needed for it."""
        road = self._roads.get(choice.key)
        if road is None or choice.is_local or not choice.given:
            return None
        return self._route(road, choice.model, choice)

    def _route(self, road: Road, model: Model, choice: Choice) -> Route:
        context = self.settings.context or self.learned.window(road.endpoint.base_url, model.name, None)
        if not model.known and not self.settings.context and not choice.is_local:
            self.warn(
                f"Nothing is known of {model.name}: a context of {model.context} tokens is assumed. "
                "Say --context, or give it a row in models.toml."
            )
        window = model.window if context is None else model.window.narrowed(context)
        ratio = self.learned.known_ratio(road.endpoint.base_url, model.name) or model.ratio
        return Route(model, window, Counter(model.encoding, ratio), road)

    async def _opened(self, choice: Choice, key: str) -> tuple[Road, Model]:
        road, model = self._roads.get(key), choice.model
        if choice.is_local:
            from taskkit.engine import embedded

            if self.rehearses:
                endpoint, model = embedded.known(choice.model)
            else:
                endpoint, model = await asyncio.to_thread(
                    embedded.started, choice.model, self.settings.context, self.notice
                )
        else:
            endpoint = Endpoint(choice.base_url, choice.api_key, choice.base_url)
        if road is None or road.endpoint != endpoint:
            road = self._roads[key] = self._road(endpoint, is_local=choice.is_local)
        if not choice.given and isinstance(road.transport, OpenAITransport):
            model = await self._served(road.transport, model)
        return road, model

    async def _served(self, transport: OpenAITransport, model: Model) -> Model:
        """An endpoint of one's own often serves one model, under a name that nobody should have to repeat."""
        if transport.base_url == settings_.OPENAI_URL:
            return model
        names = await transport.served()
        return lookup(names[0]) if len(names) == 1 else model

    def _road(self, endpoint: Endpoint, *, is_local: bool) -> Road:
        chosen = self.settings
        pace = Pace(
            self.events,
            concurrency=chosen.concurrency or (2 if is_local else None),
            rpm=chosen.rpm,
            tpm=chosen.tpm,
        )
        transport = self._transport or OpenAITransport(
            endpoint.base_url, endpoint.api_key, organization=chosen.organization, timeout=chosen.timeout,
            learned=self.learned, told=pace.told,
        )  # fmt: skip
        return Road(endpoint, transport, pace, self._spend, self.journal, self.events)

    # Saying and ending ----------------------------------------------------------------------------------------

    def warn(self, message: str) -> None:
        """Said once."""
        if message not in self._warned:
            self._warned.add(message)
            self.events.emit("warning", message)

    def notice(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self.events.emit("notice", message)

    async def aclose(self) -> None:
        """Gives back connections and files; an engine that is used again opens them again."""
        await loop.across(shut(self._roads, self.journal))

    def close(self) -> None:
        """As `aclose`, and waits; not for ever, as there are servers that never end a connection."""
        with contextlib.suppress(TimeoutError):
            loop.run(shut(self._roads, self.journal), timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
