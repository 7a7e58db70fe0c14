"""A book through `summarise` while its endpoint misbehaves: nothing of it is lost, and little is paid twice."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import taskkit
from taskkit.engine.call import Message
from taskkit.tasks.summarise import Summarise, Summary
from taskkit.testing import Fail, Faults, Say, ScriptedServer
from taskkit.tokens import count_messages, counter_for

Server = Callable[..., ScriptedServer]
MARKS = 80
MARK = re.compile(r"MARK-\d+")


def book(tokens: int = 400_000) -> str:
    """About so many tokens of prose, no two paragraphs alike, with 80 marks spread evenly through it."""
    paragraphs = []
    count = tokens // 64
    for n in range(count):
        mark = f" Note MARK-{n * MARKS // count}." if n * MARKS // count != (n - 1) * MARKS // count else ""
        paragraphs.append(
            f"On day {n} the keeper of light {n * 7919 % 1009} wrote down {n * 31 % 97} ships, {n * 17 % 53} of them "
            f"under sail, and a wind of {n * 13 % 90} knots; he noted that the {n * 101 % 463}rd buoy had gone adrift "
            f"once more and that nobody had come to see to it, which he thought strange.{mark}"
        )
    return "\n\n".join(paragraphs)


BOOK = book()


def notes(body: Mapping[str, Any]) -> Say:
    """A model that keeps every mark it sees, and goes on where it was cut off."""
    text = next(str(one["content"]) for one in body["messages"] if one["role"] == "user")
    said = "The keeper wrote on. " + " ".join(f"He notes {one}." for one in dict.fromkeys(MARK.findall(text)))
    _, _, held = str(body["messages"][-1]["content"]).partition("The words to begin with:\n\n")
    return Say(said[said.index(held) :])


def limited(_: Say) -> Fail:
    return Fail(429, "Rate limit reached.", "rate_limit_exceeded", headers={"retry-after-ms": "20"})


def summarised(there: ScriptedServer, **options: Any) -> Summary:
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", **options) as engine:
        return engine.run(Summarise(BOOK, words=400))


def marks(result: Summary) -> int:
    return len(set(MARK.findall(result.text)))


def read_once(there: ScriptedServer) -> bool:
    """Whether each paragraph of the book stands in a request of its first level, in exactly one of them."""
    first = {str(one["messages"][-1]["content"]) for one in there.bodies}
    days = [day for text in first for day in re.findall(r"^On day (\d+) ", text, re.MULTILINE)]
    return sorted(map(int, days)) == list(range(len(BOOK.split("\n\n"))))


@pytest.fixture(scope="module")
def calm() -> int:
    """The calls of the undisturbed job."""
    with ScriptedServer(notes) as there:
        result = summarised(there, journal=False)
        assert marks(result) == MARKS
        assert read_once(there)
        assert not result.warnings
        return len(there.bodies)


@pytest.mark.parametrize(
    ("name", "kinds", "times"),
    [("cut-or-empty", ("cut", "empty"), 1), ("429-thrice", (limited,), 3), ("broken", ("500", "drop", "break"), 1)],
)
def test_every_mark_survives_faults(server: Server, calm: int, name: str, kinds: tuple[Any, ...], times: int) -> None:
    faults = Faults(notes, share=0.1, kinds=kinds, times=times)
    there = server(faults)
    result = summarised(there)
    assert faults.injected > 3
    assert marks(result) == MARKS
    assert read_once(there)
    answered = len(there.bodies) - (faults.injected if kinds == (limited,) else 0)
    assert answered <= 1.3 * calm
    assert not any(one.failure for one in result.warnings)


def test_a_server_that_takes_20_at_once(server: Server, calm: int) -> None:
    there = server(notes, latency=0.02, max_at_once=20)
    result = summarised(there)
    assert marks(result) == MARKS
    assert len(there.bodies) <= 1.3 * calm


@pytest.mark.parametrize("context", [128_000, 4_096])
def test_every_request_stays_within_the_window(server: Server, context: int) -> None:
    there = server(notes)
    result = summarised(there, context=context)
    assert read_once(there)
    counter = counter_for("gpt-4.1-mini")
    for body in there.bodies:
        messages = [Message(one["role"], one["content"]) for one in body["messages"]]
        assert count_messages(messages, counter) + body["max_tokens"] <= context
    assert marks(result) == MARKS
