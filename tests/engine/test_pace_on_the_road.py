"""Retries and pace as the server sees them: what is sent again, when, and what is not."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest

import taskkit
from taskkit.engine import loop
from taskkit.engine.pace import Pace
from taskkit.errors import AuthenticationError, CostCapError, EndpointError, QuotaError, RateLimitError, TaskkitError
from taskkit.events import Events
from taskkit.settings import config_dir
from taskkit.testing import Drop, Fail, Say, ScriptedServer, echo
from tests.made import Echo

Server = Callable[..., ScriptedServer]
SOON = {"retry-after-ms": "1"}


def engine(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(
        **{"model": "gpt-4.1-mini", "base_url": there.base_url, "api_key": "k", "journal": False, **options}
    )


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_passes_is_sent_again(server: Server, status: int) -> None:
    there = server([Fail(status, "Not now.", headers=SOON)] * 3 + ["Fine."])
    with engine(there) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        assert (mine.usage.calls, mine.usage.retries) == (1, 3)
    assert len(there.bodies) == 4, "one owner of retries: three tries more, not three times as many"
    assert all(body == there.bodies[0] for body in there.bodies)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422])
def test_what_does_not_pass_is_sent_once(server: Server, status: int) -> None:
    there = server(Fail(status, "No.", headers=SOON))
    with engine(there) as mine, pytest.raises(TaskkitError):
        mine.run(Echo("hello"))
    assert len(there.bodies) == 1


@pytest.mark.parametrize("field", ["code", "type"])
def test_an_account_without_credit_is_asked_once_and_so_is_a_job_of_many(server: Server, field: str) -> None:
    code, kind = ("insufficient_quota", None) if field == "code" else (None, "insufficient_quota")
    there = server(Fail(429, "You exceeded your current quota.", code, kind), latency=0.1)
    with engine(there, concurrency=4) as mine:
        with pytest.raises(QuotaError, match="no credit left"):
            mine.run(Echo("hello"))
        assert len(there.bodies) == 1
        with pytest.raises(QuotaError):
            mine.map([Echo(f"Line {n}") for n in range(100)])
    assert len(there.bodies) <= 1 + 4 + 4, "what was on its way, and no more"


def test_a_refused_key_of_a_job_of_many_is_not_shown_to_the_server_for_each(server: Server) -> None:
    there = server("Fine.", api_key="another", latency=0.3)
    with engine(there) as mine, pytest.raises(AuthenticationError):
        mine.map([Echo(f"Line {n}") for n in range(100)])
    assert len(there.requests) <= 16


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (lambda: {"retry-after": "1"}, 429),
        (lambda: {"retry-after": "1"}, 503),
        (lambda: {"retry-after-ms": "800", "retry-after": "30"}, 429),
        (lambda: {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)}, 503),
    ],
    ids=["seconds", "seconds, 503", "milliseconds", "date"],
)
def test_the_wait_that_is_asked_for_is_kept(server: Server, header: Callable[[], dict[str, str]], status: int) -> None:
    there = server([lambda _: Fail(status, "Later.", headers=header()), "Fine."])
    with engine(there) as mine:
        assert mine.run(Echo("hello")) == "Fine."
    first, second = (one.at for one in there.requests)
    assert 0.75 <= second - first <= 10


@pytest.mark.parametrize("after", ["0", "Mon, 01 Jan 2024 00:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_who_is_told_to_come_at_once_does_not_use_up_all_tries_at_once(server: Server, after: str, status: int) -> None:
    """A clock that goes ahead makes a time of a date that is past."""
    until = time.monotonic() + 1.5
    busy = Fail(status, "Slow down.", headers={"retry-after": after})
    there = server(lambda _: busy if time.monotonic() < until else "Fine.")
    with engine(there) as mine:
        assert mine.run(Echo("hello")) == "Fine."
    assert len(there.requests) <= 8


def test_waits_grow_with_jitter_where_the_server_names_none(server: Server) -> None:
    there = server([Fail(503, "Down."), Fail(503, "Down."), "Fine."])
    seen: list[float] = []
    with engine(there) as mine, mine.events.listen(
        lambda event: seen.append(float(str(event.data["seconds"]))) if event.kind == "retry" else None
    ):  # fmt: skip
        mine.run(Echo("hello"))
    arrived = [one.at for one in there.requests]
    assert all(after - before >= wait * 0.99 for (before, after), wait in zip(pairwise(arrived), seen, strict=True))
    assert all(0.5 * 0.5 * 2**n <= wait <= 0.5 * 1.5 * 2**n for n, wait in enumerate(seen))
    assert 2 * seen[0] != seen[1], "jitter"


def test_a_429_stops_all_calls_to_that_host(server: Server) -> None:
    told = [True]

    def reply(body: Any) -> Any:
        if "Line 5" in str(body) and told and told.pop():
            return Fail(429, "Slow down.", headers={"retry-after-ms": "900"})
        return Say(echo(body), delay=0.02)

    there = server(reply)
    heard: list[float] = []
    with engine(there, concurrency=3) as mine, mine.events.listen(
        lambda event: heard.append(time.monotonic()) if event.kind == "retry" else None
    ):  # fmt: skip
        assert mine.map([Echo(f"Line {n}") for n in range(40)]) == [f"Line {n}" for n in range(40)]
    (refused,) = heard
    assert sum(refused < one.at < refused + 0.85 for one in there.requests) <= 2, "what was on its way"


def test_another_host_is_asked_meanwhile(server: Server) -> None:
    there, other = server(lambda _: Fail(429, "Slow down.", headers={"retry-after": "200"})), server(echo)
    lines = [Echo(f"Line {n}") for n in range(40)]

    async def scene() -> list[Any]:
        refused = asyncio.Event()
        mine.events.listen(lambda event: refused.set() if event.kind == "retry" else None)
        waits = asyncio.gather(*map(mine.arun, lines))
        await refused.wait()
        answers = await asyncio.wait_for(asyncio.gather(*map(elsewhere.arun, lines)), 60)
        waits.cancel()
        return answers

    with engine(there, concurrency=3) as mine, engine(other) as elsewhere:
        assert loop.run(scene()) == [f"Line {n}" for n in range(40)]
    assert len(there.bodies) <= 3


def test_dropped_connections_are_tried_again_and_given_up_in_the_end(server: Server) -> None:
    there = server([Drop(), Drop(after=40), "Fine."])
    with engine(there) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        assert mine.usage.retries == 2
    always = server(Fail(500, "Down.", headers=SOON))
    with engine(always) as mine, pytest.raises(EndpointError, match="500") as caught:
        mine.run(Echo("hello"))
    assert caught.value.status == 500
    assert 1 < len(always.bodies) <= 10


def test_one_that_never_stops_saying_429_is_an_error_of_its_own(server: Server) -> None:
    there = server(Fail(429, "Slow down.", headers=SOON))
    with engine(there) as mine, pytest.raises(RateLimitError):
        mine.run(Echo("hello"))


@pytest.mark.parametrize(("option", "calls"), [({"rpm": 600}, 75), ({"tpm": 600_000}, 160)], ids=["rpm", "tpm"])
def test_a_pace_set_by_hand_is_kept_whatever_the_headers_say(
    server: Server, option: dict[str, int], calls: int
) -> None:
    """10 a second, of which a minute's start may have 60; or 10,000 tokens a second, of which 600,000 may go at once: 146
    calls."""
    fast = {"x-ratelimit-limit-requests": "100000", "x-ratelimit-remaining-requests": "99999",
            "x-ratelimit-limit-tokens": "99999999", "x-ratelimit-remaining-tokens": "99999998"}  # fmt: skip
    there = server("Fine.", headers=fast)
    began = time.monotonic()
    with engine(there, **option) as mine:
        mine.map([Echo(f"Line {n}") for n in range(calls)])
    assert there.requests[-1].at - began >= (calls - 60) / 10 * 0.9 if "rpm" in option else 1.0


def test_a_concurrency_set_by_hand_is_never_passed(server: Server) -> None:
    there = server(echo, latency=0.2)
    with engine(there, concurrency=5) as mine:
        mine.map([Echo(f"Line {n}") for n in range(20)])
    assert there.most_at_once == 5


def test_without_one_the_calls_become_more_until_the_server_is_full(server: Server) -> None:
    there = server(echo, latency=0.4)
    with engine(there) as mine:
        mine.map([Echo(f"Line {n}") for n in range(240)])
    assert there.most_at_once > 40


def test_tokens_in_headers_set_the_pace() -> None:
    pace = Pace(Events(), concurrency=50)
    pace.told("tokens", limit=60_000, remaining=0, reset=60)
    assert 5 < pace._delay(10_000) <= 10
    assert 45 < pace._delay(50_000) <= 50


def test_embeddings_keep_the_cap_too(server: Server) -> None:
    config_dir().mkdir(exist_ok=True)
    (config_dir() / "models.toml").write_text('[models."text-embedding-3-small"]\nprice = [0.02, 0.0]\n')
    there = server()
    with engine(there, max_cost="0.0000001") as mine, pytest.raises(CostCapError):
        loop.run(mine.embed(["a text of some words"] * 50))
    assert not there.requests
    with engine(there, max_cost="0.01") as mine:
        assert len(loop.run(mine.embed(["a text of some words"] * 50))) == 50
        assert mine.usage.cost is not None
        assert 0 < mine.usage.cost < 0.0001


def test_an_endpoint_that_has_answered_is_waited_for_when_it_is_started_anew(server: Server) -> None:
    there = server(["here", Drop(), Drop(), Drop(), Drop(), "here again"])
    with engine(there) as mine:
        assert [mine.run(Echo("a")), mine.run(Echo("b"))] == ["here", "here again"]
    assert len(there.bodies) == 6
