"""Documents on their way in: cut, embedded, kept; while one group is kept the next is embedded.

Cutting is not done beside embedding: both hold the interpreter's lock, and waiting for it cost a fifth more."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from taskkit.knowledge.embed import Embedder, at_once, vectors_of
from taskkit.knowledge.pieces import Piece, digest, pieces
from taskkit.knowledge.read import Found as File
from taskkit.knowledge.read import documents, find
from taskkit.knowledge.records import Document, Report, Skipped
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.store import Incoming, Store, Unembedded

Found: TypeAlias = tuple[Document | Skipped, str]  # and where it is from
Group: TypeAlias = list[tuple[Document, str]]
Progress: TypeAlias = Callable[[int, int, str], None]  # documents done, of how many, the one at hand

# A group of documents is one transaction, up to so many characters and documents for each batch that is on its way at
# once; one for each document took half as long again.
GROUP, AT_ONCE = 500_000, 500


def read(path: Path, include: Sequence[str], exclude: Sequence[str], progress: Progress | None = None) -> list[Found]:
    files = list(find(path, include, exclude))

    def told() -> Iterator[File | Skipped]:
        for number, one in enumerate(files):
            if progress is not None:
                progress(number, len(files), f"reading {one.name if isinstance(one, File) else one.file}")
            yield one

    return list(documents(told()))


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


async def take(
    store: Store, embedder: Embedder, made: Made, found: Sequence[Found], progress: Progress | None
) -> Report:
    """Each document with where it is from. Whatever ends this, what was embedded is kept."""
    before = await asyncio.to_thread(store.digests)
    skipped = tuple(one for one, _ in found if isinstance(one, Skipped))
    named = [(one, home) for one, home in found if isinstance(one, Document)]
    todo = [pair for pair in named if before.get(pair[0].name, ("", ""))[0] != digest(pair[0])]
    done, embedded = len(named) - len(todo), 0
    ready: list[Incoming] = []
    for group in _grouped(todo, at_once(embedder)):
        if progress is not None:
            progress(done, len(named), group[0][0].name)
        parts = await asyncio.to_thread(_cut, group)
        texts = {part.key(made.mark): part.embedded for some in parts for part in some}
        missing = await asyncio.to_thread(without, store, texts)
        keeping = asyncio.create_task(_put(store, embedder, made, ready))
        try:
            await embed(store, embedder, made, missing)
        finally:
            await keeping
        embedded += len(missing)
        ready = [(one, some, home) for (one, home), some in zip(group, parts, strict=True)]
        done += len(group)
    await _put(store, embedder, made, ready)
    await asyncio.to_thread(store.prepare)
    if progress is not None:
        progress(len(named), len(named), "")
    changed = sum(one.name in before for one, _ in todo)
    return Report(len(todo) - changed, changed, len(named) - len(todo), 0, skipped, embedded)


def _cut(group: Sequence[tuple[Document, str]]) -> list[list[Piece]]:
    return [pieces(one) for one, _ in group]


async def _put(store: Store, embedder: Embedder, made: Made, ready: Sequence[Incoming]) -> None:
    """What somebody has taken out in between, as of no use, is embedded once more."""
    while True:
        try:
            return await asyncio.to_thread(store.put, ready, made)
        except Unembedded as lost:
            texts = {part.key(made.mark): part.embedded for _, some, _ in ready for part in some}
            await embed(store, embedder, made, {key: texts[key] for key in lost.keys})


def without(store: Store, texts: Mapping[str, str]) -> dict[str, str]:
    """Keys and texts of what has no vector yet."""
    known = store.known(texts)
    return {key: text for key, text in texts.items() if key not in known}


async def embed(store: Store, embedder: Embedder, made: Made, texts: Mapping[str, str]) -> None:
    """In batches, several on their way; each is kept as it comes, also when another one fails."""
    todo = [*texts.items()]
    batches = iter([todo[at : at + embedder.batch] for at in range(0, len(todo), embedder.batch)])
    failed: list[Exception] = []

    async def worker() -> None:
        for batch in batches:
            if failed:
                return
            try:
                rows = await vectors_of(embedder, [text for _, text in batch])
                await asyncio.to_thread(store.keep_vectors, [key for key, _ in batch], rows, made)
            except Exception as error:  # noqa: BLE001 - raised below, when the others have ended
                failed.append(error)

    await asyncio.gather(*(worker() for _ in range(at_once(embedder))))
    if failed:
        raise failed[0]


def _grouped(todo: Sequence[tuple[Document, str]], at_once: int) -> Iterator[Group]:
    group: Group = []
    size = 0
    for pair in todo:
        group.append(pair)
        size += len(pair[0].text)
        if size > GROUP * at_once or len(group) == AT_ONCE * at_once:
            yield group
            group, size = [], 0
    if group:
        yield group
