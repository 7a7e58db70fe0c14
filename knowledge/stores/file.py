"""One SQLite file, changed in whole transactions."""

import contextlib
import os
import sqlite3
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from taskkit.errors import ConfigurationError, InputError, one_line
from taskkit.knowledge.lexical import TOKENIZER
from taskkit.knowledge.stores.documents import Documents

WAIT = 30.0  # seconds for another writer
APPLICATION = 0x7461736B  # "task", in the file's head

# A passage's number is never given to another one: what was derived from it stays true. Texts stand last in their
# row: whatever came after one could only be read through all of its pages.
VERSION = 3  # of the tables below
# Vectors that no passage has had yet: a work that runs, or was broken off, made them. A base that was made before there
# was this table gets it.
AWAITED = "TABLE IF NOT EXISTS awaited (key TEXT PRIMARY KEY, at REAL) WITHOUT ROWID"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, title TEXT, digest TEXT, format TEXT, language TEXT, origin TEXT,
    metadata TEXT, access TEXT, text TEXT);
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER REFERENCES documents (id) ON DELETE CASCADE,
    start INTEGER, end INTEGER, headings TEXT, key TEXT, line INTEGER, page INTEGER, columns TEXT);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document);
CREATE INDEX IF NOT EXISTS passages_key ON passages (key);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, key TEXT UNIQUE, vector BLOB);
CREATE {AWAITED};
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (title, text, tokenize = "{TOKENIZER}");
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


class File(Documents):
    """`wait` is how many seconds another writer is waited for."""

    def __init__(self, path: Path, *, create: bool, wait: float = WAIT) -> None:
        self.path = path
        self._wait = wait
        if str(path) == ":memory:":
            raise InputError(
                "A knowledge base is a file: there is none in memory.", hint="Give one in a temporary folder."
            )
        if path.is_dir():
            raise InputError(
                f"{path} is a folder, and a knowledge base is a file.", hint=f"Give {path / 'handbook.kb'}."
            )
        if create and not path.parent.is_dir():
            raise InputError(
                f"There is no folder {path.parent} for the knowledge base {path.name}.", hint="Make it first."
            )
        if not create and not path.is_file():
            raise InputError(
                f"There is no knowledge base {path}.", hint=f"Make one: taskkit kb sync FOLDER --knowledge {path}"
            )
        self._lock = threading.RLock()
        self._closed = False
        try:
            self._opened = self._connected()
            self._prepare(create=create)
            self._inode = self._where()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        except ValueError:  # a NUL in the name
            raise InputError(f"{str(path)!r} is no file name.") from None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._closed:
            raise ConfigurationError(f"The knowledge base {self.path} is closed.", hint="Open it again.")
        return self._opened

    def _where(self) -> tuple[int, int] | None:
        """Which file stands under the path."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def check_there(self) -> None:
        """What is written into a file that was deleted is lost, though it succeeds."""
        if self._where() != self._inode:
            raise ConfigurationError(
                f"The knowledge base {self.path} is no longer there: its file was deleted, moved or replaced.",
                kept="Nothing was written.",
                hint="Put it back; or open the base again, and what is under its name then is used.",
            )

    def _connected(self) -> sqlite3.Connection:
        """Where nothing may be written, not even beside it, the file is read as it stands; a log beside it would
        have to be read as well, and can not."""
        options: Any = {"timeout": self._wait, "isolation_level": None, "check_same_thread": False}
        db: sqlite3.Connection = sqlite3.connect(self.path, **options)
        try:
            db.execute("PRAGMA application_id").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            shut = _kind(error) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
            if not shut or not self.path.is_file() or self.path.with_name(f"{self.path.name}-wal").exists():
                raise
            name = urllib.parse.quote(str(self.path.resolve()))
            db = sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True, **options)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = NORMAL")  # WAL: a killed process loses nothing that was kept
        return db

    def _prepare(self, *, create: bool) -> None:
        if self._tables():
            try:
                self._db.execute(f"CREATE {AWAITED}")
            except sqlite3.OperationalError:  # it can only be read
                self._db.execute(f"CREATE TEMP {AWAITED}")
            return
        if not create:
            self._opened.close()
            raise InputError(
                f"{self.path} is empty: there is no knowledge base in it.",
                hint=f"Make one: taskkit kb sync FOLDER --knowledge {self.path}",
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")  # somebody may have been faster

    def _tables(self) -> bool:
        """Whether there are those of a knowledge base."""
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        kind = self._db.execute("PRAGMA application_id").fetchone()[0]
        if tables and kind != APPLICATION:
            self._opened.close()
            raise ConfigurationError(f"{self.path} is no knowledge base.", hint="Give --knowledge another file.")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if tables and version != VERSION:
            self._opened.close()
            raise ConfigurationError(
                f"{self.path} was made by another version of taskkit ({version}, not {VERSION}).",
                hint="Make it anew from its documents: `taskkit kb sync FOLDER` with another --knowledge.",
            )
        return bool(tables)

    def _unusable(self, error: sqlite3.Error) -> ConfigurationError:
        kind = _kind(error)
        kept = "What it held before is kept."
        if kind == sqlite3.SQLITE_BUSY:
            return ConfigurationError(
                f"Another process is writing to {self.path}, and did not end within {self._wait:g} seconds.",
                hint="Try again when it is done.",
            )
        if kind == sqlite3.SQLITE_READONLY:
            return ConfigurationError(
                f"The knowledge base {self.path} can only be read: nobody may write to it.", kept=kept
            )
        if kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            return ConfigurationError(
                f"The knowledge base {self.path} can not be written: {error}.", kept=kept,
                hint="Make room on the disk, then repeat the command: it goes on from there.",
            )  # fmt: skip
        if kind == sqlite3.SQLITE_NOTADB:
            return ConfigurationError(f"{self.path} is no knowledge base.", hint="Give --knowledge another file.")
        if kind == sqlite3.SQLITE_CANTOPEN:
            shut = not os.access(self.path.parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
            why = f"{self.path.parent} can not be written to" if shut else str(error)
            return ConfigurationError(f"The knowledge base {self.path} can not be opened: {why}.")
        if kind == sqlite3.SQLITE_CORRUPT or "Could not decode to UTF-8" in str(error):  # which has no code
            return ConfigurationError(
                f"The knowledge base {self.path} is damaged: {one_line(str(error))[:80]}.",
                hint="Take a copy of it that is sound, or make it anew from its documents.",
            )
        return ConfigurationError(f"The knowledge base {self.path} can not be used: {error}.")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._opened.close()

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
                raise self._unusable(error) from error
            try:
                yield self._db
                self.check_there()
                self._db.execute("INSERT OR REPLACE INTO settings VALUES ('generation', lower(hex(randomblob(8))))")
                self._db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._unusable(error) from error
                raise


def _kind(error: sqlite3.Error) -> int:
    """The code without what the library says closer of it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
