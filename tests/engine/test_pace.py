"""One owner of retries, one pause for all, and no faster than the endpoint says."""

import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.engine.pace import LIMITED_TRIES, LONGEST_LIMIT, TRIES, Bucket, Pace, Transient
from taskkit.errors import EndpointError, RateLimitError
from taskkit.events import Event, Events


def failing(times: int, error: Callable[[], Transient]) -> Callable[[], "asyncio.Future[str]"]:
    left = times

    async def attempt() -> str:
        nonlocal left
        if left:
            left -= 1
            raise error()
        return "done"

    return attempt  # type: ignore[return-value]


def broken() -> Transient:
    return Transient(EndpointError("it broke"), after=0.0)


def limited() -> Transient:
    return Transient(RateLimitError("slower"), after=0.001)


def test_a_passing_fault_is_tried_again_and_the_tries_are_told() -> None:
    events = Events()
    seen: list[Event] = []
    events.listen(seen.append)
    assert asyncio.run(Pace(events).run(failing(3, broken), 10)) == ("done", 3)
    assert [one.kind for one in seen] == ["retry"] * 3


def test_a_lasting_fault_ends_with_its_own_error() -> None:
    with pytest.raises(EndpointError, match="it broke"):
        asyncio.run(Pace(Events()).run(failing(TRIES, broken), 10))


def test_being_told_to_wait_is_no_fault_and_has_more_tries() -> None:
    assert LIMITED_TRIES > TRIES
    assert asyncio.run(Pace(Events()).run(failing(TRIES + 2, limited), 10))[0] == "done"


def test_a_wait_of_many_minutes_is_an_error_and_not_a_silence() -> None:
    attempt = failing(1, lambda: Transient(RateLimitError("come back tomorrow"), after=3600))
    with pytest.raises(RateLimitError, match="tomorrow"):
        asyncio.run(Pace(Events()).run(attempt, 10))


def test_other_errors_are_not_tried_again() -> None:
    calls = 0

    async def attempt() -> None:
        nonlocal calls
        calls += 1
        raise EndpointError("400")

    with pytest.raises(EndpointError):
        asyncio.run(Pace(Events()).run(attempt, 1))
    assert calls == 1


def test_concurrency_as_set_is_kept_and_filled() -> None:
    pace = Pace(Events(), concurrency=7)
    running = peak = 0

    async def attempt() -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.001)
        running -= 1

    async def many() -> None:
        await asyncio.gather(*(pace.run(attempt, 1) for _ in range(60)))

    asyncio.run(many())
    assert peak == 7


def test_a_429_pauses_every_call_to_the_host() -> None:
    pace = Pace(Events(), concurrency=4)
    sent: list[float] = []
    told = False

    async def attempt() -> None:
        nonlocal told
        if not told:
            told = True
            raise Transient(RateLimitError("slower"), after=0.2)
        sent.append(time.monotonic())

    async def many() -> float:
        begun = time.monotonic()
        await asyncio.gather(*(pace.run(attempt, 1) for _ in range(12)))
        return begun

    begun = asyncio.run(many())
    early = [at for at in sent if at < begun + 0.19]
    assert len(early) <= 3, "only what was already on its way may go out during the pause"


@pytest.mark.parametrize(
    ("most_at_once", "calls", "most"),
    [(20, 65, 12), (17, 65, 12), (20, 600, 40), (17, 600, 40), (1, 135, 45), (3, 135, 40)],
)
def test_a_server_that_takes_few_at_once_is_found_out(most_at_once: int, calls: int, most: int) -> None:
    pace = Pace(Events())
    running = refused = 0

    async def attempt() -> None:
        nonlocal running, refused
        if running >= most_at_once:
            refused += 1
            await asyncio.sleep(0.001)
            raise Transient(RateLimitError("too many at once"), after=0.005)
        running += 1
        try:
            await asyncio.sleep(0.02)  # those that go out together come back together
        finally:
            running -= 1

    async def many() -> None:
        await asyncio.gather(*(pace.run(attempt, 1) for _ in range(calls)))

    asyncio.run(many())
    told = "what went well is doubled, one burst says how many are too many, and so many are not soon tried again"
    assert 0 < refused <= most, told


def test_places_are_given_in_the_order_of_asking() -> None:
    pace = Pace(Events(), concurrency=3)
    order: list[int] = []

    async def one(number: int) -> None:
        async def attempt() -> None:
            order.append(number)
            await asyncio.sleep(0)

        await pace.run(attempt, 1)
        if number < 200:  # who is done comes again, and does not get in front
            await one(number + 100)

    async def many() -> None:
        await asyncio.gather(*(one(number) for number in range(100)))

    asyncio.run(many())
    assert [number for number in order if number < 100] == list(range(100))
    assert order[:100] == list(range(100))


def test_cancelled_waiters_do_not_take_a_place_along() -> None:
    pace = Pace(Events(), concurrency=1)

    async def scene() -> str:
        gate = asyncio.Event()

        async def slow() -> str:
            await gate.wait()
            return "first"

        async def quick() -> str:
            return "third"

        first = asyncio.create_task(pace.run(slow, 1))
        await asyncio.sleep(0)
        second = asyncio.create_task(pace.run(quick, 1))
        third = asyncio.create_task(pace.run(quick, 1))
        await asyncio.sleep(0)
        second.cancel()
        gate.set()
        await first
        return (await asyncio.wait_for(third, 5))[0]

    assert asyncio.run(scene()) == "third"
    assert pace.active == 0


@given(
    st.floats(1, 1000),
    st.floats(0.1, 100),
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 2000)), max_size=40),
)
def test_a_bucket_never_gives_more_than_its_size_and_rate_allow(
    size: float, rate: float, wishes: list[tuple[float, float]]
) -> None:
    bucket = Bucket(size, rate, size, 0.0)
    now = given_out = 0.0
    for pause, amount in wishes:
        now += pause
        wait = bucket.wait_for(amount, now)
        assert wait >= 0
        if wait == 0:
            given_out += amount
            # One wish above the size may go when the bucket is full; it is paid back before the next.
            assert given_out <= size + rate * now + max(0.0, amount - size) + 1e-6
        else:
            assert bucket.wait_for(amount, now + wait + 1e-6) == 0
            given_out += amount
            now += wait + 1e-6


def test_headers_set_the_pace() -> None:
    pace = Pace(Events(), concurrency=50)
    told = time.monotonic()
    pace.told("requests", limit=100, remaining=3, reset=9.7)  # 10 a second
    sent: list[float] = []

    async def attempt() -> None:
        sent.append(time.monotonic())

    async def many() -> None:
        await asyncio.gather(*(pace.run(attempt, 1) for _ in range(8)))

    asyncio.run(many())
    assert all(at - told > (number - 3) / 10 - 0.001 for number, at in enumerate(sent, 1))


def test_what_the_headers_leave_goes_at_once() -> None:
    events = Events()
    pace = Pace(events, concurrency=50)
    pace.told("requests", limit=100, remaining=3, reset=970)  # the next in 10 seconds
    sent: list[str] = []

    async def attempt() -> str:
        sent.append("sent")
        return "done"

    _first_pause(pace, events, attempt)  # type: ignore[arg-type]
    assert len(sent) == 3


def _first_pause(pace: Pace, events: Events, attempt: Callable[[], "asyncio.Future[str]"]) -> Event:
    """The first wait that is told while calls are made; they are not waited for."""

    async def until_told() -> Event:
        told = asyncio.get_running_loop().create_future()

        def hear(event: Event) -> None:
            if event.kind == "pause" and "waiting" in event.message and not told.done():
                told.set_result(event)

        with events.listen(hear):
            calls = [asyncio.create_task(pace.run(attempt, 4000)) for _ in range(20)]
            try:
                return await asyncio.wait_for(told, 10)
            finally:
                for one in calls:
                    one.cancel()
                await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(until_told())


@pytest.mark.parametrize("limit", [1, 4000])
def test_a_limit_that_is_never_reset_holds_a_call_up_for_a_minute_at_most_and_says_so(limit: int) -> None:
    events = Events()
    pace = Pace(events)
    pace.told("tokens", limit=limit, remaining=0, reset=99_999_999)
    event = _first_pause(pace, events, failing(0, broken))
    assert event.message == f"waiting {event.data['seconds']:.0f} s for the endpoint's limit"
    assert 0 < float(str(event.data["seconds"])) <= LONGEST_LIMIT


def test_what_is_larger_than_a_limit_goes_and_the_next_waits_no_longer_for_it() -> None:
    pace = Pace(Events())
    pace.told("tokens", limit=1, remaining=1, reset=99_999_999)
    assert pace._delay(4000) == 0
    assert 0 < pace._delay(4000) <= LONGEST_LIMIT


@pytest.mark.parametrize("error", [RateLimitError("slower"), EndpointError("closed for now", status=503)])
def test_a_wait_that_the_endpoint_asks_for_is_told_with_its_length(error: EndpointError) -> None:
    events = Events()
    attempt = failing(99, lambda: Transient(error, after=200))
    assert "waiting 200 s" in _first_pause(Pace(events), events, attempt).message
