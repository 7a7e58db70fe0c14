"""Where a quote stands in a source: exactly, but for its form, or nearly; always in the source's offsets."""

import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from taskkit.sentences import sentences

__all__ = ["Span", "locate", "sentences"]

COVERAGE = 0.75  # of the quote's tokens must be found, in order
DENSITY = 1 / 3  # of the tokens in the place found must be the quote's
FEW = 6  # tokens: fewer stand somewhere in any text
CLOSE = 0.7  # is their density
TYPED = 0.8  # of single characters must be found, and be the quote's: some of them stand everywhere
SEED = 5  # characters that must be right together now and then
SEEDS = 256  # of these are looked for
COMMON = 64  # places: a seed with more says nothing
LONGEST = 4_000  # tokens: a longer quote is not looked for nearly
EFFORT = 200_000  # tokens that are compared in all, in the places that promise most
GAP = 0.25  # what a token more in the place costs, when its ragged ends are trimmed

_CHUNK = 1_000  # characters that are brought into plain form at once
_BLANKS = re.compile(r"\s+")
_DASHES, _DOUBLE, _SINGLE = "‐‑‒–—―−", "“”„‟«»〝〞「」『』", "‘’‚‛‹›´`′"
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"
_PLAIN = {
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _DOUBLE), '"'),
    **dict.fromkeys(map(ord, _SINGLE), "'"),
    ord("ı"): "i",  # as it is retyped, and so is its capital with a dot
}
_PLAIN_SEEN = _PLAIN | dict.fromkeys(map(ord, _UNSEEN), "")

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# Words; characters of scripts without spaces; symbols, one each. Punctuation says too little to count.
_TOKEN = re.compile(
    rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+|[%$+=<>]|[^\w\s\x00-\x7f\u2000-\u206f\u3000-\u303f\uff00-\uff65]"
)


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in the source; 0, 0 when there is none."""

    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy", "none"]


_NONE = Span(0, 0, "none")


def locate(quote: str, source: str, *, near: int | None = None) -> Span:
    """The place of the quote: as it is, else without regard to case, spaces, unseen characters and kinds of
    quotes and dashes, else the one where most of its words stand in order (see `COVERAGE` and `DENSITY`), or most of
    its characters, close together (`TYPED`).

    Of places that are as good it is the first, or the one whose start is nearest to the offset `near`."""
    quote = quote.strip()
    at = _found(quote, source, near)
    if at is not None:
        return Span(at, at + len(quote), "exact")
    wanted = _Folded(quote).text.strip()
    if not wanted:
        return _NONE
    folded = _Folded(source)
    close = None if near is None else folded.inside(near)
    at = _found(wanted, folded.text, close)
    if at is not None:
        return Span(*folded.outside(at, at + len(wanted)), "normalised")
    place = _nearly(wanted, folded.text, close) or _mistyped(wanted, folded.text, close)
    return Span(*folded.outside(*place), "fuzzy") if place else _NONE


def _found(wanted: str, text: str, near: int | None) -> int | None:
    if not wanted:
        return None
    near = min(max(0, near or 0), len(text))
    places = {text.find(wanted, near), text.rfind(wanted, 0, near + len(wanted))} - {-1}
    return min(places, key=lambda at: (abs(at - near), at), default=None)


class _Folded:
    """A text in plain form, made a chunk at a time; where exactly a sign came from is only worked out for the
    few that are asked for."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.borders = list(_borders(source))
        self.sums = [0]  # chunk i, `source[borders[i]:borders[i + 1]]`, is `text[sums[i]:sums[i + 1]]`
        made = list[str]()
        blank = True  # none at the start
        for start, end in zip(self.borders, self.borders[1:], strict=False):
            made.append(_fold(source[start:end], blank=blank))
            blank = made[-1][-1:] == " " or (blank and not made[-1])
            self.sums.append(self.sums[-1] + len(made[-1]))
        self.text = "".join(made)

    def inside(self, at: int) -> int:
        """The place in `text` of an offset of the source."""
        chunk = max(0, min(bisect_right(self.borders, at), len(self.borders) - 1) - 1)
        return self.sums[chunk] + sum(end <= at for _, end in self._units(chunk))

    def outside(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the source that `text[start:end]`, which is not empty, came from."""
        return self._unit(start)[0], self._unit(end - 1)[1]

    def _unit(self, at: int) -> tuple[int, int]:
        chunk = bisect_right(self.sums, at) - 1
        return self._units(chunk)[at - self.sums[chunk]]

    def _units(self, chunk: int) -> list[tuple[int, int]]:
        """For each sign that the chunk became, the characters of the source that it is of."""
        places = list[tuple[int, int]]()
        blank = not self.sums[chunk] or self.text[self.sums[chunk] - 1] == " "
        at, stop = self.borders[chunk : chunk + 2] if chunk + 1 < len(self.borders) else (0, 0)
        while at < stop:
            end = _unit_end(self.source, at, stop)
            made = _fold(self.source[at:end], blank=blank)
            places += [(at, end)] * len(made)
            blank = made[-1:] == " " or (blank and not made)
            at = end
        return places


def _fold(text: str, *, blank: bool) -> str:
    """The plain form; a blank at its start is left out when there is one before it already."""
    if text.isascii():
        plain = text.lower().replace("`", "'")
    else:
        # Twice: the first may give the accents that stand for quotes, the second what their wide forms become.
        plain = (
            unicodedata.normalize("NFKC", text.translate(_PLAIN))
            .casefold()
            .translate(_PLAIN_SEEN)
            .replace("i\u0307", "i")
        )
    plain = _BLANKS.sub(" ", plain)
    return plain[1:] if blank and plain[:1] == " " else plain


def _borders(text: str) -> Iterator[int]:
    at = 0
    while at < len(text):
        yield at
        at = min(at + _CHUNK, len(text))
        while at < len(text) and not _begins(text[at]):
            at += 1
    yield len(text)


def _unit_end(text: str, at: int, stop: int) -> int:
    """A character with what normalisation may join to it."""
    at += 1
    while at < stop and not _begins(text[at]):
        at += 1
    return at


@lru_cache(maxsize=4096)
def _begins(character: str) -> bool:
    """Whether normalisation joins a character to none before it: no mark and no vowel or final of Hangul."""
    first = unicodedata.normalize("NFKC", character)[0]
    return unicodedata.category(first)[0] != "M" and not "\u1160" <= first <= "\u11ff"


class _Hit(NamedTuple):
    """A token that the quote has too: the `number`th of the text, at `[start, end)` of it."""

    token: str
    number: int
    start: int
    end: int


def _nearly(quote: str, text: str, near: int | None) -> tuple[int, int] | None:
    wanted = _TOKEN.findall(quote)
    if not wanted or len(wanted) > LONGEST:
        return None
    need = Counter[str](wanted)
    coverage, density = COVERAGE, CLOSE if len(wanted) < FEW else DENSITY
    if 2 * sum(len(one) == 1 for one in wanted) > len(wanted):
        coverage = density = TYPED
    hits = [
        _Hit(token[0], number, token.start(), token.end())
        for number, token in enumerate(_TOKEN.finditer(text))
        if token[0] in need
    ]
    best: tuple[float, ...] = ()
    place = None
    for first, last in _promising(need, hits, len(wanted), near):
        matched = _trimmed(hits, _common(wanted, hits, first, last), len(wanted), coverage, density)
        if not matched:
            continue
        low, high = hits[matched[0]], hits[matched[-1]]
        score = (len(matched), low.number - high.number, -abs(low.start - (near or 0)))
        if not best or score > best:
            best, place = score, (low.start, high.end)
    return place


def _mistyped(quote: str, text: str, near: int | None) -> tuple[int, int] | None:
    """By characters, where seeds of the quote say that it could be: words with a letter wrong share no token."""
    best: tuple[float, ...] = ()
    place = None
    for first, last in _seeded(quote, text):
        hits = [_Hit(sign, at, at, at + 1) for at, sign in enumerate(text[first:last], first) if sign in quote]
        matched = _trimmed(hits, _common(quote, hits, 0, len(hits)), len(quote), TYPED, TYPED)
        if not matched:
            continue
        low, high = hits[matched[0]], hits[matched[-1]]
        score = (len(matched), low.start - high.start, -abs(low.start - (near or 0)))
        if not best or score > best:
            best, place = score, (low.start, high.end)
    return place


def _seeded(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Stretches of the text that have most seeds at the distances from each other that they have in the quote."""
    size = len(quote)
    if not 2 * SEED <= size <= LONGEST:
        return
    width = max(8, size // 8)
    votes = Counter[int]()
    for at in range(0, size - SEED + 1, 1 + size // SEEDS):
        seed = quote[at : at + SEED]
        found = text.find(seed)
        places: list[int] = []
        while found >= 0 and len(places) <= COMMON:
            places.append((found - at) // width)
            found = text.find(seed, found + 1)
        if len(places) <= COMMON:
            votes.update(set(places))
    both = {one: votes[one] + votes[one + 1] for near in votes for one in (near - 1, near)}
    for one in sorted(both, key=lambda one: (-both[one], one))[:8]:
        yield max(0, (one - 1) * width), min(len(text), (one + 3) * width + size)


def _promising(need: Mapping[str, int], hits: Sequence[_Hit], size: int, near: int | None) -> list[tuple[int, int]]:
    """Ranges of hits with enough of the quote's tokens in any order, those with its rarest ones first.

    A place as thin as `DENSITY` allows is not wider than `width`, so none is missed but by `EFFORT`."""
    width = math.ceil(size / DENSITY)
    weight = {token: 1 / count for token, count in Counter(hit.token for hit in hits).items()}
    have = dict.fromkeys(need, 0)
    found, worth, left = 0, 0.0, 0
    best = dict[int, tuple[float, float, int, int]]()  # the best of each stretch of half a width
    for right, hit in enumerate(hits):
        if have[hit.token] < need[hit.token]:
            found, worth = found + 1, worth + weight[hit.token]
        have[hit.token] += 1
        while hits[left].number <= hit.number - width:
            token = hits[left].token
            have[token] -= 1
            if have[token] < need[token]:
                found, worth = found - 1, worth - weight[token]
            left += 1
        if found >= COVERAGE * size:
            stretch = hit.number * 2 // width
            entry = (round(worth, 9), -abs(hit.start - (near or 0)), left, right)
            if stretch not in best or entry[0] > best[stretch][0]:
                best[stretch] = entry
    ranked = sorted(best.values(), key=lambda entry: entry[:2], reverse=True)
    # In order, the tokens may go on a little behind the place where there are enough of them.
    return [(left, min(len(hits), right + 1 + size)) for *_, left, right in ranked[: 8 + EFFORT // (width + size)]]


def _common(wanted: Sequence[str], hits: Sequence[_Hit], first: int, last: int) -> list[int]:
    """The indexes of the hits of a longest common subsequence, as close before its end as can be."""
    rows = _rows(wanted, [hit.token for hit in hits[first:last]])
    fewest = min(row.bit_count() for row in rows)
    end = next(i for i, row in enumerate(rows) if row.bit_count() == fewest)
    backward = _rows(wanted[::-1], [hit.token for hit in reversed(hits[first : first + end])])
    matched = list[int]()
    row, column = len(wanted), len(backward) - 1
    while row and column:
        bit = 1 << (row - 1)
        if backward[column] & bit:
            row -= 1
        elif backward[column - 1] & bit:
            matched.append(first + end - column)
            row, column = row - 1, column - 1
        else:
            column -= 1
    return matched


def _rows(wanted: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """H. Hyyrö's bit-parallel LCS (2004): after j tokens the unset bits under bit i of row j are as many as the
    longest common subsequence of the first i wanted and the first j tokens."""
    masks = dict.fromkeys(wanted, 0)
    for i, token in enumerate(wanted):
        masks[token] |= 1 << i
    row = every = (1 << len(wanted)) - 1
    rows = [row]
    for token in tokens:
        kept = row & masks[token]
        row = ((row + kept) | (row - kept)) & every
        rows.append(row)
    return rows


def _trimmed(hits: Sequence[_Hit], matched: list[int], size: int, coverage: float, density: float) -> list[int]:
    """Without stray tokens far from the rest at the ends; empty when it is too little or too thin."""
    best, worth, low, kept = 0.0, 0.0, 0, matched
    for i, index in enumerate(matched):
        if i:
            worth -= GAP * (hits[index].number - hits[matched[i - 1]].number - 1)
        if worth <= 0:
            worth, low = 0.0, i
        worth += 1
        if worth > best and i + 1 - low >= coverage * size:
            best, kept = worth, matched[low : i + 1]
    if not kept or len(kept) < coverage * size:
        return []
    return kept if len(kept) >= density * (hits[kept[-1]].number - hits[kept[0]].number + 1) else []
