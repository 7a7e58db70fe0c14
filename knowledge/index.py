"""The FAISS index: derived from the store, in memory, made anew when the store is of another generation."""

from typing import TYPE_CHECKING, Any

from taskkit.knowledge.store import Store

if TYPE_CHECKING:
    import numpy as np

EXACT = 300_000  # vectors of width 256; above, a graph is searched
SMALL = 0.1  # an allowed part under this share is scanned exactly


class Index:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = ""
        self._ids: Any = None
        self._index: Any = None

    def search(self, vector: "np.ndarray[Any, Any]", k: int, allowed: list[int] | None) -> dict[int, float]:
        """The cosine of the nearest passages, by their ids; `allowed` None admits all."""
        import numpy as np

        self._refresh()
        if self._index is None or not len(self._ids):
            return {}
        if allowed is None:
            scores, rows = self._index.search(vector.reshape(1, -1), min(k, len(self._ids)))
            return {
                int(self._ids[row]): float(score) for score, row in zip(scores[0], rows[0], strict=True) if row >= 0
            }
        rows = np.searchsorted(self._ids, np.asarray(sorted(allowed), dtype=np.int64))
        rows = rows[rows < len(self._ids)]
        if not len(rows):
            return {}
        found = self._vectors(rows) @ vector
        best = np.argsort(-found)[:k]
        return {int(self._ids[rows[at]]): float(found[at]) for at in best}

    def scores(self, vector: "np.ndarray[Any, Any]", ids: list[int]) -> dict[int, float]:
        """The cosine of given passages."""
        return self.search(vector, len(ids), ids) if ids else {}

    def _vectors(self, rows: Any) -> Any:
        import numpy as np

        return np.stack([self._index.reconstruct(int(row)) for row in rows])

    def _refresh(self) -> None:
        generation = self._store.setting("generation")
        if generation == self._generation and self._index is not None:
            return
        import faiss
        import numpy as np

        rows = self._store.rows("SELECT id, vector FROM passages JOIN vectors USING (key) ORDER BY id")
        self._ids = np.array([row[0] for row in rows], dtype=np.int64)
        self._generation = generation
        if not rows:
            self._index = None
            return
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2").reshape(len(rows), -1).astype(np.float32)
        width = matrix.shape[1]
        if len(rows) * width <= EXACT * 256:
            index: Any = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        else:
            index = faiss.IndexHNSWFlat(width, 32, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction, index.hnsw.efSearch = 200, 128
        index.train(matrix)
        index.add(matrix)
        self._index = index
