"""The FAISS index: derived from the store, kept beside it, and never trusted.

Of another generation than the store, here or in the file, it is compared with it, number by number: a passage's number
is not given again, and its key says what its vector is of. What is new is then put in, what went is taken out, and what
does not agree is made anew. Rows stand in the order of the numbers."""

import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from taskkit.knowledge.stores import beside, coding, kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

    from taskkit.knowledge.stores.sqlite import SQLite

    Vector: TypeAlias = np.ndarray[Any, Any]

SMALL = 0.1  # an allowed part under this is scanned by itself: a graph would find a third of it
DEAD = 0.2  # of a graph's or the lists' passages; with more of them gone they are made anew
KEPT = 5_000  # passages from which the index is kept beside the store; fewer are read again as fast
READ = 20_000  # vectors that are read at once


class Index:
    """`kind` is one of `kinds.KINDS`, or None for the one that the size asks for."""

    def __init__(self, store: "SQLite", kind: kinds.Kind | None = None, kept_from: int = KEPT) -> None:
        self._store = store
        self._wanted: kinds.Kind | None = kind
        self._kept_from = kept_from
        self._lock = threading.RLock()  # FAISS can not be searched while it is changed
        self._generation = ""
        self._kept = ""
        self._index: Any = None
        self._ids: Any = None
        self._marks: Any = None  # of what each vector is of
        self._alive: Any = None  # where there are gaps, which rows are there still

    @property
    def kind(self) -> kinds.Kind | None:
        """Of what is searched now; None before the first search, and of an empty base."""
        return None if self._index is None else kinds.kind_of(self._index)

    def aim(self, count: int, width: int) -> kinds.Kind:
        """The kind that so many passages are to have."""
        return kinds.chosen(count, width) if self._wanted is None else self._wanted

    def search(self, vector: "Vector", k: int, allowed: "Vector | list[int] | None" = None) -> dict[int, float]:
        """The cosine of the nearest passages, by their numbers; `allowed` in order, or None for all."""
        import numpy as np

        with self._lock:
            self.refresh()
            if self._index is None:
                return {}
            rows = None if allowed is None else self._rows(np.asarray(allowed, dtype=np.int64))
            part = 1.0 if rows is None else len(rows) / len(self._ids)
            if not part:
                return {}
            lossy = self.kind == "ivf"
            wanted = min(kinds.AGAIN * k if lossy else k, len(self._ids))
            scores, found = kinds.nearest(self._index, vector, wanted, part if part >= SMALL else 0.0, self._only(rows))
            ids = self._ids[found]
            again = self.scores(vector, ids) if lossy else dict(zip(ids.tolist(), scores.tolist(), strict=True))
            return dict(sorted(again.items(), key=lambda pair: -pair[1])[:k])

    def scores(self, vector: "Vector", ids: "Vector | list[int]") -> dict[int, float]:
        """The cosine of given passages, those that are there."""
        known, rows = self._exact(ids)
        return dict(zip(known, (rows @ vector).tolist(), strict=True)) if known else {}

    def vectors(self, ids: "Vector | list[int]") -> "dict[int, Vector]":
        """Of given passages, those that are there."""
        return dict(zip(*self._exact(ids), strict=True))

    def _exact(self, ids: "Vector | list[int]") -> "tuple[list[int], Vector]":
        """Numbers of given passages that are there, and the store's own vector of each as a row."""
        import numpy as np

        with self._lock:
            self.refresh()
            if self._index is None or not len(ids):
                return [], np.empty((0, 0), dtype=np.float32)
            rows = self._rows(np.sort(np.asarray(ids, dtype=np.int64)))
            known = self._ids[rows].tolist()
            if self.kind != "ivf" or not known:
                return known, self._index.reconstruct_batch(rows)
            parts = [*self._many(self._store.halves(known))]
            numbers = [number for some, _ in parts for number in some.tolist()]
            return numbers, np.concatenate([codes.astype(np.float32) for _, codes in parts])

    def _rows(self, ids: "Vector") -> "Vector":
        import numpy as np

        rows = np.searchsorted(self._ids, ids)
        rows = rows[rows < len(self._ids)]
        return rows[np.isin(self._ids[rows], ids)]

    def _only(self, rows: "Vector | None") -> Any:
        """What FAISS is to look at; None is all."""
        import numpy as np

        if rows is None and self._alive is None:
            return None
        wanted = np.zeros(len(self._ids), dtype=bool) if rows is not None else self._alive
        if rows is not None:
            wanted[rows] = True
            wanted &= True if self._alive is None else self._alive
        return kinds.library().IDSelectorBitmap(np.packbits(wanted, bitorder="little"))

    def _many(self, found: "Iterable[tuple[int, bytes]]") -> "Iterator[tuple[Vector, Vector]]":
        """Numbers of passages and their vectors as rows of halves, many at once."""
        import numpy as np

        each, precision = iter(found), self._store.precision
        while some := list(islice(each, READ)):
            numbers, vectors = zip(*some, strict=True)
            yield np.array(numbers, dtype=np.int64), coding.halves(vectors, precision)

    # As the store is ---------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        with self._lock:
            generation = self._store.setting("generation")
            if generation == self._generation:
                return
            if self._index is None:
                self._read()
                if self._generation == generation:
                    return
            there, marks = self._there()
            width = int(self._store.setting("width") or 0)
            if self._index is not None and (not self._taken_out(there, marks) or self._outgrown(len(there), width)):
                self._index = None
            if self._index is None:
                self._ids, self._marks, self._alive = there[:0], marks[:0], None
            if len(there):
                self._put_in(there, marks, width)
            self._generation = generation

    def _there(self) -> "tuple[Vector, Vector]":
        """Numbers of the store's passages, and half of each one's key."""
        import numpy as np

        ids, keys = [], []
        for number, key in self._store.keyed():
            ids.append(number)
            keys.append(key[:16])
        return np.array(ids, dtype=np.int64), np.frombuffer(bytes.fromhex("".join(keys)), dtype=np.int64)

    def _taken_out(self, there: "Vector", marks: "Vector") -> bool:
        """Whether what is left is worth keeping, and all of it is what the store has."""
        import numpy as np

        rows, at = (np.intersect1d(self._ids, there, assume_unique=True, return_indices=True))[1:]
        last = self._ids[-1] if len(self._ids) else 0
        if not np.array_equal(self._marks[rows], marks[at]) or len(at) < np.count_nonzero(there <= last):
            return False
        count = len(rows)
        if not count or (self.kind != "exact" and count < (1 - DEAD) * len(self._ids)):
            return False
        if count == len(self._ids):
            return True
        alive = np.zeros(len(self._ids), dtype=bool)
        alive[rows] = True
        if self.kind != "exact":
            self._alive = alive
            return True
        self._index.remove_ids(kinds.library().IDSelectorBitmap(np.packbits(~alive, bitorder="little")))
        self._ids, self._marks = self._ids[alive], self._marks[alive]
        return True

    def _outgrown(self, count: int, width: int) -> bool:
        """Whether so many passages want another kind, or twice as many lists."""
        wanted = self.aim(count, width)
        if self.kind != wanted:
            # One that has shrunk stays as it is until it is made anew.
            return self._wanted is not None or kinds.KINDS.index(wanted) > kinds.KINDS.index(self.kind or "exact")
        return wanted == "ivf" and kinds.lists(count) > 2 * self._index.nlist

    def _put_in(self, there: "Vector", marks: "Vector", width: int) -> None:
        """What the store has beyond the last number that is known here."""
        import numpy as np

        if self._index is None:
            self._index = kinds.made(self.aim(len(there), width), width, len(there))
            if not self._index.is_trained:
                self._teach(there)
        last = int(self._ids[-1]) if len(self._ids) else 0
        known = [self._ids]
        for numbers, codes in self._many(self._store.after(last)):
            if self.kind == "exact":
                self._index.add_sa_codes(codes.view(np.uint8))
            else:
                self._index.add(codes.astype(np.float32))
            known.append(numbers)
        self._ids = np.concatenate(known)
        new = self._ids[len(self._marks) :]
        self._marks = np.concatenate([self._marks, marks[np.searchsorted(there, new)]])
        if self._alive is not None:
            self._alive = np.concatenate([self._alive, np.ones(len(new), dtype=bool)])

    def _teach(self, there: "Vector") -> None:
        """Centres are learnt from passages spread over the whole."""
        import numpy as np

        sample = there[:: max(1, len(there) // (self._index.nlist * kinds.TAUGHT))].tolist()
        parts = self._many(self._store.halves(sample))
        self._index.train(np.concatenate([codes.astype(np.float32) for _, codes in parts]))

    # Beside the store --------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Writes what is here beside the store, if that is worth it."""
        import numpy as np

        with self._lock:
            if self._index is None or len(self._ids) < self._kept_from or self._generation == self._kept:
                return
            alive = np.empty(0, dtype=bool) if self._alive is None else self._alive
            whole = kinds.library().serialize_index(self._index)
            parts = [part.view(np.uint8).data for part in (self._ids, self._marks, alive, whole)]
            beside.write(self._store.path, self._generation, parts)
            self._kept = self._generation

    def _read(self) -> None:
        """What lies beside the store, if it is of the kind that is wanted; of which generation, it says itself."""
        import numpy as np

        generation, parts = beside.read(self._store.path)
        try:
            ids, marks, alive, whole = parts
            found = kinds.library().deserialize_index(whole)
        except (ValueError, RuntimeError):
            return
        if self._wanted is not None and kinds.kind_of(found) != self._wanted:
            return
        self._index, self._generation, self._kept = found, generation, generation
        self._ids, self._marks = ids.view(np.int64).copy(), marks.view(np.int64).copy()
        self._alive = alive.view(bool).copy() if len(alive) else None
