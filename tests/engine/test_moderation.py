"""Moderation of texts and images: what is flagged is neither sent nor shown, and what could not be looked at is told."""

import base64
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import taskkit
from taskkit.errors import EndpointError, UnsafeError
from taskkit.tasks.summarise import Summarise
from taskkit.testing import Fail, Say, ScriptedServer, echo
from tests.engine.test_images import Tell, png
from tests.made import Echo

Server = Callable[..., ScriptedServer]
SOON = {"retry-after-ms": "1"}


def engine(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", **options)


def looked_at(there: ScriptedServer) -> list[Any]:
    return [one.body["input"] for one in there.requests if one.path.endswith("/moderations")]


def small_images(what: str) -> list[str]:
    """Flags those of 7 by 7 pixels."""
    data = base64.b64decode(what.partition(",")[2]) if what.startswith("data:") else b""
    return ["violence"] if struct.pack(">II", 7, 7) in data else []


def test_each_image_is_looked_at_and_one_that_is_flagged_is_not_sent(server: Server) -> None:
    there = server("A field.", flagged=small_images)
    with engine(there, moderate="input") as mine:
        assert mine.run(Tell("Look.", (png(), png(8)))) == "A field."
        with pytest.raises(UnsafeError, match="violence"):
            mine.run(Tell("Look.", (png(), png(7, 7))))
    assert len(there.bodies) == 1
    kinds = ["text" if isinstance(one, str) else one[0]["type"] for one in looked_at(there)]
    assert kinds == ["text", "image_url", "image_url"] * 2
    assert all(isinstance(one, str) or len(one) == 1 for one in looked_at(there)), "the endpoint takes one a request"


def test_images_that_the_moderation_does_not_take_are_told(server: Server) -> None:
    def flagged(what: str) -> Any:
        return Fail(400, "Invalid value: 'image_url'.", param="input[0].type") if what.startswith("data:") else []

    there = server("A field.", flagged=flagged)

    with engine(there, moderate="input") as mine:
        (told,) = mine.run(Summarise(png())).warnings
    assert (told.code, told.failure) == ("not-moderated", True)
    assert "The image was not looked at by the moderation" in told.message


@pytest.mark.parametrize("chunk", [3, 1000])
def test_what_is_flagged_on_its_way_out_is_never_shown(server: Server, chunk: int) -> None:
    there = server(lambda body: Say(echo(body), chunk=chunk), flagged=lambda said: ["hate"] if "harm" in said else [])
    shown: list[str] = []
    with engine(there, moderate="output") as mine:
        with pytest.raises(UnsafeError, match="hate"):
            shown.extend(mine.stream(Echo("This does harm.")))
        assert shown == []
        assert "".join(mine.stream(Echo("This is fine."))) == "This is fine."


def test_one_call_of_a_task_can_ask_for_it(server: Server) -> None:
    @taskkit.task
    class Careful(taskkit.Task[str]):
        """Say two things, one of them after a look."""

        text: str

        async def run(self, job: taskkit.Job) -> str:
            first = await job.complete(f"plain {self.text}")
            return first + await job.complete(f"careful {self.text}", moderate="both")

    there = server(echo, flagged=lambda said: ["hate"] if "careful harm" in said else [])
    with engine(there) as mine:
        assert mine.run(Careful("words")) == "plain wordscareful words"
        assert looked_at(there) == ["careful words", "careful words"]
        with pytest.raises(UnsafeError):
            mine.run(Careful("harm"))


def test_it_is_off_unless_asked_for_and_a_plan_asks_nobody(server: Server) -> None:
    there = server(echo, flagged=lambda said: ["hate"])
    with engine(there) as mine:
        assert mine.run(Echo("words")) == "words"
    with engine(there, moderate="both") as mine:
        mine.plan(Echo("words"))
    assert looked_at(there) == []


def test_a_moderation_that_fails_now_and_then_is_asked_again(server: Server) -> None:
    answers: list[Any] = [Fail(500, "down", headers=SOON), Fail(429, "slow", headers=SOON), []]
    there = server(echo, flagged=lambda said: answers.pop(0) if answers else [])
    with engine(there, moderate="input") as mine:
        assert mine.run(Echo("words")) == "words"
    assert len(looked_at(there)) == 3


def test_a_moderation_that_is_not_to_be_had_lets_nothing_through(server: Server) -> None:
    there = server(echo, flagged=lambda said: Fail(503, "down", headers=SOON))
    with engine(there, moderate="input") as mine, pytest.raises(EndpointError, match="503"):
        mine.run(Echo("words"))
    assert not there.bodies


def test_what_was_paid_for_and_flagged_is_looked_at_again_when_it_comes_from_the_journal(server: Server) -> None:
    strict = [False]
    there = server(echo, flagged=lambda said: ["hate"] if strict[0] else [])
    with engine(there, moderate="output") as mine:
        assert mine.run(Echo("words")) == "words"
        strict[0] = True
        with pytest.raises(UnsafeError):
            mine.run(Echo("words"))
    assert len(there.bodies) == 1


def test_answers_with_a_schema_are_looked_at_too(server: Server) -> None:
    class Place(taskkit.Result):
        name: str

    @taskkit.task
    class Where(taskkit.Task[Place]):
        """Say where."""

        subject: str
        prompt = taskkit.Prompt("Where is {{ subject }}?")

    def model(_: Mapping[str, Any]) -> Any:
        return {"name": "Harm"}

    there = server(model, flagged=lambda said: ["hate"] if "Harm" in said else [])
    with engine(there, moderate="output") as mine, pytest.raises(UnsafeError):
        mine.run(Where("it"))
