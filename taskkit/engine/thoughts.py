"""Thoughts that a server leaves in the text of an answer: `<think>…</think>` at its head. They are no part of it.

Servers that were not told how their model thinks hand them on. Some templates begin them in the prompt, so that
only their end is in the answer."""

import re
from collections.abc import Sequence
from typing import Literal

from taskkit.engine.call import Message
from taskkit.engine.wire import OnText

OPEN, SHUT = "<think>", "</think>"
_HEAD = re.compile(r"\A\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)
_END = re.compile(r"^[ \t]*</think>[ \t]*$\s*", re.MULTILINE)


def without(text: str, asked: Sequence[Message]) -> str:
    """The answer alone; nothing of a text that was cut off while it thought."""
    if SHUT not in text and OPEN not in text:
        return text
    if _HEAD.match(text):
        return _HEAD.sub("", text, count=1)
    if OPEN not in text and (end := _END.search(text)) and not any(SHUT in one.content for one in asked):
        return text[end.end() :]
    return text


class Spoken:
    """Shows a stream without the thoughts at its head. `end` tells it that nothing more comes."""

    def __init__(self, show: OnText) -> None:
        self._show = show
        self._held = ""
        self._at: Literal["head", "thoughts", "gap", "text"] = "head"

    def __call__(self, piece: str) -> None:
        self._held += piece
        if self._at == "head":
            head = self._held.lstrip()
            if len(head) < len(OPEN) and OPEN.startswith(head):
                return
            self._at = "thoughts" if head.startswith(OPEN) else "text"
        if self._at == "thoughts":
            _, shut, after = self._held.partition(SHUT)
            self._held = after if shut else self._held[-len(SHUT) :]
            if not shut:
                return
            self._at = "gap"
        if self._at == "gap":
            self._held = self._held.lstrip()
            if not self._held:
                return
            self._at = "text"
        self._hand_on()

    def end(self) -> None:
        if self._at == "head":
            self._hand_on()

    def _hand_on(self) -> None:
        held, self._held = self._held, ""
        if held:
            self._show(held)
