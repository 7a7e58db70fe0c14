"""The kinds of index at size: `make bench-scale`. Time to make one, its memory, how long a search takes, what it finds.

The vectors are made: clusters of uneven size round 10,000 centres, spread along 32 directions that all share and a
little along every other, as texts on one subject are. They lie in a real store; a search asks for the hundred that
fusion takes, and recall is of the nearest ten. Each index has a process of its own, which tells its memory. Beside the
time that it took to make one stands that of the processors, which tells how much of it others on the machine took."""

import argparse
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from taskkit.knowledge import fuse
from taskkit.knowledge.stores import kinds
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.index import Index
from taskkit.knowledge.stores.sqlite import SQLite

CENTRES, DIRECTIONS, AT_ONCE, QUERIES, NEAREST = 10_000, 32, 50_000, 200, 10
ALLOWED = (0.2, 0.01)  # parts of all that a filter leaves


def rows(count: int, width: int, seed: int) -> np.ndarray:
    pick = np.random.default_rng(0)
    centres = pick.normal(size=(CENTRES, width)).astype(np.float32)
    along = pick.normal(size=(DIRECTIONS, width)).astype(np.float32)
    pick = np.random.default_rng(seed)
    which = (CENTRES * pick.random(count) ** 2).astype(int)
    made = centres[which] / np.sqrt(width)
    made += 0.7 * (pick.normal(size=(count, DIRECTIONS)).astype(np.float32) @ along) / np.sqrt(DIRECTIONS * width)
    made += 0.2 * pick.normal(size=(count, width)).astype(np.float32) / np.sqrt(width)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def filled(path: Path, count: int, width: int) -> Iterator[tuple[int, np.ndarray]]:
    """Puts the vectors into a new store, and gives them with the first one's number."""
    store = SQLite(path, create=True)
    for at in range(0, count, AT_ONCE):
        some = rows(min(AT_ONCE, count - at), width, seed=at + 1)
        keys = [f"{number:032x}" for number in range(at + 1, at + len(some) + 1)]
        store.keep_vectors(keys, some, Made("made"))
        with store.change() as db:
            db.execute("INSERT OR IGNORE INTO documents (id, name, text, language) VALUES (1, 'made', '', '')")
            db.executemany(
                "INSERT INTO passages (id, document, start, end, headings, key) VALUES (?, 1, 0, 0, '[]', ?)",
                ((number, key) for number, key in enumerate(keys, at + 1)),
            )
        yield at + 1, some
    store.close()


def allowed(count: int, part: float) -> np.ndarray:
    return np.sort(np.random.default_rng(9).choice(count, int(count * part), replace=False)) + 1


def truth(path: Path, count: int, width: int) -> None:
    """The store, and beside it what a whole scan finds for each query, also under the filters."""
    asked = rows(QUERIES, width, seed=0)
    masks = [np.ones(count, dtype=bool), *(np.zeros(count, dtype=bool) for _ in ALLOWED)]
    for mask, part in zip(masks[1:], ALLOWED, strict=True):
        mask[allowed(count, part) - 1] = True
    best: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in masks]
    for first, some in filled(path, count, width):
        scores = asked @ some.astype(np.float16).astype(np.float32).T
        for one, mask in zip(best, masks, strict=True):
            there = np.flatnonzero(mask[first - 1 : first - 1 + len(some)])
            top = np.argsort(-scores[:, there], axis=1)[:, :NEAREST]
            one.append((np.take_along_axis(scores[:, there], top, axis=1), there[top] + first))
    nearest = []
    for one in best:
        scores, numbers = (np.concatenate(parts, axis=1) for parts in zip(*one, strict=True))
        nearest.append(np.take_along_axis(numbers, np.argsort(-scores, axis=1)[:, :NEAREST], axis=1))
    np.savez(path.with_suffix(".npz"), asked=asked, nearest=np.stack(nearest))


def resident() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def one(path: Path, kind: kinds.Kind) -> dict[str, Any]:
    """The figures of one kind over a store."""
    told = np.load(path.with_suffix(".npz"))
    store = SQLite(path, create=False)
    count = store.facts().passages
    Index(store, "exact", kept_from=sys.maxsize)
    kinds.library()
    before, began, worked = resident(), time.perf_counter(), time.process_time()
    index = Index(store, kind, kept_from=1)
    index.refresh()
    made, worked = time.perf_counter() - began, time.process_time() - worked
    memory = (resident() - before) / count
    index.keep()
    began = time.perf_counter()
    again = Index(store, kind)
    again.refresh()
    read = time.perf_counter() - began
    figures: dict[str, Any] = {"made": made, "worked": worked, "memory": memory, "read": read, "kind": again.kind}
    for name, part, nearest in zip(("all", *map(str, ALLOWED)), (1.0, *ALLOWED), told["nearest"], strict=True):
        only = None if part == 1.0 else allowed(count, part)
        took, hits = [], []
        for query, right in zip(told["asked"], nearest, strict=True):
            began = time.perf_counter()
            found = index.search(query, fuse.AT_MOST, only)
            took.append(time.perf_counter() - began)
            hits.append(len({*list(found)[:NEAREST]} & {*right.tolist()}) / NEAREST)
        figures[name] = (1000 * statistics.median(took), statistics.fmean(hits))
    store.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="The kinds of index at size.")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--kinds", nargs="+", choices=kinds.KINDS, default=kinds.KINDS)
    parser.add_argument("--one", nargs=2, metavar=("STORE", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(Path(options.one[0]), options.one[1])))
        return
    heads = ["vectors", "index", "made, s", "of processors, s", "read, s", "bytes a vector"]
    for what in ("all", *(f"{part:.0%} allowed" for part in ALLOWED)):
        heads += [f"{what}: ms", "recall@10"]
    table = Table(*heads)
    with tempfile.TemporaryDirectory() as scratch:
        for count in options.counts:
            path = Path(scratch) / f"{count}.kb"
            truth(path, count, options.width)
            for kind in options.kinds:
                command = [sys.executable, __file__, "--one", str(path), kind]
                ran = subprocess.run(command, check=True, capture_output=True, text=True)
                seen = json.loads(ran.stdout)
                auto = " (chosen)" if kinds.chosen(count, options.width) == kind else ""
                row = [
                    f"{count:,} x {options.width}",
                    kind + auto,
                    f"{seen['made']:.1f}",
                    f"{seen['worked']:.1f}",
                    f"{seen['read']:.2f}",
                ]
                row.append(f"{seen['memory']:.0f}")
                for name in ("all", *map(str, ALLOWED)):
                    row += [f"{seen[name][0]:.2f}", f"{seen[name][1]:.3f}"]
                print(*row, sep="  ", file=sys.stderr, flush=True)
                table.add_row(*row)
            path.unlink()
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
