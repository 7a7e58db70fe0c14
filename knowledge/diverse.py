"""Hits that say different things: near-duplicates left out, and of the rest those first that add most (maximal
marginal relevance, Carbonell and Goldstein 1998)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, Any]

SAME = 0.8  # of the runs of three words that two texts have, how many both do: from there on they are one
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Pick:
    """`like` is the highest cosine with a better hit, `duplicates` how many were left out in its favour."""

    number: int
    like: float | None = None
    duplicates: int = 0


def diverse(
    scores: Mapping[int, float], texts: Mapping[int, str], vectors: "Mapping[int, Vector]", diversity: float, k: int
) -> list[Pick]:
    """At most `k`. `scores` has the best first; `diversity` from 0, only they count, to 1, only what is new."""
    left, duplicates = _without_duplicates(scores, texts)
    top = max(scores.values(), default=0.0) or 1.0
    like: dict[int, float] = {}
    picks: list[Pick] = []
    while left and len(picks) < k:
        best = max(left, key=lambda one: (1 - diversity) * scores[one] / top - diversity * like.get(one, 0.0))
        left.remove(best)
        picks.append(Pick(best, like.get(best), duplicates[best]))
        for one in left:
            if one in vectors and best in vectors:
                like[one] = max(like.get(one, -1.0), float(vectors[one] @ vectors[best]))
    return picks


def _without_duplicates(scores: Mapping[int, float], texts: Mapping[int, str]) -> tuple[list[int], dict[int, int]]:
    """Those that are not the same as a better one, and how many each of them stands for besides itself."""
    kept: dict[int, tuple[frozenset[Any], tuple[str, ...]]] = {}
    duplicates: dict[int, int] = {}
    for one in scores:
        mine = _print(texts[one])
        twin = next((other for other, its in kept.items() if _same(mine, its)), None)
        if twin is None:
            kept[one], duplicates[one] = mine, 0
        else:
            duplicates[twin] += 1
    return [*kept], duplicates


def _print(text: str) -> tuple[frozenset[Any], tuple[str, ...]]:
    """Its runs of three words, and its numbers: last year's rule differs from this year's by one of them."""
    words = _WORD.findall(text.lower())
    runs = frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset(words)
    return runs, tuple(word for word in words if word[0].isdigit())


def _same(one: tuple[frozenset[Any], tuple[str, ...]], other: tuple[frozenset[Any], tuple[str, ...]]) -> bool:
    (runs, numbers), (its_runs, its_numbers) = one, other
    both = len(runs & its_runs)
    return numbers == its_numbers and both >= SAME * (len(runs) + len(its_runs) - both)
