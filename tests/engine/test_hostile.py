"""Endpoints that speak odd, broken or hostile HTTP; keys and addresses that are not what they should be."""

import json
import math
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.engine.pace import LONGEST_LIMIT, Pace
from taskkit.errors import ConfigurationError, EndpointError, RateLimitError, TaskkitError
from taskkit.events import Events
from taskkit.testing import Fail, ScriptedServer
from tests.engine.test_answers import Where
from tests.engine.test_answers import engine as engine_at
from tests.engine.test_whole import Write
from tests.made import Echo

Server = Callable[..., ScriptedServer]
Raw = Callable[..., str]
OK = b'{"choices": [{"message": {"content": "Fine."}, "finish_reason": "stop"}]}'


@pytest.fixture
def raw() -> Iterator[Raw]:
    """An endpoint that answers with these bytes after the head, one after the other; then that all is fine."""
    servers: list[socketserver.ThreadingTCPServer] = []

    def made(*bodies: bytes, kind: str = "application/json", head: bytes = b"HTTP/1.1 200 OK\r\n") -> str:
        left = list(bodies)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                while (line := self.rfile.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.rfile.read(length)
                body, first, said = (
                    (left.pop(0), head, kind) if left else (OK, b"HTTP/1.1 200 OK\r\n", "application/json")
                )
                self.wfile.write(first + f"content-type: {said}\r\nconnection: close\r\n\r\n".encode() + body)

        class Threads(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        servers.append(Threads(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/v1"

    yield made
    for one in servers:
        one.shutdown()
        one.server_close()


def engine(url: str, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(**{"model": "gpt-4.1-mini", "base_url": url, "api_key": "k", "journal": False, **options})


BODIES = {
    "null": b"null",
    "list": b"[]",
    "text": b'"fine"',
    "no JSON": b"<html><body>It works!</body></html>",
    "nothing": b"",
    "half": OK[:40],
    "not UTF-8": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "no choices": b'{"choices": []}',
    "choices null": b'{"choices": null}',
    "no message": b'{"choices": [{}]}',
    "message null": b'{"choices": [{"message": null}]}',
    "content a number": b'{"choices": [{"message": {"content": 7}}]}',
    "content an object": b'{"choices": [{"message": {"content": {"a": 1}}}]}',
    "an error with status 200": b'{"error": {"message": "no"}}',
    "nested too deeply": b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_answer_that_is_none_is_asked_for_again(raw: Raw, body: bytes) -> None:
    with engine(raw(body)) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        assert mine.usage.retries == 1


@pytest.mark.parametrize("body", [BODIES["null"], BODIES["no JSON"], BODIES["nested too deeply"]])
def test_an_answer_that_is_always_none_is_one_clear_error(raw: Raw, body: bytes) -> None:
    url = raw(*[body] * 20)
    with engine(url) as mine, pytest.raises(EndpointError, match="sent an answer that is none") as caught:
        mine.run(Echo("hello"))
    assert len(str(caught.value)) < 400


ODD = {
    "parts": (b'{"choices": [{"message": {"content": [{"type": "text", "text": "Fi"}, {"text": "ne."}]}}]}', "Fine."),
    "usage is no table": (OK[:-1] + b', "usage": [1, 2]}', "Fine."),
    "usage is beyond measure": (OK[:-1] + b', "usage": {"prompt_tokens": 1e999, "completion_tokens": -3}}', "Fine."),
    "usage is NaN": (OK[:-1] + b', "usage": {"prompt_tokens": NaN, "completion_tokens": "7"}}', "Fine."),
    "model is no name": (OK[:-1] + b', "model": {"a": 1}}', "Fine."),
    "finish is no word": (OK.replace(b'"stop"', b'{"a": 1}'), "Fine."),
    "byte order mark": (b"\xef\xbb\xbf" + OK, "Fine."),
    "lone surrogate": (OK.replace(b"Fine.", b"Fine \\ud83d."), "Fine \ufffd."),
}


@pytest.mark.parametrize(("body", "said"), ODD.values(), ids=ODD)
def test_an_odd_answer_is_taken(raw: Raw, body: bytes, said: str) -> None:
    with engine(raw(body), journal=True) as mine:
        assert mine.run(Echo("hello")) == said
        assert mine.usage.retries == 0
        assert 0 <= mine.usage.input_tokens < 1e12


def events(*texts: str, end: str = "stop") -> list[bytes]:
    rows: list[dict[str, Any]] = [{"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts]
    rows.append({"choices": [{"delta": {}, "finish_reason": end}]})
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


FINE = events("Fi", "né", ".")
STREAMS = {
    "LF": b"".join(b"data: " + one + b"\n\n" for one in FINE) + b"data: [DONE]\n\n",
    "CRLF": b"".join(b"data: " + one + b"\r\n\r\n" for one in FINE) + b"data: [DONE]\r\n\r\n",
    "CR": b"".join(b"data: " + one + b"\r\r" for one in FINE) + b"data: [DONE]\r\r",
    "no space": b"".join(b"data:" + one + b"\n\n" for one in FINE) + b"data:[DONE]\n\n",
    "comments and names": b": ping\n\n" + b"".join(b"event: m\nid: 7\ndata: " + one + b"\n\n" for one in FINE),
    "no [DONE], no last line end": b"\n\n".join(b"data: " + one for one in FINE),
    "byte order mark": b"\xef\xbb\xbf" + b"".join(b"data: " + one + b"\n\n" for one in FINE),
    "empty and odd chunks": b'data: {}\n\ndata: {"choices": null}\n\ndata: {"choices": [{"delta": null}]}\n\ndata:\n\n'
    + b"".join(b"data: " + one + b"\n\n" for one in FINE),
    "data over lines": b"".join(b"data: " + one.replace(b", ", b",\ndata: ", 1) + b"\n\n" for one in FINE),
}  # fmt: skip


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS)
def test_a_stream_in_an_odd_form_is_read(raw: Raw, body: bytes) -> None:
    with engine(raw(body, kind="text/event-stream")) as mine:
        stream = mine.stream(Echo("hello"))
        assert "".join(stream) == "Finé."
        assert mine.usage.retries == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]\n\n",
        b"data: null\n\n",
        b"data: no JSON\n\n",
        b"data: [1]\n\n",
        STREAMS["LF"][:70],
        b"\xff\xfe\n",
    ],
)
def test_a_stream_that_is_none_is_never_handed_on_as_whole(raw: Raw, body: bytes) -> None:
    with engine(raw(body, kind="text/event-stream")) as mine:
        stream = mine.stream(Echo("hello"))
        "".join(stream)
        assert stream.result == "Fine."
        assert mine.usage.retries == 1


def test_a_stream_that_is_answered_with_nonsense_in_one_piece_is_tried_again(raw: Raw) -> None:
    with engine(raw(b'{"choices": []}')) as mine:
        stream = mine.stream(Echo("hello"))
        assert "".join(stream) == "Fine."


@pytest.mark.parametrize("after", ["100000", "1e999", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_of_hours_is_an_error_at_once(server: Server, after: str) -> None:
    there = server([Fail(429, "Come back later.", headers={"retry-after": after}), "Fine."])
    with engine(there.base_url) as mine:
        if after == "1e999":  # no number that the standard knows
            assert mine.run(Echo("hello")) == "Fine."
            return
        with pytest.raises(RateLimitError, match="Come back later"):
            mine.run(Echo("hello"))


@pytest.mark.parametrize(
    "headers", [{"retry-after": "-5"}, {"retry-after": "soon"}, {"retry-after-ms": "nan"}, {"retry-after-ms": "-1"}]
)
def test_a_wait_that_is_none_is_not_taken_for_one(server: Server, headers: dict[str, str]) -> None:
    there = server([Fail(429, "Slow.", headers=headers), "Fine."])
    with engine(there.base_url) as mine:
        assert mine.run(Echo("hello")) == "Fine."


@pytest.mark.parametrize("limit", ["0", "-5", "nan", "inf", "1e999", "", "many", "1"])
@pytest.mark.parametrize("remaining", ["0", "-3", "nan", "100000"])
def test_limits_that_are_none_stop_nobody(server: Server, limit: str, remaining: str) -> None:
    reset = {"x-ratelimit-reset-requests": "10ms", "x-ratelimit-reset-tokens": "nan"}
    headers = {f"x-ratelimit-{what}-{kind}": value for kind in ("requests", "tokens")
               for what, value in (("limit", limit), ("remaining", remaining))}  # fmt: skip
    with engine(server("Fine.", headers=headers | reset).base_url, timeout=5) as mine:
        assert mine.map([Echo(str(n)) for n in range(3)]) == ["Fine."] * 3


def test_a_limit_that_is_reset_in_hours_does_not_silence_a_job_for_hours() -> None:
    pace = Pace(Events())
    pace.told("requests", limit=1000, remaining=0, reset=86_400)
    pace.told("tokens", limit=1000, remaining=0, reset=86_400)
    assert pace._delay(1000) <= LONGEST_LIMIT
    assert not math.isnan(pace._delay(1000))


@pytest.mark.parametrize(
    "url",
    ["http://127.evil.example/v1", "http://127.0.0.1.evil.example/v1", "http://localhost.evil.example/v1",
     "ftp://127.0.0.1/v1", "//127.0.0.1/v1", "127.0.0.1:80", "https://", "https://host:99999/v1", "https://host:x/v1",
     "http://127.0.0.1@evil.example/v1", "https://host/v1?key=abc", "https://host/v1#x", "https://ho st/v1", "file:///etc"],
)  # fmt: skip
def test_an_address_that_can_not_be_meant_is_refused(url: str) -> None:
    with engine(url) as mine, pytest.raises(ConfigurationError):
        mine.run(Echo("hello"))


def test_addresses_that_are_written_otherwise_are_the_same(server: Server) -> None:
    there = server("Fine.")
    for url in (
        f"{there.base_url}/",
        f"{there.base_url}///",
        f" {there.base_url} ",
        there.base_url.replace("http", "HTTP"),
    ):
        with engine(url) as mine:
            assert mine.run(Echo(url)) == "Fine."
    assert {one.path for one in there.requests} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    "model", ["a/b:c@d", 'quote"s', "emoji 😂", "line\nbreak", "{{ 7 }}", "x" * 5000, "..", "[models]"]
)
def test_model_names_are_data(server: Server, model: str) -> None:
    there = server(["Fine.", Fail(404, "There is no such model.")])
    with engine(there.base_url, model=model, journal=True) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        with pytest.raises(ConfigurationError) as caught:
            mine.run(Echo("again"))
    assert there.bodies[0]["model"] == model
    assert "\n" not in str(caught.value)


def test_keys_with_line_ends_around_them_and_keys_that_no_header_can_hold(server: Server) -> None:
    there = server("Fine.", api_key="sk-one")
    with engine(there.base_url, api_key=" sk-one\r\n") as mine:
        assert mine.run(Echo("hello")) == "Fine."
    for key in ("sk-öne", "sk-\none", "sk-😂"):
        with engine(there.base_url, api_key=key) as mine, pytest.raises(ConfigurationError) as caught:
            mine.run(Echo("hello"))
        assert key not in str(caught.value)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("key", ["topsecret-0123456789", "sk-very-secret-0123456789"])
def test_a_key_for_the_name_of_a_model_is_not_kept(raw: Raw, tmp_path: Path, key: str, *, streamed: bool) -> None:
    choice = {"message": {"content": "Fine."}, "delta": {"content": "Fine."}, "finish_reason": "stop"}
    body = json.dumps({"model": f"m {key}", "choices": [choice]}).encode()
    url = raw(b"data: " + body + b"\n\n", kind="text/event-stream") if streamed else raw(body)
    seen: list[object] = []
    with taskkit.Engine(model="m", base_url=url, api_key=key, context=8000, journal=tmp_path / "kept") as engine:
        with engine.events.listen(seen.append):
            said = "".join(engine.stream(Echo("hello"))) if streamed else engine.run(Echo("hello"))
        assert said == "Fine."
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert not any(key.encode() in path.read_bytes() for path in files)
    assert key not in repr(seen)


def test_nor_is_it_shown_where_the_stream_then_fails(raw: Raw) -> None:
    key = "topsecret-0123456789"
    parts = ({"model": key}, {"error": {"code": 404, "message": "No such model."}})
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in parts)
    with engine(raw(body, kind="text/event-stream"), api_key=key) as mine, pytest.raises(ConfigurationError) as caught:
        "".join(mine.stream(Echo("hello")))
    assert "topsecret" not in str(caught.value)


def test_what_an_endpoint_says_can_not_speak_to_the_terminal(server: Server) -> None:
    there = server(Fail(400, "\x1b]0;owned\x07\x1b[2Jno \u202egood\x00"))
    with engine(there.base_url) as mine, pytest.raises(TaskkitError) as caught:
        mine.run(Echo("hello"))
    assert not {"\x1b", "\x07", "\x00", "\u202e"} & set(str(caught.value))


@pytest.mark.parametrize(
    "options",
    [{"max_cost": float("nan")}, {"max_cost": -1}, {"max_cost": "much"}, {"max_cost": float("inf")}, {"context": 0},
     {"concurrency": 0}, {"concurrency": -2}, {"rpm": 0}, {"timeout": 0}, {"timeout": float("nan")},
     {"temperature": float("nan")}, {"temperature": -0.1}, {"moderate": "everything"}, {"context": "wide"}],
    ids=str,
)  # fmt: skip
def test_settings_that_can_not_be_meant_are_refused_before_anything_is_asked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        taskkit.Engine("m", base_url="http://127.0.0.1:9/v1", **options)


def test_a_context_of_one_token_is_an_input_error_and_no_loop(server: Server) -> None:
    with (
        engine(server("Fine.").base_url, context=1) as mine,
        pytest.raises(TaskkitError, match=r"no room|does not fit"),
    ):
        mine.run(Echo("hello"))


def test_control_characters_of_an_answer_are_left_out(server: Server) -> None:
    there = server(["Ships\x1b[31m\x00 sail\tthe\nsea.", '{"name": "V\\u001b\\u0000lissingen \\\\u001b"}'])
    with engine_at(there) as mine:
        assert mine.run(Write("ships")) == "Ships[31m sail\tthe\nsea."
        assert mine.run(Where("the pier")).name == "Vlissingen \\u001b"
