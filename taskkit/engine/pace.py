"""How fast calls go out, and the one owner of retries.

Concurrency begins at 16, or as set, and grows with each success until the endpoint says 429; then it is cut, and
all calls to that host pause together. `x-ratelimit-*` headers, `rpm` and `tpm` set the pace where they are given.

No wait is silent, and none is without bound: headers hold a call up for `LONGEST_LIMIT` at most, a 429 for
`LONGEST_RETRY_AFTER`; one that names a longer time is an error at once."""

import asyncio
import copy
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from taskkit.errors import AuthenticationError, EndpointError, QuotaError, RateLimitError, TaskkitError
from taskkit.events import Events

T = TypeVar("T")

TRIES = 8  # of a call that fails
LIMITED_TRIES = 30  # of a call that is told to wait: it will come through
FIRST_WAIT = 0.5  # seconds; doubled each time, with jitter
FIRST_PAUSE = 0.1  # of all calls, after a 429 that names no time: the next one doubles it where that was too short
LONGEST_WAIT = 30.0
LONGEST_RETRY_AFTER = 300.0
LEAST_WAIT = 0.5  # seconds, where what was asked for was twice not enough
LONGEST_LIMIT = 60.0  # by headers: limits are those of a minute, and a 429 says the rest
SILENT = 3.0  # seconds that may pass without a word
AT_FIRST, AT_MOST = 16, 256
PRUDENT = 0.1  # of the usual growth, up to as many at once as were too much before
MOST_LIMIT = 1e12


class Transient(Exception):  # noqa: N818 - not an error of ours yet: `error` is, when the tries are used up
    """A failure that another try may mend. `after` is what the server asked for, in seconds; `billed` says that
    the endpoint may have charged for the try, `tries` after how many of them in all it is given up."""

    def __init__(
        self, error: EndpointError, *, after: float | None = None, billed: bool = False, tries: int = TRIES
    ) -> None:
        super().__init__(str(error))
        self.tries = tries
        self.error = error
        self.after = after
        self.billed = billed


def _back_off(failed: int, limited_tries: int, *, limited: bool) -> float:
    first, tries = (FIRST_PAUSE, limited_tries) if limited else (FIRST_WAIT, failed)
    return min(first * 2.0 ** (tries - 1), LONGEST_WAIT) * (0.5 + random.random())  # noqa: S311 - jitter


@dataclass(slots=True)
class Bucket:
    """`level` of what may go now, refilled at `rate` a second up to `size`. What goes although it is larger than that
    is paid back before the next, up to `debt`."""

    size: float
    rate: float
    level: float
    at: float
    debt: float = math.inf

    def wait_for(self, amount: float, now: float) -> float:
        """Seconds until `amount` may go; takes it when that is 0."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        need = min(amount, self.size)
        if self.level >= need:
            self.level = max(self.level - amount, -self.debt)
            return 0.0
        return (need - self.level) / self.rate if self.rate > 0 else LONGEST_WAIT


class Pace:
    """For one host; used on one loop."""

    def __init__(
        self,
        events: Events,
        *,
        concurrency: int | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
    ) -> None:
        self.limit = float(concurrency or AT_FIRST)
        self.most = concurrency or AT_MOST
        self.active = 0
        self.retries = 0
        self._events = events
        self._queue: deque[asyncio.Future[int]] = deque()
        self._resume_at = 0.0
        self._cut_at = 0.0
        self._too_many = math.inf  # at once, when last that was refused
        self._told_until = 0.0
        now = time.monotonic()
        self._requests = Bucket(rpm, rpm / 60, min(rpm, 60.0), now) if rpm else None
        self._tokens = Bucket(tpm, tpm / 60, tpm, now) if tpm else None
        self._fixed = rpm is not None, tpm is not None

    async def run(self, attempt: Callable[[], Awaitable[T]], tokens: int) -> tuple[T, int]:
        """The attempt's value, and how many retries it took. Raises the last try's error when all are used up."""
        failed, limited_tries = 0, 0
        while True:
            among = await self._enter(tokens)
            sent = time.monotonic()
            try:
                value = await attempt()
            except Transient as failure:
                limited = isinstance(failure.error, RateLimitError)
                limited_tries += limited
                failed += not limited
                used_up = failed >= failure.tries or limited_tries >= LIMITED_TRIES
                if used_up or (failure.after or 0) > LONGEST_RETRY_AFTER:
                    raise failure.error from failure
                delay = _back_off(failed, limited_tries, limited=limited)
                if failure.after is not None:
                    delay = max(failure.after, min(delay, LEAST_WAIT) if failed + limited_tries > 2 else 0.0)
                self.retries += 1
                self._events.emit("retry", str(failure.error), tries=failed + limited_tries, seconds=delay)
                if limited:
                    self._slow_down(delay, sent, among)
                    delay = 0.0
            except (AuthenticationError, QuotaError) as error:
                self._turn_away(error)
                raise
            else:
                self._speed_up(among)
                return value, failed + limited_tries
            finally:
                self._leave()
            self._tell(delay, "before the next try")
            await asyncio.sleep(delay)

    async def _enter(self, tokens: int) -> int:
        """In the order of asking: who waits is given a place, so that no newcomer takes it. Gives how many are at
        work with the one that enters."""
        if self.active < int(self.limit) and not self._queue:
            self.active += 1
            among = self.active
        else:
            waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._queue.append(waiter)
            try:
                among = await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._leave()
                raise
        try:
            while (delay := self._delay(tokens)) > 0:
                self._tell(delay, "for the endpoint's limit")
                await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self._leave()
            raise
        return among

    def _delay(self, tokens: int) -> float:
        now = time.monotonic()
        if now < self._resume_at:
            return self._resume_at - now
        if self._requests and (delay := self._requests.wait_for(1, now)):
            return delay
        if self._tokens and (delay := self._tokens.wait_for(tokens, now)):
            if self._requests:
                self._requests.level += 1
            return delay
        return 0.0

    def _tell(self, delay: float, why: str) -> None:
        """Of a wait that is long, once for all calls that wait in that time."""
        until = time.monotonic() + delay
        if delay >= SILENT and until > self._told_until + SILENT:
            self._told_until = until
            self._events.emit("pause", f"waiting {delay:.0f} s {why}", seconds=delay, limit=int(self.limit))

    def _leave(self) -> None:
        self.active -= 1
        self._wake()

    def _wake(self) -> None:
        while self._queue and self.active < int(self.limit):
            waiter = self._queue.popleft()
            if not waiter.done():
                self.active += 1
                waiter.set_result(self.active)

    def _turn_away(self, error: TaskkitError) -> None:
        """What would be told the same is not sent."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_exception(copy.copy(error))

    def _speed_up(self, among: int) -> None:
        """After an answer to a call that went out as one of `among`. Doubles each round until the first 429, from what
        has been seen to go well; then adds one a round, and to what was too much in ten rounds."""
        if among >= self._too_many:
            self._too_many = math.inf
        grown = self.limit + 1 / self.limit if self._cut_at else min(self.limit + 1, 2.0 * among)
        if grown > self._too_many - 1:
            grown = self.limit + PRUDENT / self.limit
        self.limit = min(float(self.most), max(self.limit, grown))

    def _slow_down(self, delay: float, sent: float, among: int) -> None:
        """After a 429 to a call that went out at `sent` as one of `among`: so many were too much."""
        now = time.monotonic()
        self._resume_at = max(self._resume_at, now + delay)
        if sent >= self._cut_at:  # the other calls of the same burst do not cut it again
            self._cut_at = now
            self._too_many = min(self.limit, among)
            self.limit = max(1.0, self._too_many * 0.7)
            self._events.emit("pause", "the endpoint asked for a slower pace", seconds=delay, limit=int(self.limit))

    def told(self, kind: str, *, limit: float, remaining: float, reset: float) -> None:
        """What `x-ratelimit-*` headers say of `requests` or `tokens`; `reset` in seconds until all is back."""
        if self._fixed[0 if kind == "requests" else 1]:
            return
        if not (0 < limit < MOST_LIMIT and math.isfinite(remaining) and 0 <= reset < MOST_LIMIT):
            return  # no limit that can be meant
        remaining = min(max(remaining, 0.0), limit)
        rate = (limit - remaining) / reset if reset > 0 else limit
        rate = max(rate, 1 / LONGEST_LIMIT, limit / LONGEST_LIMIT if kind == "tokens" else 0.0)
        bucket = Bucket(limit, rate, remaining, time.monotonic(), debt=0.0)
        if kind == "tokens":
            self._tokens = bucket
            return
        if self._requests is not None:  # the header is older than what has gone out since
            self._requests.wait_for(0, bucket.at)
            bucket.level = min(remaining, self._requests.level)
        self._requests = bucket
