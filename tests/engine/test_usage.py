"""What a result tells of its price, what a plan tells of its time, and what the engine says while it works."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import taskkit
from taskkit.errors import TaskkitError
from taskkit.testing import Fail, Say, ScriptedServer, echo

Server = Callable[..., ScriptedServer]


class Said(taskkit.Result):
    text: str


@taskkit.task
class Echo(taskkit.Task[Said]):
    """Say it again."""

    text: str
    times: int = 1

    async def run(self, job: taskkit.Job) -> Said:
        async def one(number: int) -> str:
            return await job.complete(f"{number}: {self.text}")

        return Said(text=" ".join(await job.map(one, range(self.times))))


def engine(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    given = {"model": "gpt-4o-mini", "base_url": there.base_url, "api_key": "k", "today": date(2026, 6, 1), **options}
    return taskkit.Engine(**given)


def test_a_result_tells_all_that_it_took(server: Server) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 600}}
    there = server([Fail(500, "down", headers={"retry-after-ms": "1"}), *[Say("Fine.", usage=usage, delay=0.02)] * 3])
    with engine(there, concurrency=1) as mine:
        used = mine.run(Echo("hello", times=3)).usage
        assert (used.calls, used.input_tokens, used.cached_tokens, used.output_tokens) == (3, 3000, 1800, 30)
        assert (used.retries, used.journal_hits) == (1, 0)
        # gpt-4o-mini: 0.15 a million in, 0.075 cached, 0.60 out
        assert used.cost == (1200 * Decimal("0.15") + 1800 * Decimal("0.075") + 30 * Decimal("0.6")) / 1_000_000
        assert 0.06 <= used.seconds <= 30
        again = mine.run(Echo("hello", times=3)).usage
        assert (again.calls, again.journal_hits, again.input_tokens) == (0, 3, 0)
        assert again.cost == 0
        more = mine.run(Echo("hello", times=3)).model_dump(mode="json")["usage"]
        assert set(more) == {
            "calls", "input_tokens", "cached_tokens", "written_tokens", "output_tokens", "cost", "retries",
            "journal_hits", "seconds",
        }  # fmt: skip


def test_an_error_tells_what_was_spent_until_it_came(server: Server) -> None:
    there = server(lambda body: Fail(400, "odd") if "3: " in str(body) else "Fine.")
    with engine(there) as mine, pytest.raises(TaskkitError) as caught:
        mine.run(Echo("hello", times=8))
    assert caught.value.usage is not None
    assert caught.value.usage.calls == 7


@pytest.mark.parametrize(
    ("options", "least", "most"),
    [
        ({"rpm": 10}, 9.9, 10.2),  # 100 calls
        ({"tpm": 1000}, 0.9, 1000.0),  # ten tokens in each, and one at least out
        ({"concurrency": 1}, 1.0, 150.0),  # 0.6 s each at least
        ({"concurrency": 100}, 0.0, 1.2),
    ],
    ids=str,
)
def test_a_plan_tells_the_minutes_at_the_limits_that_are_set(
    server: Server, options: dict[str, int], least: float, most: float
) -> None:
    with engine(server(), **options) as mine:
        low, high = mine.plan(Echo("hello", times=100)).minutes
    assert least <= low <= high
    assert low <= most


def test_a_plan_of_the_same_work_brackets_its_price(server: Server) -> None:
    there = server(echo)
    with engine(there) as mine:
        plan = mine.plan(Echo("hello " * 50, times=20))
        used = mine.run(Echo("hello " * 50, times=20)).usage
    assert plan.cost is not None
    assert used.cost is not None
    assert plan.cost[0] <= used.cost * Decimal("1.1")
    assert used.cost <= plan.cost[1]
    assert plan.calls == (20, 20)
    assert not plan.minutes[0] > plan.minutes[1]


def test_events_tell_each_step_of_the_work(server: Server) -> None:
    there = server(
        [Fail(500, "down", headers={"retry-after-ms": "1"}), Fail(429, "slow", headers={"retry-after-ms": "1"}), "Fine.",
         "Fine.", Fail(400, "odd")]
    )  # fmt: skip
    kinds: list[str] = []
    with engine(there, concurrency=1) as mine, mine.events.listen(lambda event: kinds.append(event.kind)):
        mine.run(Echo("hello", times=2))
        mine.run(Echo("hello", times=2))
        with pytest.raises(TaskkitError):
            mine.run(Echo("again"))
    once = ["call-started", "call-finished", "piece-done"]
    first = ["step", "call-started", "retry", "call-started", "retry", "pause", *once, *once]
    assert kinds == [
        *first, "step", *["journal-hit", "piece-done"] * 2, "step", "call-started", "call-failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "words"), [(0.5, "is not enough"), (1.0, "is perhaps not enough"), (2.0, "is enough")]
)
def test_a_plan_tells_whether_the_cap_is_enough(server: Server, share: float, words: str) -> None:
    there = server(echo)
    with engine(there) as mine:
        plan = mine.plan(Echo("hello " * 50, times=20))
        assert "cap" not in str(plan)
    assert plan.cost is not None
    assert plan.enough is not None
    low, high = plan.cost
    cap = {0.5: low / 2, 1.0: (low + high) / 2, 2.0: plan.enough}[share]
    with engine(there, max_cost=cap) as mine:
        assert words in str(mine.plan(Echo("hello " * 50, times=20)))
        if share == 2.0:
            assert mine.run(Echo("hello " * 50, times=20)).usage.calls == 20
