"""One search: the candidates of both halves, fused, as hits."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from taskkit.knowledge import fuse
from taskkit.knowledge.embed import Embedder
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import terms
from taskkit.knowledge.records import Hit, Reasons
from taskkit.knowledge.stores.store import Store

if TYPE_CHECKING:
    from taskkit.knowledge.stores.store import Vector


def found(
    store: Store,
    embedder: Embedder,
    query: str,
    vector: "Vector",
    k: int,
    *,
    where: Mapping[str, Any] | None = None,
    allow: Mapping[str, Any] | None = None,
    explain: bool = False,
) -> list[Hit]:
    """The best `k`; `vector` is the query's. Of one state of the base, whoever writes meanwhile."""
    with store.snapshot():
        allowed = store.allowed(where, allow)
        language = guess(query)
        words = terms(query, language or None)
        lexical = store.by_words(words, fuse.AT_MOST, allowed)
        dense = store.by_meaning(vector, fuse.AT_MOST, allowed)
        if not lexical and not dense:
            return []
        dense |= store.scores(vector, [one for one in lexical if one not in dense])
        share = fuse.weight(embedder.strength, embedder.across, language, store.facts().languages)
        scores = fuse.fused(lexical, dense, share if lexical else 0.0)
        best = sorted(scores, key=lambda one: (-scores[one], one))[:k]
        passages = store.passages(best)
        ranks = [{one: rank for rank, one in enumerate(sorted(half, key=lambda o: -half[o]), 1)} for half in (lexical, dense)]  # fmt: skip

    def hit(one: int) -> Hit:
        reasons = None
        if explain:
            only = fuse.fused(lexical, {}, share).get(one, 0.0)
            reasons = Reasons(ranks[0].get(one), ranks[1].get(one), only, scores[one] - only, share, language, words)
        return Hit(passages[one], scores[one], lexical.get(one), dense.get(one), reasons)

    return [hit(one) for one in best if one in passages]
