"""`KnowledgeBase`: documents in, passages found again."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Self, TypeVar, Unpack

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge import checks
from taskkit.knowledge.anew import anew
from taskkit.knowledge.embed import Embedder
from taskkit.knowledge.embed import embedder as embedder_of
from taskkit.knowledge.export import written
from taskkit.knowledge.finding import How, check, searched
from taskkit.knowledge.folders import Folders
from taskkit.knowledge.intake import take
from taskkit.knowledge.lexical import clean
from taskkit.knowledge.marks import Marks, marked
from taskkit.knowledge.naming import Names, may_be, moved_here
from taskkit.knowledge.progress import Progress
from taskkit.knowledge.read import Found, find
from taskkit.knowledge.reading import Source, unchanged
from taskkit.knowledge.records import Document, Hit, Labels, Listed, Metadata, Passage, Report, Skipped, Stats
from taskkit.knowledge.stores import coding, opened
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.store import Store

PATIENCE = 10.0  # seconds that Ctrl-C leaves for what was paid for to be kept

T = TypeVar("T")
Documents = list[Listed]
Lines = list[str]
Passages = list[Passage]  # inside the class, `list` is its method


class KnowledgeBase:
    """One file, or the address of a PostgreSQL database: `postgresql://user:password@host/db`. Made when it is missing,
    unless `create` is False.

    `embedder` is `wordllama`, `openai`, `openai:MODEL`, `local:MODEL`, a plug-in's or one's own (`embed.embedder` says more
    of them); vectors are kept as `precision` says, `float16` or `int8`. A base keeps to those that it was made with until `reindex`. `index` is the kind of index that
    it has from now on: `exact`, `hnsw`, `ivf`, or `auto` for the one that its size asks for; when it is not given, the
    one that it had. `wait` is how many seconds another writer is waited for."""

    def __init__(
        self, path: str | Path, *, embedder: str | Embedder | None = None, precision: str | None = None,
        index: str = "", create: bool = True, wait: float = 30.0,
    ) -> None:  # fmt: skip
        given = None if embedder is None else embedder_of(embedder)
        self._store = opened(path, create=create, index=index, wait=wait)
        try:
            self._made = self._as_made(given, precision)
        except ConfigurationError:
            self._store.close()
            raise
        self._given = given

    def _as_made(self, given: Embedder | None, precision: str | None) -> Made:
        name, kept = self._store.setting("embedder"), self._store.setting("precision") or "float16"
        asked = Made(given.name if given else name or "wordllama", coding.precision(precision or kept))
        if name and asked != (there := Made(name, coding.precision(kept))):
            raise ConfigurationError(
                f"{self.place} was made with the embedder {there}, not {asked}.",
                hint="Leave it out, or make all anew: `reindex`, on the command line `taskkit kb reindex`.",
            )
        return asked

    @property
    def _embedder(self) -> Embedder:
        """Looked for when it is wanted first: a base can be listed and exported without it."""
        if self._given is None:
            self._given = embedder_of(self._made.embedder)
        return self._given

    @property
    def place(self) -> str:
        """Where it is kept, fit to be shown."""
        return self._store.place

    @property
    def embedder(self) -> str:
        """The name of the one that vectors are made by."""
        return self._made.embedder

    def __repr__(self) -> str:
        return f"KnowledgeBase({self.place!r})"

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not KeyboardInterrupt:
            self.close()
            return
        closing = threading.Thread(target=self.close, daemon=True)  # another thread may be at an index for long
        closing.start()
        closing.join(0.1)

    # Documents in -----------------------------------------------------------------------------------------------

    def add(
        self, what: Path | str | Document | Iterable[Document | Path | str], *, metadata: Metadata | None = None,
        access: Labels | None = None, progress: Progress | None = None,
    ) -> Report:  # fmt: skip
        """Files and folders, by their paths, and documents; one of a known name takes the old one's place, but not a file that of another
        folder: its own folder's name then goes before its name.

        `metadata` and `access` are given to all of them, before what they say of themselves. A folder keeps what it was
        taken in with, for whatever is in it later, until something else is given: {} takes it off. A file that is there
        already keeps its labels when `access` is not given. What can not be read is told in the report. Broken off, it
        goes on where it stopped when it is called again."""
        return _waited(self.aadd(what, metadata=metadata, access=access, progress=progress))

    async def aadd(
        self, what: Path | str | Document | Iterable[Document | Path | str], *, metadata: Metadata | None = None,
        access: Labels | None = None, progress: Progress | None = None,
    ) -> Report:  # fmt: skip
        marks = marked(metadata, access)
        given = [what] if isinstance(what, Path | str | Document) else what
        names = Names(await asyncio.to_thread(self._store.digests))
        todo: Iterable[Source] = names.of(_sources(given, self._store, marks))
        if isinstance(given, Sized):  # else they are taken as they come, and nobody knows how many
            todo = await asyncio.to_thread(tuple, todo)
        return await take(self._store, self._embedder, self._made, todo, progress, marks, names)

    def sync(
        self, folder: Path | str, *, include: Sequence[str] = (), exclude: Sequence[str] = (),
        metadata: Metadata | None = None, access: Labels | None = None, progress: Progress | None = None,
    ) -> Report:  # fmt: skip
        """The base as the folder is: new and changed files taken in, those that are gone taken out. Names, `metadata` and
        `access` are as with `add`.

        Where another folder that had its names is there no longer, this one is taken for it, moved: what is unchanged is
        embedded no more, and what is not here any longer goes out."""
        path, marks = Path(folder), marked(metadata, access)
        if not path.is_dir():
            raise InputError(f"There is no folder {path}.", hint="Check its name; a file goes in with `add`.")
        before, origin = self._store.digests(), str(path.resolve())
        names = Names(before)
        files: list[Source] = [*names.of(find(path, include, exclude, base=self.place))]
        found = [one for one in files if isinstance(one, Found)]
        folders = Folders(self._store)
        # First of all, and in one step: from there on it does not matter where a sync is broken off.
        moved = moved_here(before, found, origin, lambda some: unchanged(self._store, some))
        for home in {before[name][1] for name in moved}:
            folders.moved(home, origin)
        folders.tell(path, marks)
        self._store.adopt(moved, origin)
        mine = {*moved, *(name for name, (_, home) in before.items() if home == origin)}
        skipped = [one.file for one in files if isinstance(one, Skipped)]
        here = {one.name for one in found}.union(*(may_be(one, origin) for one in skipped))
        unread = tuple(f"/{one}" for one in skipped if one.endswith("/"))  # folders: who knows what is in them

        def away(name: str) -> bool:
            return name not in here and not any(one in f"/{name}" for one in unread)

        gone = {before[name][0]: name for name in mine if away(name)}
        report = _waited(take(self._store, self._embedder, self._made, files, progress, marks, names, gone))
        known = self._store.digests()
        # Of nobody, or of a folder that is there no longer; what came meanwhile is another's.
        others = {name: before[name][1] for name in (one.name for one in found) if name in before}
        self._store.adopt(
            [name for name, home in others.items() if known.get(name, ("", ""))[1] == home != origin], origin
        )
        left = [name for name in mine if away(name) and name in known]
        return replace(report, removed=self._store.drop(left) if left else 0)

    def remove(self, name: str) -> bool:
        """Takes a document out; whether there was one."""
        return self._store.drop([name]) > 0

    # Search -----------------------------------------------------------------------------------------------------

    def search(self, query: str, k: int = 5, **how: Unpack[How]) -> list[Hit]:
        """The passages that bear most on the query, at most `k`. How it is done, `finding.How` says."""
        return _waited(self.asearch(query, k, **how))

    async def asearch(self, query: str, k: int = 5, **how: Unpack[How]) -> list[Hit]:
        check(query, k, how)
        return await searched(self._store, self._embedder, clean(query), k, how)

    # Looking after it -------------------------------------------------------------------------------------------

    def list(self) -> Documents:
        return self._store.listed()

    def document(self, name: str) -> Document | None:
        return self._store.document(name)

    def passages(self, name: str) -> Passages:
        """Those of one document, in order."""
        with self._store.snapshot():
            numbers = self._store.numbers(name)
            there = self._store.passages(numbers)
        return [there[one] for one in numbers]

    def stats(self) -> Stats:
        with self._store.snapshot():
            counts, languages = self._store.counts(), self._store.facts().languages
            width = int(self._store.setting("width") or 0)
        return Stats(
            counts.documents, counts.passages, counts.characters, counts.vectors, counts.unused, self._made.mark,
            width, languages, counts.bytes, counts.index, counts.awaited,
        )  # fmt: skip

    def verify(self) -> Lines:
        """What is wrong with the store, a line each; nothing in a sound one."""
        return self._store.problems()

    def compact(self) -> int:
        """Takes out vectors that no passage needs, and gives the room back; how many went. Those that a work made which
        goes on, or was broken off in the last thirty days, stay for it."""
        return self._store.compact()

    def reindex(
        self, *, embedder: str | Embedder | None = None, precision: str | None = None, progress: Progress | None = None
    ) -> int:
        """All passages embedded anew where they are not made so already: by another embedder, or kept in another way.
        How many texts that took. Broken off, the base is as it was, and the next time goes on from there."""
        return _waited(self.areindex(embedder=embedder, precision=precision, progress=progress))

    async def areindex(
        self, *, embedder: str | Embedder | None = None, precision: str | None = None, progress: Progress | None = None
    ) -> int:
        new = self._embedder if embedder is None else embedder_of(embedder)
        made = Made(new.name, coding.precision(precision) if precision else self._made.precision)
        count = await anew(self._store, new, made, progress)
        self._given, self._made = new, made
        return count

    def export(self, to: Path | IO[str], *, vectors: bool = False) -> int:
        """A line of JSON a document, with its passages, to a file, which is written in one step, or to one that is
        open. How many documents that were."""
        return written(self._store, to, vectors=vectors)


def _sources(what: Iterable[Document | Path | str], store: Store, marks: Marks) -> Iterator[Source]:
    for one in what:
        if isinstance(one, Document):
            checks.document(one)
            yield one
        elif isinstance(one, Path | str):
            path = Path(one)
            found = find(path, base=store.place)
            if path.is_dir():
                Folders(store).tell(path, marks)
            yield from found
        else:
            raise InputError(f"{checks.shown(one)} is no file, folder or document.", hint="Give a Path or a Document.")


def _waited(work: Coroutine[Any, Any, T]) -> T:
    from taskkit.engine import loop

    return loop.run(work, patience=PATIENCE)
