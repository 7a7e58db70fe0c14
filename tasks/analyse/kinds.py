"""What every kind of analysis says of itself: its question, the form of its answer, and how an answer is read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pydantic import BaseModel

from taskkit.spans import locate
from taskkit.tasks.analyse.found import Evidence, Item


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says of one text, checked. `lost` tells in words what could not be used; `leaked` is how much
    of that came from an example. `record` is what was extracted, of a schema, `where` the fields that each lost one
    was in, `notes` what its parts disagree on."""

    items: tuple[Item, ...] = ()
    lost: tuple[str, ...] = ()
    leaked: int = 0
    record: Any = None
    notes: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


class Kind(Protocol):
    """`question` goes before every text. `each` is the room that the answer for one text may take, in tokens."""

    @property
    def name(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def form(self) -> type[BaseModel]: ...
    @property
    def each(self) -> int: ...

    def usual(self, text: str) -> dict[str, Any]:
        """What an answer mostly looks like, for the planner."""
        ...

    def read(self, text: str, answer: Any, start: int) -> Reading:
        """`start` is where the text begins in its document, whose offsets are wanted."""
        ...

    def acceptable(self, reading: Reading) -> bool:
        """Whether it need not be asked for again."""
        ...

    def again(self, reading: Reading) -> "Kind":
        """What to ask for when a reading is not acceptable."""
        ...

    def better(self, known: Reading, reading: Reading) -> Reading:
        """What holds of two answers about one text."""
        ...

    def merged(self, parts: Sequence[tuple[Reading, int]]) -> Reading:
        """One document's readings, each with the length of its piece, in order."""
        ...

    def voted(self, votes: Sequence[Reading]) -> Reading: ...


@dataclass
class Places:
    """Where quotes stand in one text. A quote that comes again is looked for behind the place where it was found."""

    text: str
    start: int
    _behind: dict[str, int] = field(default_factory=dict)

    def of(self, quote: str, *, near: Evidence | None = None) -> Evidence | None:
        """The first place, or the one nearest to another; None where it is nowhere."""
        span = locate(quote, self.text, near=None if near is None else near.start - self.start)
        if span.status == "none":
            return None
        return self._evidence(span.start, span.end, span.status)

    def first(self, quote: str) -> Evidence | None:
        """The first place, as whole words where there is one."""
        at = whole(quote.strip(), self.text, 0)
        return self.of(quote) if at is None else self._evidence(at, at + len(quote.strip()), "exact")

    def following(self, quote: str) -> Evidence | None:
        """The next place, as whole words where there is one; None once all have been given."""
        key = " ".join(quote.split()).casefold()
        behind = self._behind.get(key)
        at = whole(quote.strip(), self.text, behind or 0)
        if at is not None:
            found: Evidence | None = self._evidence(at, at + len(quote.strip()), "exact")
        elif behind is None:
            found = self.of(quote)
        else:
            span = locate(quote, self.text[behind:])
            is_same = span.status in {"exact", "normalised"}
            found = self._evidence(behind + span.start, behind + span.end, span.status) if is_same else None
        if found is not None:
            self._behind[key] = found.end - self.start
        return found

    def _evidence(self, start: int, end: int, status: Any) -> Evidence:
        return Evidence(quote=self.text[start:end], start=self.start + start, end=self.start + end, status=status)


def whole(quote: str, text: str, start: int) -> int | None:
    """Where the quote stands as it is and is no part of a longer word: Ann is not in Annabel."""
    at = text.find(quote, start) if quote else -1
    while at >= 0:
        end = at + len(quote)
        if not (_joined(text[at - 1 : at], quote[0]) or _joined(quote[-1], text[end : end + 1])):
            return at
        at = text.find(quote, at + 1)
    return None


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are letters of one word, in the scripts that part words by spaces."""
    return left.isalnum() and right.isalnum() and max(left, right) < "\u0e00"


def lost_in(quote: str) -> str:
    return f"{' '.join(quote.split())[:80]!r} is not in the text"


def majority(votes: Sequence[Reading], key: Any) -> list[Item]:
    """The items that more than half of the votes have, each with its share; `key` says which are the same."""
    counts = Counter(one for vote in votes for one in {key(item) for item in vote.items})
    first = {key(item): item for vote in reversed(votes) for item in reversed(vote.items)}
    order = dict.fromkeys(key(item) for vote in votes for item in vote.items)
    return [
        first[one].model_copy(update={"confidence": round(counts[one] / len(votes), 3)})
        for one in order
        if 2 * counts[one] > len(votes)
    ]


def fuller(known: Reading, reading: Reading) -> Reading:
    """The one with the most that is borne out; the first of two that are alike."""
    return max((known, reading), key=lambda one: (len(one.items), -len(one.lost)))


def together(readings: Sequence[Reading], items: Sequence[Item]) -> Reading:
    """These items, and what was lost on the way to them."""
    lost = tuple(dict.fromkeys(one for reading in readings for one in reading.lost))
    return Reading(tuple(items), lost, sum(one.leaked for one in readings))


def alone(reading: Reading, items: Sequence[Item]) -> Reading:
    return replace(reading, items=tuple(items))
