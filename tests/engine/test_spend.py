"""The cap holds, also for many calls at once, and refuses only what could really pass it."""

import asyncio
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.engine.spend import NOTHING, Spend
from taskkit.errors import ConfigurationError, CostCapError

CENTS = st.integers(0, 100).map(lambda cents: Decimal(cents) / 100)
COSTS = st.integers(1, 100).map(lambda cents: Decimal(cents) / 100)


async def sent(spend: Spend, calls: list[tuple[Decimal, Decimal]], chance: random.Random) -> list[bool]:
    """Which of the calls, each with its worst case and what it costs, were let through."""

    async def one(worst: Decimal, true: Decimal) -> bool:
        try:
            held = await spend.reserve(worst, "m")
        except CostCapError:
            return False
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        spend.settle("m", held, true)
        return True

    return await asyncio.gather(*(one(worst, true) for worst, true in calls))


@settings(deadline=None)
@given(st.lists(st.tuples(CENTS, CENTS), max_size=60), CENTS, st.randoms())
def test_calls_in_flight_never_pass_the_cap_together(
    calls: list[tuple[Decimal, Decimal]], cap: Decimal, chance: random.Random
) -> None:
    spend = Spend(cap)
    costs = [(worst, worst * share) for worst, share in calls]
    done = asyncio.run(sent(spend, costs, chance))
    true = sum((true for (_, true), went in zip(costs, done, strict=True) if went), Decimal(0))
    assert spend.spent == true <= cap
    assert spend.reserved == 0
    for (worst, _), went in zip(calls, done, strict=True):
        assert went or spend.spent + worst > cap, "refused although it fits in what is left"


@settings(deadline=None, max_examples=50)
@given(st.lists(COSTS, min_size=1, max_size=40), st.integers(10, 70), CENTS, st.randoms())
def test_a_surprise_is_one_once(worst: list[Decimal], tenths: int, cap: Decimal, chance: random.Random) -> None:
    """All calls cost up to seven times their worst case. After the first that is known."""
    times = Decimal(tenths) / 10
    cap = max(cap, worst[0])
    spend = Spend(cap)
    first, *rest = [(one, one * times) for one in worst]

    async def work() -> Decimal:
        await sent(spend, [first], chance)
        after_one = spend.spent
        await sent(spend, rest, chance)
        return after_one

    after_one = asyncio.run(work())
    assert spend.spent <= max(cap, after_one)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(COSTS, st.integers(11, 90)), min_size=1, max_size=40), CENTS, st.randoms())
def test_a_limit_that_is_not_heeded_is_a_surprise_once(
    calls: list[tuple[Decimal, int]], cap: Decimal, chance: random.Random
) -> None:
    """Each may cost up to nine times its worst case. Only the first can pass the cap, as it was alone."""
    spend = Spend(cap)
    over: list[Decimal] = []

    async def one(worst: Decimal, times: Decimal) -> None:
        try:
            held = await spend.reserve(worst, "m", worst * 9)
        except CostCapError:
            return
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        spend.settle("m", held, worst * times, heeded=False)
        over.append(worst * (times - 1))

    async def work() -> None:
        await asyncio.gather(*(one(worst, Decimal(tenths) / 10) for worst, tenths in calls))

    asyncio.run(work())
    assert spend.reserved == 0
    assert spend.spent <= cap + (over[0] if over else 0)


def test_what_was_given_up_counts_as_all_that_was_reserved() -> None:
    async def work() -> Decimal:
        spend = Spend(Decimal(10))
        spend.settle("m", await spend.reserve(Decimal(2), "m"), None)
        return spend.spent

    assert asyncio.run(work()) == 2


def test_an_unknown_price_can_not_be_capped() -> None:
    with pytest.raises(ConfigurationError, match="price of m is unknown"):
        asyncio.run(Spend(Decimal(1)).reserve(None, "m"))


def test_without_a_cap_nothing_is_refused() -> None:
    assert asyncio.run(Spend(None).reserve(None, "m")) == NOTHING
