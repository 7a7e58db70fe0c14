"""Two searches made one."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.knowledge import Document, KnowledgeBase, fuse
from taskkit.knowledge.embed import embedder

SCORES = st.dictionaries(st.integers(1, 30), st.floats(-5, 50, allow_nan=False), max_size=12)


@given(SCORES, SCORES, st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_all_candidates_are_scored_between_0_and_1(lexical, dense, share) -> None:
    found = fuse.total(fuse.convex(lexical, dense, share))
    assert found.keys() == lexical.keys() | dense.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in found.values())


@given(SCORES, SCORES)
@settings(deadline=None, max_examples=60)
def test_with_one_half_alone_its_order_stays(lexical, dense) -> None:
    only = fuse.total(fuse.convex(lexical, dense, 1.0))
    ranked = sorted(lexical, key=lambda one: -lexical[one])
    assert all(only[a] >= only[b] - 1e-9 for a, b in pairwise(ranked))


def test_best_in_both_halves_is_best() -> None:
    found = fuse.total(fuse.convex({1: 9.0, 2: 8.0, 3: 1.0}, {1: 0.9, 3: 0.8, 4: 0.1}, 0.5))
    assert max(found, key=lambda one: found[one]) == 1


@pytest.mark.parametrize(
    ("question", "languages", "seen"),
    [
        ("en", {"en": 90, "de": 10}, 0.4),
        ("de", {"en": 90, "de": 10}, 0.4),
        ("de", {"en": 99, "de": 1}, 0.2),
        ("de", {"en": 50, "": 50}, 0.4),
        ("", {"en": 100}, 0.4),
        ("de", {}, 0.4),
    ],
)
def test_words_weigh_less_across_languages(question: str, languages: dict[str, int], seen: float) -> None:
    assert fuse.weight(0.6, 0.8, question, languages) == pytest.approx(seen)


def test_the_default_embedder_does_not_outweigh_the_words_across_languages() -> None:
    one = embedder("wordllama")
    assert fuse.weight(one.strength, one.across, "de", {"en": 100}) >= 0.5
    with KnowledgeBase("h.kb") as base:
        base.add([Document("a", "The Panthers defence gave up just 308 points."), Document("b", "Wheat and barley.")])
        (first, *_) = base.search("Wie viele Punkte gab die Verteidigung der Panthers ab?", explain=True)
        assert first.passage.document == "a"
        assert first.reasons is not None
        assert first.reasons.language == "de"
