"""The cap holds, also for many calls at once, and refuses only what could really pass it."""

import asyncio
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.engine.spend import Spend
from taskkit.errors import ConfigurationError, CostCapError

CENTS = st.integers(0, 100).map(lambda cents: Decimal(cents) / 100)


@settings(deadline=None)
@given(st.lists(st.tuples(CENTS, CENTS), max_size=60), CENTS, st.randoms())
def test_calls_in_flight_never_pass_the_cap_together(
    calls: list[tuple[Decimal, Decimal]], cap: Decimal, chance: random.Random
) -> None:
    spend = Spend(cap)

    async def one(worst: Decimal, share: Decimal) -> bool:
        try:
            held = await spend.reserve(worst, "m")
        except CostCapError:
            return False
        assert spend.spent + spend.reserved <= cap
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        spend.settle(held, worst * share)
        return True

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(one(worst, share) for worst, share in calls))

    done = asyncio.run(all_of_them())
    true = sum((worst * share for (worst, share), sent in zip(calls, done, strict=True) if sent), Decimal(0))
    assert spend.spent == true <= cap
    assert spend.reserved == 0
    for (worst, _), sent in zip(calls, done, strict=True):
        assert sent or spend.spent + worst > cap, "refused although it fits in what is left"


def test_an_unknown_price_can_not_be_capped() -> None:
    with pytest.raises(ConfigurationError, match="price of m is unknown"):
        asyncio.run(Spend(Decimal(1)).reserve(None, "m"))


def test_without_a_cap_nothing_is_refused() -> None:
    assert asyncio.run(Spend(None).reserve(None, "m")) == 0
