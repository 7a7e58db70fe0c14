"""A job of many calls against an endpoint where most things go wrong now and then."""

from collections.abc import Callable

import taskkit
from taskkit.testing import Fail, Faults, Say, ScriptedServer, Stall, echo

Server = Callable[..., ScriptedServer]


@taskkit.task
class Echo(taskkit.Task[str]):
    """Say it again."""

    text: str
    prompt = taskkit.Prompt("{{ text }}")


def limited(_: Say) -> Fail:
    return Fail(429, "Rate limit reached.", "rate_limit_exceeded", headers={"retry-after-ms": "30"})


def silent(_: Say) -> Stall:
    return Stall(30)


def test_a_job_of_300_calls_ends_whole(server: Server) -> None:
    kinds = (limited, "429", "500", "drop", "break", silent)
    faults = Faults(echo, share=0.6, kinds=kinds)
    there = server(faults)
    with taskkit.Engine(
        model="gpt-4.1-mini", base_url=there.base_url, api_key="k", concurrency=100, timeout=1.5, journal=False
    ) as engine:
        results = engine.map([Echo(f"Line {number}") for number in range(300)])
    assert results == [f"Line {number}" for number in range(300)]
    assert faults.injected > 150
    assert len(there.bodies) == 300 + faults.injected


def test_requests_a_minute_stay_under_the_limit_of_the_headers(server: Server) -> None:
    """60 a second, of which 30 are left: the 90 calls take a second at least, and no second has more."""
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "30"}
    there = server(echo, headers={**headers, "x-ratelimit-reset-requests": "500ms"})
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        engine.run(Echo("first"))
        engine.map([Echo(f"Line {number}") for number in range(90)])
    times = [one.at for one in there.requests]
    assert max(sum(at <= other < at + 1.0 for other in times) for at in times) <= 60 + 60
    assert times[-1] - times[0] >= 0.9
