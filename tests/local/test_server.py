"""The life of the embedded server, with a stand-in for the library: how it starts, who may ask it, how it ends."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import local
from taskkit.errors import ConfigurationError, EndpointError, InputError

Model = Callable[..., str]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """The path of a model file that tells the stand-in how to behave."""

    def made(name: str = "tiny.gguf", **told: Any) -> str:
        path = tmp_path / name
        path.write_text("GGUF\n" + json.dumps(told))
        return str(path)

    return made


@pytest.fixture
def serve() -> Iterator[Callable[..., local.LocalServer]]:
    made: list[local.LocalServer] = []

    def started(*args: Any, **options: Any) -> local.LocalServer:
        made.append(local.serve(*args, **options))
        return made[-1]

    yield started
    for one in made:
        one.close()


def get(url: str, key: str = "") -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return json.load(response)


def closed(port: int) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
    return False


def port_of(server: local.LocalServer) -> int:
    return int(server.base_url.split(":")[2].partition("/")[0])


def test_it_serves_this_process_alone(serve: Any, model: Model) -> None:
    notices: list[str] = []
    server = serve(model(), on_notice=notices.append)
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.base_url.endswith("/v1")
    assert server.alive
    assert get(f"{server.base_url}/x", server.api_key)["pid"] == server.pid != os.getpid()
    with pytest.raises(urllib.error.HTTPError, match="401") as caught:
        get(f"{server.base_url}/x", "another key")
    caught.value.close()
    assert notices == [f"Starting the embedded model {model()}."]


def test_the_same_model_and_window_is_the_same_server(serve: Any, model: Model) -> None:
    first = serve(model(), context=1000)
    assert serve(model(), context=1000) is first
    other = serve(model(), context=2000)
    assert other.pid != first.pid
    assert (first.context, other.context) == (1000, 2000)
    assert get(f"{first.base_url}/x", first.api_key)["slots"] == first.slots


def test_the_window_is_at_most_what_the_model_was_trained_for(serve: Any, model: Model) -> None:
    assert serve(model(trained=512), context=4096).context == 512


def test_a_window_that_holds_nothing(model: Model) -> None:
    for context in (0, -1):
        with pytest.raises(InputError, match="holds nothing: give a positive number"):
            local.serve(model(), context=context)


def test_closed_it_is_gone_and_the_next_is_a_new_one(serve: Any, model: Model) -> None:
    first = serve(model())
    first.close()
    first.close()
    assert not first.alive
    assert closed(port_of(first))
    second = serve(model())
    assert second.alive
    assert second.api_key != first.api_key


def test_when_its_process_dies_the_next_is_a_new_one(serve: Any, model: Model) -> None:
    import signal

    first = serve(model())
    os.kill(first.pid, signal.SIGKILL)
    assert closed(port_of(first))
    while first.alive:  # its port is closed a moment earlier
        os.sched_yield()
    second = serve(model())
    assert second.pid != first.pid
    assert get(f"{second.base_url}/x", second.api_key)["pid"] == second.pid


@pytest.mark.parametrize(
    ("told", "why"),
    [({"fail": "no room\nfor it."}, "no room for it."), ({"exit": 3}, "it ended with code 3.")],
)
def test_it_does_not_start(model: Model, told: dict[str, Any], why: str) -> None:
    with pytest.raises(EndpointError) as caught:
        local.serve(model(**told), context=100)
    said = str(caught.value)
    assert said.startswith(f"The embedded model {model(**told)} did not start: {why} ")
    assert "Try a smaller context (100 tokens now) or another model; its log is " in said
    log = Path(said.split("its log is ")[1].removesuffix("."))
    assert "printed by the library" in log.read_text()


def test_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can not be read: No such file"):
        local.serve(str(tmp_path / "none.gguf"))


def test_what_the_user_calls_his_files_is_nothing_to_it(serve: Any, model: Model) -> None:
    for name in ("json", "threading", "typing", "xllamacpp", "taskkit"):
        Path(f"{name}.py").write_text("raise SystemExit('the wrong module')")
    assert serve(model()).alive


def test_few_logs_are_kept(serve: Any, model: Model) -> None:
    logs = Path(os.environ["TASKKIT_CACHE"]) / "logs"
    logs.mkdir(parents=True)
    for number in range(30):
        (logs / f"local-old-{number}.log").write_text("")
        os.utime(logs / f"local-old-{number}.log", (number, number))
    (logs / "mine.txt").write_text("")
    server = serve(model())
    assert server.log in logs.iterdir()
    assert len(list(logs.glob("local-*.log"))) == 20
    assert not (logs / "local-old-10.log").exists()
    assert (logs / "local-old-11.log").exists()
    assert (logs / "mine.txt").exists()


OWNER = """
import os, sys
from taskkit import local
server = local.serve(sys.argv[1])
print(server.base_url, flush=True)
end = sys.argv[2]
if end == "fork":
    if os.fork() == 0:
        assert not server.alive
        server.close()
        sys.exit()
    os.wait()
    assert server.alive
elif end == "error":
    raise RuntimeError
elif end == "wait":
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["return", "error", "fork", "wait"])
def test_it_ends_with_its_process(model: Model, end: str) -> None:
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", OWNER, model(), end]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline().split(":")[2].partition("/")[0])
        if end == "wait":
            owner.kill()
        assert owner.wait(30) == {"error": 1, "wait": -9}.get(end, 0)
    assert closed(port)


def test_an_engine_asks_it(model: Model) -> None:
    @taskkit.task
    class Hello(taskkit.Task[str]):
        """Say hello."""

        name: str
        prompt = taskkit.Prompt("Say hello to {{ name }}.")

    with taskkit.Engine(f"local:{model()}", journal=False) as engine:
        assert str(engine.run(Hello("Ann"))) == f"An answer of {model()}."
    local.serve(model()).close()
