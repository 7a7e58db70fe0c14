"""Texts that nobody writes, through a whole task: every request fits, and nothing is lost or hangs."""

from typing import Any

import pytest

from taskkit.engine.call import Message
from taskkit.tasks.summarise import Summarise
from taskkit.testing import scripted
from taskkit.tokens import count_messages, counter_for

ODD = {
    "one MB without a space": "abcdefghijklmnopqrstuvwxyz0123456789" * 28_000,
    "ten MB of one character": "a" * 10_000_000,
    "Chinese": "港口在暴风雨后关闭了。" * 20_000,
    "Thai": "ท่าเรือปิดหลังพายุ" * 12_000,
    "families": "👨‍👩‍👧‍👦" * 20_000,
    "carriage returns": "The harbour was closed.\r\n" * 15_000,
    "NUL": "The harbour\x00was closed. " * 15_000,
    "lone surrogates": "The harbour \ud800 was closed. " * 15_000,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_are_read_whole_within_the_window(name: str) -> None:
    engine = scripted("A harbour was closed.", model="gpt-4.1-mini", context=128_000)
    result = engine.run(Summarise(ODD[name]))
    assert result.text == "A harbour was closed."
    assert result.coverage.share == 1.0
    bodies: list[Any] = engine._transport.bodies  # type: ignore[union-attr]
    counter = counter_for("gpt-4.1-mini")
    for body in bodies:
        messages = [Message(one["role"], one["content"]) for one in body["messages"]]
        assert count_messages(messages, counter) + body["max_tokens"] <= 128_000
