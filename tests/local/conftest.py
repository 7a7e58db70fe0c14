"""A hub and its store on the loopback, that speak as the Hugging Face hub does, and go wrong as asked."""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NAME = "hf:owner/repo/small.gguf"
HOME = "models/hf/owner/repo/small.gguf"


def gguf(size: int, salt: bytes = b"") -> bytes:
    """Bytes that are all different from each other, so that any mistake in joining them is seen."""
    blocks = (hashlib.sha256(b"%d%b" % (n, salt)).digest() for n in range(size // 32 + 1))
    return (b"GGUF" + b"".join(blocks))[:size]


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    port: int
    headers: Mapping[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


@dataclass
class Hub:
    """The hub redirects to a store of another port. `size` and `sha256` are what the hub says of the file, when
    that is not the truth; "" says nothing. `breaks` are after how many bytes the next answers break off;
    `hold` keeps an answer back in its middle. `linked=False` is a server that gives the file itself, with an `ETag`."""

    content: bytes = field(default_factory=lambda: gguf(1_000_000))
    size: str | None = None
    sha256: str | None = None
    breaks: list[int] = field(default_factory=list)
    hold: threading.Event | None = None
    status: int = 200
    get_status: list[int] = field(default_factory=list)
    location: str | None = None
    ranges: bool = True
    linked: bool = True
    chunked: bool = False
    length: int | None = None
    seen: list[Seen] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    store: str = ""

    @property
    def gets(self) -> list[Seen]:
        return [one for one in self.seen if one.method == "GET"]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a knob each
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

        def do_HEAD(self) -> None:
            self._note()
            if hub.status != 200:
                self._empty(hub.status)
            elif self.path != "/owner/repo/resolve/main/small.gguf":
                self._empty(404)
            elif hub.linked or hub.location:
                said = {"Location": hub.location or f"{hub.store}/blob"}
                if hub.linked:
                    said["X-Linked-Size"] = str(len(hub.content)) if hub.size is None else hub.size
                    said["X-Linked-Etag"] = f'"{hub.digest}"' if hub.sha256 is None else hub.sha256
                self._empty(302, {name: value for name, value in said.items() if value})
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(hub.content)))
                self.send_header("ETag", self._tag())
                self.end_headers()

        def do_GET(self) -> None:
            self._note()
            if hub.get_status:
                self._empty(hub.get_status.pop(0))
                return
            start = self._start()
            if start > len(hub.content) or (start and start == len(hub.content)):
                self._empty(416, {"Content-Range": f"bytes */{len(hub.content)}"})
                return
            body = hub.content[start:]
            self.send_response(206 if start else 200)
            if start:
                end = len(hub.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            self.send_header("ETag", self._tag())
            self.send_header("Last-Modified", formatdate(0, usegmt=True))
            if not hub.chunked:
                self.send_header("Content-Length", str(len(body) if hub.length is None else hub.length))
            self.send_header("Connection", "close")
            self.end_headers()
            self._send(body)
            self.close_connection = True

        def _send(self, body: bytes) -> None:
            if hub.breaks:
                self.wfile.write(body[: hub.breaks.pop(0)])
                return
            if hub.hold is not None:
                half = len(body) // 2
                self.wfile.write(body[:half])
                self.wfile.flush()
                hub.held.set()
                hub.hold.wait(30)
                body = body[half:]
            self.wfile.write(body)

        def _start(self) -> int:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            condition = self.headers.get("If-Range")
            if not wanted or not hub.ranges or (condition and condition != self._tag()):
                return 0
            return int(wanted[1])

        def _tag(self) -> str:
            return f'"{hashlib.md5(hub.content).hexdigest()}"'

        def _note(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            hub.seen.append(Seen(self.command, self.path, self.server.server_port, headers))  # type: ignore[attr-defined]

        def _empty(self, status: int, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some of the tests are about."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub()
    servers = [Quiet(("127.0.0.1", 0), handler(made)) for _ in range(2)]
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    made.url, made.store = (f"http://127.0.0.1:{one.server_port}" for one in servers)
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    if made.hold is not None:
        made.hold.set()
    for one, thread in zip(servers, threads, strict=True):
        one.shutdown()
        thread.join()
        one.server_close()


# What the child process imports in these tests. The model file's second line tells it what to do.
STANDIN = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace


class CommonParams(SimpleNamespace):
    def __init__(self):
        super().__init__(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())


llama_pooling_type = SimpleNamespace(LLAMA_POOLING_TYPE_MEAN="mean")


def get_device_info():
    return [{"type": "CPU"}]


class Server:
    def __init__(self, params):
        lines = open(params.model.path, "rb").read().split(b"\\n")
        told = json.loads(lines[1]) if len(lines) > 1 else {}
        os.write(1, b"printed by the library\\n")
        if "fail" in told:
            raise RuntimeError(told["fail"])
        if "exit" in told:
            os._exit(told["exit"])
        window = min(params.n_ctx // params.n_parallel, told.get("trained", 10**9))
        key = f"Bearer {params.api_keys[0]}"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                said = {"default_generation_settings": {"n_ctx": window}, "threads": params.cpuparams.n_threads}
                self.answer({**said, "slots": params.n_parallel, "ui": params.ui, "pid": os.getpid()})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "tokenize" in self.path:
                    return self.answer({"tokens": body["content"].split()})
                if "embeddings" in self.path:
                    return self.embed(body["input"])
                message = {"role": "assistant", "content": "An answer of " + body["model"] + "."}
                usage = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                shell = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
                self.answer({**shell, "choices": [choice], "usage": usage})

            def embed(self, texts):
                longest = max(len(text.split()) for text in texts)
                if not params.embedding or (told.get("chat") and getattr(params, "pooling_type", "") != "mean"):
                    return self.answer({"error": {"message": "Pooling type 'none'"}}, 400)
                if longest > min(window, params.n_ubatch):
                    return self.answer({"error": {"message": f"input ({longest} tokens) is too large"}}, 500)
                rows = [[text.lower().count(one) + 0.1 for one in told.get("letters", "abcde")] for text in texts]
                data = [{"index": n, "embedding": row} for n, row in enumerate(rows)]
                self.answer({"data": data, "usage": {"prompt_tokens": longest, "total_tokens": longest}})

            def answer(self, said, status=200):
                allowed = self.headers.get("Authorization") == key
                content = json.dumps(said if allowed else {"error": {"message": "no key"}}).encode()
                self.send_response(status if allowed else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        (host,) = params.hostnames
        server = ThreadingHTTPServer((host, params.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = "http://%s:%d" % server.server_address
"""


@pytest.fixture(autouse=True)
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, but for the model: these tests need neither the library nor weights."""
    folder = tmp_path / "extra"
    folder.mkdir()
    (folder / "xllamacpp.py").write_text(STANDIN)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
