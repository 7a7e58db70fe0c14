"""What stands around a piece: the headings above it and the text before it."""

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise

from taskkit.blocks import Outline
from taskkit.graphemes import joined
from taskkit.sentences import sentences
from taskkit.tokens import Counter

_WORD = re.compile(r"(?<=\s)\S")
_AHEAD = 8  # characters a token: more are not looked at


def paths(text: str, found: Outline, starts: list[int]) -> Iterator[tuple[str, ...]]:
    """For each start the titles in force, those included that the piece opens with."""
    path: list[tuple[int, str]] = []
    headings = iter(found.headings)
    following = next(headings, None)
    for start in starts:
        at = start
        while following and (following[0] <= at or text[at : following[0]].isspace()):
            _, end, level, title = following
            path = [*(above for above in path if above[0] < level), (level, title)]
            at = max(at, end)
            following = next(headings, None)
        yield tuple(title for _, title in path)


def before(text: str, start: int, tokens: int, counter: Counter) -> str:
    """The end of `text[:start]` with at most so many tokens, from a sentence on where one fits, else a word."""
    if not tokens or not start:
        return ""
    low = max(0, start - _AHEAD * tokens - 64)
    window = text[low:start]
    firsts = [at for at, _ in sentences(window)]
    for borders in (
        [0, *firsts[1:]] if low == 0 else firsts[1:],
        [word.start() for word in _WORD.finditer(window)],
        [at for at in range(1, len(window)) if not joined(window, at)],
    ):
        kept = _longest(window, borders, tokens, counter)
        if kept:
            return kept
    return ""


def _longest(window: str, borders: list[int], tokens: int, counter: Counter) -> str:
    counts = counter.count_many([window[a:b] for a, b in pairwise([*borders, len(window)])])
    for kept, size in reversed(list(enumerate(accumulate(reversed(counts))))):
        if size <= tokens and counter.fits(found := window[borders[-1 - kept] :], tokens):
            return found
    return ""
