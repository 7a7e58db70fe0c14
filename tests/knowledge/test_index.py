"""The index beside the store: always what a scan of the store would find, whatever happened to it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.pieces import pieces
from taskkit.knowledge.stores import index
from taskkit.knowledge.stores.index import Index
from taskkit.knowledge.stores.sqlite import SQLite

WIDTH = 16


def vector(seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return made / np.linalg.norm(made)


def put(store: SQLite, numbers: Iterator[int] | range) -> None:
    for number in numbers:
        document = Document(f"d{number}", f"Text {number}.")
        parts = pieces(document)
        store.keep_vectors([part.key("e") for part in parts], vector(number)[None, :], "e")
        store.put([(document, parts, "")], "e")


def scanned(store: SQLite, query: np.ndarray, k: int, allowed: list[int] | None = None) -> list[int]:
    rows = store.rows("SELECT passages.id, vector FROM passages JOIN vectors USING (key)")
    scores = {number: float(np.frombuffer(kept, dtype="<f2").astype(np.float32) @ query) for number, kept in rows}
    return sorted((one for one in scores if allowed is None or one in allowed), key=lambda one: -scores[one])[:k]


@pytest.fixture
def store() -> Iterator[SQLite]:
    made = SQLite(Path("i.kb"), create=True)
    yield made
    made.close()


@pytest.mark.parametrize("exact", [index.EXACT, 100])
def test_it_follows_every_change(store: SQLite, exact: int) -> None:
    """`exact` of 100 numbers: a graph, with gaps after the removals."""
    found = Index(store, exact)
    query = vector(999)
    assert found.search(query, 5) == {}
    for change in (
        lambda: put(store, range(60)),
        lambda: store.drop(["d3", "d17", f"d{59}"]),
        lambda: put(store, range(60, 70)),
        lambda: put(store, range(5, 8)),
        lambda: store.drop([f"d{number}" for number in range(20, 50)]),
        lambda: store.move("d60", "moved"),
        lambda: put(store, range(100, 101)),
    ):
        change()
        assert list(found.search(query, 8)) == scanned(store, query, 8)
        ids = [row[0] for row in store.rows("SELECT id FROM passages ORDER BY id")]
        for allowed in (ids[::2], ids[:2], [*ids[3:9], 10**6]):
            assert list(found.search(query, 8, allowed)) == scanned(store, query, 8, allowed)
        assert found.scores(query, [*ids[:3], 10**6]).keys() == set(ids[:3])
        assert found.search(query, 3, []) == {}
    store.drop([row[0] for row in store.rows("SELECT name FROM documents")])
    assert found.search(query, 5) == {}


def test_what_lies_beside_the_store_is_taken_only_when_it_is_true(store: SQLite) -> None:
    put(store, range(30))
    query = vector(998)
    best = scanned(store, query, 5)
    first = Index(store, kept_from=1)
    assert list(first.search(query, 5)) == best
    first.keep()
    file = Path("i.kb-index")
    whole = file.read_bytes()
    assert list(Index(store).search(query, 5)) == best
    middle = len(whole) // 2
    for damaged in (b"", whole[:middle], whole[:middle] + b"\0" + whole[middle + 1 :], b"rubbish\n" * 9, whole[:20]):
        file.write_bytes(damaged)
        assert list(Index(store).search(query, 5)) == best
    file.write_bytes(whole)
    put(store, range(30, 60))
    assert list(Index(store).search(query, 5)) == scanned(store, query, 5)


def test_two_openings_of_one_base_see_each_others_changes() -> None:
    with KnowledgeBase("h.kb") as one, KnowledgeBase("h.kb") as other:
        one.add(Document("a", "Expenses are paid on Friday."))
        assert other.search("expenses")[0].passage.document == "a"
        one.remove("a")
        assert other.search("expenses") == []
        one.add(Document("b", "Expenses are secret.", access={"team": "hr"}))
        assert other.search("expenses") == []
        assert other.search("expenses", allow={"team": "hr"})[0].passage.document == "b"
