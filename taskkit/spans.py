"""Where a quote stands in a source: exactly, but for its form, or nearly."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from taskkit.sentences import sentences

__all__ = ["Span", "locate", "sentences"]

COVERAGE = 0.75  # of the quote's tokens must be found, in order
DENSITY = 1 / 3  # of the tokens in the place found must be the quote's
LONGEST = 400  # tokens of a quote that are compared; longer ones are found by their first ones
PLACES = 40  # places that are compared

# Words; characters of scripts without spaces; other signs, one each.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0eff]|\w+|[^\w\s]")
_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "´": "'",
                        "`": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-"})  # fmt: skip
_LEFT_OUT = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in the source; 0, 0 when there is none."""

    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy", "none"]


def locate(quote: str, source: str) -> Span:
    """The first place of the quote: as it is, else without regard to case, spaces, and kinds of quotes and dashes,
    else the one where most of its words stand in order. See `COVERAGE` and `DENSITY`."""
    quote = quote.strip()
    if not quote:
        return Span(0, 0, "none")
    at = source.find(quote)
    if at >= 0:
        return Span(at, at + len(quote), "exact")
    wanted, _ = _normalised(quote)
    text, places = _normalised(source)
    wanted = wanted.strip()
    at = text.find(wanted) if wanted else -1
    if at >= 0:
        return Span(places[at], places[at + len(wanted) - 1] + 1, "normalised")
    return _nearly(quote, source)


def _normalised(text: str) -> tuple[str, list[int]]:
    """The text in its plain form, and for each of its characters the offset that it came from."""
    made: list[str] = []
    places: list[int] = []
    blank = False
    for at, one in enumerate(text):
        if one in _LEFT_OUT:
            continue
        if one.isspace():
            blank = True
            continue
        if blank and made:
            made.append(" ")
            places.append(at - 1)
        blank = False
        form = one.lower() if one.isascii() else unicodedata.normalize("NFKC", one).casefold()
        for sign in form.translate(_PLAIN):
            made.append(sign)
            places.append(at)
    return "".join(made), places


def _tokens(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    found = list(_TOKEN.finditer(text))
    plain = [unicodedata.normalize("NFKC", one[0]).casefold().translate(_PLAIN) for one in found]
    return plain, [one.span() for one in found]


def _nearly(quote: str, source: str) -> Span:
    wanted = _tokens(quote)[0][:LONGEST]
    tokens, spans = _tokens(source)
    if not wanted or not tokens:
        return Span(0, 0, "none")
    best, begin, end = 0, 0, 0
    for start, stop in _windows(wanted, tokens):
        found = _common(wanted, tokens[start:stop])
        if len(found) > best:
            best, begin, end = len(found), start + found[0], start + found[-1] + 1
    if best < COVERAGE * len(wanted) or best < DENSITY * (end - begin):
        return Span(0, 0, "none")
    return Span(spans[begin][0], spans[end - 1][1], "fuzzy")


def _windows(wanted: list[str], tokens: list[str]) -> list[tuple[int, int]]:
    """The places that have the most of the quote's rarer tokens, each twice as wide as the quote."""
    counts = Counter(tokens)
    known = sorted({one for one in wanted if counts[one]}, key=lambda one: counts[one])
    rare = set(known[: max(3, len(known) // 2)])
    width = 2 * len(wanted) + 8
    votes: Counter[int] = Counter()
    step = max(1, width // 4)
    for at, one in enumerate(tokens):
        if one in rare:
            for bucket in range(max(0, (at - width) // step + 1), at // step + 1):
                votes[bucket] += 1
    return [(bucket * step, bucket * step + width) for bucket, _ in votes.most_common(PLACES)]


def _common(wanted: list[str], tokens: list[str]) -> list[int]:
    """The places in `tokens` of a longest common subsequence."""
    rows = [[0] * (len(tokens) + 1)]
    for one in wanted:
        above = rows[-1]
        row = [0]
        for at, token in enumerate(tokens):
            row.append(above[at] + 1 if token == one else max(above[at + 1], row[at]))
        rows.append(row)
    found: list[int] = []
    i, j = len(wanted), len(tokens)
    while i and j:
        if rows[i][j] == rows[i - 1][j]:
            i -= 1
        elif rows[i][j] == rows[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            found.append(j)
    return found[::-1]
