"""The cost cap. The worst case of a call is reserved before it is sent, so that calls in flight can not pass the cap
together; the true cost takes its place afterwards. A call that would pass it waits while others may still give
something back, and is refused when none can.

A call that cost more than its worst case was a surprise; that others of its model may cost as many times more is
none: from then on that much is reserved, also for those in flight."""

import asyncio
from collections import deque
from decimal import Decimal

from taskkit.engine.journal import Journal
from taskkit.errors import ConfigurationError, CostCapError
from taskkit.models import user_file
from taskkit.results import dollars

SURPRISE = Decimal(8)  # times its worst case that a call is taken to cost at the most after one
MARGIN = Decimal("1.25")  # for the next surprise, which may be larger


class Spend:
    """`cap` in dollars, None for none. Used on one loop."""

    def __init__(self, cap: Decimal | None, journal: Journal | None = None) -> None:
        self.cap = cap
        self._journal = journal
        self.spent = Decimal(0)
        self._in_flight = 0
        self._held: dict[str, Decimal] = {}  # by model, the worst case of its calls in flight
        self._times: dict[str, Decimal] = {}  # their worst case that calls of a model have cost
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def reserved(self) -> Decimal:
        return sum((held * self._times.get(model, 1) for model, held in self._held.items()), Decimal(0))

    async def reserve(self, worst: Decimal | None, model: str) -> Decimal:
        """What was reserved, to be given back to `settle`. Raises `CostCapError` past the cap, and `ConfigurationError`
        when there is a cap and the price of the model is unknown."""
        if self.cap is None:
            return Decimal(0)
        if worst is None:
            raise ConfigurationError(
                f"The price of {model} is unknown, so a cost cap can not be kept.",
                hint=f'Give it in {user_file()} ([models."{model}"] price = [in, out], dollars a million tokens), or '
                "leave max_cost (--max-cost) out.",
            )
        while not self._bears(worst, model):
            if not self._in_flight:
                raise self._reached(worst * self._times.get(model, 1), self.cap)
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        self._in_flight += 1
        self._held[model] = self._held.get(model, Decimal(0)) + worst
        return worst

    def _bears(self, worst: Decimal, model: str) -> bool:
        return self.cap is None or self.spent + self.reserved + worst * self._times.get(model, 1) <= self.cap

    def _reached(self, worst: Decimal, cap: Decimal) -> CostCapError:
        kept, again = "What was finished is kept in the journal.", " and run the same again to go on"
        if self._journal is None or not self._journal.on:
            kept = again = ""
        elif self._journal.fresh:
            again = " and run it without --fresh (fresh=True) to go on"
        return CostCapError(
            f"The next call may cost {dollars(worst)}; {dollars(self.spent)} of the cap of {dollars(cap)} is spent.",
            kept=kept,
            hint=f"Raise max_cost (--max-cost){again}.",
        )

    def settle(self, model: str, reserved: Decimal, true: Decimal | None) -> None:
        """`true` None: it is not known what the endpoint took; the reservation then counts as spent."""
        if self.cap is None:
            return
        self._in_flight -= 1
        self._held[model] -= reserved
        if true is None:
            true = reserved * self._times.get(model, 1)
        elif true and reserved:
            times = Decimal(1) if true <= reserved else min(true / reserved * MARGIN, SURPRISE)
            self._times[model] = max(self._times.get(model, times), times)
        self.spent += true
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
