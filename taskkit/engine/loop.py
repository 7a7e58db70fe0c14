"""The one background loop: the road runs on it, whatever loop, or none, its caller is on.

So connections, pacing and the pause after a 429 are shared by all threads of a process, and the synchronous face
works inside a running loop. A forked child makes a loop of its own."""

import asyncio
import atexit
import concurrent.futures
import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

HASTE = 10.0  # seconds that somebody who pressed Ctrl-C is in a hurry
TIDYING = 0.3  # seconds after it in which all has to be tidied up; a tokenizer that loads may have held it up as long

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_interrupted = -math.inf  # when; by the monotonic clock
_left: list[object] = []  # a forked child keeps its parent's loop from being collected: its sockets are not its own


def background() -> asyncio.AbstractEventLoop:
    global _loop, _thread
    loop = _loop
    if loop is not None:
        return loop
    with _lock:
        if _loop is None:
            loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_serve, args=(loop,), name="taskkit", daemon=True)
            _thread.start()
            _loop = loop
        return _loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except SystemExit:  # of a task's own code; whoever waits for that task is given it
            continue
        return


def on_background() -> bool:
    return _loop is not None and threading.current_thread() is _thread


def run(work: Coroutine[Any, Any, T], timeout: float | None = None, *, patience: float = 0.25) -> T:
    """Waits for `work` on the background loop, for `timeout` seconds at most (then TimeoutError, and the work goes
    on). Ctrl-C cancels it and waits until it has cleaned up, for `patience` seconds at most."""
    if on_background():
        work.close()
        raise RuntimeError("call the async face (`await f.aio(...)`) from inside a task, not the blocking one")
    future = asyncio.run_coroutine_threadsafe(work, background())
    try:
        return future.result(timeout)
    except KeyboardInterrupt:
        global _interrupted
        _interrupted = time.monotonic()
        future.cancel()
        concurrent.futures.wait([future], timeout=patience)
        raise


def patient(seconds: float) -> float:
    """How long to wait for what is tidied up: hardly, after a Ctrl-C, as some task's own code may hold the loop."""
    since = time.monotonic() - _interrupted
    return min(seconds, max(TIDYING - since, 0.05)) if since < HASTE else seconds


async def across(work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work` on the background loop from any loop; a cancellation goes along."""
    if on_background():
        return await work
    here, there = asyncio.get_running_loop(), background()
    done: asyncio.Future[T] = here.create_future()
    task: asyncio.Task[None] | None = None

    def tell(end: Callable[..., object], *what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the caller's loop is closed: nobody waits any more
            here.call_soon_threadsafe(lambda: done.done() or end(*what))

    def begin() -> None:
        nonlocal task
        if done.cancelled():
            work.close()
        else:
            task = there.create_task(_carried(work, done, tell))
            task.add_done_callback(ended)

    def ended(task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            work.close()  # which may not even have begun
            tell(done.cancel)

    there.call_soon_threadsafe(begin)
    try:
        return await done
    except asyncio.CancelledError:
        there.call_soon_threadsafe(lambda: task and task.cancel())
        raise


async def _carried(work: Coroutine[Any, Any, T], done: "asyncio.Future[T]", tell: Callable[..., None]) -> None:
    """Tells the end of `work` itself: a callback of its task comes a turn of the loop later."""
    try:
        got = await work
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - for whoever waits
        tell(done.set_exception, error)
    else:
        tell(done.set_result, got)


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Has `work` done on the loop if there is one still; waits a little for it, but not on the loop itself."""
    loop = _loop
    if loop is None or _thread is None or not _thread.is_alive():
        work.close()
        return
    future = asyncio.run_coroutine_threadsafe(work, loop)
    if not on_background():
        concurrent.futures.wait([future], timeout=patient(2))


def _close() -> None:
    global _loop
    loop, _loop = _loop, None
    if loop is None or _thread is None or not _thread.is_alive():
        return

    async def all_closed() -> None:
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    closing = asyncio.run_coroutine_threadsafe(all_closed(), loop)
    concurrent.futures.wait([closing], timeout=patient(2))
    loop.call_soon_threadsafe(loop.stop)
    _thread.join(timeout=patient(2))
    if not _thread.is_alive():
        loop.close()


def left(thing: object) -> None:
    """Keeps what a forked child has of its parent's."""
    _left.append(thing)


def _after_fork() -> None:
    global _loop, _thread, _lock
    _left.append((_loop, _thread))
    _loop, _thread, _lock = None, None, threading.Lock()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
