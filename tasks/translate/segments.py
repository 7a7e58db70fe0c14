"""What travels between finding, masking, checking and writing back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind = Literal[
    "paragraph", "heading", "list-item", "quote", "footnote", "table-cell", "title", "front-matter",
    "attribute", "string", "branch", "cue",
]  # fmt: skip
# How a text is read when it is masked: `string` is what stands in a program, where every line end counts.
Prose = Literal["text", "markdown", "string"]


@dataclass(frozen=True, slots=True)
class Plural:
    """One of `of` forms, number `index`. `category` is CLDR's name for it ("" where there is none), `examples` are
    whole numbers that take it, the smallest first."""

    index: int
    of: int
    category: str = ""
    examples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a reader has room and time for: `lines` of `width` characters, shown for `seconds`; 0 where it is free."""

    lines: int = 0
    width: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A text to translate, and the stretch [start, end) of the source that its translation is written into.

    `raw` is what stands there; `text` is what to translate, as a reader sees it (quotes, escapes and entities
    resolved). `target` is the translation that stands there already ("" for an empty one), None where a translation
    takes the place of the text; `stale`: it was made for an older text. Segments of one stretch, such as the plural
    forms of a message, are written together.

    `key` is the name that the format has for it (a path of keys, a number). `context` is the path of headings above
    it, `note` what a translator should know. `keep` are strings in it that must come back unchanged although they
    look like prose. `part` is the member of a container that the offsets count in, `style` what the format has to know to write it.
    """

    id: str
    start: int
    end: int
    raw: str
    text: str
    context: tuple[str, ...] = ()
    kind: Kind = "paragraph"
    keep: tuple[str, ...] = ()
    key: str = ""
    note: str = ""
    target: str | None = None
    stale: bool = False
    plural: Plural | None = None
    limit: Limit | None = None
    part: str = ""
    style: str = ""

    @property
    def current(self) -> str:
        """What the format says at this place now."""
        return self.text if self.target is None else self.target

    @property
    def new(self) -> bool:
        """Nobody has translated it, or not as it is now."""
        return self.stale or not self.target


# How comments and flags say what room there is: `max-length:20`, `maxLength = 20`, `max. 20 characters`.
MAX_LENGTH = re.compile(
    r"\bmax(?:imum)?[-_. ]?len(?:gth)?\s*[:=]?\s*(\d{1,5})\b|\bmax(?:imum|\.)?:? (\d{1,5}) char(?:acter)?s?\b",
    re.IGNORECASE,
)


def room_in(note: str) -> Limit | None:
    """What a note says of the length of a text; None when nothing."""
    found = MAX_LENGTH.search(note)
    return Limit(width=int(found[1] or found[2])) if found else None


Group: TypeAlias = Sequence[tuple[Segment, str]]  # segments of one stretch, each with its translation


@dataclass(frozen=True, slots=True)
class Problem:
    """Something found by code. `message` is one line that a model can act on when it is told to try again. `mark` is
    the number of the mark that it concerns, 0 for none."""

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What finding may depend on: the tags of both languages ("" when unknown), the columns of a table to take."""

    to: str = ""
    from_: str = ""
    columns: tuple[str, ...] = ()


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch without blank ends; an empty one for what is blank throughout."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
