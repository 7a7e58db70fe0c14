"""The whole road, against a real server on the loopback."""

import asyncio
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import taskkit
from taskkit.errors import (
    AuthenticationError,
    ConfigurationError,
    CostCapError,
    EndpointError,
    InvalidOutputError,
    QuotaError,
    RefusedError,
    TaskkitError,
    TruncatedError,
)
from taskkit.tasks.summarise import Summarise
from taskkit.testing import (
    BreakStream,
    Drop,
    Fail,
    Refuse,
    Say,
    ScriptedServer,
    adversarial,
    answer,
    echo,
    scripted,
)

Server = Callable[..., ScriptedServer]
SOON = {"retry-after-ms": "1"}


@taskkit.task
class Haiku(taskkit.Task[str]):
    """Write a haiku."""

    subject: str
    prompt = taskkit.Prompt("Write a haiku about {{ subject }}.")


class Place(taskkit.Result):
    name: str
    people: int


@taskkit.task
class Where(taskkit.Task[Place]):
    """Say where."""

    subject: str
    prompt = taskkit.Prompt("Where is {{ subject }}?")


def engine(server: ScriptedServer, **options: object) -> taskkit.Engine:
    options = {"model": "scripted", "api_key": "a-secret-key", "base_url": server.base_url, **options}
    return taskkit.Engine(**options)  # type: ignore[arg-type]


def test_a_call_carries_the_key_and_the_prompt(server: Server) -> None:
    there = server("An old pond.", api_key="a-secret-key")
    with engine(there) as mine:
        assert mine.run(Haiku("frogs")) == "An old pond."
    (body,) = there.bodies
    assert body["messages"] == [{"role": "user", "content": "Write a haiku about frogs."}]


def test_a_wrong_key_is_one_clear_error_without_the_key(server: Server) -> None:
    there = server(api_key="another")
    with engine(there) as mine, pytest.raises(AuthenticationError) as caught:
        mine.run(Haiku("frogs"))
    assert "a-secret-key" not in str(caught.value)
    assert "OPENAI_API_KEY" in str(caught.value)
    assert len(there.bodies) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Fail(404, "The model `x` does not exist."), ConfigurationError),
        (Fail(429, "You exceeded your quota.", "insufficient_quota"), QuotaError),
        (Fail(400, "messages must not be empty"), TaskkitError),
        (Refuse("I can't help with that."), RefusedError),
    ],
)
def test_what_can_not_get_better_is_not_tried_again(server: Server, reply: object, kind: type[TaskkitError]) -> None:
    there = server([reply])
    with engine(there) as mine, pytest.raises(kind):
        mine.run(Haiku("frogs"))
    assert len(there.bodies) == 1


def test_what_may_get_better_is_tried_again(server: Server) -> None:
    there = server([Fail(500, "down", headers=SOON), Fail(429, "slow", headers=SOON), Drop(), "An old pond."])
    with engine(there) as mine:
        assert mine.run(Haiku("frogs")) == "An old pond."
        assert mine.usage.retries == 3


def test_an_endpoint_that_is_not_there(server: Server) -> None:
    there = server()
    there.close()
    with engine(there, timeout=1) as mine, pytest.raises(EndpointError, match=r"reached|did not answer"):
        mine.run(Haiku("frogs"))


def test_a_broken_stream_is_never_handed_on_as_whole(server: Server) -> None:
    there = server([BreakStream("An old pond.", 6, "end"), BreakStream("An old pond.", 6, "error"), "An old pond."])
    with engine(there) as mine:
        stream = mine.stream(Haiku("frogs"))
        "".join(stream)
        assert stream.result == "An old pond."
    assert len(there.bodies) == 3


def test_a_stream_comes_in_pieces(server: Server) -> None:
    with engine(server(Say("An old silent pond.", chunk=5))) as mine:
        assert list(mine.stream(Haiku("frogs"))) == ["An ol", "d sil", "ent p", "ond."]


def test_text_that_was_cut_off_is_continued(server: Server) -> None:
    whole = " ".join(f"word{n}" for n in range(300))

    def continued(body: object) -> Say:
        messages = body["messages"]  # type: ignore[index]
        before = messages[1]["content"] if len(messages) > 1 else ""
        at = whole.index(before[-40:]) + len(before[-40:]) if before else 0
        piece = whole[at : at + 500]
        return Say(piece, finish="stop" if at + 500 >= len(whole) else "length")

    with engine(server(continued)) as mine:
        result = mine.run(Haiku("frogs"))
    assert result == whole


RIGHT = {"name": "Paris", "people": 2}


@pytest.mark.parametrize("name", list(adversarial(RIGHT)))
def test_a_wrong_answer_is_repaired(server: Server, name: str) -> None:
    script = adversarial(RIGHT)[name]
    with engine(server(script)) as mine:
        if name == "refusal":
            with pytest.raises(RefusedError):
                mine.run(Where("it"))
            return
        result = mine.run(Where("it"))
    assert (result.name, result.people) == ("Paris", 2)


def test_an_answer_that_never_fits_is_an_error_with_what_came(server: Server) -> None:
    with engine(server('{"name": 1}')) as mine, pytest.raises(InvalidOutputError) as caught:
        mine.run(Where("it"))
    assert caught.value.raw == '{"name": 1}'
    assert caught.value.tries == 3


def test_a_refused_response_format_is_stepped_down_and_remembered(server: Server) -> None:
    def picky(body: object) -> object:
        if "response_format" in body:  # type: ignore[operator]
            return Fail(400, "Unsupported parameter: 'response_format'", param="response_format")
        return RIGHT

    there = server(picky)
    with engine(there) as mine:
        assert mine.run(Where("a")).name == "Paris"
        first = len(there.bodies)
        assert mine.run(Where("b")).name == "Paris"
        assert len(there.bodies) == first + 1


@pytest.mark.parametrize("parameter", ["temperature", "max_tokens", "stream_options"])
def test_a_refused_parameter_is_left_out_from_then_on(server: Server, parameter: str) -> None:
    def picky(body: object) -> object:
        if parameter in body:  # type: ignore[operator]
            return Fail(400, f"Unsupported parameter: '{parameter}'", "unsupported_parameter", param=parameter)
        return "An old pond."

    there = server(picky)
    with engine(there) as mine:
        for subject in ("frogs", "toads"):
            stream = mine.stream(Haiku(subject))
            assert "".join(stream) == "An old pond."
    assert len(there.bodies) == 3


def test_a_finished_job_is_not_paid_for_twice(server: Server) -> None:
    there = server(echo)
    for _ in range(2):
        with engine(there) as mine:
            mine.run(Haiku("frogs"))
    assert len(there.bodies) == 1
    with engine(there, fresh=True) as mine:
        mine.run(Haiku("frogs"))
    with engine(there, journal=False) as mine:
        mine.run(Haiku("frogs"))
    assert len(there.bodies) == 3


def test_the_same_call_made_many_times_at_once_is_paid_for_once(server: Server) -> None:
    there = server([Fail(400, "odd"), "An old pond."], latency=0.02)
    with engine(there) as mine:
        results = mine.map([Haiku("frogs")] * 50)
        assert sum(isinstance(one, TaskkitError) for one in results) == 1  # the first; the second then asks itself
        assert results.count("An old pond.") == 49
        assert len(there.bodies) == 2
        assert (mine.usage.calls, mine.usage.journal_hits) == (1, 48)


def test_many_alike_at_a_high_temperature_have_answers_of_their_own_and_are_kept_until_all_are_done(
    server: Server,
) -> None:
    numbers = iter(range(1000))
    fails = [True]

    def reply(_: object) -> object:
        number = next(numbers)
        return Fail(402, "insufficient", "insufficient_quota") if number == 20 and fails.pop() else f"Answer {number}."

    there = server(reply)
    with engine(there, temperature=1.0, concurrency=1) as mine:
        with pytest.raises(QuotaError):
            mine.map([Haiku("frogs")] * 30)
        results = mine.map([Haiku("frogs")] * 30)  # goes on from the journal
        assert len(set(results)) == 30
        assert len(there.bodies) == 31
        again = mine.map([Haiku("frogs")] * 30)  # all had been done: the same command means again
        assert not set(again) & set(results)


def test_the_cap_holds_under_concurrency(server: Server) -> None:
    there = server(Say("word " * 50, usage={"prompt_tokens": 100, "completion_tokens": 100}))
    price = Decimal("0.000015") + Decimal("0.00006")  # of a call of 100 tokens in and out of gpt-4o-mini
    with engine(there, model="gpt-4o-mini", max_cost="0.05", today=date(2026, 6, 1)) as mine:
        results = None
        try:
            results = mine.map([Haiku(f"frog {n}") for n in range(2000)])
        except CostCapError:
            assert results is None
    assert len(there.bodies) * price <= Decimal("0.05")
    assert len(there.bodies) > 10


def test_a_cap_without_a_price_is_refused(server: Server) -> None:
    with engine(server(), max_cost=1) as mine, pytest.raises(ConfigurationError):
        mine.run(Haiku("frogs"))


def test_json_that_goes_in_circles_is_asked_for_in_a_livelier_way(server: Server) -> None:
    there = server([Say('{"name": "' + "12:00:" * 300, finish="length"), Say('{"name": "Rome", "people": 3}')])
    with engine(there) as mine:
        assert mine.run(Where("it")).name == "Rome"
    first, second = there.bodies
    assert second["temperature"] > first["temperature"]
    assert second["max_tokens"] == first["max_tokens"]


def test_a_plan_sends_nothing_and_counts_the_calls(server: Server) -> None:
    there = server(answer(RIGHT))
    with engine(there) as mine:
        plan = mine.plan(Where("it"))
        assert not there.bodies
        result = mine.run(Where("it"))
    assert plan.calls == (1, 1)
    assert plan.calls[0] <= result.usage.calls <= plan.calls[1]
    assert plan.output_tokens[0] <= plan.output_tokens[1]


def test_many_at_once_in_order_with_errors_in_their_place(server: Server) -> None:
    def some(body: object) -> object:
        text = body["messages"][0]["content"]  # type: ignore[index]
        return Fail(400, "no toads") if "toad" in text else text

    with engine(server(some)) as mine:
        results = mine.map([Haiku("toad" if n % 10 == 3 else f"frog {n}") for n in range(100)])
    assert [isinstance(one, TaskkitError) for one in results] == [n % 10 == 3 for n in range(100)]
    assert results[42] == "Write a haiku about frog 42."


def test_the_sync_face_works_inside_a_running_loop(server: Server) -> None:
    there = server(echo)

    async def main() -> str:
        with engine(there) as mine:
            return mine.run(Haiku("frogs")) + await mine.arun(Haiku("toads"))

    assert "frogs" in asyncio.run(main())


def test_a_learned_window_cuts_the_text_anew(server: Server) -> None:
    there = server("A note of some words.", context=3000)
    text = "\n\n".join(f"Paragraph {n} speaks of frogs, ponds and rain." for n in range(900))
    with engine(there) as mine:
        summary = mine.run(Summarise(text))
    assert str(summary) == "A note of some words."
    assert all("Paragraph 0 " in str(body) or body for body in there.bodies)
    read = "".join(str(body["messages"]) for body in there.bodies[1:])
    assert all(f"Paragraph {n} " in read for n in range(900))


def test_a_scripted_engine_needs_no_socket() -> None:
    mine = scripted(["An old pond."])
    assert mine.run(Haiku("frogs")) == "An old pond."


def test_a_prompt_with_braces_is_data(server: Server) -> None:
    there = server(echo)
    with engine(there) as mine:
        assert mine.run(Haiku("{{ 7 * 7 }} {% raw %}")) == "Write a haiku about {{ 7 * 7 }} {% raw %}."


def test_endless_output_is_told(server: Server) -> None:
    with engine(server(Say("", finish="length"))) as mine, pytest.raises((TruncatedError, InvalidOutputError)):
        mine.run(Haiku("frogs"))


def test_the_journal_file_is_the_users_alone(server: Server, tmp_path: Path) -> None:
    with engine(server(echo)) as mine:
        mine.run(Haiku("frogs"))
    (file,) = (tmp_path / "cache").glob("journal.sqlite")
    assert file.stat().st_mode & 0o077 == 0
