"""The FAISS index: derived from the store, kept beside it, and never trusted when it is of another generation.

A passage's number is never given again, so that after a change only new passages are read and those that went are
taken out. Rows stand in the order of the numbers."""

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from taskkit.knowledge.stores import beside

if TYPE_CHECKING:
    import numpy as np

    from taskkit.knowledge.stores.sqlite import SQLite

    Vector: TypeAlias = np.ndarray[Any, Any]

EXACT = 300_000 * 256  # numbers that are scanned in about 20 ms; of more, a graph is searched
SMALL = 0.1  # an allowed part under this is scanned by itself: a graph would find a third of it
DEAD = 0.2  # of a graph's passages; with more of them gone it is made anew
LINKS, BUILDING, SEARCHING = 32, 200, 128  # of the graph
KEPT = 5_000  # passages from which the index is kept beside the store; fewer are read again as fast


class Index:
    def __init__(self, store: "SQLite", exact: int = EXACT, kept_from: int = KEPT) -> None:
        self._store = store
        self._exact = exact
        self._kept_from = kept_from
        self._lock = threading.RLock()  # FAISS can not be searched while it is changed
        self._generation = ""
        self._kept = ""
        self._ids: Any = None
        self._alive: Any = None  # of a graph with gaps, which rows are there still
        self._index: Any = None

    def search(self, vector: "Vector", k: int, allowed: "Vector | list[int] | None" = None) -> dict[int, float]:
        """The cosine of the nearest passages, by their numbers; `allowed` in order, or None for all."""
        import numpy as np

        with self._lock:
            self.refresh()
            if self._index is None:
                return {}
            if allowed is not None:
                allowed = np.asarray(allowed, dtype=np.int64)
            if allowed is not None and len(allowed) < SMALL * len(self._ids):
                found = self.scores(vector, allowed)
                return dict(sorted(found.items(), key=lambda pair: -pair[1])[:k])
            chosen = None if allowed is None else self._rows(allowed)
            if chosen is not None and not len(chosen):
                return {}
            more = {} if chosen is None and self._alive is None else {"params": self._only(chosen)}
            scores, rows = self._index.search(vector.reshape(1, -1), min(k, len(self._ids)), **more)
            good = rows[0] >= 0
            ids = self._ids[rows[0][good]]
            return dict(zip(ids.tolist(), scores[0][good].tolist(), strict=True))

    def scores(self, vector: "Vector", ids: "Vector | list[int]") -> dict[int, float]:
        """The cosine of given passages, those that are there."""
        import numpy as np

        with self._lock:
            self.refresh()
            if self._index is None or not len(ids):
                return {}
            rows = self._rows(np.sort(np.asarray(ids, dtype=np.int64)))
            found = self._index.reconstruct_batch(rows) @ vector
            return dict(zip(self._ids[rows].tolist(), found.tolist(), strict=True))

    def vectors(self, ids: "Vector | list[int]") -> "dict[int, Vector]":
        """Of given passages, those that are there."""
        import numpy as np

        with self._lock:
            self.refresh()
            if self._index is None or not len(ids):
                return {}
            rows = self._rows(np.sort(np.asarray(ids, dtype=np.int64)))
            return dict(zip(self._ids[rows].tolist(), self._index.reconstruct_batch(rows), strict=True))

    def _rows(self, ids: "Vector") -> "Vector":
        import numpy as np

        rows = np.searchsorted(self._ids, ids)
        rows = rows[rows < len(self._ids)]
        return rows[np.isin(self._ids[rows], ids)]

    def _only(self, rows: "Vector | None") -> Any:
        import numpy as np

        faiss = _faiss()

        wanted = np.zeros(len(self._ids), dtype=bool) if rows is not None else self._alive
        if rows is not None:
            wanted[rows] = True
            wanted &= True if self._alive is None else self._alive
        chosen = faiss.IDSelectorBitmap(np.packbits(wanted, bitorder="little"))
        if self._graph:
            return faiss.SearchParametersHNSW(sel=chosen, efSearch=SEARCHING)
        return faiss.SearchParameters(sel=chosen)

    @property
    def _graph(self) -> bool:
        return hasattr(self._index, "hnsw")

    # As the store is ---------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        import numpy as np

        with self._lock:
            generation = self._store.setting("generation")
            if generation == self._generation:
                return
            if self._index is None and self._read(generation):
                return
            there = np.fromiter(self._store.all_numbers(), dtype=np.int64)
            last = self._ids[-1] if self._index is not None else 0
            if self._index is not None:
                self._take_out(there)
            new = int(np.count_nonzero(there > last))
            if self._index is None:
                last, new = 0, len(there)
            if new:
                self._put_in(int(last), new)
            self._generation = generation

    def _take_out(self, there: "Vector") -> None:
        import numpy as np

        alive = np.isin(self._ids, there, assume_unique=True)
        count = np.count_nonzero(alive)
        if not count or (self._graph and count < (1 - DEAD) * len(alive)):
            self._index = self._ids = self._alive = None
        elif self._graph:
            self._alive = None if count == len(alive) else alive
        elif count < len(alive):
            self._index.remove_ids(_faiss().IDSelectorBitmap(np.packbits(~alive, bitorder="little")))
            self._ids = self._ids[alive]

    def _put_in(self, last: int, new: int) -> None:
        import numpy as np

        width = int(self._store.setting("width"))
        codes = np.empty((new, width), dtype="<f2")
        ids = np.empty(new, dtype=np.int64)
        count = 0
        for count, (number, vector) in enumerate(self._store.after(last), 1):
            ids[count - 1] = number
            codes[count - 1] = np.frombuffer(vector, dtype="<f2")
        ids, codes = ids[:count], codes[:count]
        if not count:
            return
        if self._index is None:
            self._index = _made(width, graph=count * width > self._exact)
        elif not self._graph and (len(self._ids) + count) * width > self._exact:
            old = self._index.reconstruct_n(0, len(self._ids))
            self._index = _made(width, graph=True)
            self._index.add(old)
        if self._graph:
            self._index.add(codes.astype(np.float32))
        else:
            self._index.add_sa_codes(codes.view(np.uint8))
        if self._alive is not None:
            self._alive = np.concatenate([self._alive, np.ones(count, dtype=bool)])
        self._ids = ids if self._ids is None else np.concatenate([self._ids, ids])

    # Beside the store --------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Writes what is here beside the store, if that is worth it."""
        with self._lock:
            if self._index is None or self._alive is not None or len(self._ids) < self._kept_from:
                return
            if self._generation != self._kept:
                parts = [self._ids.tobytes(), _faiss().serialize_index(self._index).tobytes()]
                beside.write(self._store.path, self._generation, parts)
                self._kept = self._generation

    def _read(self, generation: str) -> bool:
        """Whether the index beside the store was of this generation, and sound."""
        import numpy as np

        parts = beside.read(self._store.path, generation)
        if parts is None:
            return False
        try:
            self._index, self._ids = _faiss().deserialize_index(parts[1]), parts[0].view(np.int64).copy()
        except (ValueError, RuntimeError, IndexError):
            return False
        self._generation = self._kept = generation
        return True


def _faiss() -> Any:
    """Its annotations are those of its C++ face, which Python does not meet."""
    return import_module("faiss")


def _made(width: int, *, graph: bool) -> Any:
    """An empty index. Vectors are held as the store has them, in halves: nothing is to be trained."""
    faiss = _faiss()

    kind, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if not graph:
        return faiss.IndexScalarQuantizer(width, kind, metric)
    index = faiss.IndexHNSWSQ(width, kind, LINKS, metric)
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILDING, SEARCHING
    index.is_trained = True
    return index
