"""All passages embedded anew, beside the old vectors; the base changes over in one step, when all are there."""

import asyncio

from taskkit.knowledge.embed import Embedder, said
from taskkit.knowledge.intake import embed, without
from taskkit.knowledge.pieces import piece_of
from taskkit.knowledge.progress import Progress
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.store import Store

GROUP = 2_000  # passages that are looked at together


async def anew(store: Store, embedder: Embedder, made: Made, progress: Progress | None) -> int:
    """How many texts were embedded. Broken off, the base is as it was, and the next time goes on from there."""
    try:
        return await _anew(store, embedder, made, progress)
    finally:
        said(embedder)


async def _anew(store: Store, embedder: Embedder, made: Made, progress: Progress | None) -> int:
    embedded = 0
    while True:
        numbers = await asyncio.to_thread(store.all_numbers)
        keys: dict[int, str] = {}
        for at in range(0, len(numbers), GROUP):
            if progress is not None:
                progress(at, len(numbers), "")
            there = await asyncio.to_thread(store.passages, numbers[at : at + GROUP])
            parts = {number: piece_of(passage) for number, passage in there.items()}
            keys |= {number: part.key(made.mark) for number, part in parts.items()}
            texts = {keys[number]: part.embedded for number, part in parts.items()}
            missing = await asyncio.to_thread(without, store, texts)
            await embed(store, embedder, made, missing)
            embedded += len(missing)
        if await asyncio.to_thread(store.switch, keys, made):
            await asyncio.to_thread(store.prepare)
            if progress is not None:
                progress(len(numbers), len(numbers), "")
            return embedded
