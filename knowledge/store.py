"""The store: one SQLite file, changed in whole transactions. Everything else is derived from it."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import TOKENIZER, clean
from taskkit.knowledge.pieces import Piece, digest
from taskkit.knowledge.records import Document, Passage

if TYPE_CHECKING:
    import numpy as np

WAIT = 30.0  # seconds for another writer
APPLICATION = 0x7461736B  # "task", in the file's head

# A passage's number is never given to another one: what was derived from it stays true. Texts stand last in their
# row: whatever came after one could only be read through all of its pages.
VERSION = 2  # of the tables below
SCHEMA = f"""
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, title TEXT, digest TEXT, format TEXT, language TEXT, origin TEXT,
    metadata TEXT, access TEXT, text TEXT);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER REFERENCES documents (id) ON DELETE CASCADE,
    start INTEGER, end INTEGER, headings TEXT, key TEXT);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_key ON passages (key);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, key TEXT UNIQUE, vector BLOB);
CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = "{TOKENIZER}");
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
PASSAGES, WORDS = "passages (id, document, start, end, headings, key)", "words (rowid, title, text)"


class Store:
    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        if not create and not path.is_file():
            raise InputError(
                f"There is no knowledge base {path}.", hint=f"Make one: taskkit kb sync FOLDER --knowledge {path}"
            )
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA synchronous = NORMAL")  # WAL: a killed process loses nothing that was kept
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _prepare(self) -> None:
        kind = self._db.execute("PRAGMA application_id").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and kind != APPLICATION:
            self._db.close()
            raise ConfigurationError(f"{self.path} is no knowledge base.", hint="Give --knowledge another file.")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if tables and version != VERSION:
            self._db.close()
            raise ConfigurationError(
                f"{self.path} was made by another version of taskkit ({version}, not {VERSION}).",
                hint="Make it anew from its documents: `taskkit kb sync FOLDER` with another --knowledge.",
            )
        if not tables:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    def _unusable(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(f"The knowledge base {self.path} can not be used: {error}.")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def each(self, sql: str, values: Sequence[Any] = (), *, whole: bool = False) -> Iterator[Any]:
        """Row by row; the first column alone, unless `whole`."""
        try:
            with self._lock:
                for row in self._db.execute(sql, values):
                    yield row if whole else row[0]
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one state of the base, whoever writes meanwhile."""
        with self._lock:
            inside = self._db.in_transaction
            if not inside:
                self.rows("BEGIN")
            try:
                yield
            finally:
                if not inside:
                    self.rows("ROLLBACK")

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing. Another writer is waited for."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise ConfigurationError(
                    f"Another process is writing to {self.path}, and did not end within {WAIT:.0f} seconds.",
                    hint="Try again when it is done.",
                ) from error
            try:
                yield self._db
                self._db.execute("INSERT OR REPLACE INTO settings VALUES ('generation', lower(hex(randomblob(8))))")
                self._db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._unusable(error) from error
                raise

    # Settings and documents ----------------------------------------------------------------------------------

    def setting(self, key: str) -> str:
        found = self.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(found[0][0]) if found else ""

    def digests(self) -> dict[str, tuple[str, str]]:
        """Digest and origin of each document."""
        return {name: (mark, origin) for name, mark, origin in self.rows("SELECT name, digest, origin FROM documents")}

    # Of many rows one statement: the interpreter's lock is waited for once then, not at each row, while another thread
    # cuts and embeds.

    def known(self, keys: Iterable[str]) -> set[str]:
        wanted = json.dumps(list(keys))
        return set(self.each("SELECT key FROM vectors WHERE key IN (SELECT value FROM json_each(?))", (wanted,)))

    def keep_vectors(self, keys: Sequence[str], rows: "np.ndarray[Any, Any]", embedder: str) -> None:
        """The first ones tell whose the base is."""
        width = rows.shape[1]
        with self.change() as db:
            db.execute(
                "INSERT OR REPLACE INTO vectors (key, vector) SELECT value, substr(?1, key * ?2 + 1, ?2) FROM json_each(?3)",
                (rows.astype("<f2").tobytes(), 2 * width, json.dumps(keys)),
            )
            told = (("embedder", embedder), ("width", str(width)))
            db.executemany("INSERT OR IGNORE INTO settings VALUES (?, ?)", told)

    def put(self, documents: Sequence[tuple[Document, Sequence[Piece], str]], embedder: str) -> None:
        """Documents with their pieces and where they are from, each in place of the one of its name."""
        if not documents:
            return
        with self.change() as db:
            found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
            last = found[0] if found else 0
            numbered: dict[str, list[tuple[Any, ...]]] = {}
            for document, parts, origin in documents:
                home = self._put(db, document, origin)
                numbered[document.name] = [
                    (last + n, home, part.start, part.end, json.dumps(part.headings), part.key(embedder), *part.words)
                    for n, part in enumerate(parts, 1)
                ]
                last += len(parts)
            rows = json.dumps([row for some in numbered.values() for row in some])
            for table, columns in ((PASSAGES, range(6)), (WORDS, (0, 6, 7))):
                taken = ", ".join(f"json_extract(value, '$[{column}]')" for column in columns)
                db.execute(f"INSERT INTO {table} SELECT {taken} FROM json_each(?)", (rows,))  # noqa: S608 - ours alone

    def _put(self, db: sqlite3.Connection, document: Document, origin: str) -> int | None:
        self._drop(db, document.name)
        return db.execute(
            "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.name, document.title, digest(document), document.format, guess(document.text), origin,
             json.dumps(dict(document.metadata)), json.dumps(dict(document.access)), clean(document.text)),
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

    def move(self, old: str, new: str) -> None:
        """A document's name alone changes: none of its passages does."""
        with self.change() as db:
            db.execute("UPDATE documents SET name = ? WHERE name = ?", (new, old))

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        marks = ", ".join("?" * len(ids))
        rows = self.rows(
            "SELECT passages.id, substr(text, start + 1, end - start), name, title, headings, start, end, metadata "  # noqa: S608
            f"FROM passages JOIN documents ON documents.id = document WHERE passages.id IN ({marks})",
            ids,
        )
        return {
            row: Passage(text, name, title, tuple(json.loads(headings)), start, end, json.loads(metadata), row)
            for row, text, name, title, headings, start, end, metadata in rows
        }
