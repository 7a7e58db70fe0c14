"""Two searches made one: a convex sum of their scores, each brought to 0..1 among its candidates."""

from collections.abc import Mapping

AT_MOST = 100  # candidates of each search
OURS = 0.1  # of the texts in the question's language, or in none known: from there on it is no foreign one


def weight(strength: float, across: float, question: str, languages: Mapping[str, int]) -> float:
    """Of the lexical half. `languages` counts passages by language; `question` is the language taken for it."""
    total = sum(languages.values())
    if question and total and languages.get(question, 0) + languages.get("", 0) < total * OURS:
        return 1 - across
    return 1 - strength


def fused(lexical: Mapping[int, float], dense: Mapping[int, float], share: float) -> dict[int, float]:
    """The score of each candidate. One that a search did not find has that search's least."""
    words, meaning = _even(lexical), _even(dense)
    return {
        one: share * words.get(one, 0.0) + (1 - share) * meaning.get(one, 0.0)
        for one in dict.fromkeys((*lexical, *dense))
    }


def _even(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {one: (score - low) / (high - low) for one, score in scores.items()}
