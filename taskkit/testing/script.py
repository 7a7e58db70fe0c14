"""What a scripted endpoint says: the vocabulary of replies, and scripts made of them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

Body: TypeAlias = Mapping[str, Any]  # a request's JSON, as an OpenAI-compatible endpoint gets it


@dataclass(frozen=True, slots=True)
class Say:
    """A text reply.

        Say("Bonjour")
        Say("Once upon a", finish="length")
        Say("word " * 1000, chunk=5, pause=0.01)       # 1,000 chunks when it is streamed, 10 ms apart

    `delay` and `pause` are in seconds: before the answer begins, and between the chunks of a stream. `chunk` is in
    characters. `usage` is sent in place of the counted one; `{}` tells none. `refusal` sends the text as one."""

    text: str
    finish: Literal["stop", "length", "content_filter"] = "stop"
    usage: Mapping[str, Any] | None = None
    delay: float = 0.0
    chunk: int = 20
    pause: float = 0.0
    refusal: bool = False

    def __post_init__(self) -> None:
        if self.chunk < 1 or self.delay < 0 or self.pause < 0:
            raise ValueError("chunk is 1 or more; delay and pause are 0 or more")


@dataclass(frozen=True, slots=True)
class Cut:
    """A text that stops at the character `at`, as at an output limit: `Cut('{"a": 1}', 4)`."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The model declines: `Refuse("I can't help with that.")`."""

    text: str = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, slots=True)
class Filtered:
    """The provider's content filter stopped the answer, after `text`: `Filtered()`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """An HTTP error in OpenAI's shape.

    Fail(500, "The server had an error while processing your request.")
    Fail(429, "Slow down.", headers={"retry-after": "2"})
    Fail(429, "You exceeded your current quota.", code="insufficient_quota", type="insufficient_quota")
    """

    status: int
    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def body(self) -> dict[str, Any]:
        kind = self.type or ("server_error" if self.status >= 500 else "invalid_request_error")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection closes after so many bytes of the answer, its head included: `Drop()`, `Drop(after=60)`."""

    after: int = 0
    text: str = "An answer that nobody gets to the end of."


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence for so many seconds, then the reply `then`; without one the connection closes: `Stall(30)`."""

    seconds: float
    then: "Reply | None" = None


@dataclass(frozen=True, slots=True)
class BreakStream:
    """An answer that breaks off after so many characters: `BreakStream("A long answer.", 6)`.

    `how`: "drop" closes the connection; "end" ends the stream properly, but without a finish reason or `[DONE]`;
    "error" sends an error event. Not streamed: half of the JSON and a closed connection, half of the JSON as
    if that were all, and a status 500."""

    text: str
    after: int
    how: Literal["drop", "end", "error"] = "drop"


Plain: TypeAlias = Say | Fail | Drop | Stall | BreakStream
Value: TypeAlias = str | Mapping[str, Any] | Sequence[Any] | BaseModel | Cut | Refuse | Filtered | Plain
Reply: TypeAlias = Value | Callable[[Body], Value]
Replies: TypeAlias = "Script | list[Reply] | Reply"


def plain(value: object) -> Plain:
    """A reply of the vocabulary as one of the few that are acted on. Raises `TypeError` for what is none."""
    match value:
        case Say() | Fail() | Drop() | Stall() | BreakStream():
            return value
        case str():
            return Say(value)
        case Cut():
            return Say(value.text[: value.at], finish="length")
        case Refuse():
            return Say(value.text, refusal=True)
        case Filtered():
            return Say(value.text, finish="content_filter")
        case BaseModel():
            return Say(value.model_dump_json())
        case dict() | list() | tuple():
            return Say(json.dumps(value, ensure_ascii=False))
        case _:
            raise TypeError(f"A script gave {value!r}, which is no reply.")


class Exhausted(AssertionError):
    """There was a call more than the script has replies."""


class Script:
    """Replies in order, or one for every call. A list is consumed; a single reply is repeated; a function is asked
    with each request's body.

        Script(["first", "second", Fail(500, "no third")])
        Script("the same each time")
        Script(lambda body: body["messages"][-1]["content"].upper())
    """

    def __init__(self, replies: "Replies") -> None:
        self._replies = replies
        self._next = 0

    def reply(self, body: Body) -> Plain:
        """Raises `Exhausted`, and whatever a function of the script raises."""
        given: Any = self._replies
        if isinstance(given, Script):
            return given.reply(body)
        if isinstance(given, list):
            self._next += 1
            if self._next > len(given):
                raise Exhausted(f"The script is exhausted: it has {len(given)} replies, this is call {self._next}.")
            given = given[self._next - 1]
        return plain(given(body) if callable(given) else given)


def tokens(text: str) -> int:
    """The default count of a scripted endpoint: a token is four characters."""
    return len(text) // 4


def text_of(message: Any) -> str:
    """The text of one message of a request, its text parts joined."""
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))


Fault: TypeAlias = Callable[[Say], Value]

FAULTS: Mapping[str, Fault] = {
    "429": lambda right: Fail(429, "Rate limit reached. Please try again later.", "rate_limit_exceeded"),
    "429-retry-after": lambda right: Fail(
        429, "Rate limit reached. Please try again in 1s.", "rate_limit_exceeded", headers={"retry-after": "1"}
    ),
    "500": lambda right: Fail(500, "The server had an error while processing your request."),
    "503": lambda right: Fail(503, "The engine is currently overloaded, please try again later."),
    "drop": lambda right: Drop(),
    "break": lambda right: BreakStream(right.text, len(right.text) // 2),
    "stall": lambda right: Stall(30),
    "cut": lambda right: Cut(right.text, len(right.text) // 2),
    "empty": lambda right: Say(""),
}


class Faults(Script):
    """A script, a share of whose calls goes wrong first.

        Faults(echo, share=0.1, kinds=("429", "500", "drop"))
        Faults(echo, share=0.1, kinds=("429",), times=3)                  # three in a row on one call in ten
        Faults(echo, kinds=(lambda right: right.text.replace("{", "["),)) # a fault of one's own

    `kinds` are names in `FAULTS` or functions from the right reply to the wrong one. Which calls, and what befalls
    them, follows from `seed`, the messages and the number of the try, not from the order of arrival; calls with
    the same messages count as tries of one call. The first `times` tries fail."""

    def __init__(
        self,
        replies: Replies,
        *,
        share: float = 0.1,
        kinds: Iterable[str | Fault] = ("429", "500", "drop"),
        seed: int = 0,
        times: int = 1,
    ) -> None:
        super().__init__(replies)
        self.injected = 0
        self._share = share
        self._kinds = [FAULTS[kind] if isinstance(kind, str) else kind for kind in kinds]
        self._seed = seed
        self._times = times
        self._tries: dict[bytes, int] = {}
        self._held: dict[bytes, Say] = {}

    def reply(self, body: Body) -> Plain:
        messages = json.dumps(body.get("messages"), sort_keys=True).encode()
        key = hashlib.sha256(b"%d %b" % (self._seed, messages)).digest()
        if int.from_bytes(key[:8]) >= self._share * 2**64:
            return super().reply(body)
        tried = self._tries.get(key, 0)
        self._tries[key] = tried + 1
        right = self._held.pop(key, None) or super().reply(body)
        if tried >= self._times or not isinstance(right, Say):
            return right
        self._held[key] = right  # a script in order must not lose the reply that the fault hid
        self.injected += 1
        draw = int.from_bytes(hashlib.sha256(b"%b %d" % (key, tried)).digest()[:8])
        return plain(self._kinds[draw % len(self._kinds)](right))
