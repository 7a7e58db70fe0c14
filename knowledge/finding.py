"""One search: the candidates of both halves for each form of the question, fused, as hits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from taskkit.errors import InputError
from taskkit.knowledge import fuse
from taskkit.knowledge.diverse import Pick, diverse
from taskkit.knowledge.embed import Embedder, Unasked, WordLlama, said, vectors_of
from taskkit.knowledge.filters import OfSQLite, condition
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import terms
from taskkit.knowledge.neighbours import joined
from taskkit.knowledge.payer import questions_of
from taskkit.knowledge.records import Hit, Reasons
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.store import Allowed, Store, changed, widened
from taskkit.knowledge.vectors import unit

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine
    from taskkit.job import Job
    from taskkit.knowledge.stores.store import Vector

LONGEST = 50_000  # characters of a query
RERANKED = 20  # passages that the model puts in order
ITS_OWN = 0.5  # the weight of the question as it was asked, beside all of its other forms together
ALONE = "The question is searched for in its own words alone."
FUSIONS, EXPANSIONS = ("convex", "rrf"), ("queries", "hyde")


class How(TypedDict, total=False):
    """How a search is done; each of these by choice.

    `where` is a condition on metadata, `allow` the labels that the asker brings: both hold before anything is
    searched. `fusion`: `convex` (the default) or `rrf`, reciprocal ranks. `diversity` from 0 to 1: near-duplicates
    are left out, and the more of it, the less may hits be like each other. `neighbours`: so many passages before and
    after a hit are joined to it, and hits that then meet are one.

    Asking the model, without which a search still finds (where it fails, that is a warning): `expand` by other forms of the question (`queries`) or by an answer made up to search with
    (`hyde`); `rerank` has the best ones put in order. `by` is who asks it, and who has the question embedded: an engine,
    or a task's job; the engine of the functions when it is not given. `explain` fills the hits' `reasons`."""

    where: Mapping[str, Any] | None
    allow: Mapping[str, Any] | None
    fusion: Literal["convex", "rrf"]
    diversity: float
    neighbours: int
    expand: Literal["queries", "hyde"] | None
    rerank: bool
    by: "Engine | Job | None"
    explain: bool


@dataclass(frozen=True, slots=True)
class Form:
    """A question in one of its forms. Of the halves, `lexical` is BM25, `dense` the cosine."""

    language: str
    words: tuple[str, ...]
    lexical: Mapping[int, float]
    dense: Mapping[int, float]
    share: float


def check(query: Any, k: Any, how: How) -> None:
    """Raises `InputError` for what can not be searched, so that nothing is found by a condition that was not met."""
    if unknown := how.keys() - How.__annotations__.keys():
        raise InputError(
            f"A search has no option {', '.join(sorted(map(repr, unknown)))}.",
            hint=f"There are: {', '.join(How.__annotations__)}.",
        )
    if not isinstance(query, str):
        raise InputError(f"The query is a text, not {query!r}.")
    if not query.strip():
        raise InputError("The query is empty.")
    if len(query) > LONGEST:
        raise InputError(
            f"The query has {len(query):,} characters, more than {LONGEST:,}.", hint="Search for a part of it."
        )
    if not _whole(k, 1):
        raise InputError(f"{k!r} passages can not be searched for.")
    if (fusion := how.get("fusion", "convex")) not in FUSIONS:
        raise InputError(f"There is no fusion {fusion!r}.", hint=f"There are: {', '.join(FUSIONS)}.")
    if (expand := how.get("expand")) and expand not in EXPANSIONS:
        raise InputError(f"There is no expansion {expand!r}.", hint=f"There are: {', '.join(EXPANSIONS)}.")
    diversity: Any = how.get("diversity", 0.0)
    if not isinstance(diversity, int | float) or not 0 <= diversity <= 1:
        raise InputError(f"A diversity of {diversity!r} is not between 0 and 1.")
    if not _whole(neighbours := how.get("neighbours", 0), 0):
        raise InputError(f"{neighbours!r} neighbours can not be joined.")
    condition(how.get("where"), how.get("allow"), OfSQLite())


def _whole(number: Any, least: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least


async def searched(store: Store, embedder: Embedder, query: str, k: int, how: How) -> list[Hit]:
    """The whole of a search, from a question to its hits; `check` comes before it."""
    with questions_of(by := how.get("by"), lambda: int(store.setting("width") or 0)):
        queries, vectors = await _questions(_rehearsing(embedder, store, by), query, how)
        said(embedder)
    many = max(k, RERANKED) if how.get("rerank") else k
    hits = await asyncio.to_thread(found, store, embedder, queries, vectors, many, how)
    if how.get("rerank") and hits:
        hits = (await _reranked(query, hits, how.get("by")))[:k]
    if neighbours := how.get("neighbours"):
        hits = await asyncio.to_thread(joined, store, hits, neighbours)
    return hits


def _rehearsing(embedder: Embedder, store: Store, by: "Engine | Job | None") -> Embedder:
    """A plan sends nothing: there, what another embedder than our own would find is found by words alone."""
    engine: Any = getattr(by, "engine", by)
    if engine is None or not engine.rehearses or embedder.name == WordLlama.name:
        return embedder
    return Unasked(embedder, int(store.setting("width") or 1))


async def _questions(embedder: Embedder, query: str, how: How) -> "tuple[list[str], Vector]":
    """What is searched for, the question itself first, and a vector for each."""
    match how.get("expand"):
        case "queries":
            from taskkit.knowledge.asking import Forms, asked

            queries = [query, *await asked(Forms(question=query), how.get("by"), (), ALONE)]
            return queries, await vectors_of(embedder, queries)
        case "hyde":
            from taskkit.knowledge.asking import Imagined, asked

            imagined = await asked(Imagined(question=query), how.get("by"), "", ALONE)
            if imagined:
                rows = await vectors_of(embedder, [query, imagined])
                return [query], unit(rows.mean(axis=0, keepdims=True))
    return [query], await vectors_of(embedder, [query])


async def _reranked(query: str, hits: Sequence[Hit], by: "Engine | Job | None") -> list[Hit]:
    """The first ones in the model's order; those that it named not, and the rest, behind them as they stood."""
    from taskkit.knowledge.asking import Order, asked, in_order

    order = Order(question=query, passages=tuple(hit.passage for hit in hits[:RERANKED]))
    best = await asked(order, by, (), "The passages stay in the order that they were found in.")
    made = []
    for place in in_order(len(hits), best):
        hit = hits[place]
        if hit.reasons is not None and place in best:
            hit = replace(hit, reasons=replace(hit.reasons, reranked=best.index(place) + 1))
        made.append(hit)
    return made


def found(store: Store, embedder: Embedder, queries: Sequence[str], vectors: "Vector", k: int, how: How) -> list[Hit]:
    """The best `k`, by the forms of one question, the first of which is its own; a row of `vectors` for each. Of one
    state of the base, whoever writes meanwhile."""
    with store.snapshot():
        if (now := store.facts().embedder) not in {"", embedder.name}:
            raise changed(store.place, Made(now))
        if width := store.setting("width"):
            widened(Made(embedder.name), int(width), vectors.shape[1])
        allowed = store.allowed(how.get("where"), how.get("allow"))
        forms = [_form(store, embedder, query, vector, allowed) for query, vector in zip(queries, vectors, strict=True)]
        words, meaning = _halves(forms, how.get("fusion", "convex"))
        scores = fuse.total((words, meaning))
        order = sorted(scores, key=lambda one: (-scores[one], one))
        picks = _picked(store, order, scores, k, how.get("diversity", 0.0))
        passages = store.passages([one.number for one in picks])
    first = forms[0]
    ranks = fuse.ranks(first.lexical), fuse.ranks(first.dense)

    def hit(pick: Pick) -> Hit:
        one, reasons = pick.number, None
        if how.get("explain"):
            reasons = Reasons(
                ranks[0].get(one), ranks[1].get(one), words.get(one, 0.0), meaning.get(one, 0.0), first.share,
                first.language, first.words, tuple(queries), pick.like, pick.duplicates,
            )  # fmt: skip
        return Hit(passages[one], scores[one], first.lexical.get(one), first.dense.get(one), reasons)

    return [hit(pick) for pick in picks if pick.number in passages]


def _form(store: Store, embedder: Embedder, query: str, vector: "Vector", allowed: Allowed | None) -> Form:
    language = guess(query)
    words = terms(query, language or None)
    lexical = store.by_words(words, fuse.AT_MOST, allowed)
    dense = store.by_meaning(vector, fuse.AT_MOST, allowed)
    dense |= store.scores(vector, [one for one in lexical if one not in dense])
    share = fuse.weight(embedder.strength, embedder.across, language, store.facts().languages)
    return Form(language, words, lexical, dense, share if lexical else 0.0)


def _halves(forms: Sequence[Form], fusion: str) -> tuple[dict[int, float], dict[int, float]]:
    """What words and meaning give to each candidate's score, over all forms."""
    weights = [ITS_OWN, *[(1 - ITS_OWN) / (len(forms) - 1)] * (len(forms) - 1)] if len(forms) > 1 else [1.0]
    parts = [
        fuse.by_rank(one.lexical, one.dense) if fusion == "rrf" else fuse.convex(one.lexical, one.dense, one.share)
        for one in forms
    ]
    return fuse.total((words for words, _ in parts), weights), fuse.total((dense for _, dense in parts), weights)


def _picked(store: Store, order: Sequence[int], scores: Mapping[int, float], k: int, diversity: float) -> list[Pick]:
    if not diversity:
        return [Pick(one) for one in order[:k]]
    some = order[: max(50, 4 * k)]
    texts = {one: passage.text for one, passage in store.passages(some).items()}
    return diverse({one: scores[one] for one in some if one in texts}, texts, store.vectors(some), diversity, k)
