"""What the scripted server promises, seen from outside by clients that know nothing of taskkit."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pydantic
import pytest

from taskkit.testing import (
    BreakStream,
    Cut,
    Drop,
    Fail,
    Faults,
    Filtered,
    Refuse,
    Say,
    Script,
    ScriptedServer,
    Stall,
    answer,
    echo,
)

Server = Callable[..., ScriptedServer]


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False, timeout=10) as made:
        yield made


def body(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def ask(client: httpx2.Client, server: ScriptedServer, text: str = "Hello", **more: Any) -> httpx2.Response:
    return client.post(f"{server.base_url}/chat/completions", json=body(text, **more), headers={"x-mine": "1"})


def said(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


def events(response: httpx2.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(rows: list[Any]) -> str:
    return "".join(row["choices"][0]["delta"].get("content", "") for row in rows if row != "[DONE]" and row["choices"])


# Scripts ---------------------------------------------------------------------------------------------------


def test_a_list_is_consumed_and_says_when_it_is_over(client: httpx2.Client, server: Server) -> None:
    there = server(["first", {"a": [1, "é"]}, ["x"], Say("last")])
    assert [said(ask(client, there)) for _ in range(4)] == ["first", '{"a": [1, "é"]}', '["x"]', "last"]
    over = ask(client, there)
    assert (over.status_code, over.json()["error"]["code"]) == (400, "script_exhausted")
    assert over.json()["error"]["message"] == "The script is exhausted: it has 4 replies, this is call 5."


def test_one_reply_is_repeated_and_a_function_is_asked(client: httpx2.Client, server: Server) -> None:
    class Point(pydantic.BaseModel):
        x: int

    assert [said(ask(client, there)) for there in [server("same")] * 3] == ["same"] * 3
    assert said(ask(client, server(Point(x=1)))) == '{"x":1}'
    assert said(ask(client, server(lambda one: one["messages"][-1]["content"].upper()))) == "HELLO"
    assert said(ask(client, server(echo), "back")) == "back"
    assert said(ask(client, server(Script([lambda _: "deep"])))) == "deep"


@pytest.mark.parametrize("reply", [lambda _: 7, lambda one: one["no such key"]])
def test_a_script_that_fails_says_so(client: httpx2.Client, server: Server, reply: Any) -> None:
    failed = ask(client, server(reply))
    assert (failed.status_code, failed.json()["error"]["code"]) == (400, "script_failed")
    assert failed.json()["error"]["message"].startswith("The script failed: ")


def test_answer_meets_the_schema_that_is_asked_for(client: httpx2.Client, server: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "n": {"type": "integer", "minimum": 3}},
        "required": ["text", "n"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    there = server(answer({"text": "Bonjour"}))
    assert json.loads(said(ask(client, there, response_format=wanted))) == {"text": "Bonjour", "n": 3}
    assert said(ask(client, there)) == "Hello"


# The answer ------------------------------------------------------------------------------------------------


def test_a_completion_has_openais_shape_and_counts_its_tokens(client: httpx2.Client, server: Server) -> None:
    got = ask(client, server("x" * 40, headers={"x-limit": "7"}), "y" * 80)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-limit"] == "7"
    data = got.json()
    assert (data["object"], data["model"]) == ("chat.completion", "m")
    assert data["choices"][0]["finish_reason"] == "stop"
    assert data["usage"] == {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}


def test_how_an_answer_ends(client: httpx2.Client, server: Server) -> None:
    there = server([Cut("half of it", 4), Refuse("No."), Filtered("so far"), Say("x", "length"), Say("", usage={})])
    rows = [ask(client, there).json() for _ in range(5)]
    choices = [row["choices"][0] for row in rows]
    assert [one["finish_reason"] for one in choices] == ["length", "stop", "content_filter", "length", "stop"]
    assert [one["message"]["content"] for one in choices] == ["half", None, "so far", "x", ""]
    assert choices[1]["message"]["refusal"] == "No."
    assert rows[4]["usage"] == {}


@pytest.mark.parametrize("chunk", [1, 3, 20, 1000])
def test_a_stream_comes_in_chunks(client: httpx2.Client, server: Server, chunk: int) -> None:
    text = "Once upon a time, ein Fuß 👣 …\n\ndata: not an event"
    got = ask(client, server(Say(text, chunk=chunk)), stream=True, stream_options={"include_usage": True})
    assert got.headers["content-type"] == "text/event-stream"
    *rows, usage, done = events(got)
    assert done == "[DONE]"
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], len(text) // 4)
    *pieces, last = rows
    assert len(pieces) == -(-len(text) // chunk)
    assert all(len(row["choices"][0]["delta"]["content"]) <= chunk for row in pieces)
    assert text_of(rows) == text
    assert last["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}


def test_without_being_asked_a_stream_tells_no_usage(client: httpx2.Client, server: Server) -> None:
    assert not any("usage" in row for row in events(ask(client, server("x"), stream=True)) if row != "[DONE]")


def test_a_stream_is_seen_while_it_comes(client: httpx2.Client, server: Server) -> None:
    there = server([Say("ab", chunk=1, pause=60), Say("abcdef", chunk=1, pause=0.05)])
    with client.stream("POST", f"{there.base_url}/chat/completions", json=body(stream=True)) as got:
        first = next(line for line in got.iter_lines() if line.startswith("data: {"))
    assert text_of([json.loads(first.removeprefix("data: "))]) == "a"
    begun = time.monotonic()
    assert text_of(events(ask(client, there, stream=True))) == "abcdef"
    assert time.monotonic() - begun >= 5 * 0.05


def test_a_refusal_is_streamed_as_one(client: httpx2.Client, server: Server) -> None:
    rows = events(ask(client, server(Refuse("I can't.")), stream=True))
    assert "".join(row["choices"][0]["delta"].get("refusal", "") for row in rows[:-1]) == "I can't."
    assert not text_of(rows)


def test_the_sdk_understands_it(server: Server) -> None:
    there = server(["Bonjour", Say("Bonsoir", chunk=2), Refuse("No.")])
    with openai.OpenAI(base_url=there.base_url, api_key="k", max_retries=0) as sdk:
        messages: Any = [{"role": "user", "content": "Hi"}]
        assert sdk.chat.completions.create(model="m", messages=messages).choices[0].message.content == "Bonjour"
        stream = sdk.chat.completions.create(model="m", messages=messages, stream=True)
        assert "".join(one.choices[0].delta.content or "" for one in stream) == "Bonsoir"
        assert sdk.chat.completions.create(model="m", messages=messages).choices[0].message.refusal == "No."
        assert [one.id for one in sdk.models.list()] == ["scripted"]
        assert len(sdk.embeddings.create(model="e", input=["a", "b"]).data) == 2
        assert not sdk.moderations.create(input="x").results[0].flagged


# Limits and time -------------------------------------------------------------------------------------------


def test_latency_comes_before_every_answer(client: httpx2.Client, server: Server) -> None:
    there = server([Say("x"), Say("x", delay=0.1)], latency=0.1)
    begun = time.monotonic()
    assert ask(client, there).elapsed.total_seconds() >= 0.1
    assert ask(client, there).elapsed.total_seconds() >= 0.2
    assert client.get(f"{there.base_url}/models").elapsed.total_seconds() >= 0.1
    assert time.monotonic() - begun < 10


def test_answers_wait_side_by_side(server: Server) -> None:
    there = server("x", latency=0.6)

    async def many() -> float:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            begun = time.monotonic()
            url = f"{there.base_url}/chat/completions"
            got = await asyncio.gather(*(client.post(url, json=body(str(n))) for n in range(50)))
            assert all(one.status_code == 200 for one in got)
            return time.monotonic() - begun

    assert asyncio.run(many()) < 50 * 0.6 / 3
    assert there.most_at_once > 10
    assert sorted(int(one["messages"][0]["content"]) for one in there.bodies) == list(range(50))


def test_too_many_at_once_are_refused(server: Server) -> None:
    there = server("x", latency=0.8, max_at_once=2)

    async def many() -> list[int]:
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            url = f"{there.base_url}/chat/completions"
            return [one.status_code for one in await asyncio.gather(*(client.post(url, json=body()) for _ in range(8)))]

    codes = asyncio.run(many())
    assert 200 in codes
    assert 429 in codes


def test_keys_models_and_sizes_are_held(client: httpx2.Client, server: Server) -> None:
    there = server("a" * 400, api_key="right", models=("m", "n"), max_output=10, context=20)
    assert ask(client, there).json()["error"]["code"] == "invalid_api_key"
    client.headers["authorization"] = "Bearer right"
    cut = ask(client, there).json()
    assert (cut["choices"][0]["finish_reason"], len(cut["choices"][0]["message"]["content"])) == ("length", 43)
    assert len(said(ask(client, there, max_tokens=5))) == 23
    long = ask(client, there, "b" * 100)
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert "maximum context length is 20 tokens" in long.json()["error"]["message"]
    assert "25 tokens" in long.json()["error"]["message"]
    other = client.post(f"{there.base_url}/chat/completions", json={**body(), "model": "o"})
    assert (other.status_code, other.json()["error"]["code"]) == (404, "model_not_found")
    assert [one["id"] for one in client.get(f"{there.base_url}/models").json()["data"]] == ["m", "n"]


def test_a_refusal_that_is_cut_stays_one(client: httpx2.Client, server: Server) -> None:
    choice = ask(client, server(Refuse("No. " * 100), max_output=10)).json()["choices"][0]
    assert choice["message"]["content"] is None
    assert len(choice["message"]["refusal"]) == 43


# Faults ----------------------------------------------------------------------------------------------------


def test_errors_have_openais_shape(client: httpx2.Client, server: Server) -> None:
    there = server([Fail(429, "Slow down.", headers={"retry-after": "2"}), Fail(500, "Down."), "up"])
    slow, down, up = (ask(client, there) for _ in range(3))
    assert (slow.status_code, slow.headers["retry-after"]) == (429, "2")
    error = {"message": "Slow down.", "type": "invalid_request_error", "param": None, "code": None}
    assert slow.json() == {"error": error}
    assert (down.status_code, down.json()["error"]["type"]) == (500, "server_error")
    assert said(up) == "up"


@pytest.mark.parametrize("after", [0, 10, 60, 200])
def test_a_dropped_connection(server: Server, after: int) -> None:
    there = server([Drop(after=after), "then"])
    content = json.dumps(body()).encode()
    with socket.create_connection(("127.0.0.1", there.port), timeout=10) as raw:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
        raw.sendall(head.encode() + content)
        got = b""
        while chunk := raw.recv(4096):
            got += chunk
    assert len(got) == after
    with httpx2.Client(trust_env=False) as client:
        assert said(ask(client, there)) == "then"


@pytest.mark.parametrize("how", ["drop", "end", "error"])
def test_a_stream_that_breaks_off(client: httpx2.Client, server: Server, how: Any) -> None:
    there = server([BreakStream("A long answer.", 6, how), "whole"])
    lines: list[str] = []
    with client.stream("POST", f"{there.base_url}/chat/completions", json=body(stream=True)) as got:
        try:
            lines.extend(line.removeprefix("data: ") for line in got.iter_lines() if line)
        except httpx2.RemoteProtocolError:
            assert how == "drop"
        else:
            assert how != "drop"
    rows = [json.loads(line) for line in lines if line]
    assert "".join(row["choices"][0]["delta"]["content"] for row in rows if "choices" in row) == "A long"
    assert not any(row["choices"][0]["finish_reason"] for row in rows if "choices" in row)
    assert [row["error"]["message"] for row in rows if "error" in row] == ["The server had an error."] * (
        how == "error"
    )
    assert said(ask(client, there)) == "whole"


def test_an_answer_that_breaks_off_without_a_stream(client: httpx2.Client, server: Server) -> None:
    there = server([BreakStream("A long answer.", 6, how) for how in ("drop", "end", "error")])
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(client, there)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        ask(client, there).json()
    assert ask(client, there).status_code == 500


def test_silence(client: httpx2.Client, server: Server) -> None:
    there = server([Stall(0.1, then="late"), Stall(0.05), Stall(60)])
    late = ask(client, there)
    assert said(late) == "late"
    assert late.elapsed.total_seconds() >= 0.1
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(client, there)
    with pytest.raises(httpx2.ReadTimeout):
        client.post(f"{there.base_url}/chat/completions", json=body(), timeout=httpx2.Timeout(10, read=0.1))


def test_a_share_of_calls_fails_first_the_same_ones_each_time(client: httpx2.Client, server: Server) -> None:
    def codes(seed: int) -> tuple[list[int], int]:
        script = Faults(echo, share=0.3, kinds=("429-retry-after", "500"), seed=seed)
        there = server(script)
        first = [ask(client, there, f"text {n}").status_code for n in range(40)]
        again = [ask(client, there, f"text {n}") for n in range(40) if first[n] != 200]
        assert [said(one) for one in again] == [f"text {n}" for n in range(40) if first[n] != 200]
        return first, script.injected

    first, injected = codes(1)
    assert codes(1) == (first, injected)
    assert codes(2)[0] != first
    assert set(first) == {200, 429, 500}
    assert injected == len([one for one in first if one != 200])


def test_faults_lose_no_reply_of_a_list(client: httpx2.Client, server: Server) -> None:
    there = server(Faults(["one", "two"], share=1, kinds=("503", lambda right: right.text[::-1]), times=2))
    got: list[str] = []
    for text in ("a", "b"):
        tries = [ask(client, there, text) for _ in range(3)]
        assert all(one.status_code == 503 or said(one) in {"eno", "owt"} for one in tries[:2])
        got.append(said(tries[2]))
    assert got == ["one", "two"]


# The other roads, the record, the protocol -----------------------------------------------------------------


def test_embeddings_are_near_where_words_are_shared(client: httpx2.Client, server: Server) -> None:
    texts = ["the quick brown fox", "the quick brown dog", "rain in november", ""]
    got = client.post(f"{server().base_url}/embeddings", json={"model": "e", "input": texts}).json()
    assert [row["index"] for row in got["data"]] == [0, 1, 2, 3]
    fox, dog, rain, empty = (row["embedding"] for row in got["data"])

    def near(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert near(fox, dog) > near(fox, rain) + 0.3
    assert near(empty, empty) == pytest.approx(1)
    assert got["usage"]["prompt_tokens"] == sum(len(text) // 4 for text in texts)
    one = client.post(f"{server().base_url}/embeddings", json={"model": "e", "input": texts[0]}).json()
    assert [row["embedding"] for row in one["data"]] == [fox]


def test_moderation_flags_what_it_is_told_to(client: httpx2.Client, server: Server) -> None:
    there = server(flagged=lambda text: ["violence"] if "fight" in text else [])
    url = f"{there.base_url}/moderations"
    assert client.post(url, json={"input": "a fight"}).json()["results"] == [
        {"flagged": True, "categories": {"violence": True}}
    ]
    assert client.post(url, json={"input": "peace"}).json()["results"][0]["flagged"] is False


def test_every_request_is_on_record(client: httpx2.Client, server: Server) -> None:
    there = server(["x", Fail(500, "Down."), Drop()])
    begun = time.monotonic()
    for n in range(2):
        ask(client, there, f"text {n}", temperature=0.2)
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(client, there, "text 2", temperature=0.2)
    client.get(f"{there.base_url}/models?x=1")
    client.get(f"{there.base_url}/nothing")
    assert [one.path for one in there.requests] == [*["/v1/chat/completions"] * 3, "/v1/models?x=1", "/v1/nothing"]
    assert there.bodies == [body(f"text {n}", temperature=0.2) for n in range(3)]
    assert all(one.headers["x-mine"] == "1" for one in there.requests[:3])
    at = [one.at for one in there.requests]
    assert at == sorted(at)
    assert begun <= at[0] <= at[-1] <= time.monotonic()


def test_an_address_that_is_none(client: httpx2.Client, server: Server) -> None:
    there = server()
    assert client.get(f"{there.base_url}/chat/completions").status_code == 404
    wrong = client.post(f"{there.base_url}/completions", json={})
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (404, "Invalid URL (POST /v1/completions)")


def test_one_connection_takes_many_requests_whole_and_chunked(server: Server) -> None:
    there = server(echo)
    connection = http.client.HTTPConnection("127.0.0.1", there.port, timeout=10)
    for n in range(3):
        content = json.dumps(body(f"text {n}")).encode()
        data: Any = content if n % 2 else iter([content[:10], content[10:]])
        connection.request("POST", "/v1/chat/completions", data, {"Content-Type": "application/json"})
        used = connection.sock
        got = connection.getresponse()
        assert json.loads(got.read())["choices"][0]["message"]["content"] == f"text {n}"
        assert connection.sock is used is not None
    connection.close()


def test_what_is_no_json_is_an_empty_request(server: Server) -> None:
    there = server("x")
    with httpx2.Client(trust_env=False) as client:
        assert client.post(f"{there.base_url}/chat/completions", content=b"{nonsense").status_code == 200
    assert there.bodies == [{}]


def test_closed_it_is_gone_and_its_waiting_clients_are_let_go() -> None:
    there = ScriptedServer(Stall(60))
    failed: list[Exception] = []

    def waits() -> None:
        with httpx2.Client(trust_env=False, timeout=30) as client:
            try:
                ask(client, there)
            except httpx2.TransportError as error:
                failed.append(error)

    thread = threading.Thread(target=waits)
    thread.start()
    while not there.requests:
        os.sched_yield()
    there.close()
    there.close()
    thread.join(10)
    assert len(failed) == 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", there.port), timeout=5)


def test_a_port_that_is_taken_is_an_error_and_no_wait(server: Server) -> None:
    there = server()
    with pytest.raises(OSError, match="ddress already in use"):
        ScriptedServer(port=there.port)
    with ScriptedServer("free") as other:
        assert other.port != there.port


# As a program ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [([], "Hello"), (["--reply", "Always this.", "--chunk", "4", "--latency", "0.01"], "Always this.")],
)
def test_as_a_program(client: httpx2.Client, options: list[str], text: str) -> None:
    argv = [sys.executable, "-m", "taskkit.testing", *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        line = running.stdout.readline()
        url = line.removeprefix("listening on ").strip()
        got = client.post(f"{url}/chat/completions", json=body(stream=True))
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        assert not running.stderr.read()
    rows = events(got)
    assert text_of(rows) == text
    if "--chunk" in options:
        assert len(rows) == 5


def test_as_a_program_on_a_port_that_is_taken(server: Server) -> None:
    argv = [sys.executable, "-m", "taskkit.testing", "--port", str(server().port)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert ran.returncode == 2
    assert "ddress already in use" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("options", [["--chunk", "0"], ["--port", "99999"]])
def test_as_a_program_with_options_that_do_not_fit(options: list[str]) -> None:
    argv = [sys.executable, "-m", "taskkit.testing", "--reply", "x", *options]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
