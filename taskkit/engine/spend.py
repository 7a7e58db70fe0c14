"""The cost cap. The worst case of a call is reserved before it is sent, so that calls in flight can not pass the cap
together; the true cost takes its place afterwards. A call that would pass it waits while others may still give
something back, and is refused when none can."""

import asyncio
from collections import deque
from decimal import Decimal

from taskkit.engine.journal import Journal
from taskkit.errors import ConfigurationError, CostCapError
from taskkit.models import user_file
from taskkit.results import dollars


class Spend:
    """`cap` in dollars, None for none. Used on one loop."""

    def __init__(self, cap: Decimal | None, journal: Journal | None = None) -> None:
        self.cap = cap
        self._journal = journal
        self.spent = Decimal(0)
        self.reserved = Decimal(0)
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def reserve(self, worst: Decimal | None, model: str) -> Decimal:
        """What was reserved, to be given back to `settle`. Raises `CostCapError` past the cap, and
        `ConfigurationError` when there is a cap and the price of the model is unknown."""
        if self.cap is None:
            return Decimal(0)
        if worst is None:
            raise ConfigurationError(
                f"The price of {model} is unknown, so a cost cap can not be kept.",
                hint=f'Give it in {user_file()} ([models."{model}"] price = [in, out], dollars a million tokens), or '
                "leave max_cost (--max-cost) out.",
            )
        while self.spent + self.reserved + worst > self.cap:
            if not self.reserved:
                raise self._reached(worst, self.cap)
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        self.reserved += worst
        return worst

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

    def settle(self, reserved: Decimal, true: Decimal | None) -> None:
        """`true` None: it is not known what the endpoint took; the reservation then counts as spent."""
        self.reserved -= reserved
        self.spent += reserved if true is None else true
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
