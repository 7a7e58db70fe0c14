"""The OpenAI SDK, and the only place that knows it.

The SDK's client gives what it is good for: the address, keys, organisation, headers, timeouts and its own fast
transport. The body and the answer are read here, as JSON: its models and its stream parser are most of the time
that a call takes. Every failure becomes one of our errors, or a `Transient` that another try may mend."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from taskkit.engine import sse
from taskkit.engine.call import Call, Embedded, Reply
from taskkit.engine.failures import failure
from taskkit.engine.learn import Learned
from taskkit.engine.pace import Transient
from taskkit.engine.schema import UnsupportedParameter
from taskkit.engine.wire import (
    Heard,
    OnText,
    duration,
    encoded,
    finish_of,
    message_body,
    said,
    short,
    usage_of,
    whole_characters,
)
from taskkit.errors import ConfigurationError, ContextTooLong, EndpointError, TaskkitError
from taskkit.models import Model, lookup
from taskkit.results import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Told = Callable[..., None]  # Pace.told

MODERATION = "omni-moderation-latest"
NONSENSE_TRIES = 3  # of what is no answer: another address than that of an endpoint gives it for ever


class Transport(Protocol):
    """The one seam to the network; `taskkit.testing` has a scripted one."""

    async def chat(self, call: Call, on_text: OnText | None, /) -> Reply: ...

    async def embed(self, model: str, texts: tuple[str, ...], /) -> Embedded: ...

    async def moderate(self, what: str, /, *, image: bool = False) -> tuple[str, ...]: ...

    async def close(self) -> None: ...


class OpenAITransport:
    """One endpoint, one client, its connections kept. `told` is given the headers of each answer."""

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
        self._organization = organization
        self._timeout = timeout
        self._learned = learned
        self._told = told
        self._client: AsyncOpenAI | None = None
        self._served: tuple[str, ...] | None = None
        self._http: Any = None
        self._urls: dict[str, Any] = {}
        self._models: dict[str, Model] = {}

    def _open(self) -> Any:
        if self._http is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

            timeout = Timeout(self._timeout, connect=min(15.0, self._timeout))
            self._http = DefaultAioHttpClient(timeout=timeout)
            self._client = AsyncOpenAI(
                api_key=self._key,
                base_url=self.base_url,
                organization=self._organization or None,
                http_client=self._http,
                max_retries=0,
            )
            client = self._client
            headers = {**client.default_headers, **client.auth_headers, "Content-Type": "application/json"}
            self._http.headers.update(  # on the client: they are laid together once, not for each call
                {
                    name: value
                    for name, value in headers.items()
                    if isinstance(value, str) and not name.lower().startswith("x-stainless-")
                }
            )
        return self._http

    def _url(self, path: str) -> Any:
        """Of the class that the client has; to parse one is a tenth of a call's time."""
        if path not in self._urls:
            self._urls[path] = type(self._http.base_url)(self.base_url + path)
        return self._urls[path]

    async def chat(self, call: Call, on_text: OnText | None) -> Reply:
        body = self._body(call)
        try:
            return await self._chat(body, call, on_text)
        except UnsupportedParameter as refused:
            if not self._learned.drop(self.base_url, call.model, refused.parameter, body):
                raise
        return await self._chat(self._body(call), call, on_text)

    async def _chat(self, body: dict[str, Any], call: Call, on_text: OnText | None) -> Reply:
        if on_text is not None:
            return await self._stream(body, call, on_text)
        return self._reply(await self._post("/chat/completions", body), call)

    def _reply(self, data: Mapping[str, Any], call: Call) -> Reply:
        try:
            choice = data["choices"][0]
            message = choice["message"]
            text, refusal = said(message.get("content")), said(message.get("refusal"))
            finish = choice.get("finish_reason")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise self._nonsense(f"no choices in it ({error!r})") from error
        return Reply(
            refusal or text,
            "refused" if refusal else finish_of(finish),
            usage_of(data),
            str(data.get("model") or call.model),
        )

    async def _stream(self, body: dict[str, Any], call: Call, on_text: OnText) -> Reply:
        body = {**body, "stream": True}
        if not self._learned.is_dropped(self.base_url, call.model, "stream_options"):
            body["stream_options"] = {"include_usage": True}
        heard = Heard(call.model, on_text)
        async with self._answer("/chat/completions", body) as response:
            if "event-stream" not in response.headers.get("content-type", "event-stream"):
                return await self._unstreamed(response, call, on_text)
            try:
                async for chunk in sse.chunks(response.aiter_bytes()):
                    heard.take(chunk)
            except (ValueError, AttributeError, TypeError) as error:
                raise self._nonsense(f"a stream of {error}", billed=True) from error
        if not heard.finish:
            raise Transient(EndpointError(f"The stream of {self.base_url} broke off."), billed=True)
        text = whole_characters("".join(heard.pieces))
        usage = heard.usage if heard.usage.input_tokens else self._estimated(call, text)
        if heard.refusal:
            return Reply(heard.refusal, "refused", usage, heard.model)
        return Reply(text, finish_of(heard.finish), usage, heard.model)

    async def _unstreamed(self, response: Any, call: Call, on_text: OnText) -> Reply:
        """A server that answers a wish for a stream with one whole answer."""
        reply = self._reply(self._json(await response.aread()), call)
        if reply.text and reply.finish != "refused":
            on_text(reply.text)
        return reply

    def _estimated(self, call: Call, text: str) -> Usage:
        """The usage of a stream whose server does not tell it."""
        from taskkit.tokens import count_messages, counter_for

        counter = counter_for(call.model)
        return Usage(calls=1, input_tokens=count_messages(call.messages, counter), output_tokens=counter.count(text))

    async def embed(self, model: str, texts: tuple[str, ...]) -> Embedded:
        data = await self._post("/embeddings", {"model": model, "input": list(texts), "encoding_format": "float"})
        try:
            rows = sorted(data["data"], key=lambda row: row["index"])
            vectors = tuple(tuple(row["embedding"]) for row in rows)
            places = [row["index"] for row in rows]
        except (KeyError, TypeError) as error:
            raise self._nonsense("no vectors in it") from error
        if places != [*range(len(texts))]:
            raise self._nonsense(f"{len(set(places))} vectors for {len(texts)} texts")
        return Embedded(vectors, usage_of(data))

    async def moderate(self, what: str, *, image: bool = False) -> tuple[str, ...]:
        """The names of the categories that are flagged in a text, or in an image by its URL."""
        part: Any = [{"type": "image_url", "image_url": {"url": what}}] if image else what
        data = await self._post("/moderations", {"model": MODERATION, "input": part})
        try:
            rows = [row["categories"].items() for row in data["results"] if row["flagged"]]
            return tuple(sorted({name for row in rows for name, yes in row if yes}))
        except (KeyError, TypeError, AttributeError) as error:
            raise self._nonsense("no categories in it") from error

    async def served(self) -> tuple[str, ...]:
        """The names of the models that the endpoint lists; none when it does not tell."""
        if self._served is None:
            self._served = ()
            with contextlib.suppress(TaskkitError, Transient, TypeError, AttributeError):
                async with self._answer("/models", None) as response:
                    data = self._json(await response.aread())
                self._served = tuple(str(row["id"]) for row in data.get("data") or () if row.get("id"))
        return self._served

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        http = self._open()
        response: Any = None
        try:
            response = await http.post(self._url(path), content=encoded(body))
        except Exception as error:
            raise self._broken(error, answered=False) from error
        self._tell(response.headers)
        if response.status_code >= 400:
            raise self._refusal(response, response.content, body)
        return self._json(response.content)

    def _refusal(self, response: Any, content: bytes, body: Mapping[str, Any] | None) -> Exception:
        found = failure(
            response.status_code, response.headers, content, where=self.base_url, key=self._key,
            model=str((body or {}).get("model", "")),
        )  # fmt: skip
        if isinstance(found, ContextTooLong) and found.context:
            self._learned.window(self.base_url, str((body or {}).get("model", "")), found.context)
        return found

    @contextlib.asynccontextmanager
    async def _answer(self, path: str, body: dict[str, Any] | None) -> AsyncIterator[Any]:
        """The response, its status checked. Failures on the way, also while it is read, become ours."""
        http = self._open()
        content = None if body is None else encoded(body)
        method = "GET" if body is None else "POST"
        response: Any = None
        try:
            request = http.build_request(method, self._url(path), content=content)
            response = await http.send(request, stream=True)
            self._tell(response.headers)
            if response.status_code >= 400:
                raise self._refusal(response, await response.aread(), body)
            yield response
        except (TaskkitError, Transient):
            raise
        except Exception as error:
            raise self._broken(error, answered=response is not None) from error
        finally:
            if response is not None:
                await response.aclose()

    def _tell(self, headers: Mapping[str, str]) -> None:
        """`x-ratelimit-*`, where an endpoint sends them."""
        for kind in ("requests", "tokens"):
            if (limit := headers.get(f"x-ratelimit-limit-{kind}")) is None:
                continue
            with contextlib.suppress(ValueError, TypeError):
                remaining = float(headers.get(f"x-ratelimit-remaining-{kind}", limit))
                reset = duration(headers.get(f"x-ratelimit-reset-{kind}", "60s"))
                self._told(kind, limit=float(limit), remaining=remaining, reset=reset)

    def _broken(self, error: Exception, *, answered: bool) -> Exception:
        names = {cls.__name__ for cls in type(error).__mro__}
        if "UnsupportedProtocol" in names or "InvalidURL" in names:
            return ConfigurationError(f"{self.base_url} is no usable address: {error}.")
        if "TimeoutException" in names and "ConnectTimeout" not in names:
            return Transient(
                EndpointError(f"{self.base_url} did not answer in {self._timeout:g} seconds."), billed=True
            )
        if {"ConnectError", "ConnectTimeout"} & names:  # a refused connection comes as either
            return Transient(
                EndpointError(
                    f"{self.base_url} can not be reached ({short(error)}).",
                    hint="Is it running, and is the address (--base-url) right?",
                ),
                tries=4,
            )
        if {"TransportError", "OSError", "StreamError"} & names:
            return Transient(
                EndpointError(f"The connection to {self.base_url} broke ({short(error)})."), billed=answered
            )
        return error

    def _body(self, call: Call) -> dict[str, Any]:
        model = self._models.get(call.model) or self._models.setdefault(call.model, lookup(call.model))
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
        return self._learned.applied(self.base_url, call.model, body)

    def _json(self, content: bytes) -> dict[str, Any]:
        try:
            data = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._nonsense(f"no JSON ({content[:60]!r})", billed=True) from error
        if not isinstance(data, dict):
            raise self._nonsense("no JSON object", billed=True)
        return data

    def _nonsense(self, why: str, *, billed: bool = False) -> Transient:
        error = EndpointError(
            f"{self.base_url} sent an answer that is none: {why[:200]}.",
            hint="Is it an OpenAI-compatible endpoint (…/v1)?",
        )
        return Transient(error, billed=billed, tries=NONSENSE_TRIES)

    async def close(self) -> None:
        client, self._client, self._http = self._client, None, None
        if client is not None:
            await client.close()
