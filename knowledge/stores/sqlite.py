"""The store in one SQLite file: FTS5 for the words, and for the meaning an index that is derived from it."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from taskkit.errors import ConfigurationError
from taskkit.knowledge.filters import OfSQLite, condition
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import LEAST, TITLE_WEIGHT, chosen, clean, either, missing, sought, within
from taskkit.knowledge.pieces import digest
from taskkit.knowledge.records import Document, Listed, Passage
from taskkit.knowledge.stores import coding, kinds
from taskkit.knowledge.stores.coding import Made, Precision
from taskkit.knowledge.stores.documents import OF_DOCUMENTS
from taskkit.knowledge.stores.file import WAIT, File
from taskkit.knowledge.stores.index import Index
from taskkit.knowledge.stores.store import (
    BEGIN,
    PATIENCE,
    Counts,
    Facts,
    Incoming,
    Taken,
    Unembedded,
    Vector,
    changed,
    listed,
    several,
    widened,
)

PASSAGES = "passages (id, document, start, end, headings, key, line, page, columns)"
WORDS = "words (rowid, title, text)"
HALVES = "SELECT passages.id, vector FROM passages JOIN vectors USING (key)"
LISTED = 200_000  # passages whose words are listed, in about a second; they take 20 bytes a passage
MANY = 16  # passages of one document; for more its text is read once: `substr` walks a text from its start
BUDGET = 6_000  # passages that the words may score: about 5 ms


class SQLite(File):
    """A `Store`."""

    def __init__(self, path: Path, *, create: bool, index: str = "", wait: float = WAIT) -> None:
        """`index` is the kind that the base is to have from now on; when it is not given, the one it had."""
        kinds.named(index or "auto")
        super().__init__(path, create=create, wait=wait)
        kept = self.setting("index") or "auto"
        if index and index != kept:
            with self.change() as db:
                db.execute("INSERT OR REPLACE INTO settings VALUES ('index', ?)", (index,))
        self.index = Index(self, kinds.named(index or kept))
        self._known = Facts("-", "", {}, labelled=False)
        self._frequencies: dict[str, int] = {}  # passages that a word is in
        self._words = ""  # all long ones, a line each; read when a part of a compound is looked for
        self.rows("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, row)")

    @property
    def place(self) -> str:
        return str(self.path)

    def close(self) -> None:
        try:
            if self._where() == self._inode:
                self.index.keep()
        finally:
            super().close()

    def facts(self) -> Facts:
        generation = self.setting("generation")
        if self._known.generation != generation:
            labelled = self.rows("SELECT 1 FROM documents WHERE access != '{}' LIMIT 1")
            counted = self.rows(f"SELECT language, count(*) FROM {OF_DOCUMENTS} GROUP BY language")
            languages = {str(language): int(count) for language, count in counted}
            embedder = self.setting("embedder")
            self._known, self._frequencies = Facts(generation, embedder, languages, bool(labelled)), {}
            self._words = ""
        return self._known

    # Documents in and out --------------------------------------------------------------------------------------

    # Of many rows one statement: the interpreter's lock is waited for once then, not at each row, while another thread
    # cuts and embeds.

    def known(self, keys: Iterable[str]) -> set[str]:
        wanted = json.dumps(list(keys))
        return set(self.each("SELECT key FROM vectors WHERE key IN (SELECT value FROM json_each(?))", (wanted,)))

    @property
    def precision(self) -> Precision:
        return coding.precision(self.setting("precision") or "float16")

    def keep_vectors(self, keys: Sequence[str], rows: Vector, made: Made) -> None:
        codes, width = coding.encoded(rows, made.precision), rows.shape[1]
        with self.change() as db:
            kept = self.setting("embedder")
            if kept == made.embedder and self.precision == made.precision:
                widened(made, int(self.setting("width")), width)
            db.execute(
                "INSERT OR REPLACE INTO vectors (key, vector) SELECT value, substr(?1, key * ?2 + 1, ?2) FROM json_each(?3)",
                (codes, len(codes) // len(keys), json.dumps(keys)),
            )
            waits = "INSERT OR REPLACE INTO awaited SELECT value, ? FROM json_each(?)"
            db.execute(waits, (time.time(), json.dumps(keys)))
            if not kept:
                self._tell(made, width)

    def put(self, documents: Sequence[Incoming], made: Made, homes: Mapping[str, str] | None = None) -> None:
        if not documents:
            return
        with self.change() as db:
            kept = self.setting("embedder")
            if kept and made != (now := Made(kept, self.precision)):
                raise changed(self.place, now)
            self._free(documents, homes or {})
            found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
            first = last = found[0] if found else 0
            numbered: dict[str, list[tuple[Any, ...]]] = {}
            for document, parts, origin in documents:
                home = self._put(db, document, origin)
                numbered[document.name] = [
                    (last + n, home, part.start, part.end, json.dumps(part.headings), part.key(made.mark), part.line,
                     part.page, part.table, *part.words)
                    for n, part in enumerate(parts, 1)
                ]  # fmt: skip
                last += len(parts)
            rows = json.dumps([row for some in numbered.values() for row in some])
            for table, columns in ((PASSAGES, range(9)), (WORDS, (0, 9, 10))):
                taken = ", ".join(f"json_extract(value, '$[{column}]')" for column in columns)
                db.execute(f"INSERT INTO {table} SELECT {taken} FROM json_each(?)", (rows,))
            lost = "SELECT key FROM passages WHERE id > ? AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.key = passages.key)"
            if missing := [key for (key,) in db.execute(lost, (first,))]:
                raise Unembedded(missing)
            db.execute("DELETE FROM awaited WHERE key IN (SELECT key FROM passages WHERE id > ?)", (first,))

    def _free(self, documents: Sequence[Incoming], homes: Mapping[str, str]) -> None:
        wanted = {one.name: origin for one, _, origin in documents if origin}
        there = self.rows(
            "SELECT name, origin FROM documents WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps([*wanted]),),
        )
        if taken := [name for name, home in there if home not in {"", wanted[name], homes.get(name)}]:
            raise Taken(taken)

    def _put(self, db: sqlite3.Connection, document: Document, origin: str) -> int | None:
        self._drop(db, document.name)
        return db.execute(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.name, document.title, digest(document), document.format, guess(document.text), origin,
             json.dumps(dict(document.metadata)), json.dumps({key: several(value) for key, value in document.access.items()}), clean(document.text)),
        ).lastrowid  # fmt: skip

    def drop(self, names: Iterable[str]) -> int:
        with self.change() as db:
            return sum(self._drop(db, name) for name in names)

    def _drop(self, db: sqlite3.Connection, name: str) -> int:
        db.execute(
            "DELETE FROM words WHERE rowid IN "
            "(SELECT passages.id FROM passages JOIN documents ON documents.id = document WHERE name = ?)",
            (name,),
        )
        return db.execute("DELETE FROM documents WHERE name = ?", (name,)).rowcount

    def switch(self, keys: Mapping[int, str], made: Made) -> bool:
        given = json.dumps(list(keys.items()))
        new = "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS key FROM json_each(?)"
        with self.change() as db:
            known = self.known(keys.values())
            if not known.issuperset(keys.values()) or self.rows("SELECT id FROM passages ORDER BY id") != [
                (one,) for one in sorted(keys)
            ]:
                return False
            db.execute(f"UPDATE passages SET key = new.key FROM ({new}) AS new WHERE new.id = passages.id", (given,))
            db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")
            db.execute("DELETE FROM awaited")
            db.execute("DELETE FROM settings WHERE key IN ('embedder', 'precision', 'width')")
            for (one,) in db.execute("SELECT vector FROM vectors LIMIT 1").fetchall():
                self._tell(made, coding.width(one, made.precision))
        return True

    def prepare(self) -> None:
        with self.snapshot():
            if self._aim(self.facts().passages) != "exact":
                self.index.refresh()

    # Finding -----------------------------------------------------------------------------------------------------

    def allowed(self, where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None) -> list[int] | None:
        """Their numbers, in order."""
        if not where and not self.facts().labelled:
            return None
        sql, values = condition(where, allow, OfSQLite())
        return [*self.each(f"SELECT passages.id FROM {OF_DOCUMENTS} WHERE {sql} ORDER BY passages.id", values)]

    def by_words(self, words: tuple[str, ...], k: int, allowed: list[int] | None = None) -> dict[int, float]:
        total = self.facts().passages
        self._count(words)
        if compounds := self._compounds(words):
            self._count(compounds)
            words = (*words, *compounds)
        part = 1.0 if allowed is None else max(0.01, len(allowed) / total)
        scored, rare = map(either, chosen(words, self._frequencies.__getitem__, total, int(BUDGET / part)))
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
        rows = self.rows(
            f"SELECT rowid, -bm25(words, {TITLE_WEIGHT}, 1.0) AS score FROM words WHERE {sql} "
            f"ORDER BY score DESC LIMIT {k}",
            values,
        )
        return {row: float(score) for row, score in rows}

    def _count(self, words: Iterable[str]) -> None:
        for word in words:
            if word not in self._frequencies:
                found = self.rows("SELECT count(*) FROM words WHERE words MATCH ?", (sought(word),))
                self._frequencies[word] = int(found[0][0])

    def _compounds(self, words: Iterable[str]) -> tuple[str, ...]:
        """What stands for words that no passage has."""
        facts = self.facts()
        parts = missing(words, self._frequencies, facts.languages)
        if not parts or facts.passages > LISTED:
            return ()
        if not self._words:
            found = self.each("SELECT term FROM temp.vocabulary WHERE length(term) > ?", (LEAST,))
            self._words = "".join(f"{term}\n" for term in found)
        return tuple(dict.fromkeys(one for part in parts for one in within(part, self._words)))

    def by_meaning(self, vector: Vector, k: int, allowed: list[int] | None = None) -> dict[int, float]:
        return self.index.search(vector, k, allowed)

    def scores(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        return self.index.scores(vector, [*ids])

    def vectors(self, ids: Sequence[int]) -> dict[int, Vector]:
        return self.index.vectors([*ids])

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        among = f"FROM {OF_DOCUMENTS} WHERE passages.id IN (SELECT value FROM json_each(?))"
        with self.snapshot():
            rows = self.rows(
                "SELECT passages.id, documents.id, name, title, headings, start, end, metadata, line, page, columns "
                + among,
                (json.dumps([*ids]),),
            )
            counts = Counter(row[1] for row in rows)
            homes = json.dumps([home for home, count in counts.items() if count > MANY])
            whole = dict(
                self.rows("SELECT id, text FROM documents WHERE id IN (SELECT value FROM json_each(?))", (homes,))
            )
            few = json.dumps([row[0] for row in rows if row[1] not in whole])
            texts = dict(self.rows("SELECT passages.id, substr(text, start + 1, end - start) " + among, (few,)))
        return {
            row: Passage(
                whole[home][start:end] if home in whole else texts[row],
                name, title, tuple(json.loads(headings)), start, end, json.loads(metadata), row, *where,
            )
            for row, home, name, title, headings, start, end, metadata, *where in rows
        }  # fmt: skip

    def keyed(self) -> Iterator[tuple[int, str]]:
        """The key of each passage, by their numbers upwards."""
        return self.each("SELECT id, key FROM passages ORDER BY id", whole=True)

    def after(self, number: int) -> Iterator[tuple[int, bytes]]:
        """The vectors of the passages with higher numbers, upwards, as they are kept."""
        return self.each(f"{HALVES} WHERE passages.id > ? ORDER BY passages.id", (number,), whole=True)

    def halves(self, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """The vectors of given passages, upwards."""
        sql = f"{HALVES} WHERE passages.id IN (SELECT value FROM json_each(?)) ORDER BY passages.id"
        return self.each(sql, (json.dumps(numbers),), whole=True)

    # Looking after it ---------------------------------------------------------------------------------------------

    def listed(self) -> list[Listed]:
        rows = self.rows(
            "SELECT name, title, (SELECT count(*) FROM passages WHERE document = documents.id), length(text), language, "
            "metadata, access, origin, (SELECT headings FROM passages WHERE document = documents.id AND headings <> '[]' "
            "ORDER BY id LIMIT 1), CASE format WHEN 'markdown' THEN substr(text, 1, ?) END FROM documents ORDER BY name",
            (BEGIN,),
        )
        return listed(rows)

    def counts(self) -> Counts:
        self.check_there()
        count = self.rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), "
            "(SELECT coalesce(sum(length(text)), 0) FROM documents), (SELECT count(*) FROM vectors), "
            "(SELECT count(*) FROM vectors WHERE key NOT IN (SELECT key FROM passages)), "
            "(SELECT count(*) FROM awaited WHERE at > ?)",
            (time.time() - PATIENCE,),
        )[0]
        beside = self.path.with_name(f"{self.path.name}-wal")
        size = self.path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)
        documents, passages, characters, vectors, unused, awaited = map(int, count)
        return Counts(documents, passages, characters, vectors, unused, awaited, size, self._aim(passages))

    def _aim(self, passages: int) -> kinds.Kind:
        return self.index.aim(passages, int(self.setting("width") or 0))

    def problems(self) -> list[str]:
        try:
            found = [row[0] for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
            checks = {
                "passages have no vector": "SELECT count(*) FROM passages WHERE key NOT IN (SELECT key FROM vectors)",
                "passages are not in the word index": "SELECT count(*) FROM passages WHERE id NOT IN "
                "(SELECT rowid FROM words)",
                "entries of the word index have no passage": "SELECT count(*) FROM words WHERE rowid NOT IN "
                "(SELECT id FROM passages)",
                "passages have no document": "SELECT count(*) FROM passages WHERE document NOT IN "
                "(SELECT id FROM documents)",
                "vectors are not as wide as the others": "SELECT count(*) FROM vectors WHERE key IN "
                f"(SELECT key FROM passages) AND length(vector) <> {int(self.setting('width') or 0) * coding.size(self.precision)}",
                "documents end before their passages do": "SELECT count(*) FROM documents WHERE length(text) < "
                "(SELECT max(end) FROM passages WHERE document = documents.id)",
                "documents have metadata that are no JSON: take them in again": "SELECT count(*) FROM documents WHERE NOT "
                "json_valid(metadata)",
            }
            found += [f"{n} {what}" for what, sql in checks.items() if (n := self.rows(sql)[0][0])]
        except (ConfigurationError, sqlite3.Error) as error:
            return [str(error)]
        return found

    def compact(self) -> int:
        with self.change() as db:
            db.execute("DELETE FROM awaited WHERE at <= ?", (time.time() - PATIENCE,))
            gone = db.execute(
                "DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages) AND key NOT IN (SELECT key FROM awaited)"
            ).rowcount
        self.rows("VACUUM")
        return gone
