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
from taskkit.knowledge.lexical import TOKENIZER, indexed
from taskkit.knowledge.pieces import Piece, digest
from taskkit.knowledge.records import Document, Passage

if TYPE_CHECKING:
    import numpy as np

WAIT = 30.0  # seconds for another writer
APPLICATION = 0x7461736B  # "task", in the file's head

SCHEMA = f"""
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, title TEXT, text TEXT, digest TEXT, format TEXT, language TEXT,
    origin TEXT, metadata TEXT, access TEXT);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, document INTEGER REFERENCES documents (id) ON DELETE CASCADE, start INTEGER, end INTEGER,
    headings TEXT, key BLOB);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_key ON passages (key);
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = "{TOKENIZER}");
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = 1;
"""


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
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _prepare(self) -> None:
        kind = self._db.execute("PRAGMA application_id").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and kind != APPLICATION:
            self._db.close()
            raise ConfigurationError(f"{self.path} is no knowledge base.", hint="Give --knowledge another file.")
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
                self._db.execute(
                    "INSERT INTO settings VALUES ('generation', '1') "
                    "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
                )
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

    def known(self, keys: Iterable[bytes]) -> set[bytes]:
        wanted = list(dict.fromkeys(keys))
        found: set[bytes] = set()
        for at in range(0, len(wanted), 500):
            part = wanted[at : at + 500]
            marks = ", ".join("?" * len(part))
            found |= {row[0] for row in self.rows(f"SELECT key FROM vectors WHERE key IN ({marks})", part)}  # noqa: S608
        return found

    def keep_vectors(self, keys: Sequence[bytes], rows: "np.ndarray[Any, Any]") -> None:
        with self.change() as db:
            db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(key, row.astype("<f2").tobytes()) for key, row in zip(keys, rows, strict=True)],
            )

    def put(self, document: Document, parts: Sequence[Piece], embedder: str, origin: str) -> None:
        """A document in place of the one of its name."""
        with self.change() as db:
            self._drop(db, document.name)
            language = guess(document.text[:20_000])
            number = db.execute(
                "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (document.name, document.title, _clean(document.text), digest(document), document.format, language,
                 origin, json.dumps(dict(document.metadata)), json.dumps(dict(document.access))),
            ).lastrowid  # fmt: skip
            for part in parts:
                row = db.execute(
                    "INSERT INTO passages VALUES (NULL, ?, ?, ?, ?, ?)",
                    (number, part.start, part.end, json.dumps(part.headings), part.key(embedder)),
                ).lastrowid
                db.execute(
                    "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                    (row, indexed(_clean(part.context)), indexed(_clean(part.text))),
                )

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


def _clean(text: str) -> str:
    """Half characters, which SQLite can not take, become signs of the same width."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
