"""Words for PostgreSQL: the ones that FTS5 makes of the same prepared text, as tsvectors and tsqueries of our own
making. So both stores find the same; stems are the server's (`english_stem`, for all languages as FTS5's Porter)."""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from taskkit.knowledge.lexical import TITLE_WEIGHT, words_of

LONGEST = 200  # characters of a word
APART = 3  # positions between title and text, so that no phrase reaches over
K1, B = 1.2, 0.75  # of BM25, as in FTS5

# `ts_rank` of one word with all weights 1 is the sum of 1/j² over its occurrences, in parts of π²/6: what it is at
# least tells how many there are.
STEPS = [sum(1 / j**2 for j in range(1, n + 1)) / 1.64493406685 - 1e-5 for n in range(1, 65)]


def cut(prepared: str) -> list[str]:
    """Unstemmed, in order."""
    found = []
    for word in words_of(prepared):
        found += [part[:LONGEST] for part in _plain(word).split("_") if part]
    return found


def _plain(word: str) -> str:
    """Small, and without accents."""
    word = word.lower()
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


def vector(title: Sequence[str], text: Sequence[str], stems: Mapping[str, str]) -> str:
    """A tsvector as text. Titles stand in it as often as they weigh."""
    places: dict[str, list[int]] = {}
    at = 0
    for part in (*[title] * round(TITLE_WEIGHT), text):
        for at, word in enumerate(part, at + 1):  # noqa: B020 - goes on from there
            places.setdefault(stems.get(word, word), []).append(min(at, 16383))
        at += APART
    return " ".join(f"{_quoted(word)}:{','.join(map(str, some[:250]))}" for word, some in places.items())


def query(words: Iterable[str], stems: Mapping[str, str], *, prefix: bool = False) -> str:
    """One word of a question as a tsquery: its parts follow each other."""
    parts = [_quoted(stems.get(word, word)) for word in words]
    return " <-> ".join(parts) + (":*" if prefix and parts else "")


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def weight(frequency: int, total: int) -> float:
    """Of a word that so many of all passages have, as FTS5 weighs it."""
    return max(1e-6, math.log((total - frequency + 0.5) / (frequency + 0.5)))
