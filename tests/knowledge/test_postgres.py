"""What only a server has: many writers at once, passwords, rights, connections that break, an index of its own."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taskkit.errors import ConfigurationError, InputError
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.stores.server import sent
from tests.knowledge.made import Told

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.stores.server import sent
from tests.knowledge.made import Told
place, mine = sys.argv[1], int(sys.argv[2])
with KnowledgeBase(place, embedder=Told()) as base:
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(6):
        base.add([Document(f"own {mine} {turn} {n}", f"Copper {mine} {turn} {n}.") for n in range(5)])
        base.add([Document(f"shared {n}", f"Harbour {n} of {mine} in turn {turn}.") for n in range(5)])
        base.add([Document(f"same {n}", f"Orchard {n}.") for n in range(5)])
        print(turn, flush=True)
"""


def writers(place: str, count: int) -> "list[subprocess.Popen[str]]":
    env, pipe = {**os.environ, "PYTHONPATH": str(ROOT)}, subprocess.PIPE
    made = [
        subprocess.Popen([sys.executable, "-c", WRITER, place, str(n)], stdin=pipe, stdout=pipe, text=True, env=env)
        for n in range(count)
    ]
    for one in made:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in made:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    return made


def test_four_writers_at_once_lose_nothing(postgres: str) -> None:
    KnowledgeBase(postgres).close()
    many = writers(postgres, 4)
    with KnowledgeBase(postgres, embedder=Told()) as reader:
        while any(one.poll() is None for one in many):
            reader.search("copper")
    for one in many:
        one.communicate()
    assert [one.returncode for one in many] == [0] * 4
    with KnowledgeBase(postgres, embedder=Told()) as base:
        names = {row.name for row in base.list()}
        assert len(names) == 4 * 6 * 5 + 10
        assert base.stats().passages == len(names)
        assert base.verify() == []
        assert len(base.search("harbour", k=50, where=None)) >= 5
        again = base.add([Document(f"same {n}", f"Orchard {n}.") for n in range(5)])
        assert (again.unchanged, again.embedded) == (5, 0)


def test_many_threads_of_one_base_read_while_another_writes(postgres: str) -> None:
    with KnowledgeBase(postgres, embedder=Told()) as base, ThreadPoolExecutor(6) as pool:
        base.add([Document(f"d{n}", f"Copper {n} of harbour {n % 7}.") for n in range(60)])
        asked = [pool.submit(base.search, f"copper {n}", 3) for n in range(60)]
        for n in range(8):
            base.add(Document(f"new {n}", f"Orchard {n}.", access={"team": "hr"}))
        assert all(len(one.result()) == 3 for one in asked)
        assert all(hit.passage.document.startswith("d") for one in asked for hit in one.result())
        assert base.search("orchard 3", 1, allow={"team": "hr"})[0].passage.document == "new 3"


def test_a_writer_that_is_killed_leaves_it_whole(postgres: str) -> None:
    KnowledgeBase(postgres).close()
    many, pick = writers(postgres, 3), random.Random(2)
    for one in many[:2]:
        assert one.stdout
        for _ in range(pick.randint(0, 3)):
            one.stdout.readline()
        one.send_signal(signal.SIGKILL)
    for one in many:
        one.communicate()
    assert many[2].returncode == 0
    with KnowledgeBase(postgres, embedder=Told()) as base:
        assert base.verify() == []
        assert {f"own 2 {turn} {n}" for turn in range(6) for n in range(5)} <= {row.name for row in base.list()}


@pytest.mark.parametrize("address", ["postgresql://me:s3cret@127.0.0.1:1/db", "postgres://me:s3cret@127.0.0.1:1/db"])
def test_a_password_is_never_shown(address: str) -> None:
    with pytest.raises(ConfigurationError, match="can not be used") as caught:
        KnowledgeBase(address)
    assert "s3cret" not in str(caught.value)
    assert "postgresql://me@127.0.0.1:1/db" in str(caught.value)


def test_no_password_in_what_an_open_base_says(postgres: str) -> None:
    with KnowledgeBase(postgres.replace("postgres:@", "postgres:s3cret@")) as base:
        assert "s3cret" not in repr(base) + base.place
        with pytest.raises(ConfigurationError) as caught:
            base._store.rows("SELECT nonsense")  # type: ignore[attr-defined]
        assert "s3cret" not in str(caught.value)


def test_what_is_not_there_or_can_not_be_is_refused(postgres: str) -> None:
    with pytest.raises(InputError, match="kb sync"):
        KnowledgeBase(postgres, create=False)
    with pytest.raises(ConfigurationError, match="no name of a schema"):
        KnowledgeBase("postgresql://127.0.0.1/db?schema=a;b")
    with pytest.raises(ConfigurationError, match="ivf"):
        KnowledgeBase(postgres, index="ivf")
    with (
        KnowledgeBase(postgres, precision="int8", embedder=Told()) as base,
        pytest.raises(ConfigurationError, match="float16"),
    ):
        base.add(Document("a", "Words."))
    with pytest.raises(ConfigurationError, match="not mysql"):
        KnowledgeBase("mysql://127.0.0.1/db")


def asked(address: str, *statements: str) -> list[Any]:
    """What the last statement gives, on a connection of its own."""
    asyncpg = pytest.importorskip("asyncpg")

    async def rows() -> list[Any]:
        connection = await asyncpg.connect(address)
        try:
            for one in statements[:-1]:
                await connection.execute(one)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(rows())


def test_a_connection_that_the_server_ends_is_one_clear_line_and_the_next_try_goes_on(postgres: str) -> None:
    with KnowledgeBase(postgres, embedder=Told()) as base:
        base.add(Document("a", "Copper."))
        with pytest.raises(ConfigurationError, match=r"broke: .*What it held before is kept") as caught:
            base._store.rows("SELECT pg_terminate_backend(pg_backend_pid())")  # type: ignore[attr-defined]
        assert "\n" not in str(caught.value)
        base.add(Document("b", "Orchard."))
        assert {one.name for one in base.list()} == {"a", "b"}


def test_a_user_without_rights_is_told_so(server_address: str, postgres: str) -> None:
    with KnowledgeBase(postgres, embedder=Told()) as base:
        base.add(Document("a", "Copper."))
    schema, reader = postgres.rpartition("schema=")[2], f"reader_{os.getpid()}"
    rights = f"GRANT USAGE ON SCHEMA {schema} TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}"
    asked(server_address, f"CREATE ROLE {reader} LOGIN PASSWORD 'x'", rights, "SELECT 1")
    try:
        address = postgres.replace("postgres:@", f"{reader}:x@")
        with (
            pytest.raises(ConfigurationError, match="may not do this") as caught,
            KnowledgeBase(address, embedder=Told()) as base,
        ):
            base.add(Document("b", "Orchard."))
        assert "give another user" in str(caught.value)
    finally:
        asked(server_address, f"DROP OWNED BY {reader}", f"DROP ROLE {reader}", "SELECT 1")


def test_texts_that_the_server_can_not_hold_as_they_are(postgres: str) -> None:
    with KnowledgeBase(postgres, embedder=Told()) as base:
        text = "Copper\0 and \ud800 harbour, it's a \\ back'slash."
        base.add(Document("odd'\0 name", text, metadata={"odd\0": "\0"}))
        (hit,) = base.search("back'slash \\ it's \0", k=1)
        assert len(hit.passage.text) == len(text)


def test_a_filter_finds_as_many_as_are_asked_for_and_the_index_is_used(postgres: str) -> None:
    """A graph alone gives up after its first candidates, of which hardly any meet the condition."""
    embedder = Told(batch=500)
    with KnowledgeBase(postgres, embedder=embedder) as base:
        base.add([Document(f"d{n}", f"Text {n}.", metadata={"part": n % 5}) for n in range(1200)])
        store = base._store
        vector = store.vectors(store.all_numbers()[:1]).popitem()[1]
        with store.snapshot():
            for one in ("seqscan", "sort"):  # so few would be compared one by one
                store.rows(f"SET LOCAL enable_{one} = off")  # type: ignore[attr-defined]
            plan = store.rows(  # type: ignore[attr-defined]
                "EXPLAIN SELECT key FROM vectors WHERE width = 16 ORDER BY vector::halfvec(16) <#> ?::halfvec LIMIT 20",
                (sent(vector),),
            )
            assert "vectors_16" in str(plan)
            for condition in (None, {"part": 3}, {"part": {"$in": [1, 2, 3]}}):
                found = store.by_meaning(vector, 100, store.allowed(condition, None))
                assert len(found) == 100
                assert [*found.values()] == sorted(found.values(), reverse=True)
                if condition is None:
                    assert next(iter(found.values())) == pytest.approx(1, abs=1e-3)


class Wide(Told):
    """Vectors of as many numbers as large models of today give, and more than pgvector can index."""

    def __init__(self, width: int) -> None:
        super().__init__(f"wide{width}")
        self.width = width

    async def embed(self, texts: Sequence[str]) -> Any:
        rows = await super().embed(texts)
        return np.tile(rows, self.width // rows.shape[1]) / (self.width // rows.shape[1]) ** 0.5


@pytest.mark.parametrize(("width", "kind"), [(3_072, "hnsw"), (4_096, "exact")])
def test_wide_vectors_are_kept_and_found(postgres: str, width: int, kind: str) -> None:
    with KnowledgeBase(postgres, embedder=Wide(width)) as base:
        base.add([Document(f"d{n}", f"Copper {n}.") for n in range(30)])
        assert (base.stats().width, base.stats().index) == (width, kind)
        (hit, *_) = base.search("Copper 7.", fusion="rrf")
        assert hit.passage.document == "d7"
        assert hit.dense == pytest.approx(1, abs=1e-2)
        assert base.verify() == []


def test_both_stores_find_the_same(postgres: str) -> None:
    handbook = ROOT / "examples" / "handbook"
    questions = [
        "How many days of holiday can be carried over?",
        "Who approves expenses?",
        "What happens with a stolen laptop?",
        "parental leave",
        "sick notes",
    ]
    with KnowledgeBase("h.kb") as one, KnowledgeBase(postgres) as other:
        one.add(handbook)
        other.add(handbook)
        for question in questions:
            first, second = (base.search(question, k=5, explain=True) for base in (one, other))
            assert [hit.passage.text for hit in first] == [hit.passage.text for hit in second]
            for a, b in zip(first, second, strict=True):
                assert a.score == pytest.approx(b.score, abs=0.02)
                assert (a.lexical or 0) == pytest.approx(b.lexical or 0, rel=0.03, abs=0.05)
                assert a.dense == pytest.approx(b.dense, abs=2e-3)
