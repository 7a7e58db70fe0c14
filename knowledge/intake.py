"""Documents on their way in: cut, embedded, kept; while one group is kept the next is embedded.

Cutting is not done beside embedding: both hold the interpreter's lock, and waiting for it cost a fifth more."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from taskkit.knowledge.embed import Embedder
from taskkit.knowledge.pieces import Piece, digest, pieces
from taskkit.knowledge.read import document, find
from taskkit.knowledge.records import Document, Report, Skipped
from taskkit.knowledge.stores.store import Incoming, Store

Found: TypeAlias = tuple[Document | Skipped, str]  # and where it is from
Group: TypeAlias = list[tuple[Document, str]]
Progress: TypeAlias = Callable[[int, int, str], None]  # documents done, of how many, the one at hand

# A group of documents is one transaction, up to so many characters and documents; one for each document took half as
# long again.
GROUP, AT_ONCE = 500_000, 500


def read(path: Path, include: Sequence[str], exclude: Sequence[str]) -> list[Found]:
    return [
        (one, "") if isinstance(one, Skipped) else (document(one), one.origin) for one in find(path, include, exclude)
    ]


def renamed(
    found: Sequence[Found], gone: Sequence[str], before: Mapping[str, tuple[str, str]], origin: str
) -> Iterator[tuple[str, str]]:
    """A file that went and one of the same content that came are one that was renamed: its old name and its new."""
    by_content = {before[name][0]: name for name in gone}
    for one, home in found:
        if isinstance(one, Document) and home == origin and one.name not in before:
            old = by_content.pop(digest(one), "")
            if old:
                yield old, one.name


async def take(store: Store, embedder: Embedder, found: Sequence[Found], progress: Progress | None) -> Report:
    """Each document with where it is from. Whatever ends this, what was embedded is kept."""
    before = await asyncio.to_thread(store.digests)
    skipped = tuple(one for one, _ in found if isinstance(one, Skipped))
    named = [(one, home) for one, home in found if isinstance(one, Document)]
    todo = [pair for pair in named if before.get(pair[0].name, ("", ""))[0] != digest(pair[0])]
    done, embedded = len(named) - len(todo), 0
    ready: list[Incoming] = []
    for group in _grouped(todo):
        if progress is not None:
            progress(done, len(named), group[0][0].name)
        parts = await asyncio.to_thread(_cut, group)
        missing = await asyncio.to_thread(_missing, store, embedder.name, parts)
        keeping = asyncio.create_task(asyncio.to_thread(store.put, ready, embedder.name))
        try:
            await _embedded(store, embedder, missing)
        finally:
            await keeping
        embedded += len(missing)
        ready = [(one, some, home) for (one, home), some in zip(group, parts, strict=True)]
        done += len(group)
    await asyncio.to_thread(store.put, ready, embedder.name)
    await asyncio.to_thread(store.prepare)
    if progress is not None:
        progress(len(named), len(named), "")
    changed = sum(one.name in before for one, _ in todo)
    return Report(len(todo) - changed, changed, len(named) - len(todo), 0, skipped, embedded)


def _cut(group: Sequence[tuple[Document, str]]) -> list[list[Piece]]:
    return [pieces(one) for one, _ in group]


def _missing(store: Store, embedder: str, cut: Sequence[Sequence[Piece]]) -> list[tuple[str, str]]:
    """Keys and texts of what has no vector yet."""
    texts = {part.key(embedder): part.embedded for parts in cut for part in parts}
    known = store.known(texts)
    return [(key, text) for key, text in texts.items() if key not in known]


async def _embedded(store: Store, embedder: Embedder, missing: Sequence[tuple[str, str]]) -> None:
    """Each batch is kept before the next."""
    for at in range(0, len(missing), embedder.batch):
        keys, batch = zip(*missing[at : at + embedder.batch], strict=True)
        rows = await embedder.embed(batch)
        await asyncio.to_thread(store.keep_vectors, keys, rows, embedder.name)


def _grouped(todo: Sequence[tuple[Document, str]]) -> Iterator[Group]:
    group: Group = []
    size = 0
    for pair in todo:
        group.append(pair)
        size += len(pair[0].text)
        if size > GROUP or len(group) == AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group
