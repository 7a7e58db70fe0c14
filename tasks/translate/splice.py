"""Write translations back by offset: what lies between segments is copied, never written anew."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from taskkit.errors import InputError
from taskkit.tasks.translate.segments import Group, Segment


def slots(targets: Mapping[Segment, str]) -> list[Group]:
    """The segments of each stretch together, in order; without those stretches where nothing changes."""
    ordered = sorted(targets.items(), key=lambda pair: (pair[0].part, pair[0].start, pair[0].end))
    groups = (
        tuple(group) for _, group in groupby(ordered, key=lambda pair: (pair[0].part, pair[0].start, pair[0].end))
    )
    return [group for group in groups if any(one.stale or target != one.current for one, target in group)]


def splice(text: str, groups: Iterable[Group], write: Callable[[Group], str]) -> str:
    """`text` with each group's stretch as `write` gives it. Raises InputError when it is not where it was found."""
    parts: list[str] = []
    at = 0
    for group in groups:
        first = group[0][0]
        if first.start < at or text[first.start : first.end] != first.raw:
            raise InputError(
                f"Segment {first.id} is not at offset {first.start} any more: the text has changed.",
                hint="Find the segments again in the text as it is now.",
            )
        parts += text[at : first.start], write(group)
        at = first.end
    return "".join([*parts, text[at:]])
