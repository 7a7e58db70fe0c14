"""The index beside the store: always what a scan of the store would find, whatever happened to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from taskkit.errors import ConfigurationError
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.pieces import pieces
from taskkit.knowledge.stores import kinds
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.index import Index
from taskkit.knowledge.stores.sqlite import SQLite

WIDTH = 16
MADE = Made("e")


def vector(seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return made / np.linalg.norm(made)


def put(store: SQLite, numbers: Iterator[int] | range) -> None:
    for number in numbers:
        document = Document(f"d{number}", f"Text {number}.")
        parts = pieces(document)
        store.keep_vectors([part.key(MADE.mark) for part in parts], vector(number)[None, :], MADE)
        store.put([(document, parts, "")], MADE)


def scanned(store: SQLite, query: np.ndarray, k: int, allowed: list[int] | None = None) -> list[int]:
    rows = store.rows("SELECT passages.id, vector FROM passages JOIN vectors USING (key)")
    scores = {number: float(np.frombuffer(kept, dtype="<f2").astype(np.float32) @ query) for number, kept in rows}
    return sorted((one for one in scores if allowed is None or one in allowed), key=lambda one: -scores[one])[:k]


@pytest.fixture
def store() -> Iterator[SQLite]:
    made = SQLite(Path("i.kb"), create=True)
    yield made
    made.close()


@pytest.mark.parametrize("kind", [None, *kinds.KINDS])
def test_it_follows_every_change(store: SQLite, kind: kinds.Kind | None) -> None:
    """A graph and lists have gaps after the removals."""
    found = Index(store, kind)
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
        assert found.kind == (kind or "exact")
        assert found.scores(query, [*ids[:3], 10**6]).keys() == found.vectors([*ids[:3], 10**6]).keys() == set(ids[:3])
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


def test_what_a_killed_process_left_of_it_is_cleared_away(store: SQLite) -> None:
    put(store, range(3))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    for name in (
        f"i.kb-index-{gone.pid}",
        f"i.kb-index-{os.getppid()}",
        "i.kb-index-notes",
        f"other.kb-index-{gone.pid}",
    ):
        Path(name).write_bytes(b"half of an index")
    index = Index(store, kept_from=1)
    index.search(vector(998), 1)
    index.keep()
    assert {path.name for path in Path.cwd().glob("*index*")} == {
        "i.kb-index", f"i.kb-index-{os.getppid()}", "i.kb-index-notes", f"other.kb-index-{gone.pid}",
    }  # fmt: skip


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_what_lies_beside_the_store_is_caught_up_with_it(store: SQLite, kind: kinds.Kind) -> None:
    put(store, range(60))
    query = vector(998)
    first = Index(store, kind, kept_from=1)
    first.search(query, 1)
    store.drop(["d5", "d6"])
    first.search(query, 1)
    first.keep()
    store.drop(["d7"])
    put(store, range(60, 70))
    later = Index(store, kind, kept_from=1)
    assert list(later.search(query, 70)) == scanned(store, query, 70)
    later.keep()
    assert list(Index(store, kind).search(query, 70)) == scanned(store, query, 70)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_an_index_of_another_life_of_the_store_is_not_trusted(store: SQLite, kind: kinds.Kind) -> None:
    """The store is put back to an older copy and goes on from there: numbers mean other passages then."""
    put(store, range(40))
    store.rows("VACUUM INTO 'older.kb'")
    put(store, range(40, 50))
    first = Index(store, kind, kept_from=1)
    first.search(vector(998), 1)
    first.keep()
    store.close()
    Path("older.kb-index").write_bytes(Path("i.kb-index").read_bytes())
    older = SQLite(Path("older.kb"), create=False)
    put(older, range(100, 130))
    assert list(Index(older, kind).search(vector(120), 8)) == scanned(older, vector(120), 8)
    older.close()


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_it_is_made_anew_when_more_than_a_fifth_of_it_is_gone(store: SQLite, kind: kinds.Kind) -> None:
    found, query = Index(store, kind), vector(997)
    put(store, range(100))
    found.search(query, 1)
    for gone, rows in ((range(15), 100), (range(15, 20), 100), (range(20, 21), 79)):
        store.drop([f"d{number}" for number in gone])
        assert list(found.search(query, 8)) == scanned(store, query, 8)
        assert len(found._ids) == rows  # those that went are still in it, but are not found


def test_a_graph_is_made_while_documents_come_in() -> None:
    with KnowledgeBase("h.kb", index="hnsw") as base:
        base.add(Document("a", "Expenses are paid on Friday."))
        store = base._store
        assert isinstance(store, SQLite)
        assert store.index.kind == "hnsw"


def test_the_kind_is_chosen_by_size_or_by_the_user_and_is_kept() -> None:
    sizes = {(1_000, 256), (100_000, 256), (300_000, 256), (50_000, 1536)}
    assert {kinds.chosen(*size) for size in sizes} == {"exact"}
    assert kinds.chosen(1_000_000, 256) == kinds.chosen(300_000, 1536) == "hnsw"
    assert kinds.chosen(1_000_000, 1536) == "ivf"
    with KnowledgeBase("h.kb", index="hnsw") as base:
        base.add(Document("a", "Expenses are paid on Friday."))
        assert base.search("expenses")[0].passage.document == "a"
        assert base.stats().index == "hnsw"
    with KnowledgeBase("h.kb") as base:
        assert base.stats().index == "hnsw"
    with KnowledgeBase("h.kb", index="auto") as base:
        assert base.search("expenses")[0].passage.document == "a"
        assert base.stats().index == "exact"
    with pytest.raises(ConfigurationError, match="kind of index"):
        KnowledgeBase("new.kb", index="tree")
    assert not Path("new.kb").exists()


def test_two_openings_of_one_base_see_each_others_changes() -> None:
    with KnowledgeBase("h.kb") as one, KnowledgeBase("h.kb") as other:
        one.add(Document("a", "Expenses are paid on Friday."))
        assert other.search("expenses")[0].passage.document == "a"
        one.remove("a")
        assert other.search("expenses") == []
        one.add(Document("b", "Expenses are secret.", access={"team": "hr"}))
        assert other.search("expenses") == []
        assert other.search("expenses", allow={"team": "hr"})[0].passage.document == "b"
