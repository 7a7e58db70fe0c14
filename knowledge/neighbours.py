"""Hits widened to the passages beside them: still the document's own characters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from taskkit.knowledge.records import Hit, Passage
from taskkit.knowledge.stores.store import Store


@dataclass(slots=True)
class _Stretch:
    """Of one document, passages from `first` to `last` in their order, and the best hit among them."""

    hit: Hit
    first: int
    last: int


def joined(store: Store, hits: Sequence[Hit], many: int) -> list[Hit]:
    """Each with so many passages before and after it. Hits that then meet are one, at the place of the better. What
    was taken out of the base meanwhile stays as it was found."""
    with store.snapshot():
        orders = {name: store.numbers(name) for name in dict.fromkeys(hit.passage.document for hit in hits)}
        stretches: list[_Stretch] = []
        for hit in hits:
            order = orders[hit.passage.document]
            at = order.index(hit.passage.id) if hit.passage.id in order else None
            if at is None:
                stretches.append(_Stretch(hit, -1, -1))
                continue
            new = _Stretch(hit, max(0, at - many), min(len(order) - 1, at + many))
            stretches = _met(stretches, new)
        return [_one(store, stretch, orders[stretch.hit.passage.document]) for stretch in stretches]


def _met(stretches: Sequence[_Stretch], new: _Stretch) -> list[_Stretch]:
    """With the new one, those that it meets made one of; the first of them is the best."""
    name = new.hit.passage.document
    meets = [
        one
        for one in stretches
        if one.hit.passage.document == name
        and one.first >= 0
        and one.first <= new.last + 1
        and new.first <= one.last + 1
    ]
    if not meets:
        return [*stretches, new]
    meets[0].first = min(new.first, *(one.first for one in meets))
    meets[0].last = max(new.last, *(one.last for one in meets))
    return [one for one in stretches if one not in meets[1:]]


def _one(store: Store, stretch: _Stretch, order: Sequence[int]) -> Hit:
    if stretch.first < 0:
        return stretch.hit
    numbers = order[stretch.first : stretch.last + 1]
    there = store.passages(numbers)
    parts = [there[number] for number in numbers]
    start, end = parts[0].start, max(part.end for part in parts)
    document = store.document(stretch.hit.passage.document)
    assert document is not None  # it has passages, and this is one state of the base
    wide = replace(
        parts[0],
        text=document.text[start:end],
        start=start,
        end=end,
        headings=_common(parts),
        id=stretch.hit.passage.id,
    )
    return replace(stretch.hit, passage=wide)


def _common(parts: Sequence[Passage]) -> tuple[str, ...]:
    """The headings that all of them stand under."""
    paths = [part.headings for part in parts]
    same = 0
    for level in zip(*paths, strict=False):
        if len({*level}) > 1:
            break
        same += 1
    return paths[0][:same]
