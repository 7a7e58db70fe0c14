"""A cap that holds, by the server's own tally, and work that is kept when it is reached."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import taskkit
from taskkit.errors import ConfigurationError, CostCapError
from taskkit.testing import Drop, Say, ScriptedServer, Stall
from taskkit.tokens import counter_for

Server = Callable[..., ScriptedServer]
TODAY = date(2026, 6, 1)  # gpt-4o-mini is still there
IN, OUT = Decimal("0.15") / 1_000_000, Decimal("0.60") / 1_000_000  # dollars a token of gpt-4o-mini


@taskkit.task
class Tell(taskkit.Task[str]):
    """Tell of something."""

    subject: str
    prompt = taskkit.Prompt("Tell of {{ subject }}.")


def any_length(body: Mapping[str, Any]) -> Say:
    """Answers of 1 to 3,000 words, whichever by the question."""
    draw = int.from_bytes(hashlib.sha256(str(body["messages"]).encode()).digest()[:4])
    return Say("word " * (1 + draw % 3000), delay=draw % 7 / 1000)


def tally(there: ScriptedServer, counter: Any) -> Decimal:
    total = Decimal(0)
    for body in there.bodies:
        total += counter.count(str(body["messages"][-1]["content"])) * IN
        total += counter.count(any_length(body).text) * OUT
    return total


@pytest.mark.parametrize("cap", ["0.01", "0.1"])
def test_500_calls_at_once_stay_under_the_cap_and_what_was_paid_is_kept(server: Server, cap: str) -> None:
    counter = counter_for("gpt-4o-mini")
    there = server(any_length, count=counter.count)
    tasks = [Tell(f"thing {number} {'and more of it ' * (number % 40)}") for number in range(500)]
    options: dict[str, Any] = {"model": "gpt-4o-mini", "base_url": there.base_url, "api_key": "k", "concurrency": 200,
                               "today": TODAY}  # fmt: skip
    with taskkit.Engine(max_cost=cap, **options) as engine, pytest.raises(CostCapError, match="kept in the journal"):
        engine.map(tasks)
    spent = tally(there, counter)
    assert spent <= Decimal(cap)
    assert spent >= Decimal(cap) / 2, "most of the cap is put to use"
    paid = len(there.bodies)
    with taskkit.Engine(**options) as engine:
        again = engine.map(tasks)
        assert engine.usage.journal_hits == paid
    assert all(isinstance(one, str) for one in again)
    assert len(there.bodies) == len(tasks), "no call was sent twice"


def test_an_unknown_price_is_said_to_be_unknown(server: Server) -> None:
    there = server("Fine.")
    options: dict[str, Any] = {"model": "home-made-7b", "base_url": there.base_url, "api_key": "k"}
    with taskkit.Engine(**options) as engine:
        engine.run(Tell("it"))
        assert engine.usage.cost is None
        assert "unknown" in str(engine.plan(Tell("it")))
    with taskkit.Engine(max_cost=1, **options) as engine, pytest.raises(ConfigurationError, match="price"):
        engine.run(Tell("that"))


@pytest.mark.parametrize("broken", [Drop(), Drop(after=60), Stall(30)], ids=["dropped", "in the middle", "silent"])
def test_tries_that_broke_count_as_spent_since_the_endpoint_may_have_charged_for_them(
    server: Server, broken: Any
) -> None:
    """Every call breaks once; the server charges for the whole answer all the same."""
    counter = counter_for("gpt-4o-mini")
    tried: set[str] = set()

    def model(body: Mapping[str, Any]) -> Any:
        words = str(body["messages"])
        if words in tried:
            return Say("word " * 3000)
        tried.add(words)
        return broken

    there = server(model, count=counter.count)
    options: dict[str, Any] = {"model": "gpt-4o-mini", "base_url": there.base_url, "api_key": "k", "today": TODAY}
    with (
        taskkit.Engine(max_cost="0.05", concurrency=20, timeout=1.5, **options) as engine,
        pytest.raises(CostCapError),
    ):
        engine.map([Tell(f"thing {number}") for number in range(40)])
    each = counter.count("word " * 3000) * OUT
    assert len(there.bodies) > 10
    assert len(there.bodies) * each <= Decimal("0.05")
