"""How far an intake is: told once over the whole of it, whoever works on it."""

import threading
from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int, str], None]
"""Documents done, of how many (0 while nobody knows), and the one at hand, "" at the end. It is called from other
threads, by one at a time."""


class Bar:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total = progress, total
        self._done, self._name = 0, ""
        self._lock = threading.Lock()

    def at(self, name: str) -> None:
        self._tell(0, name)

    def done(self, count: int = 1) -> None:
        self._tell(count, self._name)

    def share(self, documents: int, texts: int) -> Callable[[int], None]:
        """Of documents with so many texts that are to be embedded: a function that is told how many of these are."""
        told = 0

        def kept(count: int) -> None:
            nonlocal told
            new = documents * count // texts - told
            told += new
            self.done(new)

        if not texts:
            self.done(documents)
        return kept

    def end(self) -> None:
        self._total = self._done
        self._tell(0, "")

    def _tell(self, count: int, name: str) -> None:
        with self._lock:
            self._done, self._name = self._done + count, name
            if self._progress is not None:
                self._progress(self._done, self._total, name)
