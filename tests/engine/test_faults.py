"""A job of many calls against an endpoint where most things go wrong now and then."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import taskkit
from taskkit.engine import loop
from taskkit.testing import BreakStream, Fail, Faults, Say, ScriptedServer, Stall, echo
from taskkit.testing.script import FAULTS
from tests.made import Echo

Server = Callable[..., ScriptedServer]


def limited(_: Say) -> Fail:
    return Fail(429, "Rate limit reached.", "rate_limit_exceeded", headers={"retry-after-ms": "30"})


def silent(_: Say) -> Stall:
    return Stall(30)


def broken(right: Say) -> BreakStream:
    return BreakStream(right.text, len(right.text) // 2)


KINDS = {"limited": limited, "429": "429", "500": "500", "drop": "drop", "broken": broken, "silent": silent}


def test_a_job_of_1000_calls_of_which_most_go_wrong_first_ends_whole(server: Server) -> None:
    """One in ten each of: 429 with a time to wait, 429 without, 500, a dropped connection, a stream cut in the middle,
    silence. The calls are streamed, as only a stream can be cut in its middle."""
    injected: Counter[str] = Counter()

    def counted(name: str, fault: Any) -> Any:
        def kind(right: Say) -> Any:
            injected[name] += 1
            return FAULTS[fault](right) if isinstance(fault, str) else fault(right)

        return kind

    faults = Faults(echo, share=0.6, kinds=[counted(name, fault) for name, fault in KINDS.items()])
    there = server(faults)
    shown: list[str] = []

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(engine.arun(Echo(f"Line {n}"), on_text=shown.append) for n in range(1000)))

    with taskkit.Engine(
        model="gpt-4.1-mini", base_url=there.base_url, api_key="k", concurrency=200, timeout=1.5, journal=False
    ) as engine:
        results = loop.run(all_of_them())
    assert results == [f"Line {number}" for number in range(1000)]
    assert faults.injected == sum(injected.values())
    assert engine.usage.retries >= faults.injected
    assert len(there.bodies) >= 1000 + faults.injected
    assert set(injected) == set(KINDS)
    assert min(injected.values()) >= 70, injected


@pytest.mark.parametrize("left", [0, 30])
def test_requests_a_minute_stay_under_the_limit_of_the_headers(server: Server, left: int) -> None:
    """60 a second, of which some are left: until any moment no more than these and what has come back by then."""
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": str(left)}
    there = server(echo, headers={**headers, "x-ratelimit-reset-requests": f"{(60 - left) / 60:.3f}s"})
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        engine.run(Echo("first"))
        engine.map([Echo(f"Line {number}") for number in range(120)])
    told, *arrived = (one.at for one in there.requests)
    assert len(arrived) == 120
    assert all(number <= left + 60 * (at - told) + 1 for number, at in enumerate(arrived, 1))
