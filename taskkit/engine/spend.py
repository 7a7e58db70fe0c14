"""The cost cap. The worst case of a call is reserved before it is sent, so that calls in flight can not pass the cap
together; the true cost takes its place afterwards. A call that would pass it waits while others may still give
something back, and is refused when none can.

A call that cost more than its worst case was a surprise; that others of its model may cost as many times more is
none: from then on that much is reserved, also for those in flight. Whether an endpoint heeds the limit of an answer
is not known before its first answers: until then only so many calls are in flight as the cap bears if it does not."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal

from taskkit.engine.journal import Journal
from taskkit.errors import ConfigurationError, CostCapError
from taskkit.models import user_file
from taskkit.results import dollars

SURPRISE = Decimal(8)  # times its worst case that a call is taken to cost at the most after one
MARGIN = Decimal("1.25")  # for the next surprise, which may be larger
TRUSTED = 4  # answers of a model that kept to their limit, after which it is believed to


@dataclass(frozen=True, slots=True)
class Held:
    """Dollars: the worst case of a call, and `most` where the limit of its answer is not heeded (the same once that is
    believed)."""

    worst: Decimal
    most: Decimal

    def __add__(self, other: "Held") -> "Held":
        return Held(self.worst + other.worst, self.most + other.most)

    def __sub__(self, other: "Held") -> "Held":
        return Held(self.worst - other.worst, self.most - other.most)


NOTHING = Held(Decimal(0), Decimal(0))


class Spend:
    """`cap` in dollars, None for none. Used on one loop."""

    def __init__(self, cap: Decimal | None, journal: Journal | None = None) -> None:
        self.cap = cap
        self._journal = journal
        self.spent = Decimal(0)
        self._in_flight = 0
        self._held: dict[str, Held] = {}  # by model, of its calls in flight
        self._times: dict[str, Decimal] = {}  # their worst case that calls of a model have cost
        self._heeded: Counter[str] = Counter()  # answers of a model that kept to their limit
        self._heedless: set[str] = set()  # models that wrote on over one
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def reserved(self) -> Decimal:
        return sum((self._of(model, held) for model, held in self._held.items()), Decimal(0))

    async def reserve(self, worst: Decimal | None, model: str, most: Decimal | None = None) -> Held:
        """What was reserved, to be given back to `settle`. `most` is what the call may cost where the limit of its answer
        is not heeded, None where it surely is. Raises `CostCapError` past the cap, and `ConfigurationError` when there is
        a cap and the price of the model is unknown."""
        if self.cap is None:
            return NOTHING
        if worst is None:
            raise ConfigurationError(
                f"The price of {model} is unknown, so a cost cap can not be kept.",
                hint=f'Give it in {user_file()} ([models."{model}"] price = [in, out], dollars a million tokens), or '
                "leave max_cost (--max-cost) out.",
            )
        while not self._bears(held := self._wary(worst, most, model), model):
            if not self._in_flight:
                least = held if model in self._heedless else Held(worst, worst)
                if not self._bears(least, model):
                    raise self._reached(self._of(model, least), self.cap, model)
                held = Held(worst, self.cap - self.spent)  # nothing against it, but nothing beside it
                break
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        self._in_flight += 1
        self._held[model] = self._held.get(model, NOTHING) + held
        return held

    def _wary(self, worst: Decimal, most: Decimal | None, model: str) -> Held:
        believed = self._heeded[model] >= TRUSTED and model not in self._heedless
        return Held(worst, worst if believed or most is None else max(worst, most))

    def _of(self, model: str, held: Held) -> Decimal:
        return max(held.worst * self._times.get(model, 1), held.most)

    def _bears(self, held: Held, model: str) -> bool:
        others = self._held.get(model, NOTHING)
        more = self._of(model, others + held) - self._of(model, others)
        return self.cap is None or self.spent + self.reserved + more <= self.cap

    def _reached(self, worst: Decimal, cap: Decimal, model: str) -> CostCapError:
        kept, again = "What was finished is kept in the journal.", " and run the same again to go on"
        if self._journal is None or not self._journal.on:
            kept = again = ""
        elif self._journal.fresh:
            again = " and run it without --fresh (fresh=True) to go on"
        why = ", as the endpoint does not heed the limit of an answer" if model in self._heedless else ""
        return CostCapError(
            f"The next call may cost {dollars(worst)}{why}; {dollars(self.spent)} of the cap of {dollars(cap)} is spent.",
            kept=kept,
            hint=f"Raise max_cost (--max-cost){again}.",
        )

    def settle(self, model: str, held: Held, true: Decimal | None, *, heeded: bool = True) -> None:
        """`true` None: it is not known what the endpoint took; the worst case then counts as spent. `heeded` tells
        whether an answer kept to its limit."""
        if self.cap is None:
            return
        self._in_flight -= 1
        self._held[model] -= held
        if true is None:
            true = held.worst * self._times.get(model, 1)
        elif true and held.worst:
            times = Decimal(1) if true <= held.worst else min(true / held.worst * MARGIN, SURPRISE)
            self._times[model] = max(self._times.get(model, times), times)
            self._heeded[model] += 1
        if not heeded:
            self._heedless.add(model)
        self.spent += true
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
