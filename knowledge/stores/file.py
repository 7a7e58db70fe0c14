"""One SQLite file, changed in whole transactions."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge.lexical import TOKENIZER

WAIT = 30.0  # seconds for another writer
APPLICATION = 0x7461736B  # "task", in the file's head

# A passage's number is never given to another one: what was derived from it stays true. Texts stand last in their
# row: whatever came after one could only be read through all of its pages.
VERSION = 3  # of the tables below
SCHEMA = f"""
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, title TEXT, digest TEXT, format TEXT, language TEXT, origin TEXT,
    metadata TEXT, access TEXT, text TEXT);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER REFERENCES documents (id) ON DELETE CASCADE,
    start INTEGER, end INTEGER, headings TEXT, key TEXT, line INTEGER, page INTEGER, columns TEXT);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_key ON passages (key);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, key TEXT UNIQUE, vector BLOB);
CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = "{TOKENIZER}");
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


class File:
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
