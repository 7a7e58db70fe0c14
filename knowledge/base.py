"""`KnowledgeBase`: documents in, passages found again."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge import fuse
from taskkit.knowledge.embed import Embedder
from taskkit.knowledge.embed import embedder as embedder_of
from taskkit.knowledge.filters import condition
from taskkit.knowledge.index import Index
from taskkit.knowledge.intake import Progress, take
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import TITLE_WEIGHT, chosen, sought, terms
from taskkit.knowledge.pieces import digest
from taskkit.knowledge.read import document, find
from taskkit.knowledge.records import Document, Hit, Listed, Passage, Reasons, Report, Skipped, Stats
from taskkit.knowledge.store import Store

T = TypeVar("T")
Documents = list[Listed]
Lines = list[str]
Passages = list[Passage]
Numbers = list[int]
Hits = list[Hit]  # inside the class, `list` is its method

BUDGET = 6_000  # passages that the words may score: about 5 ms


@dataclass(frozen=True, slots=True)
class _Facts:
    """`labelled`: whether any document is not for everybody. `frequencies`: passages that a word is in."""

    generation: str
    languages: Mapping[str, int]
    labelled: bool
    frequencies: dict[str, int]


class KnowledgeBase:
    """One file. Made when it is missing, unless `create` is False. `embedder` is `wordllama`, `openai`,
    `openai:MODEL` or one's own; a base keeps to the one that it was made with."""

    def __init__(self, path: str | Path, *, embedder: str | Embedder | None = None, create: bool = True) -> None:
        if "://" in str(path):
            raise ConfigurationError(f"{path} is no file: only knowledge bases in a file are known so far.")
        self._store = Store(Path(path), create=create)
        kept = self._store.setting("embedder")
        name = embedder_of(embedder).name if embedder else kept or "wordllama"
        if kept and kept != name:
            self._store.close()
            raise ConfigurationError(
                f"{path} was made with the embedder {kept}, not {name}.",
                hint="Leave the embedder out, or make a new base from the documents.",
            )
        self._embedder = embedder_of(embedder or name)
        self._index = Index(self._store)
        self._known = _Facts("-", {}, labelled=False, frequencies={})

    @property
    def path(self) -> Path:
        return self._store.path

    def close(self) -> None:
        try:
            self._index.keep()
        finally:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Documents in -----------------------------------------------------------------------------------------------

    def add(self, what: Path | Document | Iterable[Document | Path], *, progress: Progress | None = None) -> Report:
        """Files, folders and documents; one of a known name takes the old one's place.

        What can not be read is told in the report. Broken off, it goes on where it stopped when it is called again."""
        return _waited(self.aadd(what, progress=progress))

    async def aadd(
        self, what: Path | Document | Iterable[Document | Path], *, progress: Progress | None = None
    ) -> Report:
        todo = [what] if isinstance(what, Path | Document) else list(what)
        found: list[tuple[Document | Skipped, str]] = []
        for one in todo:
            found += [(one, "")] if isinstance(one, Document) else _read(one, (), ())
        return await take(self._store, self._embedder, found, progress)

    def sync(
        self,
        folder: Path | str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Report:
        """The base as the folder is: new and changed files taken in, those that are gone taken out."""
        path = Path(folder)
        if not path.is_dir():
            raise InputError(f"There is no folder {path}.", hint="Check its name; a file goes in with `add`.")
        found = _read(path, include, exclude)
        names = {one.name for one, _ in found if isinstance(one, Document)}
        names |= {one.file for one, _ in found if isinstance(one, Skipped)}
        origin = str(path.resolve())
        before = self._store.digests()
        gone = [name for name, (_, home) in before.items() if home == origin and name not in names]
        self._renamed(found, gone, before, origin)
        report = _waited(take(self._store, self._embedder, found, progress))
        known = self._store.digests()
        removed = self._store.drop([name for name in gone if name in known]) if gone else 0
        return _with_removed(report, removed)

    def _renamed(
        self,
        found: list[tuple[Document | Skipped, str]],
        gone: list[str],
        before: Mapping[str, tuple[str, str]],
        origin: str,
    ) -> None:
        """A file that went and one of the same content that came are one that was renamed."""
        by_content = {before[name][0]: name for name in gone}
        for one, home in found:
            if isinstance(one, Document) and home == origin and one.name not in before:
                old = by_content.pop(digest(one), "")
                if old:
                    self._store.move(old, one.name)

    def remove(self, name: str) -> bool:
        """Takes a document out; whether there was one."""
        return self._store.drop([name]) > 0

    # Search -----------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        k: int = 5,
        *,
        where: Mapping[str, Any] | None = None,
        allow: Mapping[str, Any] | None = None,
        explain: bool = False,
    ) -> list[Hit]:
        """The passages that bear most on the query. `where` is a condition on metadata, `allow` the labels that the
        asker brings; both hold before anything is searched. `explain` fills the hits' `reasons`."""
        return _waited(self.asearch(query, k, where=where, allow=allow, explain=explain))

    async def asearch(
        self,
        query: str,
        k: int = 5,
        *,
        where: Mapping[str, Any] | None = None,
        allow: Mapping[str, Any] | None = None,
        explain: bool = False,
    ) -> list[Hit]:
        if not query.strip():
            raise InputError("The query is empty.")
        rows = await self._embedder.embed([query])
        return await asyncio.to_thread(self._search, query, rows[0], k, where, allow, explain)

    def _search(
        self, query: str, vector: Any, k: int, where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None,
        explain: bool,
    ) -> Hits:  # fmt: skip
        with self._store.snapshot():
            allowed = self._allowed(where, allow)
            language = guess(query)
            words = terms(query, language or None)
            lexical = self._by_words(words, allowed)
            dense = self._index.search(vector, fuse.AT_MOST, allowed)
            if not lexical and not dense:
                return []
            dense |= self._index.scores(vector, [one for one in lexical if one not in dense])
            share = fuse.weight(self._embedder.strength, self._embedder.across, language, self._facts().languages)
            scores = fuse.fused(lexical, dense, share if lexical else 0.0)
            best = sorted(scores, key=lambda one: (-scores[one], one))[:k]
            passages = self._store.passages(best)
            ranks = [{one: rank for rank, one in enumerate(sorted(half, key=lambda o: -half[o]), 1)} for half in (lexical, dense)]  # fmt: skip

        def hit(one: int) -> Hit:
            reasons = None
            if explain:
                only = fuse.fused(lexical, {}, share).get(one, 0.0)
                reasons = Reasons(
                    ranks[0].get(one), ranks[1].get(one), only, scores[one] - only, share, language, words
                )
            return Hit(passages[one], scores[one], lexical.get(one), dense.get(one), reasons)

        return [hit(one) for one in best if one in passages]

    def _allowed(self, where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None) -> Numbers | None:
        if not where and not self._facts().labelled:
            return None
        sql, values = condition(where, allow)
        rows = self._store.each(
            "SELECT passages.id FROM passages JOIN documents ON documents.id = document "  # noqa: S608 - no values
            f"WHERE {sql} ORDER BY passages.id",
            values,
        )
        return [*rows]

    def _by_words(self, words: tuple[str, ...], allowed: Numbers | None) -> dict[int, float]:
        """BM25 of the best passages by the words, higher is better."""
        facts = self._facts()
        for word in words:
            if word not in facts.frequencies:
                found = self._store.rows("SELECT count(*) FROM words WHERE words MATCH ?", (sought(word),))
                facts.frequencies[word] = int(found[0][0])
        total = sum(facts.languages.values())
        part = 1.0 if allowed is None else max(0.01, len(allowed) / total)
        scored, rare = chosen(words, facts.frequencies.__getitem__, total, int(BUDGET / part))
        if not scored:
            return {}
        # The plus keeps SQLite from asking the index for one passage after the other.
        sql = "words MATCH ?"
        if rare:
            sql += " AND +rowid IN (SELECT rowid FROM words WHERE words MATCH ?)"
        values: list[Any] = [scored, rare] if rare else [scored]
        if allowed is not None:
            sql += " AND +rowid IN (SELECT value FROM json_each(?))"
            values.append(str(allowed))
        rows = self._store.rows(
            f"SELECT rowid, -bm25(words, {TITLE_WEIGHT}, 1.0) AS score FROM words WHERE {sql} "  # noqa: S608
            f"ORDER BY score DESC LIMIT {fuse.AT_MOST}",
            values,
        )
        return {row: float(score) for row, score in rows}

    def _languages(self) -> dict[str, int]:
        rows = self._store.rows(
            "SELECT language, count(*) FROM passages JOIN documents ON documents.id = document GROUP BY language"
        )
        return {str(language): int(count) for language, count in rows}

    def _facts(self) -> "_Facts":
        """Of the whole base, counted anew after a change."""
        generation = self._store.setting("generation")
        if self._known.generation != generation:
            labelled = self._store.rows("SELECT 1 FROM documents WHERE access != '{}' LIMIT 1")
            self._known = _Facts(generation, self._languages(), bool(labelled), {})
        return self._known

    # Looking after it -------------------------------------------------------------------------------------------

    def list(self) -> Documents:
        import json

        rows = self._store.rows(
            "SELECT name, title, (SELECT count(*) FROM passages WHERE document = documents.id), length(text), language, "
            "metadata, access, origin FROM documents ORDER BY name"
        )
        return [
            Listed(name, title, count, size, language, json.loads(metadata), json.loads(access), origin)
            for name, title, count, size, language, metadata, access, origin in rows
        ]

    def stats(self) -> Stats:
        count = self._store.rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), "
            "(SELECT coalesce(sum(length(text)), 0) FROM documents), (SELECT count(*) FROM vectors), "
            "(SELECT count(*) FROM vectors WHERE key NOT IN (SELECT key FROM passages))"
        )[0]
        beside = self.path.with_name(f"{self.path.name}-wal")
        size = self.path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
        width = int(self._store.setting("width") or 0)
        documents, passages, characters, vectors, unused = map(int, count)
        return Stats(
            documents, passages, characters, vectors, unused, self._embedder.name, width, self._languages(), size
        )

    def verify(self) -> Lines:
        """What is wrong with the file, a line each; nothing in a sound one."""
        try:
            found = [row[0] for row in self._store.rows("PRAGMA integrity_check") if row[0] != "ok"]
            checks = {
                "passages have no vector": "SELECT count(*) FROM passages WHERE key NOT IN (SELECT key FROM vectors)",
                "passages are not in the word index": "SELECT count(*) FROM passages WHERE id NOT IN "
                "(SELECT rowid FROM words)",
                "entries of the word index have no passage": "SELECT count(*) FROM words WHERE rowid NOT IN "
                "(SELECT id FROM passages)",
                "passages have no document": "SELECT count(*) FROM passages WHERE document NOT IN "
                "(SELECT id FROM documents)",
            }
            found += [f"{n} {what}" for what, sql in checks.items() if (n := self._store.rows(sql)[0][0])]
        except (ConfigurationError, sqlite3.Error) as error:
            return [str(error)]
        return found

    def compact(self) -> int:
        """Takes out vectors that no passage needs, and gives the room back; how many went."""
        with self._store.change() as db:
            gone = db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)").rowcount
        self._store.rows("VACUUM")
        return gone

    def passages(self, name: str) -> Passages:
        """Those of one document, in order."""
        sql = "SELECT passages.id FROM passages JOIN documents ON documents.id = document WHERE name = ? ORDER BY start"
        ids = [*self._store.each(sql, (name,))]
        found = self._store.passages(ids)
        return [found[one] for one in ids]


def _read(path: Path, include: Sequence[str], exclude: Sequence[str]) -> list[tuple[Document | Skipped, str]]:
    found = find(path, include, exclude)
    return [(one, "") if isinstance(one, Skipped) else (document(one), one.origin) for one in found]


def _with_removed(report: Report, removed: int) -> Report:
    return Report(report.added, report.changed, report.unchanged, removed, report.skipped, report.embedded)


def _waited(work: Coroutine[Any, Any, T]) -> T:
    from taskkit.engine import loop

    return loop.run(work)
