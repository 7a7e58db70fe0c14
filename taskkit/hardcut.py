"""Cuts where a text has no structure left: at lines, words, commas, else between characters."""

from collections.abc import Iterator

from taskkit.graphemes import joined
from taskkit.tokens import Counter

SMALLEST = 4  # tokens: the most that one character has

_SOFT = ("\n", " ", "\t", "\u3000", "，", "、", "；", ",", ";")


def chopped(text: str, start: int, end: int, limit: int, counter: Counter) -> Iterator[int]:
    """Borders inside of `[start, end)` that leave parts of at most `limit` tokens.

    The parts are smaller, so that they fill pieces well, but a cluster of characters that fits stays whole."""
    step = max(SMALLEST, limit // 4)
    while start < end:
        start = _next(text, start, end, step, limit, counter)
        if start < end:
            yield start


def _next(text: str, start: int, end: int, step: int, limit: int, counter: Counter) -> int:
    for tokens in (step, limit):
        reach = _reach(text, start, end, tokens, counter)
        if reach == end:
            return end
        for at in (_soft(text, start, reach), _whole(text, start, reach)):
            # Cut shorter than counted, a part may have more tokens: rare, and so looked at.
            if at > start and (at == reach or counter.fits(text[start:at], limit)):
                return at
    while text[reach - 1 : reach + 1] == "\r\n" or not counter.fits(text[start:reach], limit):
        reach -= 1
    return reach


def _reach(text: str, start: int, end: int, tokens: int, counter: Counter) -> int:
    """How far so many tokens go, by looking no further ahead than needed."""
    ahead = 16 * tokens
    while True:
        stop = min(end, start + ahead)
        kept = len(counter.cut(text[start:stop], tokens))
        if start + kept < stop or stop == end:
            return start + kept
        ahead *= 4


def _soft(text: str, start: int, reach: int) -> int:
    """After the last line end, else space, else comma in the second half; `start` when there is none."""
    middle = start + (reach - start) // 2
    for mark in _SOFT:
        at = text.rfind(mark, middle, reach) + 1
        if at and not joined(text, at, start):
            return at
    return start


def _whole(text: str, start: int, reach: int) -> int:
    at = reach
    while at > start and joined(text, at, start):
        at -= 1
    return at
