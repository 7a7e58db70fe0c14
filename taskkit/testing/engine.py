"""An engine whose calls are answered by a script, without sockets."""

from typing import Any

from taskkit.engine.call import Call, Embedded, Reply
from taskkit.engine.engine import Engine
from taskkit.engine.failures import failure
from taskkit.engine.pace import Transient
from taskkit.engine.wire import OnText, message_body
from taskkit.errors import EndpointError
from taskkit.results import Usage
from taskkit.testing.script import Drop, Fail, Replies, Say, Script, tokens


class ScriptedTransport:
    """`bodies` are the requests as an endpoint would have got them."""

    def __init__(self, replies: Replies = "An answer.") -> None:
        self.bodies: list[dict[str, Any]] = []
        self._script = Script(replies)

    async def chat(self, call: Call, on_text: OnText | None) -> Reply:
        body = body_of(call)
        self.bodies.append(body)
        reply = self._script.reply(body)
        if isinstance(reply, Fail):
            import json

            content = json.dumps(reply.body).encode()
            raise failure(reply.status, reply.headers, content, where="scripted", key="", model=call.model)
        if not isinstance(reply, Say):
            raise Transient(EndpointError("The connection broke."), billed=not isinstance(reply, Drop))
        if on_text is not None and not reply.refusal:
            for at in range(0, len(reply.text), reply.chunk):
                on_text(reply.text[at : at + reply.chunk])
        given = sum(tokens(one.content) for one in call.messages)
        finish = {"length": "length", "content_filter": "filtered"}.get(reply.finish, "stop")
        usage = Usage(calls=1, input_tokens=given, output_tokens=tokens(reply.text))
        return Reply(reply.text, "refused" if reply.refusal else finish, usage, call.model)  # type: ignore[arg-type]

    async def embed(self, model: str, texts: tuple[str, ...], dimensions: int | None = None) -> Embedded:
        from taskkit.testing.server import _embedded

        rows = _embedded({"model": model, "input": list(texts), "dimensions": dimensions}, tokens)
        vectors = tuple(tuple(row["embedding"]) for row in rows["data"])
        return Embedded(vectors, Usage(calls=1, input_tokens=rows["usage"]["prompt_tokens"]))

    async def moderate(self, what: str, *, image: bool = False) -> tuple[str, ...]:  # noqa: ARG002 - as above
        return ()

    async def close(self) -> None:
        pass


def body_of(call: Call) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": call.model,
        "messages": [message_body(one) for one in call.messages],
        "temperature": call.temperature,
        "max_tokens": call.max_output,
    }
    if call.schema is not None and call.rung == "strict":
        wanted = {"name": call.schema_name, "strict": True, "schema": dict(call.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    elif call.schema is not None and call.rung == "object":
        body["response_format"] = {"type": "json_object"}
    return body


def scripted(replies: Replies = "An answer.", **options: Any) -> Engine:
    """An engine over a script; `options` are those of `Engine`. No journal unless one is asked for."""
    options.setdefault("journal", False)
    options.setdefault("model", "gpt-4o-mini")
    return Engine(transport=ScriptedTransport(replies), **options)
