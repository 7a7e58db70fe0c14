"""What a summary comes with: the places it rests on, what a meeting came to, and what of the source was read."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Quote(BaseModel):
    """A place in one of the documents: `quote` is its text `[start, end)`, in characters of the document as it was
    given; `line` and `page` (a slide, a chapter) count from 1, and are 0 where there are none: the text of a Word
    file has lines that the file has not. `status` says how the model's words were found there; with `none` there is
    no such place."""

    model_config = ConfigDict(frozen=True)

    quote: str = ""
    start: int = 0
    end: int = 0
    line: int = 0
    page: int = 0
    status: Literal["exact", "normalised", "fuzzy", "none"] = "none"
    document: str = ""


class Citation(Quote):
    """A place that bears out a `sentence` of the summary; one of the status `none` has no support."""

    sentence: str


class Point(BaseModel):
    """A decision or an open question of a meeting. `at` is the time of the turn, as `00:01:02`, where it has one."""

    model_config = ConfigDict(frozen=True)

    what: str
    source: Quote
    at: str | None = None
    speaker: str | None = None


class Action(Point):
    """What somebody is to do. `owner` and `due` are None unless they are said where it is agreed."""

    owner: str | None = None
    due: str | None = None


class Disagreement(BaseModel):
    """Something that documents tell differently, with each one's own words."""

    model_config = ConfigDict(frozen=True)

    matter: str
    positions: tuple[Quote, ...]


class Reading(BaseModel):
    """The characters `[start, end)` of a document, which one call had before it, or, when `failed`, none had."""

    model_config = ConfigDict(frozen=True)

    document: str
    start: int
    end: int
    status: Literal["read", "failed"] = "read"
    problem: str = ""


class Coverage(BaseModel):
    """Which call read what, in order. `share` is the part of all characters that was read, from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    share: float = 1.0
    readings: tuple[Reading, ...] = ()
