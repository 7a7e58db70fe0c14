"""The OpenAI SDK, and the only place that knows it.

The SDK's client gives what it is good for: the address, keys, organisation, headers, timeouts and its own fast
transport. The body and the answer are read here, as JSON: its models and its stream parser are most of the time
that a call takes. Every failure becomes one of our errors, or a `Transient` that another try may mend."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from taskkit.engine.call import Call, Embedded, Finish, Message, Reply
from taskkit.engine.learn import Learned
from taskkit.engine.pace import Transient
from taskkit.engine.schema import UnsupportedParameter
from taskkit.errors import (
    AuthenticationError,
    ConfigurationError,
    ContextTooLong,
    EndpointError,
    InputError,
    QuotaError,
    RateLimitError,
    TaskkitError,
)
from taskkit.models import lookup
from taskkit.results import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OnText = Callable[[str], None]
Told = Callable[..., None]  # Pace.told

RETRIED = frozenset({408, 409, 429})
FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


class Transport(Protocol):
    """The one seam to the network; `taskkit.testing` has a scripted one."""

    async def chat(self, call: Call, on_text: OnText | None) -> Reply: ...

    async def embed(self, model: str, texts: tuple[str, ...]) -> Embedded: ...

    async def moderate(self, text: str) -> tuple[str, ...]: ...

    async def close(self) -> None: ...


class OpenAITransport:
    """One endpoint, one client, its connections kept. `told` is given the headers of each answer."""

    def __init__(
        self, base_url: str, api_key: str, *, organization: str = "", timeout: float,
        learned: Learned, told: Told,
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
        self._headers: dict[str, str] = {}

    def _open(self) -> Any:
        if self._http is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

            timeout = Timeout(self._timeout, connect=min(15.0, self._timeout))
            self._http = DefaultAioHttpClient(timeout=timeout)
            self._client = AsyncOpenAI(
                api_key=self._key, base_url=self.base_url, organization=self._organization or None,
                http_client=self._http, max_retries=0,
            )
            headers = {**self._client.default_headers, "Content-Type": "application/json"}
            self._headers = {name: value for name, value in headers.items() if isinstance(value, str)}
        return self._http

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
        data = await self._post("/chat/completions", body)
        try:
            choice = data["choices"][0]
            message = choice["message"]
            text, finish = message.get("content") or "", choice.get("finish_reason")
            refusal = message.get("refusal")
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise Transient(self._nonsense(f"no choices in it ({error!r})")) from error
        return Reply(refusal or text, "refused" if refusal else _finish(finish), _usage(data), data.get("model") or call.model)

    async def _stream(self, body: dict[str, Any], call: Call, on_text: OnText) -> Reply:
        body = {**body, "stream": True}
        if not self._learned.is_dropped(self.base_url, call.model, "stream_options"):
            body["stream_options"] = {"include_usage": True}
        pieces: list[str] = []
        finish, refusal, usage, model = "", "", Usage(calls=1), call.model
        async with self._answer("/chat/completions", body) as response:
            if "event-stream" not in response.headers.get("content-type", "event-stream"):
                return await self._unstreamed(response, call, on_text)
            async for chunk in self._chunks(response):
                if chunk.get("usage"):
                    usage = _usage(chunk)
                model = chunk.get("model") or model
                for choice in chunk.get("choices") or ():
                    delta = choice.get("delta") or {}
                    if delta.get("content"):
                        pieces.append(delta["content"])
                        on_text(delta["content"])
                    refusal += delta.get("refusal") or ""
                    finish = choice.get("finish_reason") or finish
        if not finish:
            raise Transient(EndpointError(f"The stream of {self.base_url} broke off."), billed=True)
        text = "".join(pieces)
        if not usage.input_tokens:
            usage = self._estimated(call, text)
        return Reply(refusal or text, "refused" if refusal else _finish(finish), usage, model)

    async def _unstreamed(self, response: Any, call: Call, on_text: OnText) -> Reply:
        """A server that answers a wish for a stream with one whole answer."""
        data = self._json(await response.aread())
        message = data["choices"][0]["message"]
        if message.get("content"):
            on_text(message["content"])
        return Reply(message.get("content") or "", _finish(data["choices"][0].get("finish_reason")), _usage(data), call.model)

    async def _chunks(self, response: Any) -> AsyncIterator[dict[str, Any]]:
        """The JSON of each server-sent event; an `error` in one is a failure of the stream."""
        rest = b""
        async for data in response.aiter_bytes():
            rest += data
            *lines, rest = rest.split(b"\n")
            for line in lines:
                if not line.startswith(b"data:"):
                    continue
                payload = line[5:].strip()
                if payload == b"[DONE]":
                    return
                chunk = self._json(payload)
                if chunk.get("error"):
                    raise Transient(EndpointError(f"The stream failed: {_message(chunk)}"), billed=True)
                yield chunk

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
        except (KeyError, TypeError) as error:
            raise Transient(self._nonsense("no vectors in it")) from error
        if len(vectors) != len(texts):
            raise Transient(self._nonsense(f"{len(vectors)} vectors for {len(texts)} texts"))
        return Embedded(vectors, _usage(data))

    async def moderate(self, text: str) -> tuple[str, ...]:
        """The names of the categories that are flagged."""
        data = await self._post("/moderations", {"model": "omni-moderation-latest", "input": text})
        flagged = [name for row in data["results"] for name, yes in row["categories"].items() if yes and row["flagged"]]
        return tuple(sorted(set(flagged)))

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
        async with self._answer(path, body) as response:
            return self._json(await response.aread())

    @contextlib.asynccontextmanager
    async def _answer(self, path: str, body: dict[str, Any] | None) -> AsyncIterator[Any]:
        """The response, its status checked. Failures on the way, also while it is read, become ours."""
        http = self._open()
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        request = http.build_request("POST" if content else "GET", self.base_url + path, headers=self._headers, content=content)
        response: Any = None
        try:
            response = await http.send(request, stream=True)
            self._tell(response.headers)
            if response.status_code >= 400:
                raise self._failure(response, await response.aread(), str((body or {}).get("model", "")))
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
                reset = _duration(headers.get(f"x-ratelimit-reset-{kind}", "60s"))
                self._told(kind, limit=float(limit), remaining=remaining, reset=reset)

    def _broken(self, error: Exception, *, answered: bool) -> Exception:
        names = {cls.__name__ for cls in type(error).__mro__}
        if "UnsupportedProtocol" in names or "InvalidURL" in names:
            return ConfigurationError(f"{self.base_url} is no usable address: {error}.")
        if "TimeoutException" in names:
            return Transient(EndpointError(f"{self.base_url} did not answer in {self._timeout:g} seconds."), billed=True)
        if "ConnectError" in names:
            return Transient(
                EndpointError(
                    f"{self.base_url} can not be reached ({_short(error)}).",
                    hint="Is it running, and is the address (--base-url) right?",
                )
            )
        if {"TransportError", "OSError", "StreamError"} & names:
            return Transient(EndpointError(f"The connection to {self.base_url} broke ({_short(error)})."), billed=answered)
        return error

    def _failure(self, response: Any, content: bytes, model: str) -> Exception:
        """The error of a status of 400 and more; bodies differ, so none is relied upon."""
        status = int(response.status_code)
        try:
            data = json.loads(content)
        except ValueError:
            data = {}
        message = _message(data) or content[:200].decode("utf-8", "replace").strip() or "no reason given"
        detail = data.get("error") if isinstance(data, dict) else None
        code = str(detail.get("code") or detail.get("type") or "") if isinstance(detail, dict) else ""
        said = f"{self.base_url} says {status}: {message[:300]}"
        if status in {401, 403}:
            return AuthenticationError(
                f"{self.base_url} refuses the key ({status}): {_masked(message, self._key)[:200]}",
                hint="Set OPENAI_API_KEY (or TASKKIT_API_KEY) to a key of this endpoint.",
            )
        if "insufficient_quota" in (code, str((detail or {}).get("type") if isinstance(detail, dict) else "")):
            return QuotaError(f"The account has no credit left: {message[:200]}", status=status, kept="What was finished is kept in the journal.")
        if status == 429:
            return Transient(RateLimitError(said, status=status), after=_retry_after(response.headers))
        if status in RETRIED or status >= 500:
            return Transient(EndpointError(said, status=status), after=_retry_after(response.headers))
        if status == 404:
            return ConfigurationError(
                f"{self.base_url} does not know the model {model!r} (404): {message[:200]}",
                hint="See `taskkit doctor` for the names it has; set one with --model.",
            )
        return self._bad_request(said, message, detail if isinstance(detail, dict) else {}, model, status)

    def _bad_request(self, said: str, message: str, detail: Mapping[str, Any], model: str, status: int) -> Exception:
        low = message.lower()
        sizes = _sizes(detail, message)
        if sizes or detail.get("code") == "context_length_exceeded":
            if sizes:
                self._learned.window(self.base_url, model, sizes)
            return ContextTooLong(f"{self.base_url} refused the length: {message[:200]}", part="messages")
        parameter = str(detail.get("param") or "")
        if not parameter and (named := re.search(r"['\"`](\w+)['\"`]", message)):
            parameter = named[1]
        if parameter in KNOWN_PARAMETERS or "response_format" in low or "json_schema" in low:
            return UnsupportedParameter(said, status=status, parameter=parameter.partition(".")[0] or "response_format")
        if "content" in low and ("policy" in low or "filter" in low):
            from taskkit.errors import RefusedError

            return RefusedError(f"The endpoint's content filter refused the request: {message[:200]}", text=message)
        return InputError(said) if status in {400, 413, 422} else EndpointError(said, status=status)

    def _body(self, call: Call) -> dict[str, Any]:
        model = lookup(call.model)
        body: dict[str, Any] = {"model": call.model, "messages": [_message_body(one) for one in call.messages]}
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
        except ValueError as error:
            raise Transient(self._nonsense(f"no JSON ({content[:60]!r})"), billed=True) from error
        if not isinstance(data, dict):
            raise Transient(self._nonsense("no JSON object"), billed=True)
        return data

    def _nonsense(self, why: str) -> EndpointError:
        return EndpointError(
            f"{self.base_url} sent an answer that is none: {why}.", hint="Is it an OpenAI-compatible endpoint (…/v1)?"
        )

    async def close(self) -> None:
        client, self._client, self._http = self._client, None, None
        if client is not None:
            await client.close()


KNOWN_PARAMETERS = frozenset(
    {"temperature", "max_tokens", "max_completion_tokens", "response_format", "stream_options", "stop", "seed"}
)


def _message_body(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    images = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
    return {"role": message.role, "content": [{"type": "text", "text": message.content}, *images]}


def _finish(reason: object) -> Finish:
    return FINISH.get(str(reason), "stop")


def _usage(data: Mapping[str, Any]) -> Usage:
    usage = data.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    return Usage.model_construct(
        calls=1,
        input_tokens=usage.get("prompt_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        output_tokens=usage.get("completion_tokens") or 0,
    )


def _message(data: object) -> str:
    """The words of an error body, whichever of the usual shapes it has."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error", data)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or data.get("detail")
    return str(error) if error and not isinstance(error, dict) else ""


def _sizes(detail: Mapping[str, Any], message: str) -> int | None:
    """The context that an error about length reveals, in tokens: OpenAI's, vLLM's and llama.cpp's words."""
    if isinstance(detail.get("n_ctx"), int):
        return int(detail["n_ctx"])
    found = re.search(r"maximum context length (?:is|of) (\d+)", message) or re.search(
        r"context size \((\d+) tokens\)", message
    )
    return int(found[1]) if found else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `Retry-After` (a number or an HTTP date)."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        if "retry-after" not in headers:
            return None
        value = headers["retry-after"]
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
            return float(value)
        from datetime import UTC, datetime
        from email.utils import parsedate_to_datetime

        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _duration(text: str) -> float:
    """Seconds of `1s`, `6m0s`, `120ms`, `1h2m` or a plain number."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", text)
    if not found:
        raise ValueError(text)
    return sum(float(number) * units[unit] for number, unit in found)


def _masked(text: str, key: str) -> str:
    """Some endpoints repeat the key, or a part of it, in their refusal."""
    text = text.replace(key, "…") if key else text
    return re.sub(r"\b(sk-|key-)[\w*-]{6,}", "…", text)


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:120] or type(error).__name__
