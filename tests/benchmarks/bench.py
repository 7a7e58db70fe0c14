"""The engine's figures, each a ratio measured in one run: `make bench`. Ends with 1 when one is over its goal.

Timings alternate between the two sides, and the middle of several rounds counts: the machine may be busy."""

import asyncio
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import taskkit

ROUNDS = 7
Row = tuple[str, float, str, float]  # what, ratio, "at most" or "at least", goal


@taskkit.task
class Haiku(taskkit.Task[str]):
    """Write a haiku."""

    subject: str
    prompt = taskkit.Prompt("Write a haiku about {{ subject }}.")


def cpu(code: list[str]) -> float:
    """The least CPU seconds, of several tries, that a process of this Python takes."""
    import resource

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *code], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    return min(once() for _ in range(ROUNDS))


def imports() -> list[Row]:
    bare, click = cpu(["-c", ""]), cpu(["-c", "import click"])
    help_ = cpu(["-c", "import sys; sys.argv = ['taskkit', '--help']; from taskkit.cli import main; main()"])
    root = cpu(["-c", "import taskkit"])
    return [
        ("CPU of `taskkit --help` ÷ `import click`", help_ / click, "at most", 3.0),
        ("CPU of `import taskkit`, seconds over bare Python", root - bare, "at most", 0.03),
    ]


def served(*options: str) -> tuple[subprocess.Popen[str], str]:
    """A scripted server in a process of its own, and its address."""
    process = subprocess.Popen([sys.executable, "-m", "taskkit.testing", *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def ratio(mine: Callable[[], float], theirs: Callable[[], float]) -> float:
    """The middle of the rounds' ratios; a round is one of each, so that both meet the same machine."""
    mine()
    theirs()
    return statistics.median(mine() / theirs() for _ in range(ROUNDS))


def middle(work: Callable[[], object], times: int = 100) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def amiddle(work: Callable[[], Coroutine[Any, Any, object]], times: int = 100) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


MESSAGES: Any = [{"role": "user", "content": "Write a haiku about rain."}]


def one_call(url: str) -> list[Row]:
    return [*_one_call(url, journal=False), *_one_call(url, journal=True)]


def _one_call(url: str, *, journal: bool) -> list[Row]:
    from openai import AsyncOpenAI, OpenAI

    sdk = OpenAI(base_url=url, api_key="k", max_retries=0)
    engine = taskkit.Engine(model="scripted", base_url=url, api_key="k", journal=journal)
    counter = iter(range(10**9))

    def ours() -> object:
        return engine.run(Haiku(f"rain {next(counter)}"))

    def plain() -> object:
        return sdk.chat.completions.create(model="scripted", messages=MESSAGES)

    in_sync = ratio(lambda: middle(ours), lambda: middle(plain))
    sdk.close()

    async def both() -> float:
        asdk = AsyncOpenAI(base_url=url, api_key="k", max_retries=0)
        found = []
        for _ in range(ROUNDS + 1):
            mine = await amiddle(lambda: engine.arun(Haiku(f"rain {next(counter)}")))
            theirs = await amiddle(lambda: asdk.chat.completions.create(model="scripted", messages=MESSAGES))
            found.append(mine / theirs)
        await asdk.close()
        return statistics.median(found[1:])

    in_async = asyncio.run(both())
    engine.close()
    kept = ", kept in the journal" if journal else ""
    return [
        (f"one call{kept}, sync ÷ the SDK's sync client", in_sync, "at most", 1.0),
        (f"one call{kept}, async ÷ the SDK's async client", in_async, "at most", 0.8 if journal else 0.6),
    ]


def many_calls(url: str) -> list[Row]:
    from openai import AsyncOpenAI

    count, at_once = 2000, 200

    async def theirs() -> float:
        gate = asyncio.Semaphore(at_once)
        sdk = AsyncOpenAI(base_url=url, api_key="k", max_retries=0)

        async def one() -> None:
            async with gate:
                await sdk.chat.completions.create(model="scripted", messages=MESSAGES)

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        took = time.perf_counter() - began
        await sdk.close()
        return took

    def ours() -> float:
        with taskkit.Engine(model="scripted", base_url=url, api_key="k", journal=False, concurrency=at_once) as engine:
            began = time.perf_counter()
            engine.map([Haiku(f"rain {n}") for n in range(count)])
            return time.perf_counter() - began

    found = []
    for _ in range(3):
        mine = ours()
        found.append(mine / asyncio.run(theirs()))
    return [
        ("2,000 calls, 200 at once, 50 ms each ÷ AsyncOpenAI as it comes", statistics.median(found), "at most", 0.4)
    ]


def streams(url: str) -> list[Row]:
    from openai import OpenAI

    sdk = OpenAI(base_url=url, api_key="k", max_retries=0)
    engine = taskkit.Engine(model="scripted", base_url=url, api_key="k", journal=False)

    def ours() -> float:
        began = time.perf_counter()
        assert sum(1 for _ in engine.stream(Haiku("rain"))) > 1
        return time.perf_counter() - began

    def theirs() -> float:
        began = time.perf_counter()
        stream = sdk.chat.completions.create(model="scripted", messages=MESSAGES, stream=True)
        assert sum(1 for _ in stream) >= 1000
        return time.perf_counter() - began

    found = ratio(ours, theirs)
    sdk.close()
    engine.close()
    return [("a stream of 1,000 chunks ÷ the SDK's stream", found, "at most", 0.5)]


def a_book(url: str) -> list[Row]:
    """The wall of a summary of 400,000 tokens against its calls in line: waves of 16 at 200 ms each."""
    from taskkit.tasks.summarise import Summarise

    book = "\n\n".join(f"On day {n} the keeper of light {n * 7919 % 1009} wrote down {n} ships." for n in range(20_000))
    latency, at_once, found = 0.2, 16, []
    for number in range(4):
        with taskkit.Engine(
            model="gpt-4.1-mini", base_url=url, api_key="k", context=128_000, concurrency=at_once, journal=False
        ) as engine:
            engine.run(Haiku(f"rain {number}"))  # the connection and the tokenizer are there
            began = time.perf_counter()
            pieces = engine.run(Summarise(f"{number}\n\n{book}", words=400)).pieces
            in_line = latency * (math.ceil(pieces / at_once) + 1)
            found.append((time.perf_counter() - began) / in_line)
    return [("a book of 400,000 tokens summarised ÷ its calls in line", statistics.median(found[1:]), "at most", 1.15)]


def vocabularies() -> Path:
    """tiktoken's files, in a folder as it keeps them: from a wheel that has them, as its own host is not always to
    be reached. The wheel is only unpacked, never installed."""
    folder = Path(".bench") / "tiktoken"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
            subprocess.run([*pip, "llama-index-core"], check=True, stderr=subprocess.DEVNULL)
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as packed:
                files = [name for name in packed.namelist() if re.search(r"tiktoken_cache/[0-9a-f]{40}$", name)]
                folder.mkdir(parents=True)
                for name in files:
                    (folder / Path(name).name).write_bytes(packed.read(name))
    return folder


def counting() -> list[Row]:
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(vocabularies()))
    import tiktoken

    from taskkit.tokens import Counter

    root = Path(__file__).parents[2]
    english = "\n".join(path.read_text() for path in sorted((root / "examples" / "handbook").rglob("*.md")))
    code = "\n".join(path.read_text() for path in sorted(root.rglob("taskkit/**/*.py")))
    encoding = tiktoken.get_encoding("o200k_base")
    counter = Counter("o200k_base", 1.0)
    rows: list[Row] = []
    for name, text in (("English", english), ("code", code)):
        sample = (text * (2_000_000 // len(text) + 1))[:2_000_000]

        def ours(sample: str = sample) -> float:
            began = time.perf_counter()
            counter.count(sample)
            return time.perf_counter() - began

        def theirs(sample: str = sample) -> float:
            began = time.perf_counter()
            encoding.encode_ordinary(sample)
            return time.perf_counter() - began

        assert counter.count(sample) == len(encoding.encode_ordinary(sample))
        rows.append((f"counting 2 MB of {name}: tiktoken ÷ ours", 1 / ratio(ours, theirs), "at least", 8.0))
    return rows


def network() -> list[Row]:
    rows: list[Row] = []
    chunks = " ".join("word" for _ in range(1000))
    for options, measure in (
        (("--reply", "An old silent pond."), one_call),
        (("--reply", "An old silent pond.", "--latency", "0.05"), many_calls),
        (("--reply", chunks, "--chunk", "5"), streams),
        (("--reply", "The keeper wrote on.", "--latency", "0.2"), a_book),
    ):
        process, url = served(*options)
        try:
            rows += measure(url)
        finally:
            process.terminate()
            process.wait()
    return rows


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(TASKKIT_CACHE=scratch, TASKKIT_CONFIG=scratch)
        rows = [*imports(), *network()]
        try:
            rows += counting()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Counting is not measured: tiktoken's vocabulary is not to be had ({error}).", file=sys.stderr)
    table = Table("figure", "ratio", "goal", "")
    good = True
    for what, found, kind, goal in rows:
        fine = found <= goal if kind == "at most" else found >= goal
        good = good and fine
        table.add_row(what, f"{found:.3f}", f"{'≤' if kind == 'at most' else '≥'} {goal:g}", "" if fine else "over")
    Console(width=110).print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
