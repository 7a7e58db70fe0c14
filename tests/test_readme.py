"""Every block of the README runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from taskkit.testing import Say, ScriptedServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SHELL = [
    line for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


@pytest.fixture
def desk(server: Callable[..., ScriptedServer]) -> dict[str, str]:
    """A folder with the README's files, and an endpoint."""

    def reply(body: dict[str, object]) -> Say:
        if "response_format" in body:
            return Say('{"quotes": [], "answer": "", "items": []}')
        return Say("Un texte bien court, **mes amis**.")

    there = server(reply)
    shutil.copytree(ROOT / "examples" / "handbook", "handbook")
    Path("report.md").write_text("# Report\n\nThe harbour was closed in March, after a storm.\n")
    here = {"OPENAI_BASE_URL": there.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "scripted"}
    return {**os.environ, **here, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python(desk: dict[str, str], code: str) -> None:
    ran = subprocess.run([sys.executable, "-c", code], env=desk, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_shell(desk: dict[str, str]) -> None:
    for line in SHELL:
        ran = subprocess.run(["sh", "-c", line], env=desk, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
        assert "Traceback" not in ran.stderr
