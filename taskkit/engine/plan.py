"""What a task would take, told before anything is sent: its own code runs over answers made up on the spot.

It runs twice, which gives the two ends of each range: over the shortest answers, all good at once, and over the
longest, of which some have to be put right. A call that says what its answer is `likely` to be gets that."""

import json
from collections import Counter as Counted
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from taskkit.engine.call import Call, Embedded, Message, Reply
from taskkit.engine.calls import Calls
from taskkit.engine.prices import cost, worst_case
from taskkit.engine.route import Route
from taskkit.engine.schema import stand_in
from taskkit.job import Job
from taskkit.results import Usage, dollars
from taskkit.taskclass import Task
from taskkit.tokens import Counter, at_most, count_messages

SECONDS_A_CALL = 0.6  # until the first token
TOKENS_A_SECOND = 60.0  # of an answer; the usual of hosted models
LOCAL_TOKENS_A_SECOND = 12.0
FILLER = "Lorem ipsum dolor sit amet. "
SHORT = 1  # tokens; "Yes"


@dataclass(frozen=True, slots=True)
class Plan:
    """Each pair is (low, high): of short answers, all good at once, and of long ones of which the first and one in ten has
    to be put right. `cost` in dollars, None when the price is unknown. `minutes` is an estimate: it
    assumes 60 tokens a second and call of a hosted model, 12 of the embedded one, and the limits that are set. `cap` is
    the engine's `max_cost`, `enough` a cap under which no call can be refused."""

    model: str
    strategy: str
    calls: tuple[int, int]
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    cost: tuple[Decimal, Decimal] | None
    minutes: tuple[float, float]
    cap: Decimal | None = None
    enough: Decimal | None = None

    def __str__(self) -> str:
        cost = (
            "unknown (no price is known for this model)"
            if self.cost is None
            else " to ".join(dict.fromkeys(map(dollars, self.cost)))
        )
        return "\n".join(
            (
                f"model     {self.model}",
                f"strategy  {self.strategy}",
                f"calls     {_span(self.calls, '{:,}')}",
                f"tokens    {_span(self.input_tokens, '{:,}')} in, {_span(self.output_tokens, '{:,}')} out",
                f"cost      {cost}{self._beside_the_cap()}",
                f"minutes   {_span(self.minutes, '{:.1f}')}",
            )
        )

    def _beside_the_cap(self) -> str:
        if self.cap is None or self.cost is None:
            return ""
        low, high = self.cost[0], self.enough or self.cost[1]
        enough = "enough" if high <= self.cap else "perhaps not enough" if low <= self.cap else "not enough"
        return f"; the cap of ${self.cap:.4f} is {enough}"


def _span(pair: tuple[Any, Any], form: str) -> str:
    low, high = (form.format(one) for one in pair)
    return low if low == high else f"{low} to {high}"


class StandIn:
    """A transport that sends nothing. `size` says which end of the range its answers are at."""

    def __init__(self, size: Literal["low", "high"]) -> None:
        self.size: Literal["low", "high"] = size
        self.calls: list[tuple[int, int]] = []
        self.embeddings: list[tuple[int, int]] = []
        self.worst: list[Usage] = []
        self.route: Route | None = None

    @property
    def all(self) -> list[tuple[int, int]]:
        return self.calls + self.embeddings

    async def chat(self, call: Call, on_text: object) -> Reply:  # noqa: ARG002 - the transport's signature
        assert self.route is not None
        counter = self.route.counter
        text = self._answer(call, counter)
        given = count_messages(call.messages, counter, call.schema)
        usage = Usage(calls=1, input_tokens=given, output_tokens=counter.count(text))
        model = self.route.model
        self.worst.append(worst_case(call, model, self.route.road.endpoint.base_url))
        if self.size == "high" and any(one.images for one in call.messages):
            given = self.worst[-1].input_tokens
        most = call.max_output or usage.output_tokens
        # The answers are short; what they may cost is not.
        self.calls.append((given, max(usage.output_tokens, most) if self.size == "high" else usage.output_tokens))
        return Reply(text, "stop", usage, call.model)

    def _answer(self, call: Call, counter: Counter) -> str:
        if call.likely is not None:
            return call.likely
        if call.schema is not None:
            return json.dumps(stand_in(call.schema, self.size))
        wanted = SHORT if self.size == "low" else max(SHORT, (call.max_output or 256) * 3 // 4)
        text = FILLER * (wanted // counter.count(FILLER) + 1)
        return counter.cut(text, wanted)

    async def embed(self, _model: str, texts: tuple[str, ...], dimensions: int | None = None) -> Embedded:
        assert self.route is not None
        given = [Message("user", one) for one in texts]
        size = at_most(given) if self.size == "high" else count_messages(given, self.route.counter)
        self.embeddings.append((size, 0))
        vectors = tuple((1.0,) + (0.0,) * ((dimensions or 2) - 1) for _ in texts)
        return Embedded(vectors, Usage(calls=1, input_tokens=size))

    async def moderate(self, _what: str, *, image: bool = False) -> tuple[str, ...]:  # noqa: ARG002 - as above
        return ()

    async def close(self) -> None:
        pass


def _ordered(one: int, other: int) -> tuple[int, int]:
    """More foreseen for the answers can be less for the questions: fewer fit into a call, or more are put right."""
    return min(one, other), max(one, other)


async def planned(engine: Calls, task: Task[Any], foreseen: Counted[str] | None = None) -> Plan:
    ends: list[tuple[StandIn, Job]] = []
    sizes: tuple[Literal["low", "high"], ...] = ("low", "high")
    for size in sizes:
        transport = StandIn(size)
        rehearsal = engine.rehearsal(transport)
        route = transport.route = await rehearsal.route(rehearsal.tier or task.tier)
        job = Job(rehearsal, task, route, None)
        if size == "high":
            job.foreseen = Counted() if foreseen is None else foreseen
        await task.run(job)
        ends.append((transport, job))
    (low, job), (high, longest) = ends
    assert low.route is not None
    route = low.route
    url = route.road.endpoint.base_url
    costs = [
        _cost([Usage(input_tokens=one, output_tokens=out) for one, out in end.calls], route, url, did.embedded)
        for end, did in ends
    ]
    known = None if costs[0] is None or costs[1] is None else (costs[0], costs[1])
    return Plan(
        route.model.name,
        job.strategy or ("one call" if len(high.calls) == 1 else "a call for each part"),
        (len(low.all), len(high.all)),
        _ordered(_sum(low, 0), _sum(high, 0)),
        _ordered(_sum(low, 1), _sum(high, 1)),
        known,
        (_minutes(low, engine, local=not url), _minutes(high, engine, local=not url)),
        engine.settings.max_cost,
        _cost(high.worst, route, url, longest.embedded),
    )


def _sum(end: StandIn, which: int) -> int:
    return sum(call[which] for call in end.all)


def _cost(calls: Sequence[Usage], route: Route, url: str, embedded: Usage) -> Decimal | None:
    costs = [embedded.cost, *(cost(route.model, one, url) for one in calls)]
    known = [one for one in costs if one is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _minutes(end: StandIn, engine: Calls, *, local: bool) -> float:
    if not end.all:
        return 0.0
    limits = engine.settings
    speed = LOCAL_TOKENS_A_SECOND if local else TOKENS_A_SECOND
    each = [SECONDS_A_CALL + out / speed for _, out in end.all]
    at_once = limits.concurrency or (2 if local else 16)
    seconds = max(*each, sum(each) / at_once)
    if limits.rpm:
        seconds = max(seconds, len(each) * 60 / limits.rpm)
    if limits.tpm:
        seconds = max(seconds, (_sum(end, 0) + _sum(end, 1)) * 60 / limits.tpm)
    return round(seconds / 60, 2)
