"""A real HTTP server on the loopback that speaks OpenAI's protocol and says what a script says.

    with ScriptedServer(["Bonjour"]) as server:
        engine = taskkit.Engine(model="scripted", base_url=server.base_url, api_key="k")

Plain asyncio streams in a thread of its own: sockets, keep-alive, server-sent events and faults are real."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from taskkit.testing.script import (
    Body,
    BreakStream,
    Drop,
    Exhausted,
    Fail,
    Plain,
    Replies,
    Say,
    Script,
    Stall,
    text_of,
    tokens,
)

WIDTH = 64  # of the vectors that /embeddings makes up


@dataclass(frozen=True, slots=True)
class Request:
    """`at` is the time of arrival, in seconds of `time.monotonic()`."""

    path: str
    headers: Mapping[str, str]
    body: Body
    at: float


class ScriptedServer:
    """`replies` as in `Script`. `latency` in seconds comes before every answer; a wrong `api_key` gets a 401, an
    unknown one of `models` a 404, where these are given, by their names or as the list of models tells of them. `max_output` cuts longer answers, `context` refuses longer
    prompts, `max_at_once` answers 429 above it; all in tokens as `count` counts them. `headers` go with every
    answer. `flagged` tells the categories that moderation sees in a text, or in an image by its URL; a `Fail` from it
    is sent instead."""

    def __init__(
        self,
        replies: Replies = "An answer.",
        *,
        latency: float = 0.0,
        api_key: str | None = None,
        models: Sequence[str | Mapping[str, Any]] = (),
        max_output: int | None = None,
        context: int | None = None,
        max_at_once: int | None = None,
        headers: Mapping[str, str] | None = None,
        flagged: Callable[[str], list[str] | Fail] | None = None,
        count: Callable[[str], int] = tokens,
        port: int = 0,
    ) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._script = Script(replies)
        self._latency = latency
        self._api_key = api_key
        rows = [dict(one) if isinstance(one, Mapping) else {"id": one} for one in models]
        self._models = {str(row["id"]): row for row in rows}
        self._max_output = max_output
        self._context = context
        self._max_at_once = max_at_once
        self._headers = dict(headers or {})
        self._flagged = flagged
        self._count = count
        self._at_once = 0
        self._ready = threading.Event()
        self._refused: list[Exception] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, args=(port,), name="taskkit-scripted", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._refused:
            self._thread.join()
            raise self._refused[0]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bodies(self) -> list[Body]:
        """Of the requests for chat completions."""
        return [one.body for one in self.requests if one.path.endswith("/chat/completions")]

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The thread ------------------------------------------------------------------------------------------------

    def _run(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(port))
        finally:
            self._loop.close()

    async def _serve(self, port: int) -> None:
        self._stop = asyncio.Event()
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", port, backlog=1024, limit=2**26)
        except (OSError, OverflowError) as error:  # the port is taken, or no port
            self._refused.append(error)
            self._ready.set()
            return
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection stays open."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        content = await self._content(reader, headers)
        try:
            body = json.loads(content) if content else {}
        except ValueError:
            body = {}
        self.requests.append(Request(path, headers, body, time.monotonic()))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            return await self._answered(method, path.partition("?")[0], headers, body, writer)
        finally:
            self._at_once -= 1

    async def _content(self, reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        parts: list[bytes] = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return b"".join(parts)

    # Answers ---------------------------------------------------------------------------------------------------

    async def _answered(
        self, method: str, path: str, headers: Mapping[str, str], body: Body, writer: asyncio.StreamWriter
    ) -> bool:
        if self._api_key is not None and headers.get("authorization") != f"Bearer {self._api_key}":
            return await self._fail(writer, Fail(401, "Incorrect API key provided.", "invalid_api_key"))
        if method == "GET" and path.endswith("/models"):
            rows = [
                {"object": "model", "owned_by": "scripted", **row}
                for row in self._models.values() or ({"id": "scripted"},)
            ]
            return await self._json(writer, 200, {"object": "list", "data": rows})
        if method == "POST" and path.endswith("/embeddings"):
            return await self._json(writer, 200, _embedded(body, self._count))
        if method == "POST" and path.endswith("/moderations"):
            return await self._moderated(writer, body.get("input", ""))
        if method != "POST" or not path.endswith("/chat/completions"):
            return await self._fail(writer, Fail(404, f"Invalid URL ({method} {path})"))
        if refusal := self._refusal(body):
            return await self._fail(writer, refusal)
        try:
            reply = self._script.reply(body)
        except Exhausted as error:
            return await self._fail(writer, Fail(400, str(error), "script_exhausted"))
        except Exception as error:  # noqa: BLE001 - a function of the script, or what it gave: its writer is to read it
            said = f"The script failed: {type(error).__name__}: {error}"
            return await self._fail(writer, Fail(400, said, "script_failed"))
        return await self._said(writer, body, reply)

    def _refusal(self, body: Body) -> Fail | None:
        if self._models and body.get("model") not in self._models:
            return Fail(404, f"The model `{body.get('model')}` does not exist.", "model_not_found")
        if self._max_at_once is not None and self._at_once > self._max_at_once:
            return Fail(429, "Too many requests at once.", "rate_limit_exceeded")
        used = sum(self._count(text_of(one)) for one in body.get("messages", ()))
        if self._context is not None and used > self._context:
            return Fail(
                400,
                f"This model's maximum context length is {self._context} tokens. However, your messages resulted in "
                f"{used} tokens. Please reduce the length of the messages.",
                "context_length_exceeded",
                param="messages",
            )
        return None

    async def _moderated(self, writer: asyncio.StreamWriter, given: Any) -> bool:
        categories: list[str] = []
        for part in given if isinstance(given, list) else [given]:
            what = part
            if isinstance(part, Mapping):
                what = part["image_url"]["url"] if "image_url" in part else part.get("text", "")
            found = self._flagged(str(what)) if self._flagged else []
            if isinstance(found, Fail):
                return await self._fail(writer, found)
            categories += found
        row = {"flagged": bool(categories), "categories": dict.fromkeys(categories, True)}
        return await self._json(writer, 200, {"results": [row]})

    async def _said(self, writer: asyncio.StreamWriter, body: Body, reply: Plain) -> bool:
        match reply:
            case Fail():
                return await self._fail(writer, reply)
            case Stall():
                await asyncio.sleep(reply.seconds)
                if reply.then is None or callable(reply.then):
                    return False
                return await self._said(writer, body, Script(reply.then).reply(body))
            case Drop():
                if reply.after:
                    whole = _response(200, _json(self._completion(body, Say(reply.text))), self._headers)
                    writer.write(whole[: reply.after])
                    await writer.drain()
                return False
            case BreakStream():
                return await self._broken(writer, body, reply)
            case Say():
                await asyncio.sleep(reply.delay) if reply.delay else None
                said = self._within(reply, body)
                if body.get("stream"):
                    return await self._streamed(writer, body, said)
                return await self._json(writer, 200, self._completion(body, said))

    def _within(self, reply: Say, body: Body) -> Say:
        """Cut at the output limit, the server's or the request's, as a real endpoint does."""
        asked = body.get("max_completion_tokens") or body.get("max_tokens")
        limits = [one for one in (self._max_output, asked if self._max_output is not None else None) if one]
        if not limits or self._count(reply.text) <= min(limits):
            return reply
        text = reply.text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._count(text[:middle]) <= min(limits) else (low, middle - 1)
        return replace(reply, text=text[:low], finish="length")

    def _completion(self, body: Body, reply: Say) -> dict[str, Any]:
        message = {"role": "assistant", "content": None if reply.refusal else reply.text}
        if reply.refusal:
            message["refusal"] = reply.text
        choice = {"index": 0, "message": message, "finish_reason": reply.finish}
        return {**self._shell(body, "chat.completion"), "choices": [choice], "usage": self._usage(body, reply)}

    def _shell(self, body: Body, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body.get("model", "scripted")}

    def _usage(self, body: Body, reply: Say) -> dict[str, Any]:
        if reply.usage is not None:
            return dict(reply.usage)
        given = sum(self._count(text_of(one)) for one in body.get("messages", ()))
        out = self._count(reply.text)
        return {"prompt_tokens": given, "completion_tokens": out, "total_tokens": given + out}

    # Writing ---------------------------------------------------------------------------------------------------

    async def _json(self, writer: asyncio.StreamWriter, status: int, data: object) -> bool:
        writer.write(_response(status, _json(data), self._headers))
        await writer.drain()
        return True

    async def _fail(self, writer: asyncio.StreamWriter, reply: Fail) -> bool:
        writer.write(_response(reply.status, _json(reply.body), {**self._headers, **reply.headers}))
        await writer.drain()
        return True

    async def _streamed(
        self, writer: asyncio.StreamWriter, body: Body, reply: Say, *, broken: str = "", upto: int | None = None
    ) -> bool:
        writer.write(_head(200, {**self._headers, "content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        shell = self._shell(body, "chat.completion.chunk")
        text = reply.text if upto is None else reply.text[:upto]
        key = "refusal" if reply.refusal else "content"
        for at in range(0, len(text), reply.chunk):
            delta = {"role": "assistant", key: text[at : at + reply.chunk]}
            writer.write(_event({**shell, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))
            if reply.pause:
                await writer.drain()
                await asyncio.sleep(reply.pause)
        if broken == "error":
            writer.write(_event({"error": {"message": "The server had an error.", "type": "server_error"}}))
        if broken == "drop":
            await writer.drain()
            return False
        if not broken:
            writer.write(_event({**shell, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]}))
            if (body.get("stream_options") or {}).get("include_usage"):
                writer.write(_event({**shell, "choices": [], "usage": self._usage(body, reply)}))
            writer.write(_chunk(b"data: [DONE]\n\n"))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _broken(self, writer: asyncio.StreamWriter, body: Body, reply: BreakStream) -> bool:
        if body.get("stream"):
            return await self._streamed(writer, body, Say(reply.text), broken=reply.how, upto=reply.after)
        if reply.how == "error":
            return await self._fail(writer, Fail(500, "The server had an error."))
        content = _json(self._completion(body, Say(reply.text)))
        half = content[: len(content) // 2]
        if reply.how == "end":
            writer.write(_response(200, half, self._headers))
            await writer.drain()
            return True
        writer.write(_response(200, content, self._headers)[: -len(half)])
        await writer.drain()
        return False


REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n{lines}\r\n".encode("latin-1", "replace")


def _response(status: int, content: bytes, headers: Mapping[str, str]) -> bytes:
    fields = {**headers, "content-type": "application/json", "content-length": str(len(content))}
    return _head(status, fields) + content


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(data: object) -> bytes:
    return _chunk(b"data: " + _json(data) + b"\n\n")


def _embedded(body: Body, count: Callable[[str], int]) -> dict[str, Any]:
    """Vectors that follow from the texts' words: texts that share words are near each other."""
    texts = body.get("input") or []
    texts = [texts] if isinstance(texts, str) else [str(one) for one in texts]
    rows, width = [], int(body.get("dimensions") or WIDTH)
    for index, text in enumerate(texts):
        vector = [0.0] * width
        for word in text.lower().split() or [""]:
            vector[int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4]) % width] += 1.0
        size = sum(one * one for one in vector) ** 0.5
        rows.append({"object": "embedding", "index": index, "embedding": [one / size for one in vector]})
    used = sum(map(count, texts))
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": rows, "model": body.get("model"), "usage": usage}
