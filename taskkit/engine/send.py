"""What is sent to an endpoint, and what its answers say.

The body and the answer are read here, as JSON: the SDK's models and its stream parser are most of the time that a
call takes (its client is used, see `connection`). Nothing that an endpoint says is relied upon."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from taskkit.engine import sse
from taskkit.engine.call import Call, Embedded, Finish, Reply
from taskkit.engine.connection import Answer, Connection, Told, reading
from taskkit.engine.failures import LOOKED_AT, failure, masked, told_failure
from taskkit.engine.learn import Learned
from taskkit.engine.pace import TRIES, Transient
from taskkit.engine.schema import UnsupportedParameter
from taskkit.engine.tally import borne_out
from taskkit.engine.wire import (
    Heard,
    OnText,
    encoded,
    finish_of,
    message_body,
    said,
    usage_of,
    whole_characters,
    window_of,
)
from taskkit.errors import ContextTooLong, EndpointError, TaskkitError
from taskkit.models import Model, lookup
from taskkit.results import Usage

T = TypeVar("T")

LEAST_WINDOW = 256  # tokens that a model which chats has; a refusal that seems to name fewer was read amiss
LISTING = 15.0  # seconds that the list of models may take; it is not worth a longer wait
MODERATION = "omni-moderation-latest"
LEAST_BYTES = 2_000_000  # that any answer may have,
WHOLE_BYTES = 256  # on top for each token that it may have,
STREAM_BYTES = 2_048  # for each of a stream, which may come alone, with all that is said around it,
VECTOR_BYTES = 256_000  # and for each vector
CHARACTERS = 16  # that the text of a stream may have for each token, where the endpoint heeds no limit,
LEAST_CHARACTERS = 50_000  # and on top


class Transport(Protocol):
    """The one seam to the network; `taskkit.testing` has a scripted one."""

    async def chat(self, call: Call, on_text: OnText | None, /) -> Reply: ...

    async def embed(self, model: str, texts: tuple[str, ...], /, dimensions: int | None = None) -> Embedded: ...

    async def moderate(self, what: str, /, *, image: bool = False) -> tuple[str, ...]: ...

    async def close(self) -> None: ...


class OpenAITransport:
    """One endpoint, one client, its connections kept. `told` is given the limits that the headers of each answer
    name."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        organization: str = "",
        timeout: float,
        learned: Learned,
        told: Told,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._key = api_key
        self._learned = learned
        self._line = Connection(base_url, api_key, organization=organization, timeout=timeout, told=told)
        self._served: tuple[str, ...] | None = None
        self._models: dict[str, Model] = {}

    async def chat(self, call: Call, on_text: OnText | None) -> Reply:
        """What the endpoint refuses of a call is left out from then on, and the call made again."""
        while True:
            body = self._body(call, streamed=on_text is not None)
            if call.max_output is not None and self._learned.takes_no_limit(self.base_url, call.model):
                error = EndpointError(f"{self.base_url} takes no limit of the answer's length.")
                raise Transient(error, after=0.0)  # more has to be reserved for it
            try:
                return await self._chat(body, call, on_text)
            except UnsupportedParameter as refused:
                if not self._learned.drop(self.base_url, call.model, refused.parameter, body):
                    raise

    async def _chat(self, body: dict[str, Any], call: Call, on_text: OnText | None) -> Reply:
        if on_text is not None:
            return await self._stream(body, call, on_text)
        most = LEAST_BYTES + WHOLE_BYTES * self._room(body, call)
        return await self._asked("/chat/completions", body, lambda data: self._reply(data, call), most)

    def _room(self, body: Mapping[str, Any], call: Call) -> int:
        """The tokens that an answer may have: what was asked for, else what the model can write."""
        return int(body.get("max_tokens") or body.get("max_completion_tokens") or self._model(call.model).max_output)

    def _reply(self, data: Mapping[str, Any], call: Call) -> Reply:
        if not data.get("choices"):
            raise ValueError("no choices in it")
        choice = data["choices"][0]
        message = choice["message"]
        text, refusal = said(message.get("content")), said(message.get("refusal"))
        finish = "refused" if refusal else finish_of(choice.get("finish_reason"))
        return self._told(call, refusal or text, finish, usage_of(data), str(data.get("model") or call.model))

    def _told(self, call: Call, text: str, finish: Finish, usage: Usage, model: str) -> Reply:
        if masked(model, self._key) != model:  # no name, and it would be kept
            model = call.model
        sent = [one.content for one in call.messages]
        usage, is_told = borne_out(usage, sent, text, self._model(call.model))
        return Reply(text, finish, usage, model, is_told=is_told)

    async def _stream(self, body: dict[str, Any], call: Call, on_text: OnText) -> Reply:
        room = self._room(body, call)
        heard = Heard(call.model)
        async with self._line.answer("/chat/completions", encoded(body), LEAST_BYTES + STREAM_BYTES * room) as answer:
            if answer.status >= 400 or "event-stream" not in answer.headers.get("content-type", "event-stream"):
                reply = self._read(answer, await answer.whole(), body, lambda data: self._reply(data, call))
                if reply.text and reply.finish != "refused":
                    on_text(reply.text)
                return reply
            await self._hear(answer, heard, on_text, LEAST_CHARACTERS + CHARACTERS * room)
        if not heard.finish:
            raise Transient(EndpointError(f"The stream of {self.base_url} broke off."), billed=True)
        with reading(self.base_url, self._key):
            finish = finish_of(heard.finish)
        text = whole_characters("".join(heard.pieces))
        if heard.refusal:
            return self._told(call, heard.refusal, "refused", heard.usage, heard.model)
        return self._told(call, text, finish, heard.usage, heard.model)

    async def _hear(self, answer: Answer, heard: Heard, on_text: OnText, most: int) -> None:
        """A text that grows past `most` characters is one that was cut: the endpoint heeds no limit."""
        chunks = sse.chunks(answer.pieces())
        while heard.size <= most:
            with reading(self.base_url, self._key):
                chunk = await anext(chunks, None)
                if chunk is None:
                    return
                if found := told_failure(
                    chunk, where=self.base_url, key=self._key, model=masked(heard.model, self._key)
                ):
                    if isinstance(found, Transient):
                        found.billed, found.tries = True, TRIES
                    raise found
                text, says_something = heard.take(chunk)
            if says_something:
                answer.said_something()
            if text:
                on_text(text)
        heard.finish = "length"

    async def embed(self, model: str, texts: tuple[str, ...], dimensions: int | None = None) -> Embedded:
        def read(data: Mapping[str, Any]) -> Embedded:
            found = {row["index"]: tuple(row["embedding"]) for row in data["data"]}
            if len(data["data"]) != len(texts) or found.keys() != set(range(len(texts))):
                raise ValueError(f"{len(found)} vectors for {len(texts)} texts")
            vectors = tuple(found[number] for number in range(len(texts)))
            return Embedded(vectors, *borne_out(usage_of(data), texts, "", self._model(model)))

        body: dict[str, Any] = {"model": model, "input": list(texts), "encoding_format": "float"}
        if dimensions is not None:
            body["dimensions"] = dimensions
        return await self._asked("/embeddings", body, read, LEAST_BYTES + VECTOR_BYTES * len(texts))

    async def moderate(self, what: str, *, image: bool = False) -> tuple[str, ...]:
        """The names of the categories that are flagged in a text, or in an image by its URL."""

        def read(data: Mapping[str, Any]) -> tuple[str, ...]:
            if not data.get("results"):
                raise ValueError("no results in it")
            rows = [row["categories"].items() for row in data["results"] if row["flagged"]]
            return tuple(sorted({str(name) for row in rows for name, yes in row if yes}))

        part: Any = [{"type": "image_url", "image_url": {"url": what}}] if image else what
        return await self._asked("/moderations", {"model": MODERATION, "input": part}, read, LEAST_BYTES)

    async def served(self) -> tuple[str, ...]:
        """The names of the models that the endpoint lists; none when it does not tell. The windows that it tells of
        are learned."""
        if self._served is None:
            self._served = ()
            with contextlib.suppress(TaskkitError, Transient, TimeoutError):
                async with asyncio.timeout(LISTING):
                    self._served = await self._asked("/models", None, self._listed, LEAST_BYTES)
        return self._served

    def _listed(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        rows = [row for row in data.get("data") or () if row.get("id")]
        for row in rows:
            self._learned.window(self.base_url, str(row["id"]), window_of(row))
        return tuple(str(row["id"]) for row in rows)

    async def _asked(
        self, path: str, body: dict[str, Any] | None, read: Callable[[Mapping[str, Any]], T], most: int
    ) -> T:
        async with self._line.answer(path, None if body is None else encoded(body), most) as answer:
            content = await answer.whole()
        return self._read(answer, content, body, read)

    def _read(
        self, answer: Answer, content: bytes, body: Mapping[str, Any] | None, read: Callable[[Mapping[str, Any]], T]
    ) -> T:
        """What `read` makes of the answer's JSON; a refusal as the error that it is."""
        body = body or {}
        model = str(body.get("model", ""))
        where, key, sent = self.base_url, self._key, body.keys()
        with reading(self.base_url, self._key):
            data: Mapping[str, Any] = _object(content) if answer.status < 400 else {}
            found: Exception | None
            if answer.status >= 400:
                found = failure(answer.status, answer.headers, content, where=where, key=key, model=model, sent=sent)
            else:
                found = told_failure(data, answer.headers, where=where, key=key, model=model, sent=sent)
            if found is None:
                return read(data)
            least = LEAST_WINDOW if "messages" in body else 1
            if isinstance(found, ContextTooLong) and found.context >= least:
                self._learned.window(self.base_url, model, found.context)
            raise found

    def _model(self, name: str) -> Model:
        return self._models.get(name) or self._models.setdefault(name, lookup(name))

    def _body(self, call: Call, *, streamed: bool) -> dict[str, Any]:
        model = self._model(call.model)
        body: dict[str, Any] = {
            "model": call.model,
            "messages": [message_body(one) for one in call.messages],
        }
        if call.temperature is not None and model.temperature:
            body["temperature"] = call.temperature
        if call.max_output is not None:
            body[model.output] = call.max_output
        if call.stop:
            body["stop"] = list(call.stop)
        if call.schema is not None and call.rung == "strict":
            wanted = {"name": call.schema_name, "strict": True, "schema": call.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        elif call.schema is not None and call.rung == "object":
            body["response_format"] = {"type": "json_object"}
        if streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return self._learned.applied(self.base_url, call.model, body)

    async def close(self) -> None:
        await self._line.close()


def _object(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({content[:LOOKED_AT]!r})") from error
    if not isinstance(data, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of what was read, not of how we are called
    return data
