"""The knowledge base's figures against their goals: `make bench-knowledge`. Ends with 1 when one is missed.

The sets lie in `../shared/data` beside the repository, or where TASKKIT_DATA says; they are no part of it. Every
constant of the search was chosen on the questions of even number; what is shown here are those of odd number, unless
`--all` is given. Each document of a set is one `Document`, and a hit counts when its document is a relevant one."""

import argparse
import contextlib
import gzip
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from taskkit.errors import ConfigurationError
from taskkit.knowledge import Document, KnowledgeBase

Row = tuple[str, float, str, float]  # figure, seen, "≥", "≤" or "=", goal
CANDIDATES = 200  # both halves' hundred best: with their ranks, one search tells three rankings


@dataclass(frozen=True, slots=True)
class Set:
    """Documents, questions with the documents that answer them, and the goals of its figures."""

    name: str
    documents: list[Document]
    questions: list[tuple[str, frozenset[str]]]
    goals: Mapping[str, float]


# The sets -----------------------------------------------------------------------------------------------------------


def folder() -> Path:
    return Path(os.environ.get("TASKKIT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def loaded(name: str) -> Any:
    with gzip.open(folder() / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


def documents(data: Mapping[str, Any]) -> list[Document]:
    return [Document(name, one["text"], one["title"]) for name, one in data["corpus"].items()]


def questions(data: Mapping[str, Any]) -> list[tuple[str, frozenset[str]]]:
    return [(text, frozenset(data["qrels"][number])) for number, text in data["queries"].items()]


def across(there: Mapping[str, Any], english: Mapping[str, Any]) -> list[tuple[str, frozenset[str]]]:
    """XQuAD's questions on SQuAD's English paragraphs. XQuAD is a translation of a part of SQuAD and keeps its
    questions' numbers: one known question tells which English paragraph a translated one is."""
    twin = {
        next(iter(there["qrels"][number])): frozenset(english["qrels"][number])
        for number in english["queries"]
        if number in there["qrels"]
    }
    pairs = ((text, next(iter(there["qrels"][number]))) for number, text in there["queries"].items())
    return [(text, twin[paragraph]) for text, paragraph in pairs if paragraph in twin]


def sets() -> Iterator[Set]:
    squad, scifact, xquad = loaded("squad-retrieval-dev"), loaded("scifact"), loaded("xquad-de-zh")
    goals = {"recall@1": 0.775, "recall@5": 0.935, "nDCG@10": 0.875}
    yield Set("SQuAD", documents(squad), questions(squad), goals)
    yield Set("SciFact", documents(scifact), questions(scifact), {"nDCG@10": 0.70})
    yield Set("XQuAD zh", documents(xquad["zh"]), questions(xquad["zh"]), {"nDCG@10": 0.96})
    yield Set("XQuAD de", documents(xquad["de"]), questions(xquad["de"]), {"nDCG@10": 0.914})
    yield Set("de on English", documents(squad), across(xquad["de"], squad), {})
    yield Set("zh on English", documents(squad), across(xquad["zh"], squad), {})
    yield Set("de on Chinese", documents(xquad["zh"]), questions(xquad["de"]), {})


# Finding ------------------------------------------------------------------------------------------------------------


def ndcg(ranked: Sequence[str], relevant: frozenset[str], k: int = 10) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank, name in enumerate(ranked[:k], 1) if name in relevant)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))


def recall(ranked: Sequence[str], relevant: frozenset[str], k: int) -> float:
    return len(relevant & set(ranked[:k])) / len(relevant)


def rankings(base: KnowledgeBase, question: str) -> dict[str, list[str]]:
    """Documents by the search as it is, by its lexical half alone, by its dense half alone."""
    hits = base.search(question, CANDIDATES, explain=True)

    def ordered(rank: Callable[[Any], int | None]) -> list[str]:
        ranked = [(place, hit.passage.document) for hit in hits if (place := rank(hit)) is not None]
        return list(dict.fromkeys(name for _, name in sorted(ranked)))

    return {
        "fused": list(dict.fromkeys(hit.passage.document for hit in hits)),
        "lexical": ordered(lambda hit: hit.reasons.lexical_rank),
        "dense": ordered(lambda hit: hit.reasons.dense_rank),
    }


def finding(one: Set, base: KnowledgeBase, asked: Sequence[tuple[str, frozenset[str]]]) -> list[Row]:
    found = [(rankings(base, question), relevant) for question, relevant in asked]

    def mean(half: str, score: Callable[[Sequence[str], frozenset[str]], float]) -> float:
        return statistics.fmean(score(ranked[half], relevant) for ranked, relevant in found)

    measures: dict[str, Callable[[Sequence[str], frozenset[str]], float]] = {
        "recall@1": lambda ranked, relevant: recall(ranked, relevant, 1),
        "recall@5": lambda ranked, relevant: recall(ranked, relevant, 5),
        "nDCG@10": ndcg,
    }
    rows: list[Row] = []
    for figure, goal in one.goals.items():
        rows.append((f"{one.name} {figure}", mean("fused", measures[figure]), "≥", goal))
    halves = {half: mean(half, ndcg) for half in ("fused", "lexical", "dense")}
    told = ", ".join(f"{half} {value:.3f}" for half, value in halves.items())
    better = max(halves["lexical"], halves["dense"])
    rows.append((f"{one.name}: fused less its better half ({told})", halves["fused"] - better, "≥", -0.01))
    return rows


def find(scratch: Path, options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    bases: dict[tuple[str, ...], KnowledgeBase] = {}
    for one in sets():
        if options.only and options.only.lower() not in f"{one.name} finding".lower():
            continue
        key = (one.documents[0].text, str(len(one.documents)))
        if key not in bases:
            bases[key] = KnowledgeBase(scratch / f"{len(bases)}.kb")
            bases[key].add(one.documents)
        asked = one.questions if options.all else one.questions[1::2]
        rows += finding(one, bases[key], asked[:100] if options.quick else asked)
    for base in bases.values():
        base.close()
    return rows


# Adding, again and after a fault ------------------------------------------------------------------------------------


class Dies:
    """An embedder of ten texts at a time that gives out for ever after `left` texts, unless that is None."""

    name = "bench"
    strength = across = 0.5
    batch = 10

    def __init__(self, left: int | None) -> None:
        self.left = left

    async def embed(self, texts: Sequence[str]) -> Any:
        import numpy as np

        if self.left is not None:
            if self.left < len(texts):
                raise OSError("the embedder died")
            self.left -= len(texts)
        return np.ones((len(texts), 8), dtype=np.float32) / math.sqrt(8)


def sections(count: int) -> list[str]:
    """Of a Markdown document; each makes one passage."""
    pick = random.Random(3)
    words = ["harbour", "ledger", "winter", "copper", "signal", "orchard", "meadow", "engine"]
    return [f"## Part {n}\n\n" + " ".join(pick.choice(words) for _ in range(260)) + ".\n\n" for n in range(count)]


def again(scratch: Path, _: argparse.Namespace) -> list[Row]:
    parts = sections(100)
    with KnowledgeBase(scratch / "again.kb") as base:
        first = base.add(Document("a.md", "".join(parts), format="markdown")).embedded
        edited = "".join(parts).replace("Part 50\n\n", "Part 50\n\nindeed ")
        edit = base.add(Document("a.md", edited, format="markdown")).embedded
        stale = base.stats().passages - len(base.passages("a.md"))
        files = scratch / "files"
        files.mkdir()
        (files / "a.md").write_text(edited)
        base.remove("a.md")
        base.sync(files)
        (files / "a.md").rename(files / "b.md")
        rename = base.sync(files).embedded
        stale += len(base.list()) - 1 + base.stats().passages - first
    with KnowledgeBase(scratch / "dies.kb", embedder=Dies(10)) as base:
        whole = Document("a.md", "".join(sections(30)), format="markdown")
        with contextlib.suppress(ConfigurationError):
            base.add(whole)
    with KnowledgeBase(scratch / "dies.kb", embedder=Dies(None)) as base:
        crash = base.add(whole).embedded
        stale += base.stats().passages - 30
    return [
        (f"embedded again, one word of {first} passages edited", edit, "=", 1),
        ("embedded again, renamed", rename, "=", 0),
        ("embedded again, died after 10 of 30", crash, "=", 20),
        ("stale passages after all that", stale, "=", 0),
    ]


def markdown(size: int, seed: int = 1) -> Iterator[Document]:
    """About `size` characters of documents, made of the sets' own sentences, mixed anew under headings."""
    pick = random.Random(seed)
    texts = [one for name in ("squad-retrieval-dev", "scifact") for one in loaded(name)["corpus"].values()]
    pool = [(one["title"], re.split(r"(?<=[.!?]) +", one["text"])) for one in texts]
    number = made = 0
    while made < size:
        number += 1
        title, _ = pick.choice(pool)
        out = [f"# {title}\n"]
        for _ in range(pick.randint(3, 30)):
            (heading, first), (_, second) = pick.choice(pool), pick.choice(pool)
            mixed = first[:6] + second[:6]
            pick.shuffle(mixed)
            out.append(f"## {heading} {pick.randint(1, 999)}\n\n{' '.join(mixed)}\n")
        text = "\n".join(out)
        made += len(text)
        yield Document(f"{seed}-{number}.md", text, format="markdown")


def adding(scratch: Path, options: argparse.Namespace) -> list[Row]:
    size = 4_000_000 if options.quick else 20_000_000
    files = scratch / "markdown"
    files.mkdir()
    for one in markdown(size):
        (files / one.name).write_text(one.text)
    took = sum(path.stat().st_size for path in files.iterdir())
    with KnowledgeBase(scratch / "adding.kb") as base:
        base.add([*markdown(100_000, seed=2)])  # the tables of words and of tokens are read on first use
        began = time.perf_counter()
        base.add(files)
        seconds = time.perf_counter() - began
    return [(f"adding {took / 1e6:.0f} MB of Markdown, MB a second", took / 1e6 / seconds, "≥", 3.0)]


def precision(scratch: Path, options: argparse.Namespace) -> list[Row]:
    """What vectors of 8 bits lose: the ten nearest of each question that they keep, and the ranking of the search."""
    rows: list[Row] = []
    for one in [*sets()][:2]:
        asked = one.questions[1::2][: 100 if options.quick else None]
        nearest, scores = [], []
        for kept in ("float16", "int8"):
            with KnowledgeBase(scratch / f"{one.name}-{kept}.kb", precision=kept) as base:
                base.add(one.documents)
                ranked = [(rankings(base, question), relevant) for question, relevant in asked]
                nearest.append([ranking["dense"][:10] for ranking, _ in ranked])
                scores.append(statistics.fmean(ndcg(ranking["fused"], relevant) for ranking, relevant in ranked))
        same = statistics.fmean(len({*a} & {*b}) / len(a) for a, b in zip(*nearest, strict=True))
        rows.append((f"{one.name}: of the ten nearest by float16, int8 finds", same, "≥", 0.95))
        rows.append((f"{one.name}: nDCG@10 with int8, less that with float16", scores[1] - scores[0], "≥", -0.003))
    return rows


# At size ------------------------------------------------------------------------------------------------------------


class Stopwatch:
    """Counts the seconds spent in the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wrapped(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


class Watched:
    """An object whose functions are timed."""

    def __init__(self, inner: Any, watch: Stopwatch) -> None:
        self._inner, self._watch = inner, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._watch.wrapped(found) if callable(found) else found


OPENING = """
import ctypes, gc, json, os, sys, time
import faiss, numpy
from taskkit.knowledge import Document, KnowledgeBase

def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

with KnowledgeBase(sys.argv[1] + ".small") as small:
    small.add(Document("warm", "Everything that is read on first use is read now."))
    small.search("first use")
before, began = resident(), time.perf_counter()
base = KnowledgeBase(sys.argv[1])
base.search("first use")
print(json.dumps([time.perf_counter() - began, resident() - before]))
"""


def size(scratch: Path, options: argparse.Namespace) -> list[Row]:
    count = 10_000 if options.quick else 100_000
    path = scratch / "size.kb"
    base = KnowledgeBase(path)
    seed = 0
    while (there := base.stats().passages) < count:
        seed += 1
        base.add(markdown(max(1_000_000, (count - there) * 1300), seed))
    stats = base.stats()
    asked = [text for text, _ in (*questions(loaded("squad-retrieval-dev")), *questions(loaded("scifact")))]
    asked = random.Random(5).sample(asked, 200)
    for question in asked[:20]:
        base.search(question)
    watch, took, inside = Stopwatch(), [], []
    store: Any = base._store
    index: Any = store.index
    store._opened, index._index = Watched(store._opened, watch), Watched(index._index, watch)
    for question in asked[20:]:
        watch.seconds, began = 0.0, time.perf_counter()
        base.search(question)
        took.append(time.perf_counter() - began)
        inside.append(watch.seconds)
    store._opened, index._index = store._opened._inner, index._index._inner
    base.close()
    outside = 1 - sum(inside) / sum(took)
    told = f"{stats.passages:,} passages"
    opened, memory = [], []
    for _ in range(3):
        ran = subprocess.run([sys.executable, "-c", OPENING, str(path)], check=True, capture_output=True, text=True)
        seconds, more = json.loads(ran.stdout)
        opened.append(seconds)
        memory.append(more / stats.passages - 2 * stats.width)
    return [
        (f"search in {told}, median ms", 1000 * statistics.median(took), "≤", 20.0),
        (f"search in {told}, share outside SQLite and FAISS", outside, "≤", 0.2),
        (f"opening {told} to the first hit, seconds", statistics.median(opened), "≤", 0.3),
        ("memory a passage beyond its vector, bytes", statistics.median(memory), "≤", 100.0),
    ]


PARTS: dict[str, tuple[Callable[[Path, argparse.Namespace], list[Row]], bool]] = {  # and whether it needs the sets
    "adding": (adding, True),  # first: it is for a process that has done nothing else
    "finding": (find, True),
    "again": (again, False),
    "precision": (precision, True),
    "size": (size, True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="The knowledge base's figures against their goals.")
    parser.add_argument("--only", metavar="NAME", help=f"one of {', '.join(PARTS)}, or a set's name")
    parser.add_argument("--quick", action="store_true", help="fewer questions, smaller bases")
    parser.add_argument("--all", action="store_true", help="all questions, also those that constants were chosen on")
    options = parser.parse_args()
    rows: list[Row] = []
    there = folder().is_dir()
    if not there:
        print(f"The sets are not at {folder()}: only what needs none is measured (TASKKIT_DATA).", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(TASKKIT_CACHE=scratch, TASKKIT_CONFIG=scratch)
        for name, (measure, needs) in PARTS.items():
            only = "finding" if options.only and options.only not in PARTS else options.only
            if only in {None, name} and (there or not needs):
                rows += measure(Path(scratch), options)
    table = Table("figure", "seen", "goal", "")
    good = True
    for what, seen, kind, goal in rows:
        fine = seen == goal if kind == "=" else seen >= goal if kind == "≥" else seen <= goal
        good = good and fine
        table.add_row(what, f"{seen:.3f}".removesuffix(".000"), f"{kind} {goal:g}", "" if fine else "missed")
    Console(width=120).print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
