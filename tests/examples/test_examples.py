"""The examples run, against a scripted endpoint."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from taskkit.testing import ScriptedServer, answer

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def run(argv: list[str], server: ScriptedServer) -> "subprocess.CompletedProcess[str]":
    env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "gpt-4.1-mini"}
    return subprocess.run(
        [sys.executable, *argv], env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_demo_asks_summarises_and_translates(server: Callable[..., ScriptedServer]) -> None:
    shutil.copytree(EXAMPLES, "examples", ignore=shutil.ignore_patterns("__pycache__"))
    there = server(answer())
    first = run(["examples/demo.py"], there)
    assert first.returncode == 0, first.stderr + first.stdout
    assert "Using the endpoint of your environment." in first.stdout
    assert re.search(r"[1-9]\d* documents, [1-9]\d* passages", first.stdout)
    for line in ("index the handbook", "ask ", "summarise ", "translate a page"):
        assert re.search(f"^{line}", first.stdout, re.MULTILINE), line
    assert "# " in Path(".demo/deployment.fr.md").read_text()
    asked = len(there.bodies)
    assert run(["examples/demo.py"], there).returncode == 0
    assert len(there.bodies) - asked < asked / 2  # the journal has the rest


def test_the_plugin_names_a_class_that_is_there() -> None:
    project = tomllib.loads((EXAMPLES / "plugin" / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["taskkit.tasks"] == {"haiku": "taskkit_haiku:Haiku"}
    code = "import taskkit_haiku as one, taskkit; assert issubclass(one.Haiku, taskkit.Task) and callable(one.haiku)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=EXAMPLES / "plugin",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert ran.returncode == 0
