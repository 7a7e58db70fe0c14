"""Cuts a text into pieces that fit, losing nothing: structure first, then sentences, words, characters.

Spans are counted in one batch and filled greedily. A count of joined spans differs a little from their sum, so
every piece that is nearly full is counted once more, and cut again where it is over."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise

from taskkit.around import before, paths
from taskkit.blocks import ROW, SENTENCE, WORD, Outline
from taskkit.errors import InputError
from taskkit.graphemes import joined
from taskkit.hardcut import SMALLEST, chopped
from taskkit.outlines import outline
from taskkit.sentences import sentences
from taskkit.tokens import Counter, surely_fits

_LINE = re.compile(r"\n(?!\n)")
MORE = 2  # tokens a span that joined ones may count more: the most that was seen in 2.4 million texts cut anywhere


@dataclass(frozen=True, slots=True)
class Piece:
    """`[start, end)` are offsets in the source; `headings` the path in force at the start; `before` what comes
    ahead of the piece, and `table` the head of the table that it starts inside of: context, never output."""

    text: str
    start: int
    end: int
    headings: tuple[str, ...] = ()
    before: str = ""
    table: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Spans:
    """Span i is `[starts[i], starts[i + 1])` and its border has `ranks[i]`; `sums[i]` tokens come before it."""

    starts: list[int]
    ranks: list[int]
    sums: list[int]


def split(
    text: str,
    format: str,  # noqa: A002 - as of `Text`, whose `split` this is
    max_tokens: int,
    *,
    counter: Counter | None = None,
    overlap: int = 0,
    balance: bool = False,
    at: int = 0,
) -> list[Piece]:
    """`Text.split`, which see; `at` is the offset of `text[0]` in its source."""
    if max_tokens < SMALLEST:
        raise InputError(f"A piece can not be held to {max_tokens} tokens.", hint=f"Give {SMALLEST} or more.")
    if overlap < 0:
        raise InputError(f"An overlap of {overlap} tokens is not possible.", hint="Give 0 or more.")
    if not text:
        return []
    counter = counter or Counter()
    found = outline(text, format)
    cuts = [0, *_ends(text, found, max_tokens, counter, balance=balance)]
    return [
        Piece(
            text=text[start:end],
            start=at + start,
            end=at + end,
            headings=path,
            before=before(text, start, overlap, counter),
            table=found.table_head(text, start),
        )
        for (start, end), path in zip(pairwise(cuts), paths(text, found, cuts[:-1]), strict=True)
    ]


def _ends(text: str, found: Outline, max_tokens: int, counter: Counter, *, balance: bool) -> list[int]:
    if surely_fits(text, max_tokens):
        return [len(text)]
    limit = max(SMALLEST, int(max_tokens / counter.ratio) - 1)  # 1: a space at the end is a token there
    spans = _spans(text, found, limit, Counter(counter.encoding), whole=set() if balance else found.whole)
    nearly = spans.sums[-1] <= limit * 1.02
    if nearly and counter.count(text) <= max_tokens:
        return [len(text)]
    last = len(spans.starts) - 1
    filled = _balanced(spans, limit) if balance else _filled(spans, 0, last, limit, 0.5)
    return _held(text, spans, 0, filled, max_tokens, counter)


def _spans(text: str, found: Outline, limit: int, counter: Counter, whole: set[int]) -> _Spans:
    blocks = [(at, rank) for at, rank in zip(found.starts, found.ranks, strict=True) if at < len(text)]
    starts, ranks = [*(at for at, _ in blocks), len(text)], [*(rank for _, rank in blocks), 0]
    counts = counter.count_many(_counted(text, starts))

    def below(level: list[int], start: int, end: int) -> list[tuple[int, int]]:
        kept = level[bisect_right(level, start) : bisect_left(level, end)]
        whole.update(kept)
        found.verbatim.update(kept)
        return [(at, ROW) for at in kept]

    def parts(start: int, end: int) -> list[tuple[int, int]]:
        if start in found.verbatim:
            return [(line.end(), SENTENCE) for line in _LINE.finditer(text, start, end)]
        return [(start + at, SENTENCE) for at, _ in sentences(text[start:end])[1:]]

    def words(start: int, end: int) -> list[tuple[int, int]]:
        return [(at, WORD) for at in chopped(text, start, end, limit, counter)]

    # A block of up to half a piece stays whole: pieces are then at least half full all the same.
    levels: list[tuple[int, _Inner]] = [(limit, partial(below, level)) for level in found.deeper]
    for most, inner in [*levels, (limit // 2, parts), (limit, words)]:
        starts, ranks, counts = _refined(text, (starts, ranks, counts), (most, whole, limit), inner, counter)
    return _Spans(starts, ranks, list(accumulate(counts, initial=0)))


_Columns = tuple[list[int], list[int], list[int]]
_Inner = Callable[[int, int], list[tuple[int, int]]]  # borders with their ranks between two places


def _refined(
    text: str,
    columns: _Columns,
    most: tuple[int, set[int], int],
    inner: _Inner,
    counter: Counter,
) -> _Columns:
    """Spans of more than so many tokens are replaced by their parts, which are counted in one batch; what begins in
    the set may have the second number."""
    usual, whole, roomy = most
    starts, ranks, counts = columns
    if max(counts, default=0) <= usual:
        return columns
    new_starts, new_ranks, old = list[int](), list[int](), dict[int, int]()
    for i, count in enumerate(counts):
        fits = count <= usual or (count <= roomy and starts[i] in whole)
        if fits:
            old[len(new_starts)] = count
        new_starts.append(starts[i])
        new_ranks.append(ranks[i])
        if not fits:
            for at, rank in inner(starts[i], starts[i + 1]):
                if new_starts[-1] < at < starts[i + 1] and not joined(text, at, new_starts[-1]):
                    new_starts.append(at)
                    new_ranks.append(rank)
    new_starts.append(starts[-1])
    new_ranks.append(ranks[-1])
    texts = [part for i, part in enumerate(_counted(text, new_starts)) if i not in old]
    fresh = iter(counter.count_many(texts))
    return new_starts, new_ranks, [old[i] if i in old else next(fresh) for i in range(len(new_starts) - 1)]


def _counted(text: str, starts: list[int]) -> list[str]:
    """The spans, each with the space before it instead of the one at its end, as tokens have it."""
    shifted = [at - 1 if at and text[at - 1] == " " else at for at in starts[:-1]]
    return [text[a:b] for a, b in pairwise([*shifted, starts[-1]])]


def _filled(spans: _Spans, first: int, last: int, cap: int, floor: float) -> list[int]:
    """The spans' indexes at which pieces of at most `cap` end: the best border of those that leave a piece
    filled to `floor`, the latest of equals."""
    ends = list[int]()
    while first < last:
        base = spans.sums[first]
        high = max(first + 1, bisect_right(spans.sums, base + cap, first, last + 1) - 1)
        if high < last:
            low = min(high, bisect_left(spans.sums, base + math.ceil(cap * floor), first + 1, high))
            window = spans.ranks[low : high + 1]
            window.reverse()
            high -= window.index(min(window))
        ends.append(high)
        first = high
    return ends


def _balanced(spans: _Spans, limit: int) -> list[int]:
    """As few pieces as can be, of about one size, at the best borders that this leaves."""
    last = len(spans.starts) - 1
    fewest = len(_filled(spans, 0, last, limit, 1.0))
    low, cap = spans.sums[-1] // fewest, limit
    for _ in range(8):  # to a 256th of the limit
        middle = (low + cap) // 2
        if len(_filled(spans, 0, last, middle, 1.0)) <= fewest:
            cap = middle
        else:
            low = middle
    for slack, floor in ((1.25, 0.75), (1.1, 0.85)):
        ends = _filled(spans, 0, last, min(limit, int(cap * slack)), floor)
        sizes = [spans.sums[b] - spans.sums[a] for a, b in pairwise([0, *ends])]
        if len(ends) <= fewest and min(sizes) * 2 >= max(sizes):
            return ends
    return _filled(spans, 0, last, cap, 1.0)


def _held(text: str, spans: _Spans, first: int, filled: list[int], max_tokens: int, counter: Counter) -> list[int]:
    """The pieces' ends in the text, each piece that may be over counted as it is, and cut again where it is."""
    pairs = list(pairwise([first, *filled]))
    near = [(a, b) for a, b in pairs if (spans.sums[b] - spans.sums[a] + MORE * (b - a)) * counter.ratio > max_tokens]
    counts = dict(
        zip(near, counter.count_many([text[spans.starts[a] : spans.starts[b]] for a, b in near]), strict=True)
    )
    ends = list[int]()
    for a, b in pairs:
        count = counts.get((a, b), 0)
        if count > max_tokens and b - a > 1:
            cap = math.ceil((spans.sums[b] - spans.sums[a]) * 0.6)
            smaller = _filled(spans, a, b, cap, 0.7)
            if len(smaller) == 1:  # its other spans count nothing by themselves
                smaller = [(a + b) // 2, b]
            ends += _held(text, spans, a, smaller, max_tokens, counter)
            continue
        if count > max_tokens:
            ends += chopped(text, spans.starts[a], spans.starts[b], max_tokens, counter)
        ends.append(spans.starts[b])
    return ends
