"""What the tests of the knowledge base share: documents of their own, and an embedder that tells what it was given."""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np


class Told:
    """Vectors made of the texts' hashes. What it is given it keeps in `texts`, and writes into a file if there is one;
    it gives out for ever after `left` texts, unless that is None."""

    strength = across = 0.1

    def __init__(self, name: str = "told", *, batch: int = 8, log: Path | None = None, left: int | None = None) -> None:
        self.name = name
        self.batch = batch
        self.left = left
        self.texts: list[str] = []
        self._log = None if log is None else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def embed(self, texts: Sequence[str]) -> Any:
        if self.left is not None:
            if self.left < len(texts):
                raise OSError("the embedder died")
            self.left -= len(texts)
        self.texts += texts
        if self._log is not None:
            os.write(self._log, "".join(f"{mark(text)}\n" for text in texts).encode())
        width = 24 if self.name == "wide" else 16
        rows = np.array([np.random.default_rng(int(mark(text), 16)).normal(size=width) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def mark(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def page(number: int, turn: int = 0) -> str:
    """A file of one passage, which changes with `turn`."""
    return f"# Page {number}\n\nIt tells of copper, harbour {number * 7} and winter {turn}.\n"


def chapter(number: int, word: str = "copper") -> str:
    """A file of three passages; `word` stands in the second."""
    filling = " ".join(f"Ledger {number} has an entry of {n} barrels." for n in range(35))
    return "".join(f"## Part {n}\n\n{word if n == 1 else 'timber'} {n}. {filling}\n\n" for n in range(3))


def pages(folder: Path, count: int, made: Callable[[int], str] = page, name: str = "page-{}.md") -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / name.format(number)).write_text(made(number))
    return folder


def lengths(texts: list[str]) -> list[Any]:
    return [[1.0, len(one), 2.0] for one in texts]


class Endpoint:
    """A real server of `/embeddings` on this machine: it keeps what it is sent, and from request `stuck` on it answers
    no more until it is `released`. `is_stuck` when `held` of them wait. `gives` makes the vectors of the texts;
    `places` are those that it says they have. What it `refuses`, with a status and a body, is kept apart."""

    def __init__(
        self,
        stuck: int = 10**9,
        held: int = 1,
        gives: Callable[[list[str]], list[Any]] = lengths,
        places: Sequence[Any] = (),
        refuses: Callable[[list[str]], tuple[int, Any] | None] = lambda _: None,
    ) -> None:
        self.gives = gives
        self.refused: list[list[str]] = []
        self.sent: list[list[str]] = []
        self.bodies: list[dict[str, Any]] = []  # of all requests, without their texts
        self.most = 0  # requests that were on their way at once
        self.is_stuck = threading.Event()
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._now = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                texts = body["input"]
                outer.bodies.append({key: value for key, value in body.items() if key != "input"})
                if refusal := refuses(texts):
                    with outer._lock:
                        outer.refused.append(texts)
                    self._answer(*refusal)
                    return
                with outer._lock:
                    outer.sent.append(texts)
                    outer._now += 1
                    outer.most = max(outer.most, outer._now)
                    waits = len(outer.sent) - stuck + 1
                if waits >= held:
                    outer.is_stuck.set()
                if waits > 0:
                    outer._released.wait(30)
                rows = [
                    {"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(outer.gives(texts))
                ]
                for row, place in zip(rows, places, strict=False):
                    row["index"] = place
                usage = {"prompt_tokens": 1, "total_tokens": 1}
                self._answer(200, {"object": "list", "data": rows, "model": "m", "usage": usage})
                with outer._lock:
                    outer._now -= 1

            def _answer(self, status: int, what: Any) -> None:
                body = json.dumps(what).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def release(self) -> None:
        self._released.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
