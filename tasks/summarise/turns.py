"""Who speaks when in a plain transcript, or in a chat as it is saved."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_DATE = r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?[ T]+)?"
_TIME = _DATE + r"\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:[ \u202f]?[AaPp]\.?[Mm]\b\.?)?"
_NAME = r"[^\W\d_a-z][\w.'’-]*(?:[ ](?:[^\W\d_][\w.'’-]*|\d{1,2}(?!\d|:\d))){0,3}"
# Heads such as [00:01:02] Ann, 00:01:02 - Ann, Ann (00:01:02), **Ann, Speaker 1, each with its colon
_NAMED = re.compile(
    rf"^[ \t>*_-]{{0,4}}(?:[\[(]?(?P<before>{_TIME})[\])]?[ \t]*[-–—]?[ \t]*)?[*_]{{0,2}}(?P<name>{_NAME})"
    rf"(?:[ \t]*\((?!\d)[^()\n]{{1,40}}\))?(?:[ \t]*[\[(]?(?P<after>{_TIME})[\])]?)?[*_]{{0,2}}(?:：|:[*_]{{0,2}}(?=\s|\Z))",
    re.MULTILINE,
)
# A chat of a video meeting: "10:02:33 From Ann Smith to Everyone : hello"
_CHAT = re.compile(
    rf"^[ \t]*(?P<before>{_TIME})[ \t]+From[ \t]+(?P<name>{_NAME}?)[ \t]+[Tt]o[ \t]+[^\n:]{{1,60}}:", re.MULTILINE
)
# "Ann Smith  0:02" on a line by itself, the words on the next
_ALONE = re.compile(rf"^[ \t]*(?P<name>{_NAME})[ \t]+[\[(]?(?P<after>{_TIME})[\])]?[ \t]*$", re.MULTILINE)
# "00:01:02 Ann we should go": the name is the first word, or the first two
_TIMED = re.compile(
    rf"^[ \t]*[\[(]?(?P<before>{_TIME})[\])]?[ \t]+(?:(?P<name>[^\W\d_a-z][\w'’-]*)(?=\s))?", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Turn:
    """`[start, end)` with its head; `time` as `00:01:02`."""

    start: int
    end: int
    speaker: str | None
    time: str | None


def turns(text: str) -> list[Turn]:
    """In order, from head to head; none where the text is no transcript. A name that stands before a colon but
    once is no speaker, unless it has a time or most lines begin so."""
    heads: dict[int, tuple[str | None, str | None]] = {}
    named = list(_NAMED.finditer(text))
    counts = Counter(one["name"] for one in named)
    lines = sum(1 for line in text.splitlines() if line.strip())
    most = len(named) * 2 >= lines and len(named) > 1
    for one in named:
        time = one["before"] or one["after"]
        if time or most or counts[one["name"]] > 1:
            heads[one.start()] = (one["name"], time)
    for one in (*_CHAT.finditer(text), *_ALONE.finditer(text)):
        heads.setdefault(one.start(), (one["name"], one["before"] if one.re is _CHAT else one["after"]))
    timed = [one for one in _TIMED.finditer(text) if one.start() not in heads]
    first = Counter(one["name"] for one in timed if one["name"])
    known = {name for name, _ in heads.values()} | {name for name, count in first.items() if count > 1}
    for one in timed:
        heads[one.start()] = (one["name"] if one["name"] in known else None, one["before"])
    if len(heads) < 2:
        return []
    starts = sorted(heads)
    ends = [*starts[1:], len(text)]
    return [Turn(start, end, heads[start][0], _clock(heads[start][1])) for start, end in zip(starts, ends, strict=True)]


def around(found: Sequence[Turn], start: int, end: int, beside: int = 0) -> Sequence[Turn]:
    """The turns that `[start, end)` touches, and so many on either side."""
    first = bisect_right(found, start, key=lambda one: one.start) - 1
    last = bisect_right(found, max(start, end - 1), key=lambda one: one.start)
    return found[max(0, first - beside) : max(0, last + beside)]


def _clock(time: str | None) -> str | None:
    if time is None:
        return None
    found = re.search(r"(?<!\d)(\d{1,3}):(\d\d)(?::(\d\d))?", time)
    assert found, "it is a time"
    hours, minutes, seconds = map(int, found.groups("0"))
    half = re.search(r"([ap])\.?m", time, re.IGNORECASE)
    if not found[3] and not half and found.start() == 0:  # of a recording, not of a day
        hours, minutes, seconds = 0, hours, minutes
    if half:
        hours = hours % 12 + 12 * (half[1].lower() == "p")
    return f"{hours:02}:{minutes:02}:{seconds:02}"
