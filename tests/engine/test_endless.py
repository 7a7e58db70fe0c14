"""Endpoints that lead astray, never come to an end, or lie of what they took; over real sockets."""

import contextlib
import gc
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.engine import loop
from taskkit.engine.connection import reading
from taskkit.engine.failures import failure
from taskkit.engine.pace import Transient
from taskkit.errors import (
    AuthenticationError,
    ConfigurationError,
    CostCapError,
    EndpointError,
    InputError,
    TaskkitError,
)
from taskkit.events import Event  # noqa: TC001 - as the others
from taskkit.testing import Say, ScriptedServer
from tests.made import Echo

Server = Callable[..., ScriptedServer]
Talk = Callable[["Line"], object]
OK = b'{"choices": [{"message": {"content": "Fine."}, "finish_reason": "stop"}]}'


class Word(taskkit.Result):
    word: str


@taskkit.task
class One(taskkit.Task[Word]):
    """Name one word of it."""

    text: str
    prompt = taskkit.Prompt("{{ text }}")


class Line(socketserver.StreamRequestHandler):
    """One request of a client, read; `say` writes to it."""

    talk: Callable[[], object]  # bound to this one
    seen: list[bytes]

    def handle(self) -> None:
        head, length = b"", 0
        while (line := self.rfile.readline()).strip():
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.body = self.rfile.read(length)
        if head:
            self.seen.append(head + self.body)
            with contextlib.suppress(OSError):
                self.talk()

    def say(self, body: bytes, status: str = "200 OK", kind: str = "application/json", *heads: str) -> None:
        lines = "".join(f"{one}\r\n" for one in (f"content-type: {kind}", "connection: close", *heads))
        self.wfile.write(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    def forever(self, piece: bytes, pause: float = 0.0) -> None:
        while True:
            self.wfile.write(piece)
            time.sleep(pause)


class Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, talk: Talk) -> None:
        self.seen: list[bytes] = []
        super().__init__(("127.0.0.1", 0), type("Talking", (Line,), {"talk": talk, "seen": self.seen}))
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@pytest.fixture
def talking() -> Iterator[Callable[[Talk], Listening]]:
    made: list[Listening] = []

    def make(talk: Talk) -> Listening:
        made.append(Listening(talk))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()
        one.server_close()


Talking = Callable[[Talk], Listening]


def engine(url: str, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(**{"model": "gpt-4.1-mini", "base_url": url, "api_key": "k", "journal": False, **options})


# Led astray ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("streamed", [False, True])
def test_no_prompt_follows_a_redirect_to_another_server(talking: Talking, status: str, *, streamed: bool) -> None:
    other = talking(lambda line: line.say(OK))
    there = talking(lambda line: line.say(b"", status, "text/html", f"location: {other.url}/chat/completions"))
    with engine(there.url) as mine, pytest.raises(ConfigurationError) as caught:
        "".join(mine.stream(Echo("secret"))) if streamed else mine.run(Echo("secret"))
    assert not other.seen
    assert there.url in str(caught.value)
    assert other.url in str(caught.value)


@pytest.mark.parametrize(
    "to", ["http://evil.invalid/v1", "https://127.0.0.1/v1", "//evil.invalid/x", "http://a@{here}/v1", "ftp://{here}/"]
)
def test_nor_one_to_another_scheme_or_name(talking: Talking, to: str) -> None:
    def talk(line: Line) -> None:
        host, port = line.request.getsockname()
        line.say(b"", "307 T", "text/html", f"location: {to.format(here=f'{host}:{port}')}")

    there = talking(talk)
    with engine(there.url) as mine, pytest.raises(ConfigurationError, match="redirects to"):
        mine.run(Echo("secret"))
    assert len(there.seen) == 1


def test_a_redirect_within_the_server_is_followed_with_the_same_words(talking: Talking) -> None:
    def talk(line: Line) -> None:
        if b"/moved/" in line.seen[-1].partition(b"\r\n")[0]:
            line.say(OK)
        else:
            line.say(b"", "308 P", "text/html", "location: /moved/chat/completions")

    there = talking(talk)
    with engine(there.url) as mine:
        assert mine.run(Echo("hello")) == "Fine."
    first, second = there.seen
    assert second.startswith(b"POST /moved/")
    assert first.partition(b"{")[2] == second.partition(b"{")[2]


def test_redirects_in_circles_are_one_clear_error(talking: Talking) -> None:
    there = talking(lambda line: line.say(b"", "307 T", "text/html", "location: /v1/chat/completions"))
    with engine(there.url) as mine, pytest.raises(EndpointError, match="redirects, and redirects again"):
        mine.run(Echo("hello"))
    assert len(there.seen) < 10


@pytest.mark.parametrize(
    ("status", "to"),
    [("302 F", "http://127.0.0.1:1/{key}"), ("307 T", "http://evil.invalid/" + "x" * 170 + "/{key}"),
     ("308 P", "http://u:{key}@127.0.0.1:1/v1"), ("302 F", "http://evil.invalid/?next={key}"), ("302 F", "http://[{key}"),
     ("307 T", "/{key}"), ("303 S", "/{key}"), ("300 M", "/" + "x" * 170 + "/{key}")],
)  # fmt: skip
@pytest.mark.parametrize("key", ["topsecret-0123456789-abcdef", "sk-topsecret-0123456789"])
def test_a_key_in_a_redirect_is_not_shown(talking: Talking, status: str, to: str, key: str) -> None:
    there = talking(lambda line: line.say(b"", status, "text/html", f"location: {to.format(key=key)}"))
    with engine(there.url, api_key=key) as mine, pytest.raises(TaskkitError) as caught:
        mine.run(Echo("hello"))
    assert "topse" not in f"{caught.value}"


# Not to be foreseen -------------------------------------------------------------------------------------------------

REFUSALS = {
    "deep JSON": b"[" * 200_000,
    "a context of 5,000 digits": b'{"error": {"message": "maximum context length is ' + b"9" * 5000 + b' tokens"}}',
    "a number of 5,000 digits": b'{"error": {"message": "no", "n_ctx": ' + b"9" * 5000 + b"}}",
    "a context below nothing": b'{"error": {"message": "no", "n_ctx": -7}}',
    "a context that is true": b'{"error": {"message": "no", "n_ctx": true, "n_prompt_tokens": -3}}',
    "a parameter that is a list": b'{"error": {"message": "no", "param": ["x"], "code": {"a": 1}}}',
    "an error that is a number": b'{"error": 7}',
    "ten million spaces": b" " * 10_000_000,
}


@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_in_any_form_is_a_refusal(talking: Talking, body: bytes) -> None:
    there = talking(lambda line: line.say(body, "400 Bad Request"))
    with engine(there.url) as mine, pytest.raises(InputError, match="says 400") as caught:
        mine.run(Echo("hello"))
    assert len(str(caught.value)) < 500
    assert len(there.seen) == 1


TOLD = {
    "": (EndpointError, "out of cheese"),
    "500": (EndpointError, "out of cheese"),
    "401": (AuthenticationError, "out of cheese"),
    "400": (InputError, "out of cheese"),
}


@pytest.mark.parametrize(
    ("code", "expected", "streamed"),
    [(code, expected, streamed) for code, expected in TOLD.items() for streamed in (False, True)
     if not streamed or code in {"401", "400"}],
)  # fmt: skip
def test_what_an_error_with_status_200_says_is_shown(
    talking: Talking, code: str, expected: tuple[type[TaskkitError], str], streamed: bool
) -> None:
    error: dict[str, Any] = {"message": "out of cheese, Bearer sk-secret-key"} | ({"code": int(code)} if code else {})

    def talk(line: Line) -> None:
        body = json.dumps({"error": error}).encode()
        if streamed:
            line.say(b"data: " + body + b"\n\n", "200 OK", "text/event-stream")
        else:
            line.say(body, "200 OK", "application/json", "retry-after-ms: 1")

    with engine(talking(talk).url, api_key="sk-secret-key") as mine, pytest.raises(expected[0]) as caught:
        "".join(mine.stream(Echo("hello"))) if streamed else mine.run(Echo("hello"))
    assert expected[1] in str(caught.value)
    assert "sk-secret-key" not in str(caught.value)


@pytest.mark.parametrize("before", range(0, 220, 3))
def test_a_key_that_comes_back_is_not_shown_wherever_it_stands(before: int) -> None:
    key = "topsecret-0123456789-abcdef"
    content = b"<html>" + b"." * before + key.encode() + b"</html>"
    shown: list[str] = []
    for status in (400, 500):
        found = failure(status, {}, content, where="https://host/v1", key=key, model="m")
        shown.append(str(found))
    with pytest.raises(Transient) as caught, reading("https://host/v1", key):
        raise ValueError(f"no JSON ({content!r})")
    for text in (*shown, str(caught.value)):
        assert "topsecret" not in text
        assert "topse" not in text


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 204 No Content\r\n\r\n" + OK, b"\x00\xff" * 300, b"HTTP/9.9 x\r\n\r\n"])
def test_what_is_no_http_is_an_error_of_the_endpoint(talking: Talking, garbage: bytes) -> None:
    there = talking(lambda line: line.wfile.write(garbage))
    with engine(there.url) as mine, pytest.raises(EndpointError):
        mine.run(Echo("hello"))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"results": []}', b'{"results": [{}]}', b'{"results": [{"flagged": true, "categories": 7}]}']
)
def test_a_moderation_that_says_nothing_lets_nothing_through(talking: Talking, body: bytes) -> None:
    there = talking(lambda line: line.say(body if b"/moderations" in line.seen[-1] else OK))
    with engine(there.url, moderate="input") as mine, pytest.raises(EndpointError):
        mine.run(Echo("hello"))
    assert all(b"/moderations" in one for one in there.seen)


VECTORS = ["[null]", "[7]", "[[1], [1]]", "[]"]


@pytest.mark.parametrize("vectors", VECTORS)
def test_vectors_that_are_none_are_asked_for_again(talking: Talking, vectors: str) -> None:
    bad = [{"index": 0, "embedding": one} for one in json.loads(vectors)]

    def talk(line: Line) -> None:
        rows = (
            [{"index": 0, "embedding": [0.5, 1]}]
            if sum(b"POST /v1/embeddings" in one for one in line.seen) > 1
            else bad
        )
        line.say(json.dumps({"data": rows}).encode())

    with engine(talking(talk).url) as mine:
        assert loop.run(mine.embed(["one"])) == [(0.5, 1)]
        assert mine.usage.retries == 1
        assert mine.usage.input_tokens in {1, 2}, "which the endpoint does not tell"


# What it took -------------------------------------------------------------------------------------------------------

LIES: dict[str, Any] = {
    "nothing": None,
    "below nothing": {"prompt_tokens": -100_000, "completion_tokens": -5},
    "zero": {"prompt_tokens": 0, "completion_tokens": 0},
    "words": {"prompt_tokens": "many", "completion_tokens": []},
    "one": {"prompt_tokens": 1, "completion_tokens": 1},
}


@pytest.mark.parametrize("told", LIES.values(), ids=LIES)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_went_over_the_line_is_paid_for_whatever_the_endpoint_tells(
    talking: Talking, told: Any, *, streamed: bool
) -> None:
    words = "Ducks swim on the pond. " * 50
    usage = {} if told is None else {"usage": told}

    def talk(line: Line) -> None:
        if streamed:
            rows: list[Any] = [{"choices": [{"delta": {"content": words}, "finish_reason": "stop"}]}, usage]
            body = b"".join(b"data: " + json.dumps(row).encode() + b"\n\n" for row in rows)
            line.say(body, "200 OK", "text/event-stream")
        else:
            choice = {"message": {"content": words}, "finish_reason": "stop"}
            line.say(json.dumps({"choices": [choice], **usage}).encode())

    with engine(talking(talk).url) as mine:
        "".join(mine.stream(Echo("quack " * 1000))) if streamed else mine.run(Echo("quack " * 1000))
        assert 900 <= mine.usage.input_tokens <= 3100
        assert 250 <= mine.usage.output_tokens <= 500
        assert mine.usage.cost
        assert mine.usage.cost > Decimal("0.0002")


def test_what_is_counted_for_the_endpoint_is_never_more_than_was_reserved(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models.toml").write_text('[models."home-made"]\ncontext = 32000\nprice = [1000, 1000]\n')
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    there = server(lambda body: Say("Ducks.", usage={}))
    with engine(there.base_url, model="home-made", max_cost=40, concurrency=1) as mine:
        with pytest.raises(CostCapError):
            mine.map([Echo(f"{n} quack " * 800) for n in range(20)])
        assert mine.usage.cost is not None
        assert 10 < mine.usage.cost <= 40


def test_a_cap_holds_at_an_endpoint_that_tells_nothing(server: Server) -> None:
    there = server(lambda body: Say("Ducks swim. " * 300, usage={}))
    with engine(there.base_url, max_cost="0.02", concurrency=1) as mine, pytest.raises(CostCapError):
        mine.map([Echo(f"quack {n}") for n in range(200)])
    assert len(there.bodies) < 60


# Without an end -----------------------------------------------------------------------------------------------------


def chunk(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": None}]}).encode() + b"\n\n"


def test_a_stream_that_never_ends_is_an_answer_that_is_cut(talking: Talking) -> None:
    def talk(line: Line) -> None:
        line.say(b"", "200 OK", "text/event-stream")
        line.forever(chunk("word " * 400))

    there = talking(talk)
    shown = 0
    with engine(there.url) as mine:
        seen: list[Event] = []
        mine.events.listen(seen.append)
        for piece in mine.stream(Echo("hello")):
            shown += len(piece)
    assert 10_000 < shown < 2_000_000
    assert len(there.seen) <= 9


def test_nor_is_an_answer_with_a_form_waited_for_without_end(talking: Talking) -> None:
    def talk(line: Line) -> None:
        line.say(b'{"choices": [{"message": {"content": "', "200 OK")
        line.forever(b"x" * 65536)

    there = talking(talk)
    with engine(there.url) as mine, pytest.raises(EndpointError, match="does not come to an end"):
        mine.run(One("hello"))
    assert len(there.seen) <= 3


ENDLESS = {
    "comments": (b": still here\n\n", 0.05),
    "empty chunks": (b'data: {"choices": [{"delta": {}}]}\n\n', 0.05),
    "one line": (b"x", 0.05),
    "roles": (b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n', 0.05),
}


@pytest.mark.parametrize(("piece", "pause"), ENDLESS.values(), ids=ENDLESS)
def test_what_says_nothing_does_not_hold_a_call_beyond_its_timeout(
    talking: Talking, piece: bytes, pause: float
) -> None:
    def talk(line: Line) -> None:
        line.say(b"", "200 OK", "text/event-stream")
        line.forever(piece, pause)

    there = talking(talk)
    began = time.monotonic()
    with engine(there.url, timeout=0.3) as mine:
        seen: list[Event] = []
        told = mine.events.listen(seen.append)
        future = threading.Thread(target=lambda: _quietly(mine), daemon=True)
        future.start()
        while not any("did not answer" in one.message for one in seen) and time.monotonic() - began < 10:
            time.sleep(0.02)
        told.close()
    assert any("did not answer in 0.3 seconds" in one.message for one in seen)


def _quietly(mine: taskkit.Engine) -> None:
    with contextlib.suppress(Exception):
        "".join(mine.stream(Echo("hello")))


def test_a_whole_answer_that_drips_is_not_waited_for_beyond_the_timeout(talking: Talking) -> None:
    answers = [True]

    def talk(line: Line) -> None:
        if answers:
            answers.pop()
            line.say(b"")
            line.forever(b" ", 0.05)
        line.say(OK)

    with engine(talking(talk).url, timeout=0.5) as mine:
        assert mine.run(Echo("hello")) == "Fine."
        assert mine.usage.retries >= 1


def test_a_stream_that_is_slow_but_says_something_is_waited_for(talking: Talking) -> None:
    def talk(line: Line) -> None:
        line.say(b"", "200 OK", "text/event-stream")
        for _ in range(28):
            line.wfile.write(chunk("slow "))
            time.sleep(0.1)
        line.wfile.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n')

    with engine(talking(talk).url, timeout=2.5) as mine:
        assert "".join(mine.stream(Echo("hello"))) == "slow " * 28
        assert mine.usage.retries == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_the_memory_that_an_endless_line_takes_is_bounded(talking: Talking, *, streamed: bool) -> None:
    import tracemalloc

    def talk(line: Line) -> None:
        line.say(b'data: {"', "200 OK", "text/event-stream" if streamed else "application/json")
        line.forever(b"x" * 1_000_000)

    with engine(talking(talk).url) as mine:
        mine.run  # noqa: B018 - opened before it is measured
        tracemalloc.start()
        with pytest.raises(EndpointError):
            "".join(mine.stream(Echo("hello"))) if streamed else mine.run(Echo("hello"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 150_000_000


# Closed in use ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "streamed"),
    [(Say("word " * 500, chunk=5, pause=0.05), True), (Say("late", delay=30), True), (Say("late", delay=30), False)],
)
def test_an_engine_that_is_closed_in_use_ends_its_calls_and_leaves_nothing_open(
    server: Server, reply: Say, streamed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    there = server(reply)
    mine = engine(there.base_url)
    began = threading.Event()
    mine.events.listen(lambda event: began.set() if event.kind == "call-started" else None)
    ended: list[object] = []

    def work() -> None:
        try:
            ended.append("".join(mine.stream(Echo("hello"))) if streamed else mine.run(Echo("hello")))
        except EndpointError as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert began.wait(10)
    while not there.requests:
        time.sleep(0.01)
    mine.close()
    thread.join(10)
    (said,) = ended
    assert "closed while it was at work" in str(said)
    assert len(there.requests) == 1
    gc.collect()
    assert "Unclosed" not in capfd.readouterr().err


def test_an_engine_that_was_closed_can_be_used_again(server: Server) -> None:
    there = server("Fine.")
    mine = engine(there.base_url)
    assert mine.run(Echo("hello")) == "Fine."
    mine.close()
    assert mine.run(Echo("again")) == "Fine."
    mine.close()
