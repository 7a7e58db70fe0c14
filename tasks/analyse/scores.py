"""How well the labels of a labelled table were met."""

from collections import Counter
from collections.abc import Sequence

from taskkit.tasks.analyse.found import LabelScore, Scores

NOTHING, FAILED = "", "(failed)"


def scores(pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...] | None]], names: Sequence[str]) -> Scores:
    """Pairs of the right labels and those that were found, None for a row that failed, which is wrong. Of several
    labels the confusion counts each that was missed against each that was wrong."""
    right = sum(found is not None and set(truth) == set(found) for truth, found in pairs)
    confusion: dict[str, Counter[str]] = {name: Counter() for name in names}
    given: Counter[str] = Counter()
    met: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for truth, found in pairs:
        said = set(found or ())
        support.update(truth)
        given.update(said)
        met.update(said & set(truth))
        wrong = sorted(said - set(truth)) or [FAILED if found is None else NOTHING]
        for label in truth:
            for other in [label] if label in said else wrong:
                confusion.setdefault(label, Counter())[other] += 1
    rows = tuple(
        _score(name, met[name], given[name], support[name]) for name in confusion if support[name] or given[name]
    )
    return Scores(
        rows=len(pairs),
        accuracy=right / len(pairs) if pairs else 0.0,
        labels=rows,
        confusion={name: dict(one) for name, one in confusion.items() if one},
    )


def _score(name: str, met: int, given: int, support: int) -> LabelScore:
    precision = met / given if given else 0.0
    recall = met / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if met else 0.0
    return LabelScore(label=name, precision=precision, recall=recall, f1=f1, support=support)
