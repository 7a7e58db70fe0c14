"""One PostgreSQL database, read and changed from any thread; its driver runs on a loop of its own."""

import asyncio
import contextlib
import json
import re
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge.lexical import clean
from taskkit.knowledge.stores.documents import Documents

if TYPE_CHECKING:
    from taskkit.knowledge.stores.store import Facts

VERSION = "1"  # of the tables below
SCHEMA = "taskkit"  # the tables stand in, unless the address says `?schema=NAME`: several bases in one database
CONNECTIONS = 8
KEPT = "What it held before is kept."

# Passages' words are tsvectors made by us: the server's own parser knows no unspaced script.
TABLES = """
CREATE TABLE settings (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE NOT NULL, title text, digest text, format text,
    language text, origin text, metadata jsonb, access jsonb, passages integer, length bigint, text text);
CREATE INDEX documents_labelled ON documents (id) WHERE access <> '{}';
CREATE TABLE passages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document bigint REFERENCES documents (id) ON DELETE CASCADE,
    start integer, stop integer, headings jsonb, key text, line integer, page integer, columns text, length integer,
    words tsvector);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_key ON passages (key);
CREATE INDEX passages_words ON passages USING gin (words);
CREATE TABLE vectors (key text PRIMARY KEY, width integer NOT NULL, vector halfvec NOT NULL);
"""
# Vectors that no passage has had yet: a work that runs, or was broken off, made them. A base that was made before there
# was this table gets it.
AWAITED = "CREATE TABLE awaited (key text PRIMARY KEY, at timestamptz NOT NULL)"


class Server(Documents):
    """`place` is the address without the password. A thread has one connection while it is in a transaction, and
    any one for each statement outside of it."""

    def __init__(self, address: str, *, create: bool, wait: float) -> None:
        self._address, self.schema, self.place = _parts(address)
        self._wait = wait
        self._here = threading.local()
        self._driver = _driver()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="taskkit-postgres", daemon=True)
        self._thread.start()
        self._pool: Any = None
        try:
            self._pool = self._run(lambda: self._opened(create=create))
        except BaseException:
            self._end()
            raise

    async def _opened(self, *, create: bool) -> Any:
        patience = {"lock_timeout": str(int(self._wait * 1000))}
        first = await self._driver.connect(self._address, timeout=self._wait, server_settings=patience)
        try:
            vectors = await self._prepared(first, create=create)
        finally:
            await first.close()

        async def begin(connection: Any) -> None:
            await connection.set_type_codec(
                "halfvec", schema=vectors, encoder=bytes, decoder=_received, format="binary"
            )

        return await self._driver.create_pool(
            self._address, min_size=0, max_size=CONNECTIONS, timeout=self._wait, init=begin,
            server_settings={
                "search_path": f'"{self.schema}", "{vectors}"', "jit": "off", **patience,
                "hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "200",  # a filter leaves too few else
            },
        )  # fmt: skip

    async def _prepared(self, first: Any, *, create: bool) -> str:
        """The tables, and the schema that pgvector is in."""
        there = await first.fetchval("SELECT to_regclass($1) IS NOT NULL", f'"{self.schema}".settings')
        if not there and not create:
            raise InputError(
                f"There is no knowledge base {self.place}.",
                hint=f"Make one: taskkit kb sync FOLDER --knowledge {self.place}",
            )
        async with first.transaction():
            await first.execute("SELECT pg_advisory_xact_lock(hashtext('taskkit'))")  # one makes it, others wait
            where = (
                "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'"
            )
            vectors = await first.fetchval(where)
            if vectors is None:
                try:
                    await first.execute("CREATE EXTENSION vector SCHEMA public")
                except self._driver.PostgresError as error:
                    raise ConfigurationError(
                        f"{self.place} has no extension pgvector: {_why(error)}.",
                        hint="Have it installed, and who may do so run: CREATE EXTENSION vector",
                    ) from error
                vectors = "public"
            await first.execute(f'SET LOCAL search_path = "{self.schema}", "{vectors}"')
            there = await first.fetchval("SELECT to_regclass($1) IS NOT NULL", f'"{self.schema}".settings')
            if not there:
                await first.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
                await first.execute(TABLES)
                await first.execute("INSERT INTO settings VALUES ('version', $1)", VERSION)
            version = await first.fetchval("SELECT value FROM settings WHERE key = 'version'")
            lacks = await first.fetchval("SELECT to_regclass($1) IS NULL", f'"{self.schema}".awaited')
            if lacks and version == VERSION:
                await first.execute(AWAITED)
        if version != VERSION:
            raise ConfigurationError(
                f"{self.place} was made by another version of taskkit ({version}, not {VERSION}).",
                hint="Make it anew from its documents, with another ?schema=NAME in the address.",
            )
        return str(vectors)

    def _run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def awaited() -> Any:
            return await work()  # begun here: a connection that broke says so at once

        try:
            return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()
        except (self._driver.PostgresError, *self._broken(), OSError, TimeoutError, ValueError) as error:
            raise self._unusable(error) from error

    def _broken(self) -> tuple[type[Exception], ...]:
        """What the driver raises on a connection that ended under it."""
        own = self._driver
        return (
            own.PostgresConnectionError, own.InterfaceError, own.InternalClientError, own.AdminShutdownError,
            own.CrashShutdownError, own.CannotConnectNowError,
        )  # fmt: skip

    def _unusable(self, error: Exception) -> ConfigurationError:
        if isinstance(error, self._driver.LockNotAvailableError):
            return ConfigurationError(
                f"Another process is writing to {self.place}, and did not end within {self._wait:g} seconds.",
                hint="Try again when it is done.",
            )
        if isinstance(error, self._driver.InsufficientPrivilegeError):
            return ConfigurationError(
                f"The user of {self.place} may not do this: {_why(error)}.",
                kept=KEPT,
                hint="Have it granted, or give another user in the address.",
            )
        if isinstance(error, self._broken()) and not isinstance(error, ValueError):  # as of an address
            return ConfigurationError(
                f"The connection to {self.place} broke: {_why(error)}.",
                kept=KEPT,
                hint="When the server runs again, repeat the command: it goes on from there.",
            )
        return ConfigurationError(
            f"The knowledge base {self.place} can not be used: {_why(error)}.",
            hint="Check that the server runs, the address, user and password.",
        )

    def close(self) -> None:
        if self._pool is not None:
            with contextlib.suppress(ConfigurationError):
                self._run(lambda: asyncio.wait_for(self._pool.close(), 5))
            self._pool = None
        self._end()

    def _end(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    # Statements, with a `?` for each value ------------------------------------------------------------------------

    @property
    def _connections(self) -> Any:
        if self._pool is None:
            raise ConfigurationError(f"The knowledge base {self.place} is closed.", hint="Open it again.")
        return self._pool

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        sql = _numbered(sql)
        connection = getattr(self._here, "connection", None) or self._connections
        return [tuple(row) for row in self._run(lambda: connection.fetch(sql, *values))]

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        if getattr(self._here, "connection", None) is not None:
            yield
            return
        with self._transaction(isolation="repeatable_read", readonly=True):
            self._here.snapshot = {}
            try:
                yield
            finally:
                self._here.snapshot = None

    @property
    def _of_snapshot(self) -> "dict[str, Facts]":
        """What was found in the snapshot that this thread is in; outside of one nothing is remembered."""
        inside: dict[str, Facts] | None = getattr(self._here, "snapshot", None)
        return {} if inside is None else inside

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it or nothing. Whose turn it is stands in the row that all change last."""
        with self._transaction():
            yield
            self.rows(
                "INSERT INTO settings VALUES ('generation', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (uuid.uuid4().hex,),
            )

    @contextlib.contextmanager
    def _transaction(self, **options: Any) -> Iterator[None]:
        pool = self._connections
        connection = self._run(pool.acquire)
        try:
            transaction = self._run(lambda: self._begun(connection, **options))
            self._here.connection = connection
            try:
                yield
            except Exception:
                with contextlib.suppress(ConfigurationError):  # what broke was said
                    self._run(transaction.rollback)
                raise
            except BaseException:  # Ctrl-C: a statement may be on its way
                self._loop.call_soon_threadsafe(connection.terminate)
                raise
            self._run(transaction.commit)
        finally:
            self._here.connection = None
            with contextlib.suppress(ConfigurationError):
                self._run(lambda: pool.release(connection))

    @staticmethod
    async def _begun(connection: Any, **options: Any) -> Any:
        transaction = connection.transaction(**options)
        await transaction.start()
        return transaction


def _parts(address: str) -> tuple[str, str, str]:
    """The address for the driver, the schema, and the address to be shown."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ConfigurationError(f"The address of a knowledge base can not be read: {error}.") from None
    given = dict(parse_qsl(parts.query))
    schema = given.pop("schema", SCHEMA)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", schema):
        raise ConfigurationError(f"{schema!r} is no name of a schema.", hint="Letters, digits and _ make one.")
    user = f"{quote(unquote(parts.username))}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    shown = f"postgresql://{user}{host}{parts.path}" + (f"?schema={schema}" if schema != SCHEMA else "")
    return urlunsplit(parts._replace(query=urlencode(given))), schema, shown


def _why(error: Exception) -> str:
    """In one line, without what the server says after it."""
    return " ".join(str(getattr(error, "message", "") or error).split()).rstrip(".") or type(error).__name__


def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${n}" for n, part in enumerate(parts[:-1], 1)) + parts[-1]


def sent(vector: Any) -> bytes:
    """A vector as the server takes it. The driver would take an array itself for an array of PostgreSQL's."""
    codes = vector.astype(">f2")
    return len(codes).to_bytes(2, "big") + b"\0\0" + bytes(codes.tobytes())


def as_text(text: str) -> str:
    """PostgreSQL holds no NUL."""
    return clean(text).replace("\0", "\ufffd")


def as_json(value: Any) -> str:
    return clean(json.dumps(value, ensure_ascii=False)).replace("\\u0000", "\ufffd")


def _received(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, dtype=">f2", offset=4).astype(np.float32)


def _driver() -> Any:
    try:
        return import_module("asyncpg")
    except ImportError as error:
        raise ConfigurationError(
            "A knowledge base in PostgreSQL needs a driver.", hint='Run: pip install "taskkit[postgres]"'
        ) from error
