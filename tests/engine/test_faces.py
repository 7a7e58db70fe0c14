"""The same engine from threads, loops, forked workers and streams that are left early."""

import asyncio
import gc
import json
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import TaskkitError
from taskkit.settings import Binding, Settings
from taskkit.testing import Fail, Say, ScriptedServer, echo
from tests.made import Echo

Server = Callable[..., ScriptedServer]
KEY = "sk-very-secret-0123456789"


def engine_at(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key=KEY, **options)


def test_from_many_threads_at_once(server: Server) -> None:
    with engine_at(server(echo, latency=0.01)) as engine, ThreadPoolExecutor(20) as pool:
        assert list(pool.map(lambda n: engine.run(Echo(f"Line {n}")), range(100))) == [f"Line {n}" for n in range(100)]


def test_from_several_loops_one_after_the_other_and_at_once(server: Server) -> None:
    there = server(echo, latency=0.01)

    async def some(name: str) -> list[str]:
        return list(await asyncio.gather(*(engine.arun(Echo(f"{name} {n}")) for n in range(20))))

    with engine_at(there) as engine:
        assert asyncio.run(some("one"))[-1] == "one 19"
        assert asyncio.run(some("two"))[-1] == "two 19"
        found: dict[str, list[str]] = {}
        threads = [
            threading.Thread(target=lambda name=name: found.update({name: asyncio.run(some(name))})) for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {name: rows[7] for name, rows in found.items()} == {name: f"{name} 7" for name in "abcd"}


def _forked(url: str, number: int) -> str:
    with taskkit.Engine(model="gpt-4.1-mini", base_url=url, api_key=KEY) as engine:
        return engine.run(Echo(f"Line {number}"))


def _inherited(queue: Any, engine: taskkit.Engine) -> None:
    queue.put(engine.run(Echo("from the child")))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_in_forked_workers_after_the_parent_has_made_calls(server: Server) -> None:
    there = server(echo)
    with engine_at(there) as engine:
        assert engine.run(Echo("from the parent")) == "from the parent"
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            rows = pool.starmap(_forked, [(there.base_url, number) for number in range(10)])
            pool.close()
            pool.join()
        assert rows == [f"Line {number}" for number in range(10)]
        queue = context.SimpleQueue()
        child = context.Process(target=_inherited, args=(queue, engine))
        child.start()
        child.join(30)
        assert not child.exitcode
        assert queue.get() == "from the child"
        assert engine.run(Echo("and the parent again")) == "and the parent again"


def test_a_cancelled_call_gives_its_place_back(server: Server) -> None:
    there = server(lambda body: Say("Late.", delay=60) if "slow" in str(body) else "Soon.")

    async def work() -> str:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.arun(Echo("slow")), timeout=0.3)
        return await asyncio.wait_for(engine.arun(Echo("quick")), timeout=20)

    with engine_at(there, concurrency=1) as engine:
        assert asyncio.run(work()) == "Soon."


def test_calls_cancelled_at_every_moment_leave_nothing_behind(server: Server) -> None:
    """Also before the loop that they run on has begun with them; work that nobody awaited is a warning, and fails."""
    there = server(echo)

    async def cancelled_after(turns: int) -> None:
        call = asyncio.create_task(engine.arun(Echo(f"Line {turns}")))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    async def all_of_them() -> str:
        await engine.arun(Echo("First"))
        for turns in range(60):
            await cancelled_after(turns)
        return await engine.arun(Echo("Last"))

    with engine_at(there, concurrency=1) as engine:
        assert asyncio.run(all_of_them()) == "Last"
    gc.collect()


@pytest.mark.parametrize("way", ["with", "close", "async", "cancelled"])
def test_a_stream_that_is_left_early_gives_its_place_and_its_connection_back(server: Server, way: str) -> None:
    """An answer would take minutes; the server has one request at a time on its hands, the last one a moment longer."""
    there = server(Say("word " * 20_000, chunk=5, delay=0.2, pause=0.02))

    async def first_word(number: int) -> str:
        stream = engine.stream(Echo(f"at length, {number}"))
        if way == "async":
            with stream:
                return await anext(aiter(stream))
        if way == "cancelled":
            words: asyncio.Queue[str] = asyncio.Queue()
            reading = asyncio.create_task(_all_of(stream, words))
            word = await words.get()
            reading.cancel()
            return word
        return await asyncio.to_thread(_first_of, stream, way)

    async def some() -> None:
        for number in range(6):
            assert (await asyncio.wait_for(first_word(number), 20)).strip() == "word"

    with engine_at(there, concurrency=1, journal=False) as engine:
        asyncio.run(some())
    assert there.most_at_once <= 3


def _first_of(stream: Any, way: str) -> str:
    if way == "close":
        word = next(iter(stream))
        stream.close()
        return str(word)
    with stream:
        return str(next(iter(stream)))


async def _all_of(stream: Any, words: asyncio.Queue[str]) -> None:
    async for word in stream:
        words.put_nowait(word)


CARELESS = """
import asyncio, sys, taskkit

@taskkit.task
class Echo(taskkit.Task[str]):
    "Say it again."
    text: str
    prompt = taskkit.Prompt("{{ text }}")

engine = taskkit.Engine("gpt-4.1-mini", base_url=sys.argv[1], api_key="k")
engine.map([Echo(f"Line {n}") for n in range(20)])
next(iter(engine.stream(Echo("left early"))))
asyncio.run(engine.arun(Echo("from a loop")))

async def cancelled():
    try:
        await asyncio.wait_for(engine.arun(Echo("slow")), 0.2)
    except TimeoutError:
        pass

asyncio.run(cancelled())
other = taskkit.Engine("gpt-4.1-mini", base_url=sys.argv[1], api_key="k")
other.run(Echo("from another"))
del other
"""


def test_an_engine_that_nobody_closes_leaves_no_warning_behind(server: Server) -> None:
    there = server(lambda body: Say("word " * 50, chunk=5, pause=0.01, delay=30 if "slow" in str(body) else 0))
    argv = [sys.executable, "-W", "error", "-c", CARELESS, there.base_url]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_key_is_told_to_the_endpoint_alone(server: Server, tmp_path: Path) -> None:
    there = server([echo, Fail(401, f"Incorrect API key provided: {KEY}.", "invalid_api_key")])
    journal = tmp_path / "journal.sqlite"
    seen: list[object] = []
    with engine_at(there, journal=journal) as engine, engine.events.listen(seen.append):
        engine.run(Echo("hello"))
        with pytest.raises(TaskkitError) as caught:
            engine.run(Echo("hello again"))
        shown = [repr(engine), repr(engine.settings), str(engine.settings), repr(vars(engine)), repr(seen)]
        shown += [str(caught.value), repr(caught.value), json.dumps(engine.usage.model_dump(mode="json"))]
        shown.append(str(engine.plan(Echo("hello"))))
        assert there.requests[0].headers["authorization"] == f"Bearer {KEY}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert journal in files
    assert not any(KEY in one for one in shown)
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_a_password_in_an_address_is_in_no_representation(server: Server) -> None:
    url = "https://bob:hunter2@host.invalid/v1"
    with taskkit.Engine(base_url=url, api_key=KEY) as engine:
        assert "hunter2" not in f"{engine!r} {engine.settings!r} {vars(engine)!r}"
    assert "hunter2" not in repr(Settings(tiers={"fast": (Binding("m", url),)}))


@pytest.mark.parametrize("url", ["http://models.example.com/v1", "http://10.0.0.7:8000/v1"])
def test_a_key_goes_over_plain_http_to_no_other_machine_unless_allowed(url: str) -> None:
    with pytest.raises(TaskkitError, match="https"), taskkit.Engine(model="m", base_url=url, api_key=KEY) as engine:
        engine.run(Echo("hello"))
    with taskkit.Engine(model="m", base_url=url, api_key=KEY, allow_http=True) as engine:
        assert engine.plan(Echo("hello")).calls == (1, 1)


def test_a_stream_that_was_left_has_no_result_and_says_so(server: Server) -> None:
    with engine_at(server(Say("word " * 20_000, chunk=5, pause=0.02))) as engine:
        with engine.stream(Echo("x")) as stream:
            assert next(iter(stream))
        with pytest.raises(TaskkitError, match="left before its end"):
            _ = stream.result
