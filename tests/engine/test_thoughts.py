"""Thoughts that a server leaves in its answers are no part of any result."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.engine.call import Message
from taskkit.engine.thoughts import Spoken, without
from taskkit.testing import Say, ScriptedServer
from tests.engine.test_answers import Compose, Where, engine
from tests.engine.test_whole import Write

Server = Callable[..., ScriptedServer]


@pytest.mark.parametrize(
    "reply",
    [
        "<think>Frogs, hm.\n\nPonds.</think>\n\nAn old pond.",
        "\n<think></think>An old pond.",
        "Frogs, hm. Ponds.\n</think>\n\nAn old pond.",  # its beginning stood in the prompt
    ],
)
def test_they_are_no_part_of_the_text(server: Server, reply: str) -> None:
    with engine(server(reply)) as mine:
        assert mine.run(Write("frogs")) == "An old pond."


def test_they_are_no_part_of_an_object(server: Server) -> None:
    with engine(server('<think>{"name": "a guess"}</think>{"name": "Vlissingen"}')) as mine:
        assert mine.run(Where("the pier")).name == "Vlissingen"


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_they_are_not_shown(server: Server, chunk: int) -> None:
    with engine(server(Say("<think>Frogs, hm.</think>\n\nAn old pond.", chunk=chunk))) as mine:
        stream = mine.stream(Compose("frogs"))
        assert "".join(stream) == stream.result.text == "An old pond."


@pytest.mark.parametrize("reply", ["<thin", "  ", "< think>", "a <think> b </think>", "<thinking> is work."])
def test_what_only_looks_like_them_stays(server: Server, reply: str) -> None:
    with engine(server([Say(reply, chunk=2), "Never."])) as mine:
        expected = reply if reply.strip() else "Never."
        stream = mine.stream(Compose("frogs"))
        assert "".join(stream).strip() == stream.result.text.strip() == expected


def test_an_answer_that_was_asked_about_such_marks_keeps_them(server: Server) -> None:
    reply = "The end is marked so:\n</think>\nThat is all."
    with engine(server(reply)) as mine:
        assert mine.run(Write("the mark </think>")) == reply


@given(st.lists(st.sampled_from(["<think>", "</think>", "<thi", "nk>", " ", "\n", "a", "</"]), max_size=9))
def test_what_is_shown_is_what_is_kept(pieces: list[str]) -> None:
    shown: list[str] = []
    spoken = Spoken(shown.append)
    for piece in pieces:
        spoken(piece)
    spoken.end()
    asked: Any = [Message("user", "</think>")]
    assert "".join(shown) == without("".join(pieces), asked)
