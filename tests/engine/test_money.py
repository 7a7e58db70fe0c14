"""A cap that holds, by the server's own tally, and work that is kept when it is reached."""

import hashlib
import random
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
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


@taskkit.task
class Brief(taskkit.Task[str]):
    """Tell a little of something."""

    subject: str

    async def run(self, job: taskkit.Job) -> str:
        return await job.complete(f"Tell a little of {self.subject}.", max_output=300)


@pytest.mark.parametrize("cap", ["0.02", "0.1", "0.3"])
def test_the_cap_holds_where_the_server_does_not_heed_the_limit_of_an_answer(server: Server, cap: str) -> None:
    counter = counter_for("gpt-4o-mini")
    there = server(any_length, count=counter.count)
    with (
        taskkit.Engine("gpt-4o-mini", base_url=there.base_url, api_key="k", concurrency=200, max_cost=cap, today=TODAY) as engine,
        pytest.raises(CostCapError),
    ):  # fmt: skip
        engine.map([Brief(f"thing {number}") for number in range(500)])
    assert all(body["max_tokens"] == 300 for body in there.bodies)
    assert Decimal(cap) / 3 <= tally(there, counter) <= Decimal(cap)


def test_a_server_that_heeds_it_is_believed_after_its_first_answers(server: Server) -> None:
    """A cap that bears three calls of a server that does not."""
    there = server(Say("word " * 100, delay=0.2))
    with taskkit.Engine(
        "gpt-4o-mini", base_url=there.base_url, api_key="k", max_cost="0.03", concurrency=100, today=TODAY
    ) as engine:
        engine.map([Brief(f"thing {number}") for number in range(100)])
    assert there.most_at_once > 40


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


def of_bytes(text: str) -> int:
    return len(text.encode())


def of_the_script(text: str) -> int:
    """As we do, but for scripts that its vocabulary is poor in."""
    return counter_for("gpt-4.1-mini").count(text) if text.isascii() else of_bytes(text)


ROWS = {
    "of no known encoding": ("home-made", "context = 100000", of_bytes),
    "of a likeness": ("home-made", "context = 100000\nencoding = 'o200k_base'\nratio = 0.5", of_bytes),
    "known to us, but not to its server": ("gpt-4.1-mini", "", of_bytes),
    "known to us, and to its server in part": ("gpt-4.1-mini", "", of_the_script),
}


@pytest.mark.parametrize("concurrency", [None, 200])
@pytest.mark.parametrize("row", ROWS)
def test_the_cap_holds_where_the_server_counts_more_than_we_do(
    server: Server, tmp_path: Path, row: str, concurrency: int | None
) -> None:
    """Long prompts of many scripts, short answers; the bill is what the server tells and the price makes of it."""
    name, fields, count = ROWS[row]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text(f'[models."{name}"]\nprice = [10, 1]\n{fields}')
    bill = Decimal(0)

    def model(body: Mapping[str, Any]) -> Say:
        nonlocal bill
        given, reply = sum(count(str(one["content"])) for one in body["messages"]), any_length(body)
        text = reply.text[:200]
        bill += Decimal(given * 10 + count(text)) / 1_000_000
        return Say(text, delay=reply.delay, usage={"prompt_tokens": given, "completion_tokens": count(text)})

    chance = random.Random(3)
    letters = ["abcdefgh ", "äöüß éè ", "漢字仮名交じり", "😂👩‍👩‍👧 "]
    kinds = [*letters[:1] * 20, *(chance.choice(letters) for _ in range(480))]  # what we count as most do comes first
    tasks = [Tell("".join(chance.choices(kind, k=chance.randrange(1, 4000)))) for kind in kinds]
    there = server(model)
    options: dict[str, Any] = {"base_url": there.base_url, "api_key": "k", "concurrency": concurrency}
    with taskkit.Engine(name, max_cost=1, **options) as engine, pytest.raises(CostCapError):
        engine.map(tasks)
    assert Decimal("0.5") <= bill <= 1
    assert engine.usage.cost == bill


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": 1, "completion_tokens": 1}], ids=["untold", "a lie"])
def test_what_nobody_tells_counts_as_the_worst_case(server: Server, tmp_path: Path, usage: dict[str, int]) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text("[models.home]\ncontext = 100000\nprice = [10, 1]")
    there = server(Say("Fine.", usage=usage))
    with (
        taskkit.Engine("home", base_url=there.base_url, api_key="k", max_cost=1) as engine,
        pytest.raises(CostCapError),
    ):
        engine.map([Tell(f"{n} " + "漢字仮名" * 500) for n in range(100)])
    sent = sum(of_bytes(str(one["content"])) for body in there.bodies for one in body["messages"])
    assert Decimal("0.3") <= Decimal(sent * 10) / 1_000_000 <= 1


def leave_early(engine: taskkit.Engine) -> None:
    for number in range(60):
        with engine.stream(Tell(f"thing {number}")) as stream:
            next(iter(stream))


def test_streams_that_are_left_early_are_paid_for(server: Server) -> None:
    counter = counter_for("gpt-4o-mini")
    there = server(Say("word " * 3000, pause=0.01, chunk=1000), count=counter.count)
    options: dict[str, Any] = {"model": "gpt-4o-mini", "base_url": there.base_url, "api_key": "k", "today": TODAY}
    with taskkit.Engine(max_cost="0.02", **options) as engine, pytest.raises(CostCapError):
        leave_early(engine)
    assert 2 <= len(there.bodies) <= Decimal("0.02") / (counter.count("word " * 3000) * OUT)


def test_what_a_cache_is_written_for_is_paid_for(server: Server) -> None:
    """gpt-6-luna: 0.10 dollars a million tokens in, 0.125 of those that go into the cache, 0.01 out of it, 0.50 out."""
    details = {"cached_tokens": 1000, "cache_write_tokens": 2000}
    there = server(
        Say("Fine.", usage={"prompt_tokens": 4000, "completion_tokens": 2, "prompt_tokens_details": details})
    )
    with taskkit.Engine("gpt-6-luna", base_url=there.base_url, api_key="k") as engine:
        engine.run(Tell("it"))
    used = engine.usage
    assert (used.input_tokens, used.cached_tokens, used.written_tokens) == (4000, 1000, 2000)
    assert used.cost == (1000 * Decimal("0.1") + 2000 * Decimal("0.125") + 1000 * Decimal("0.01") + 1) / 1_000_000


def test_a_cap_that_a_plan_calls_enough_is_enough(server: Server, tmp_path: Path) -> None:
    """Also where nobody knows how the endpoint counts, and it counts every byte."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text("[models.home]\ncontext = 100000\nprice = [10, 1]")
    task = Tell("漢字仮名 and words " * 500)
    there = server("Fine.", count=of_bytes)
    with taskkit.Engine("home", base_url=there.base_url, api_key="k", max_cost=1) as engine:
        plan = engine.plan(task)
    assert plan.enough is not None
    assert plan.cost is not None
    for cap, words in ((plan.enough, "is enough"), (plan.cost[1], "is perhaps not enough")):
        with taskkit.Engine("home", base_url=there.base_url, api_key="k", max_cost=cap) as engine:
            assert words in str(engine.plan(task))
            if cap == plan.enough:
                assert engine.run(task) == "Fine."


def test_our_count_is_the_bound_at_openai_alone(server: Server) -> None:
    """Elsewhere each byte may be a token: another server may serve anything under the name."""
    there, task = server("Fine."), Tell("of ducks " * 1000)
    plans = []
    for url in (None, there.base_url):
        with taskkit.Engine("gpt-4.1-mini", api_key="k", base_url=url) as engine:
            plans.append(engine.plan(task))
    at_openai, elsewhere = plans
    assert at_openai.cost == elsewhere.cost
    assert at_openai.enough is not None
    assert elsewhere.enough is not None
    assert elsewhere.enough - at_openai.enough > 5000 * Decimal("0.4") / 1_000_000
