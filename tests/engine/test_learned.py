"""What an endpoint teaches of a model that nobody knows: how it counts, and how much it takes."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

import taskkit
from taskkit.errors import ContextTooLong
from taskkit.tasks.summarise import Summarise
from taskkit.testing import Fail, ScriptedServer
from taskkit.testing.script import text_of
from tests.engine.test_own_endpoint import Room
from tests.made import Echo

Server = Callable[..., ScriptedServer]
TOO_LONG = [
    "This model's maximum context length is 4,096 tokens. However, your messages resulted in 5,560 tokens.",
    "This model's maximum context length is 4\u202f096 tokens. However, your messages resulted in 5\u202f560 tokens.",
    "This model's maximum context length is 4.096 tokens. Please reduce the length.",
    "This model's maximum context length is only 4096 tokens.",
    "prompt is too long: 5560 tokens > 4096 maximum",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 512 `max_new_tokens`",
    "Prompt contains 5560 tokens and 0 draft tokens, too large for model with 4096 maximum context length",
    "You passed 5560 input tokens. However, the model's context length is only 4096 tokens.",
]
TEXT = "\n\n".join(f"Paragraph {n} speaks of frogs, ponds and rain." for n in range(900))


def engine(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    return taskkit.Engine("home-made", base_url=there.base_url, api_key="k", journal=False, **options)


@pytest.mark.parametrize("characters", [1, 2, 3, 5, 8])
def test_the_servers_count_corrects_ours(server: Server, characters: int) -> None:
    """After one call of some length a plan's count is the server's, within a fifth, and not below it."""
    there = server("Fine.", count=lambda text: len(text) // characters)
    with engine(there, context=200_000) as mine:
        mine.run(Echo(TEXT[:9000]))
        plan = mine.plan(Echo(TEXT[9000:18000]))
        again = mine.plan(Echo(TEXT[9000:18000]))
    assert 9000 // characters <= plan.input_tokens[0] <= 1.2 * 9000 // characters + 20
    assert plan == again, "a plan teaches nothing"


def test_a_tally_that_lies_is_not_believed(server: Server) -> None:
    for told in (
        {"prompt_tokens": 10**9},
        {"prompt_tokens": -5},
        {"prompt_tokens": "many"},
        {"prompt_tokens": 1e400},
        {},
    ):
        there = server(lambda body, told=told: _said("Fine.", told))
        with engine(there, context=100_000) as mine:
            mine.run(Echo(TEXT[:9000]))
            assert mine.run(Echo(TEXT[:9000])) == "Fine."
            assert 1000 <= mine.plan(Echo(TEXT[:9000])).input_tokens[0] <= 9100


def _said(text: str, usage: Mapping[str, Any]) -> Any:
    from taskkit.testing import Say

    return Say(text, usage=usage)


@pytest.mark.parametrize("characters", [1, 2, 4])
@pytest.mark.parametrize("tells", ["window and count", "window", "nothing"])
def test_a_text_refused_for_its_length_is_cut_anew_until_it_fits(server: Server, characters: int, tells: str) -> None:
    """The model takes 4,000 tokens; it counts up to four times as many as we do, and nobody has said either."""
    refused = 0

    def reply(body: Mapping[str, Any]) -> Any:
        nonlocal refused
        used = sum(len(text_of(one)) // characters for one in body["messages"])
        if used + body["max_tokens"] <= 4000:
            return "A note of some words."
        refused += 1
        words = {
            "window and count": f"This model's maximum context length is 4000 tokens. However, you requested "
            f"{used + body['max_tokens']} tokens ({used} in the messages, {body['max_tokens']} in the completion).",
            "window": "This model's maximum context length is 4000 tokens. Please reduce the length.",
            "nothing": "The prompt is too long.",
        }[tells]
        return Fail(400, words, "context_length_exceeded")

    there = server(reply)
    with engine(there, context=4000 if tells == "nothing" else None) as mine:
        summary = mine.run(Summarise(TEXT))
        assert str(summary) == "A note of some words."
    taken = [body for body in there.bodies if sum(len(text_of(one)) // characters for one in body["messages"]) <= 4000]
    read = "".join(str(body["messages"]) for body in taken)
    assert all(f"Paragraph {n} " in read for n in range(900))
    assert refused <= 3 * 60


@pytest.mark.parametrize("code", ["context_length_exceeded", None])
@pytest.mark.parametrize("words", TOO_LONG)
def test_the_window_that_a_refusal_names_is_used_from_then_on(server: Server, words: str, code: str | None) -> None:
    with engine(server([Fail(400, words, code), "Fine."])) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        assert mine.run(Room()) == "4096 4096"


def test_a_window_that_no_model_has_is_not_believed(server: Server) -> None:
    with engine(server(Fail(400, "This model's maximum context length is 128k tokens."))) as mine:
        before = mine.run(Room())
        with pytest.raises(ContextTooLong, match="128k"):
            mine.run(Echo("hello"))
        assert mine.run(Room()) == before
