"""What was paid for, kept: one SQLite file, so that no answer is bought twice.

A call's key is the hash of the endpoint, the model, the messages, the parameters and the schema. Above a
temperature of 0.3 it also holds the run: such an answer serves to finish a broken-off job, and after that the same
command means *again*. A journal that can not be read or written warns once, and the work goes on without it; one that
is damaged is put aside. SQLite does not notice every damage, so each answer has a sum that shows it."""

import hashlib
import math
import os
import sqlite3
import threading
import time
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from taskkit.engine.call import Call, Finish, Reply
from taskkit.results import Usage

FREEZES_UP_TO = 0.3  # temperature
MAX_AGE = 30 * 24 * 3600  # seconds
MAX_BYTES = 1_000_000_000

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, text TEXT, finish TEXT, model TEXT,
    input INTEGER, cached INTEGER, output INTEGER, cost TEXT, at REAL, sum BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_at ON replies (at);
CREATE TABLE IF NOT EXISTS jobs (key BLOB PRIMARY KEY, run INTEGER, open INTEGER, at REAL) WITHOUT ROWID;
"""


def digest(*parts: object) -> bytes:
    """A hash that tells apart what differs in any part, and in where one part ends."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = repr(part).encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(8, "big"))
        state.update(data)
    return state.digest()


class Run:
    """One run of a job: the one that was broken off, or a new one. It begins when the first call asks for it. A job
    that is one of a `Batch` ends with it.

    Answers that were of no use are not in the journal while the job goes on, and whoever runs it again because of them
    asks anew. A job that became whole in spite of them gives them back: the same again costs nothing then."""

    def __init__(self, journal: "Journal", job: Callable[[], bytes], batch: "Batch | None" = None) -> None:
        self._useless: list[tuple[Any, ...]] = []
        self._journal = journal
        self._job = job
        self._batch = batch
        self._begun: tuple[bytes, bytes] | None = None

    def key(self) -> bytes:
        if self._begun is None:
            job = self._job() if self._batch is None else self._batch.numbered(self._job())
            self._begun = job, self._journal.begin(job)
        return self._begun[1]

    def useless(self, keys: Iterable[bytes]) -> None:
        self._useless += self._journal.take(keys)

    def end(self, *, whole: bool) -> None:
        if whole:
            self._journal.give_back(self._useless)
        if self._begun is None:
            return
        if self._batch is None:
            self._journal.end(self._begun[0])
        else:
            self._batch.done.append(self._begun[0])


class Batch:
    """Many jobs of one command. None ends before all have: broken off, the command goes on with what it had, also
    with the jobs that were finished. Jobs that are alike are told apart by their number, so that each has its own
    answer."""

    def __init__(self, journal: "Journal") -> None:
        self.done: list[bytes] = []
        self._journal = journal
        self._alike: dict[bytes, int] = {}

    def numbered(self, job: bytes) -> bytes:
        number = self._alike[job] = self._alike.get(job, -1) + 1
        return digest(job, number) if number else job

    def end(self) -> None:
        for job in self.done:
            self._journal.end(job)


def call_key(call: Call, endpoint: str, run: Callable[[], bytes]) -> bytes:
    warm = call.wanted is None or call.wanted > FREEZES_UP_TO
    fields = [getattr(call, name) for name in Call.__dataclass_fields__ if name not in {"likely", "at_first"}]
    return digest(endpoint, fields, run() if warm else b"")


def vector_key(endpoint: str, model: str, dimensions: int | None, text: str) -> bytes:
    return digest("vector", endpoint, model, dimensions, text)


class Journal:
    def __init__(self, path: Path | None, *, warn: Callable[[str], None], fresh: bool = False) -> None:
        self.path = path
        self.fresh = fresh
        self._warn = warn
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        self._broken = path is None

    @property
    def on(self) -> bool:
        return not self._broken

    @property
    def gives(self) -> bool:
        return not (self.fresh or self._broken)

    def get(self, key: bytes) -> Reply | None:
        if not self.gives:
            return None
        rows = self._do("SELECT CAST(text AS BLOB), finish, model, sum FROM replies WHERE key = ?", key)
        if not rows:
            return None
        text, finish, model, kept = rows[0]
        if text is None or kept != _sum(text, finish):
            self._do("DELETE FROM replies WHERE key = ?", key)
            self._warn(f"Answers in the journal {self.path} are damaged: they are asked for again.")
            return None
        return Reply(text.decode(), _finish(finish), Usage(journal_hits=1), str(model))  # what was paid is not paid now

    def put(self, key: bytes, reply: Reply) -> None:
        usage = reply.usage
        cost = None if usage.cost is None else str(usage.cost)
        row = (usage.input_tokens, usage.cached_tokens, usage.output_tokens, cost, time.time())
        self._do(
            "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            key,
            reply.text,
            reply.finish,
            reply.model,
            *row,
            _sum(reply.text.encode(), reply.finish),
        )

    def vector(self, key: bytes) -> tuple[float, ...]:
        """Of a text that was embedded; empty where there is none."""
        hit = self.get(key)
        try:
            return () if hit is None else tuple(array("d", b64decode(hit.text)))
        except ValueError:  # damaged
            return ()

    def put_vector(self, key: bytes, vector: Sequence[float], model: str) -> None:
        """One of no use is not kept: of nothing but zeros, or with what is no number."""
        numbers = all(isinstance(one, int | float) and math.isfinite(one) for one in vector)
        if numbers and any(vector):
            self.put(key, Reply(b64encode(array("d", vector)).decode(), model=model))

    def take(self, keys: Iterable[bytes]) -> list[tuple[Any, ...]]:
        """Takes answers out, as rows to give back."""
        rows: list[tuple[Any, ...]] = []
        for key in keys:
            rows += self._do("SELECT * FROM replies WHERE key = ?", key)
            self._do("DELETE FROM replies WHERE key = ?", key)
        return rows

    def give_back(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self._do("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

    def begin(self, job: bytes) -> bytes:
        """The run of a job: the one that was broken off, or a new one."""
        rows = self._do("SELECT run, open FROM jobs WHERE key = ?", job)
        run, is_open = rows[0] if rows else (0, 0)
        if not is_open or self.fresh:
            run += 1
            self._do("INSERT OR REPLACE INTO jobs VALUES (?, ?, 1, ?)", job, run, time.time())
        return digest(job, run)

    def end(self, job: bytes) -> None:
        self._do("UPDATE jobs SET open = 0, at = ? WHERE key = ?", time.time(), job)

    def stats(self) -> dict[str, object]:
        rows = self._do("SELECT count(*), min(at), max(at), sum(input), sum(output) FROM replies")
        replies, first, last, given, out = rows[0] if rows else (0, None, None, 0, 0)
        size = self.path.stat().st_size if self.path and self.path.exists() else 0
        return {
            "path": str(self.path) if self.path else None,
            "replies": replies,
            "bytes": size,
            "first": first,
            "last": last,
            "input_tokens": given or 0,
            "output_tokens": out or 0,
        }

    def clear(self, *, older_than: float = 0.0) -> int:
        """Takes out what is older than so many seconds; how many answers went."""
        before = time.time() - older_than
        count = self._do("SELECT count(*) FROM replies WHERE at <= ?", before)
        self._do("DELETE FROM replies WHERE at <= ?", before)
        self._do("DELETE FROM jobs WHERE at <= ?", before)
        self._do("VACUUM")
        return int(count[0][0]) if count else 0

    def close(self) -> None:
        with self._lock:
            if self._db is not None and self._pid == os.getpid():
                self._db.close()
            self._db = None

    def _do(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if self._broken:
            return []
        with self._lock:
            try:
                try:
                    return self._open().execute(sql, values).fetchall()
                except sqlite3.DatabaseError as error:
                    if self._db is None or "malformed" not in str(error):
                        raise
                    self._put_aside()
                    return self._open().execute(sql, values).fetchall()
            except (sqlite3.Error, OSError) as error:
                self._broken = True
                self._warn(
                    f"The journal {self.path} can not be used ({error}): the work goes on, but what is paid for now "
                    "is not kept. Free the disk, or `taskkit journal clear`."
                )
                return []

    def _open(self) -> sqlite3.Connection:
        if self._db is not None and self._pid == os.getpid():
            return self._db
        assert self.path is not None
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        was_there = self.path.exists() and self.path.stat().st_size > 0
        try:
            self._db = _connect(self.path)
        except sqlite3.DatabaseError as error:
            if not was_there or "locked" in str(error) or not _is_damaged(self.path):
                raise
            self._put_aside()
            self._db = _connect(self.path)
        self._pid = os.getpid()
        _trim(self._db, self.path)
        return self._db

    def _put_aside(self) -> None:
        assert self.path is not None
        if self._db is not None:
            self._db.close()
            self._db = None
        aside = self.path.with_suffix(".damaged")
        self.path.replace(aside)
        for tail in ("-wal", "-shm"):
            Path(f"{self.path}{tail}").unlink(missing_ok=True)
        self._warn(f"The journal was damaged; it is kept as {aside}, and a new one begun.")


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        db.executescript(SCHEMA)
        if "sum" not in {row[1] for row in db.execute("PRAGMA table_info(replies)")}:
            db.execute("ALTER TABLE replies ADD COLUMN sum BLOB")
            db.create_function("sum_of", 2, _sum)
            db.execute("UPDATE replies SET sum = sum_of(CAST(text AS BLOB), finish)")
        db.execute("SELECT key, text, finish, model, input, cached, output, cost, at, sum FROM replies LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def _is_damaged(path: Path) -> bool:
    try:
        db = sqlite3.connect(path)
        try:
            return bool(db.execute("PRAGMA quick_check").fetchone()[0] != "ok")
        finally:
            db.close()
    except sqlite3.DatabaseError:
        return True


def _trim(db: sqlite3.Connection, path: Path) -> None:
    db.execute("DELETE FROM replies WHERE at < ?", (time.time() - MAX_AGE,))
    if path.stat().st_size > MAX_BYTES:
        db.execute(
            "DELETE FROM replies WHERE key IN "
            "(SELECT key FROM replies ORDER BY at LIMIT (SELECT count(*) / 2 FROM replies))"
        )
        db.execute("VACUUM")


def _sum(text: bytes, finish: str) -> bytes:
    return hashlib.blake2b(text + str(finish).encode(), digest_size=8).digest()


def _finish(name: str) -> Finish:
    return name if name in ("stop", "length", "filtered", "refused") else "stop"  # type: ignore[return-value]
