"""Every test has its own cache, configuration and folder, and no key of the machine's."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import ScriptedServer

# Where the suite itself runs in the background a shell has it ignore Ctrl-C, and all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("TASKKIT_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TASKKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    from taskkit.engine import default

    default.use(None)


@pytest.fixture
def server() -> Iterator[Callable[..., ScriptedServer]]:
    """Makes scripted servers, which end with the test."""
    made: list[ScriptedServer] = []

    def make(*args: Any, **options: Any) -> ScriptedServer:
        made.append(ScriptedServer(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
