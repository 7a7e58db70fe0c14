"""Answers that are none, or not whole: what is done about them, and what is then said."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

import taskkit
from taskkit.errors import InvalidOutputError, RefusedError, TruncatedError
from taskkit.testing import Cut, Fail, Filtered, Refuse, Say, ScriptedServer
from tests.engine.test_whole import WHOLE, Write, obedient

Server = Callable[..., ScriptedServer]


class Place(taskkit.Result):
    name: str


@taskkit.task
class Where(taskkit.Task[Place]):
    """Say where."""

    subject: str
    prompt = taskkit.Prompt("Where is {{ subject }}?")


class Written(taskkit.Result):
    text: str


@taskkit.task
class Compose(taskkit.Task[Written]):
    """Write at length, and tell what there is to know of it."""

    subject: str

    async def run(self, job: taskkit.Job) -> Written:
        return Written(text=await job.complete(f"Write at length about {self.subject}.", show=True))


def engine(there: ScriptedServer, model: str = "gpt-4.1-mini", **options: Any) -> taskkit.Engine:
    return taskkit.Engine(model=model, base_url=there.base_url, api_key="k", journal=False, **options)


def test_a_reasoning_model_that_only_thought_gets_more_room_once(server: Server) -> None:
    there = server([Say("", finish="length"), "An old pond."])
    with engine(there, "o4-mini") as mine:
        assert mine.run(Write("frogs")) == "An old pond."
        assert mine.usage.calls == 2
    first, second = (body["max_completion_tokens"] for body in there.bodies)
    assert second >= 2 * first


@pytest.mark.parametrize("thoughts", ["", "<think>Frogs, hm. Ponds", "  \n"])
def test_one_that_only_thinks_is_one_clear_error_after_two_calls(server: Server, thoughts: str) -> None:
    there = server(Say(thoughts, finish="length"))
    with engine(there, "o4-mini") as mine, pytest.raises(TruncatedError, match="it only thought") as caught:
        mine.run(Write("frogs"))
    assert len(there.bodies) == 2
    assert caught.value.usage is not None
    assert caught.value.usage.calls == 2


def test_an_empty_answer_is_asked_for_once_more_and_then_an_error(server: Server) -> None:
    there = server(["", "An old pond.", "", ""])
    with engine(there) as mine:
        assert mine.run(Write("frogs")) == "An old pond."
        with pytest.raises(InvalidOutputError, match="answered nothing, twice"):
            mine.run(Write("toads"))


@pytest.mark.parametrize(
    ("reply", "words", "text"),
    [
        (Refuse("Not this, sorry."), "declined to answer: Not this, sorry.", "Not this, sorry."),
        (Filtered("Once upon"), "content filter stopped the answer of gpt-4.1-mini after: Once upon", "Once upon"),
        (Filtered(), "content filter stopped the answer", ""),
        (
            Fail(400, "The prompt triggered the content management policy."),
            "content filter refused",
            "management policy",
        ),
    ],
)
@pytest.mark.parametrize("task", [Write("frogs"), Where("frogs")], ids=["text", "schema"])
def test_refusals_and_filters_are_errors_of_their_own_with_what_came(
    server: Server, reply: Any, words: str, text: str, task: Any
) -> None:
    there = server(reply)
    with engine(there) as mine, pytest.raises(RefusedError, match=words) as caught:
        mine.run(task)
    assert text in caught.value.text
    assert len(there.bodies) == 1


def test_a_filter_in_a_continuation_keeps_what_came_before(server: Server) -> None:
    there = server([Cut(WHOLE, 2000), Filtered("and then")])
    with engine(there) as mine, pytest.raises(RefusedError) as caught:
        mine.run(Write("harbours"))
    assert caught.value.text.startswith(WHOLE[:2000])


def cutting(body: Mapping[str, Any]) -> Any:
    rest = WHOLE if len(body["messages"]) == 1 else obedient(body)
    return Cut(rest, 2500) if len(rest) > 2500 else rest


def test_a_stream_shows_a_continued_text_once_and_whole(server: Server) -> None:
    there = server(cutting)
    with engine(there) as mine:
        stream = mine.stream(Compose("harbours"))
        shown = "".join(stream)
        assert shown.rstrip() == stream.result.text.rstrip() == WHOLE.rstrip()
        assert stream.result.usage.calls == len(there.bodies) > 3
        assert stream.result.usage.output_tokens > len(WHOLE) // 5


def test_the_output_limit_of_a_server_is_no_end(server: Server) -> None:
    """The server itself cuts, by its own count."""
    there = server(lambda body: WHOLE if len(body["messages"]) == 1 else obedient(body), max_output=700)
    with engine(there) as mine:
        assert mine.run(Write("harbours")).rstrip() == WHOLE.rstrip()


def endless(body: Mapping[str, Any]) -> Any:
    number = len(str(body))
    return Say("".join(f"Page {number + n} of a book without an end. " for n in range(40)), finish="length")


@pytest.mark.parametrize(
    ("reply", "options", "why"),
    [
        (endless, {}, "it was continued 8 times"),
        (Say("Round and round it goes, and round. " * 60, finish="length"), {}, "the model went in circles"),
        (Say("It began well, and then: " + "I am here. " * 400, finish="length"), {}, "the model went in circles"),
        (lambda body: Say("".join(f"Word {n} here. " for n in range(500)), finish="length"), {"context": 700},
         "the window has no room to continue it"),
        ([Cut(WHOLE, 1993), " ", " "], {}, "the model did not go on with it"),
    ],
    ids=["endless", "circles", "one circle", "window", "nothing more"],
)  # fmt: skip
def test_what_stays_cut_is_marked_with_the_reason(
    server: Server, reply: Any, options: dict[str, Any], why: str
) -> None:
    there = server(reply)
    with engine(there, **options) as mine:
        (told,) = mine.run(Compose("everything")).warnings
    assert (told.code, told.failure) == ("truncated", True)
    assert why in told.message


def test_what_one_model_refuses_another_at_the_same_address_is_still_asked_for(server: Server) -> None:
    def picky(body: Mapping[str, Any]) -> Any:
        if body["model"] == "old" and "response_format" in body:
            return Fail(400, "Unsupported parameter: 'response_format'", param="response_format")
        return {"name": "Rome"}

    there, other = server(picky), server({"name": "Rome"})
    with engine(there, "old") as old:
        for subject in "ab":
            assert old.run(Where(subject)).name == "Rome"
        asked = [body.get("response_format", {}).get("type") for body in there.bodies]
        assert asked == ["json_schema", "json_object", None, None]
        where = (there.base_url, "old")
        assert (old.capabilities.rung(where), old.capabilities.rung((there.base_url, "new"))) == ("prompt", "strict")
        assert old.capabilities.rung((other.base_url, "old")) == "strict"


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429, 500])
def test_the_ladder_is_stepped_down_for_a_refused_capability_only(server: Server, status: int) -> None:
    """Words about the format in another error are none."""
    there = server(
        [Fail(status, "The response_format json_schema is not for you.", "insufficient_quota" if status == 429 else None,
              headers={"retry-after-ms": "1"})] * (8 if status == 500 else 1)
    )  # fmt: skip
    with engine(there) as mine, pytest.raises(taskkit.TaskkitError):
        mine.run(Where("it"))
    assert {body["response_format"]["type"] for body in there.bodies} == {"json_schema"}


def test_a_parameter_that_stays_refused_is_left_out_once(server: Server) -> None:
    there = server(Fail(400, "Unsupported parameter: 'temperature'", "unsupported_parameter", param="temperature"))
    with engine(there) as mine, pytest.raises(taskkit.TaskkitError, match="temperature"):
        mine.run(Write("frogs"))
    assert ["temperature" in body for body in there.bodies] == [True, False]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("word", ["max_tokens", "MAX_TOKENS", "model_length"])
def test_a_cut_is_one_in_whatever_words_the_endpoint_says_it(server: Server, word: Any, stream: bool) -> None:
    def reply(body: Mapping[str, Any]) -> Any:
        said = cutting(body)
        return Say(said.text[: said.at], finish=word) if isinstance(said, Cut) else said

    there = server(reply)
    with engine(there) as mine:
        task = Compose("harbours")
        text = mine.stream(task).result.text if stream else mine.run(Write("harbours"))
    assert text.rstrip() == WHOLE.rstrip()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_ended_in_an_error_is_asked_for_again(server: Server, stream: bool) -> None:
    broken: Any = "error"
    there = server([Say("An old po", finish=broken), "An old pond."])
    with engine(there) as mine:
        task = Compose("frogs")
        assert (mine.stream(task).result.text if stream else mine.run(Write("frogs"))) == "An old pond."
    assert len(there.bodies) == 2
