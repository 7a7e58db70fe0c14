"""A running task's text as it comes."""

import asyncio
import concurrent.futures
import queue
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from taskkit.engine import loop
from taskkit.errors import TaskkitError

R = TypeVar("R")
Start = Callable[[Callable[[str], None]], Coroutine[Any, Any, R]]


class Stream(Generic[R]):
    """Iterate it (`for` or `async for`) for pieces of text, then take `.result`. Leaving it early, by `close()`
    or the end of a `with`, cancels the task and frees its connection. A task that makes its text in one go
    gives one piece."""

    def __init__(self, start: Start[R]) -> None:
        self._start = start
        self._future: concurrent.futures.Future[R] | None = None

    def __iter__(self) -> Iterator[str]:
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        future = self._begin(pieces.put)
        future.add_done_callback(lambda _: pieces.put(None))
        shown = False
        try:
            while (piece := pieces.get()) is not None:
                shown = True
                yield piece
            result = future.result()
            if not shown:
                yield str(result)
        except (GeneratorExit, KeyboardInterrupt):
            self.close()
            raise

    async def __aiter__(self) -> AsyncIterator[str]:
        here = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()

        def put(piece: str | None) -> None:
            here.call_soon_threadsafe(pieces.put_nowait, piece)

        future = self._begin(put)
        future.add_done_callback(lambda _: put(None))
        shown = False
        try:
            while (piece := await pieces.get()) is not None:
                shown = True
                yield piece
            result = future.result()
            if not shown:
                yield str(result)
        except (GeneratorExit, asyncio.CancelledError):
            self.close()
            raise

    @property
    def result(self) -> R:
        """What the task returned; runs it to its end first. Raises `TaskkitError` where the stream was left early."""
        if self._future is None:
            self._begin(lambda _: None)
        assert self._future is not None
        try:
            return self._future.result()
        except concurrent.futures.CancelledError:
            raise TaskkitError(
                "The stream was left before its end, so there is no result.",
                hint="Read it to its end, or call the task itself.",
            ) from None

    def _begin(self, put: Callable[[str], None]) -> "concurrent.futures.Future[R]":
        if self._future is not None:
            raise RuntimeError("a stream can be read once")
        self._future = asyncio.run_coroutine_threadsafe(self._start(put), loop.background())
        return self._future

    def close(self) -> None:
        if self._future is not None:
            self._future.cancel()

    def __enter__(self) -> "Stream[R]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
