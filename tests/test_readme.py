"""Every block of the README runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Say, ScriptedServer, answer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SHELL = [
    line for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


FILES = {
    "report.md": "# Report\n\nThe harbour was closed in March, after a storm.\n",
    "page.md": "# The page\n\nThe harbour opens at six. See [the map](map.md) or run `make map`.\n",
    "page.before.md": "# The page\n\nThe harbour opens at five.\n",
    "docs/index.md": "# The harbour\n\nThe harbour opens at six.\n",
    "standup.vtt": "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v Ann>We open the harbour on Monday.\n",
    "messages.po": 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "The harbour is open."\nmsgstr ""\n',
    "terms.csv": "harbour,Hafen\n",
    "reviews.csv": "text,stars\nI love the harbour.,5\nThe harbour was closed.,1\n",
    "review.txt": "I love the harbour.\n",
}


def translated(text: str) -> str:
    """As a translation is to the checks: other words, the same marks, the wanted term."""
    text = re.sub(r"(?i)harbour", "Hafen", text)
    return re.sub(r"\b(?!Hafen)([A-Za-z]{3,})\b", lambda word: f"{word[0]}en", text)


def replied(body: dict[str, Any]) -> Say:
    said = str(body["messages"][-1]["content"])
    if "response_format" in body:
        schema = json.dumps(body["response_format"])
        if "translation" in schema:
            found = re.findall(r"^id (\w+):\n(.*?)(?=\n\nid \w+:\n|\n<<<end)", said, re.MULTILINE | re.DOTALL)
            return Say(json.dumps({"items": [{"id": key, "translation": translated(text)} for key, text in found]}))
        return Say(answer()(body))
    if "ranslate to" in said:
        return Say(translated(re.split(r"ranslate to \w+:\s+", said)[-1]))
    return Say("The harbour was closed in March.")


@pytest.fixture
def desk(server: Callable[..., ScriptedServer]) -> dict[str, str]:
    """A folder with the README's files, and an endpoint."""
    there = server(replied)
    shutil.copytree(ROOT / "examples" / "handbook", "handbook")
    Path("docs").mkdir()
    for name, text in FILES.items():
        Path(name).write_text(text)
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
