"""Which of what is said stays in a summary: nothing twice, and of too much what tells most."""

import re
from collections.abc import Sequence

from taskkit.tasks.summarise.figures import figures, worded

_WORD = re.compile(r"\w+")


def said_once(said: Sequence[str]) -> list[str]:
    """Without those that another says word for word, the longer one going on: small models repeat themselves, above
    all where they were asked for more than the text has."""
    words = [tuple(_WORD.findall(one.casefold())) for one in said]
    kept = list[str]()
    for at, (one, mine) in enumerate(zip(said, words, strict=True)):
        others = [other for place, other in enumerate(words) if other != mine or place < at]
        if not mine or not any(other[: len(mine)] == mine for other in others):
            kept.append(one)
    return kept


def worthiest(said: Sequence[str], sizes: Sequence[int], *, most: int | None, words: int) -> list[int]:
    """Which of these to keep, in order, `sizes` being their words: the one with the fewest figures for its words goes
    first, of equals the last; the first of all stays."""
    worth = [
        len([*figures(one), *worded(one, language="en")]) / max(1, size) for one, size in zip(said, sizes, strict=True)
    ]
    kept = list(range(len(said)))
    while len(kept) > 1 and (len(kept) > (most or len(kept)) or sum(sizes[at] for at in kept) > words):
        kept.remove(min(kept[1:], key=lambda at: (worth[at], -at)))
    return kept
