"""The engine, and which one the functions use."""

import threading
from types import TracebackType

from taskkit.engine.engine import Engine

_lock = threading.Lock()
_current: Engine | None = None


def current() -> Engine:
    """The engine that `taskkit.translate(...)` and its like use; made from the settings on first use."""
    global _current
    with _lock:
        if _current is None:
            _current = Engine()
        return _current


class use:  # noqa: N801 - read as a verb: `with taskkit.use(engine):`
    """Has the functions use this engine: from now on, or as a context manager until its end."""

    def __init__(self, engine: Engine | None) -> None:
        global _current
        with _lock:
            self._before = _current
            _current = engine

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        global _current
        with _lock:
            _current = self._before
