"""What travels the road: a call on its way out, a reply on its way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from taskkit.results import Usage

Role = Literal["system", "user", "assistant"]
Rung = Literal["strict", "object", "prompt"]
Finish = Literal["stop", "length", "filtered", "refused"]


@dataclass(frozen=True, slots=True)
class Message:
    """`images` are `https:` or `data:` URLs, sent after the text."""

    role: Role
    content: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a stage sees it, before it has the shape that an endpoint wants.

    `schema` is the JSON schema that the answer has to meet, `rung` how the endpoint is told so (see
    `structure`). `sample` tells apart several wanted answers to the same messages. `likely` is an answer of the
    usual kind, which stands in for the real one when a task is planned; it is never sent. `at_first` is the temperature
    of the first try, where this is another one at a higher."""

    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_output: int | None = None
    schema: Mapping[str, object] | None = None
    schema_name: str = "answer"
    rung: Rung = "strict"
    stop: tuple[str, ...] = ()
    sample: int = 0
    likely: str | None = field(default=None, compare=False)
    at_first: float | None = field(default=None, compare=False)

    def warmer(self, temperature: float) -> "Call":
        """As another try of the same; whether its answer is kept for good is for the first one's temperature to say."""
        return replace(self, temperature=temperature, at_first=self.wanted)

    @property
    def wanted(self) -> float | None:
        """The temperature that was asked for."""
        return self.temperature if self.at_first is None else self.at_first

    @property
    def sent_schema(self) -> Mapping[str, object] | None:
        """The schema where it goes along as one, and takes room."""
        return self.schema if self.rung == "strict" else None


@dataclass(frozen=True, slots=True)
class Reply:
    """`finish`: `length` is a cut at the output limit, `filtered` and `refused` are no answers at all. `why` says of a
    text that stayed cut why it was not continued to its end. `is_told` is False where the endpoint told no usage that can
    be meant, and what we saw was counted."""

    text: str
    finish: Finish = "stop"
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    why: str = ""
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class Embedded:
    """One vector a text, in order, as the endpoint gave them."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = field(default_factory=Usage)
    is_told: bool = True
