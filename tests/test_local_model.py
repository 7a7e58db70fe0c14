"""The real small model, served by its own child process."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

import taskkit
from taskkit import local
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.tasks.summarise import Summarise

pytestmark = pytest.mark.local_model


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the user's own cache; brought there when they are missing. The journal stays the test's own."""
    home = os.environ.get("TASKKIT_TEST_CACHE") or platformdirs.user_cache_dir("taskkit", appauthor=False)
    monkeypatch.setenv("TASKKIT_CACHE", home)
    local.pull("smollm2-135m")


@taskkit.task
class Hello(taskkit.Task[str]):
    """Say hello."""

    name: str
    prompt = taskkit.Prompt("Say hello to {{ name }} in one sentence.")


class Colour(taskkit.Result):
    colour: str


@taskkit.task
class Paint(taskkit.Task[Colour]):
    """Name a colour."""

    thing: str
    prompt = taskkit.Prompt("Which colour has {{ thing }}?")


def test_it_answers_streams_and_fills_a_schema() -> None:
    with taskkit.Engine("local:smollm2-135m", journal=False) as engine:
        assert str(engine.run(Hello("Ann"))).strip()
        stream = engine.stream(Hello("Bob"))
        assert "".join(stream) == stream.result
        assert engine.run(Paint("the sky")).colour.strip()
        assert engine.run(Summarise("The harbour was closed in March. " * 10, words=30)).text


def test_it_embeds() -> None:
    """It was made to chat: its vectors are poor, but they are vectors."""
    with (
        taskkit.Engine(journal=False) as engine,
        taskkit.use(engine),
        KnowledgeBase("k.kb", embedder="local:smollm2-135m") as base,
    ):
        base.add([Document("a", "Trains are booked in second class."), Document("b", "Bees make honey.")])
        assert base.stats().width == 576
        (best, *_) = base.search("Trains are booked in second class.", k=2)
        assert best.passage.document == "a"
        assert best.dense == pytest.approx(1, abs=0.1)


def test_it_ends_when_its_process_is_killed() -> None:
    code = (
        "import sys\n"
        "from taskkit import local\n"
        "server = local.serve('smollm2-135m', context=2048)\n"
        "print(server.base_url, flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    port = int(process.stdout.readline().split(":")[2].split("/")[0])
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    _until_closed(port)


def _until_closed(port: int) -> None:
    import socket
    import time

    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)):
                return
    pytest.fail("the embedded model outlived its process")


def test_missing_weights_tell_the_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKKIT_CACHE", str(tmp_path / "none"))
    with pytest.raises(taskkit.TaskkitError, match="taskkit models pull smollm2-135m"):
        taskkit.Engine("local:smollm2-135m").run(Hello("Ann"))
