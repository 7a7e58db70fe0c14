"""What travels between finding, masking, checking and splicing."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["paragraph", "heading", "list-item", "quote", "footnote", "table-cell", "title", "front-matter"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch to translate: `text == source[start:end]`, never blank at either end.

    `context` is the path of headings above it. `keep` are strings in it that must come back unchanged although
    they look like prose, such as the `[label]` of a reference link.
    """

    id: str
    start: int
    end: int
    text: str
    context: tuple[str, ...] = ()
    kind: Kind = "paragraph"
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something found by code. `message` is one line that a model can act on when it is told to try again."""

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch without blank ends; an empty one for what is blank throughout."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
