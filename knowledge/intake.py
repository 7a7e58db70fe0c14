"""Documents on their way in, a group at a time: read, cut and embedded, and kept while the next one is. Of a folder no
more than its names is held all the time.

Cutting is not done beside embedding: both hold the interpreter's lock, and waiting for it cost a fifth more."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from taskkit.knowledge.embed import Embedder, at_once, said, vectors_of
from taskkit.knowledge.marks import Marks
from taskkit.knowledge.naming import Names
from taskkit.knowledge.progress import Bar, Progress
from taskkit.knowledge.reading import Reading, Source
from taskkit.knowledge.records import Report
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.store import Incoming, Store, Taken, Unembedded

T = TypeVar("T")
Kept: TypeAlias = Callable[[int], object]  # told how many texts of those at hand have their vectors by now


async def take(
    store: Store,
    embedder: Embedder,
    made: Made,
    todo: Iterable[Source],
    progress: Progress | None,
    marks: Marks,
    names: Names,
    gone: Mapping[str, str] | None = None,
) -> Report:
    """`names` gave the files theirs. `gone` are documents, by their digests, whose files went: a new one of the same content is one of them renamed.
    Whatever ends this, what was embedded is kept."""
    bar = Bar(progress, len(todo) if isinstance(todo, Sized) else 0)
    reading = Reading(store, todo, at_once(embedder), gone or {}, marks, bar)
    groups = reading.groups()
    embedded = 0
    coming = keeping = _begun(asyncio.to_thread(next, groups, None))
    try:
        while (group := await asyncio.shield(coming)) is not None:
            texts = {part.key(made.mark): part.embedded for _, parts, _ in group for part in parts}
            missing = await asyncio.to_thread(without, store, texts)
            await embed(store, embedder, made, missing, bar.share(len(group), len(missing)))
            embedded += len(missing)
            await asyncio.shield(keeping)
            keeping = _begun(_put(store, embedder, made, group, names))
            coming = _begun(asyncio.to_thread(next, groups, None))
        await asyncio.shield(keeping)
    finally:
        reading.stop()
        await asyncio.gather(coming, keeping, return_exceptions=True)
        said(embedder)
    await asyncio.to_thread(store.prepare)
    bar.end()
    return reading.report(embedded)


def _begun(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    return asyncio.create_task(work)


async def _put(store: Store, embedder: Embedder, made: Made, ready: Sequence[Incoming], names: Names) -> None:
    """What somebody has taken out in between, as of no use, is embedded once more; of a name that somebody has taken
    in between, the file gets another one."""
    while True:
        try:
            return await asyncio.to_thread(store.put, ready, made, names.homes(one.name for one, _, _ in ready))
        except Taken as taken:
            kept = await asyncio.to_thread(store.digests)
            ready = [
                (
                    replace(one, name=names.again(kept, one.name, origin)) if one.name in taken.names else one,
                    some,
                    origin,
                )
                for one, some, origin in ready
            ]
        except Unembedded as lost:
            texts = {part.key(made.mark): part.embedded for _, some, _ in ready for part in some}
            await embed(store, embedder, made, {key: texts[key] for key in lost.keys})


def without(store: Store, texts: Mapping[str, str]) -> dict[str, str]:
    """Keys and texts of what has no vector yet."""
    known = store.known(texts)
    return {key: text for key, text in texts.items() if key not in known}


async def embed(
    store: Store, embedder: Embedder, made: Made, texts: Mapping[str, str], told: Kept | None = None
) -> None:
    """In batches, several on their way; each is kept as it comes, also when another one fails or all is broken off."""
    todo = [*texts.items()]
    batches = iter([todo[at : at + embedder.batch] for at in range(0, len(todo), embedder.batch)])
    failed: list[Exception] = []
    kept = 0

    async def worker() -> None:
        nonlocal kept
        for batch in batches:
            if failed:
                return
            try:
                rows = await vectors_of(embedder, [text for _, text in batch])
                await _ended(asyncio.to_thread(store.keep_vectors, [key for key, _ in batch], rows, made))
            except Exception as error:  # noqa: BLE001 - raised below, when the others have ended
                failed.append(error)
                return
            kept += len(batch)
            if told is not None:
                told(kept)

    async with asyncio.TaskGroup() as workers:  # it waits for all of them, however it ends
        for _ in range(at_once(embedder)):
            workers.create_task(worker())
    if failed:
        raise failed[0]


async def _ended(work: Coroutine[Any, Any, None]) -> None:
    """Waits for it to its end, also when this is broken off meanwhile: what was paid for is kept."""
    task = _begun(work)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.wait([task])
