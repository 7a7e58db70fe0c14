"""Two searches made one: a convex sum of their scores, each brought to 0..1 among its candidates."""

from collections.abc import Iterable, Mapping

AT_MOST = 100  # candidates of each search
OURS = 0.1  # of the texts in the question's language, or in none known: from there on it is no foreign one
FLAT = 60  # of reciprocal ranks: how little the first places count more than the next (Cormack et al. 2009)


def weight(strength: float, across: float, question: str, languages: Mapping[str, int]) -> float:
    """Of the lexical half. `languages` counts passages by language; `question` is the language taken for it."""
    total = sum(languages.values())
    if question and total and languages.get(question, 0) + languages.get("", 0) < total * OURS:
        return 1 - across
    return 1 - strength


def convex(
    lexical: Mapping[int, float], dense: Mapping[int, float], share: float
) -> tuple[dict[int, float], dict[int, float]]:
    """What each half gives to a candidate's score. One that a search did not find has that search's least."""
    words, meaning = _even(lexical), _even(dense)
    return {one: share * score for one, score in words.items()}, {
        one: (1 - share) * score for one, score in meaning.items()
    }


def by_rank(lexical: Mapping[int, float], dense: Mapping[int, float]) -> tuple[dict[int, float], dict[int, float]]:
    """The same by reciprocal ranks: what the scores are does not count, only their order."""
    words, meaning = ({one: 1 / (FLAT + rank) for one, rank in ranks(half).items()} for half in (lexical, dense))
    return words, meaning


def total(parts: Iterable[Mapping[int, float]], weights: Iterable[float] | None = None) -> dict[int, float]:
    """Their weighed sum; without weights, all of 1."""
    made: dict[int, float] = {}
    some = [*parts]
    for part, weight in zip(some, weights or [1.0] * len(some), strict=True):
        for one, score in part.items():
            made[one] = made.get(one, 0.0) + weight * score
    return made


def ranks(scores: Mapping[int, float]) -> dict[int, int]:
    """From 1, the best first."""
    return {one: rank for rank, one in enumerate(sorted(scores, key=lambda one: -scores[one]), 1)}


def _even(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {one: (score - low) / (high - low) for one, score in scores.items()}
