"""Which text of a translation stands for which of its source, where only the two documents are there to tell.

By the names that a format gives its texts; else by place, section by section: where a section has been cut into other
paragraphs by its translator, nothing in it is sure, and nothing of it is taken."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from taskkit.tasks.translate.mask import mask
from taskkit.tasks.translate.segments import Prose, Segment

Pair = tuple[Segment, Segment]


def paired(was: Sequence[Segment], now: Sequence[Segment], prose: Prose) -> list[Pair]:
    """Those of `was` with the text that stands for each in `now`, where that is sure."""
    both = _by_name(was, now) if _named(was) and _named(now) else _by_place(was, now)
    return [(one, other) for one, other in both if _fitting(one, other, prose)]


def _named(segments: Sequence[Segment]) -> bool:
    names = [one.key for one in segments]
    return all(names) and len({*names}) == len(names)


def _by_name(was: Sequence[Segment], now: Sequence[Segment]) -> Iterator[Pair]:
    known = {one.key: one for one in now}
    yield from ((one, known[one.key]) for one in was if one.key in known)


def _by_place(was: Sequence[Segment], now: Sequence[Segment]) -> Iterator[Pair]:
    before, after = _sections(was), _sections(now)
    if len(before) == len(after):
        for mine, others in zip(before, after, strict=True):
            if [*map(_shape, mine)] == [*map(_shape, others)]:
                yield from zip(mine, others, strict=True)


def _sections(segments: Sequence[Segment]) -> list[list[Segment]]:
    """From heading to heading; the last ones of a page, such as its notes, belong to the last."""
    count = 0
    numbers = [count := count + (one.kind == "heading") for one in segments]
    return [[one for _, one in group] for _, group in groupby(zip(numbers, segments, strict=True), lambda two: two[0])]


def _shape(segment: Segment) -> tuple[object, ...]:
    return segment.part, segment.kind, segment.key, len(segment.context)


def _fitting(one: Segment, other: Segment, prose: Prose) -> bool:
    """Both have what must come back, and of code and links, where both have some, at least one in common."""
    if Counter(one.keep) != Counter(other.keep) or any(one.text.count(k) != other.text.count(k) for k in one.keep):
        return False
    mine, others = (set(mask(each.text, prose, each.keep).tokens) for each in (one, other))
    return not mine or not others or bool(mine & others)
