"""Bringing weights from the outside: two processes, kills, the command line, files of one's own, what is missing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import local
from taskkit.errors import ConfigurationError, InputError
from taskkit.local import disk
from taskkit.tasks.summarise import Summarise
from tests.made import on_a_terminal

NAME = "hf:owner/repo/small.gguf"
SCRIPT = Path(sys.executable).parent / "taskkit"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def started(*argv: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        running.append(subprocess.Popen([SCRIPT, *argv], text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe))
        return running[-1]

    yield started
    for one in running:
        one.kill()
        one.communicate()


def home() -> Path:
    return Path(os.environ["TASKKIT_CACHE"]) / "models/hf/owner/repo/small.gguf"


def begun(running: "subprocess.Popen[str]") -> Path:
    """What a process is bringing, as soon as some of it is on the disk."""
    while running.poll() is None:
        for part in home().parent.glob(".small.gguf.*.part"):
            if part.stat().st_size:
                return part
        os.sched_yield()
    raise AssertionError(running.communicate())


def test_two_processes_at_once_end_with_one_good_file(hub: Any, start: Start) -> None:
    hub.hold = threading.Event()
    first = start("models", "pull", NAME)
    assert hub.held.wait(60)
    second = start("models", "pull", NAME)
    assert second.stderr is not None
    assert second.stderr.readline() == f"Another process is bringing {NAME}: waiting for it.\n"
    hub.hold.set()
    for one in (first, second):
        out, err = one.communicate(timeout=60)
        assert (one.returncode, out, err) == (0, f"{home()}\n", "")
    assert home().read_bytes() == hub.content
    assert len(hub.gets) == 1


def test_when_the_first_is_killed_the_second_goes_on_from_there(hub: Any, start: Start) -> None:
    hub.hold = threading.Event()
    first = start("models", "pull", NAME)
    assert hub.held.wait(60)
    second = start("models", "pull", NAME)
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    begun(first)
    first.kill()
    hub.hold.set()
    out, err = second.communicate(timeout=60)
    assert (second.returncode, out, err) == (0, f"{home()}\n", "")
    assert home().read_bytes() == hub.content
    start_at = int(hub.gets[1].range.removeprefix("bytes=").removesuffix("-"))
    assert 0 < start_at <= 500_000


def test_the_command_says_what_went_wrong_in_one_line(hub: Any, start: Start) -> None:
    hub.status = 404
    out, err = (running := start("models", "pull", NAME)).communicate(timeout=60)
    assert (running.returncode, out) == (5, "")
    assert err.startswith("taskkit: ")
    assert err.endswith("Check owner, repository and file name.\n")
    assert err.count("\n") == 1


def test_interrupted_it_keeps_what_has_come(hub: Any, start: Start) -> None:
    hub.hold = threading.Event()
    running = start("models", "pull", NAME)
    assert hub.held.wait(60)
    part = begun(running)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.lstrip().startswith("taskkit: Interrupted.")
    assert "Traceback" not in err
    assert part.stat().st_size
    assert not home().exists()


def test_a_file_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "mine.GGUF"
    mine.write_bytes(b"GGUF and so on")
    assert local.path(str(mine)) == local.pull(str(mine)) == mine
    assert local.path(os.path.relpath(mine)).is_absolute()
    with pytest.raises(InputError, match="is your own file: taskkit removes only what it brought"):
        local.remove(str(mine))
    assert mine.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04", "is not a GGUF file. Choose a model in the GGUF format."),
        (None, "can not be read: No such file"),
    ],
)
def test_a_file_of_ones_own_that_is_no_model(tmp_path: Path, content: bytes | None, says: str) -> None:
    mine = tmp_path / "mine.gguf"
    if content is not None:
        mine.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        local.pull(str(mine))
    assert says in str(caught.value)


def test_a_folder_named_like_a_model(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").mkdir()
    with pytest.raises(ConfigurationError, match=r"can not be read: Is a directory\. Check the path"):
        local.pull(str(tmp_path / "x.gguf"))


@pytest.mark.parametrize("name", ["no-such", "", "..", "../smollm2-135m", "smollm2-135m/x"])
def test_a_name_that_is_not_known(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Known are qwen2\.5-coder-1\.5b, smollm2-135m; or give the path"):
        local.pull(name)


def test_the_catalogue_says_what_each_model_is() -> None:
    rows = {one.name: one for one in local.models()}
    assert set(rows) == {"qwen2.5-coder-1.5b", "smollm2-135m"}
    for one in rows.values():
        assert (one.licence, len(one.sha256), one.installed) == ("Apache-2.0", 64, False)
        assert one.size > 10**7
        assert one.good_for
        assert one.path.name == f"{one.name}.gguf"


def test_the_progress_of_a_command_in_a_terminal(hub: Any) -> None:
    with Path("out").open("wb") as out:
        code, seen = on_a_terminal([SCRIPT, "models", "pull", NAME], stdin=subprocess.DEVNULL, stdout=out)
    assert (code, Path("out").read_text()) == (0, f"{home()}\n")
    assert b"1.0/1.0 MB" in seen


def test_without_weights_the_error_gives_the_command_that_brings_them(hub: Any) -> None:
    for name in ("qwen2.5-coder-1.5b", NAME):
        with (
            pytest.raises(ConfigurationError, match=f"are not here yet. Run: taskkit models pull {name}$"),
            taskkit.Engine(f"local:{name}", journal=False) as engine,
        ):
            engine.run(Summarise("A text."))


def test_without_the_extra_the_error_gives_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    command = r'Run: pip install "taskkit\[local\]"$'
    with pytest.raises(ConfigurationError, match=command):
        local.path("smollm2-135m")
    with (
        pytest.raises(ConfigurationError, match=command),
        taskkit.Engine("local:smollm2-135m", journal=False) as engine,
    ):
        engine.run(Summarise("A text."))


def test_what_lies_there_under_the_checked_name_is_the_checked_file(hub: Any) -> None:
    local.pull(NAME)
    note = home().with_name("small.gguf.sha256").read_text()
    assert note.split()[0] == disk.sha256(home())
