"""`taskkit run`: each line for itself, and told by its number."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Fail, Say, ScriptedServer

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]

SCRIPT = Path(sys.executable).parent / "taskkit"


def test_a_line_that_is_wrong_is_told_by_its_number_and_stops_none(taskkit: Run, server: Server) -> None:
    rows = ['"Ships."', "", "{broken", '"Odd."', '{"sauce": 1}', "[" * 100_000, "7", '"Bees."', ""]
    Path("in.jsonl").write_text("\n".join(rows))
    there = server(lambda body: Fail(400, "odd") if "Odd." in json.dumps(body) else "Fine.")
    ran = taskkit("run", "summarise", "in.jsonl", "-o", "out.jsonl", server=there)
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert ran.code == 1
    assert [(one["line"], one.get("text")) for one in lines] == [
        (1, "Fine."), (3, None), (4, None), (5, None), (6, None), (7, None), (8, "Fine."),
    ]  # fmt: skip
    assert ["no JSON" in one.get("error", "") for one in lines] == [False, True, False, False, True, False, False]
    assert ran.err.splitlines()[-1].startswith("taskkit: 5 of 7 lines failed; the first is line 3: It is no JSON: ")
    assert len(there.bodies) == 3


def test_a_plan_of_all_lines_sends_nothing(taskkit: Run, server: Server) -> None:
    Path("in.jsonl").write_text('"Ships."\n\n{}\n"Bees."\n')
    there = server(Fail(500, "nobody may ask"))
    ran = taskkit("run", "summarise", "in.jsonl", "--plan", server=there)
    assert "==> line 4 <==" in ran.out
    assert "==> all 2 together <==\ncalls     2 to 4\n" in ran.out
    assert ran.err.startswith("taskkit: line 3: summarise: ")
    assert (ran.code, there.bodies) == (1, [])


def test_a_task_that_ends_the_process_is_told_and_holds_nobody_up(server: Server) -> None:
    Path("mine.py").write_text(
        "import sys\nimport taskkit\n\n@taskkit.task\nclass Odd(taskkit.Task[str]):\n    '''Fail.'''\n    word: str\n\n"
        "    async def run(self, job: taskkit.Job) -> str:\n        sys.exit(3)\n"
    )
    Path("in.jsonl").write_text('"a"\n"b"\n')
    for argv in (("run", "odd", "in.jsonl"), ("odd", "a"), ("odd", "a", "--plan")):
        ran = subprocess.run(
            [SCRIPT, "--tasks", "mine.py", *argv, "--base-url", server("x").base_url, "--model", "gpt-4.1-mini"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert ran.returncode == 5, ran
        assert ran.stderr.splitlines()[-1] == (
            "taskkit: Something unforeseen happened (SystemExit: 3). --debug shows where."
        )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--fresh", "Interrupted. What was done is in the journal: run it without --fresh to go on from there."),
        ("--no-journal", "Interrupted."),
    ],
)
def test_interrupted_it_says_what_is_true(option: str, words: str, server: Server) -> None:
    Path("in.jsonl").write_text('"Text 0."\n"Text 1."\n')
    there = server(lambda body: Say("Fine.", delay=60 if "Text 1" in str(body) else 0))
    argv = ("run", "summarise", "in.jsonl", "--base-url", there.base_url, "--model", "gpt-4.1-mini", option)
    with subprocess.Popen([SCRIPT, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdout.readline(), "the first is done, and told"
        while running.poll() is None and len(there.bodies) < 2:
            os.sched_yield()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines()[-1] == f"taskkit: {words}"


def test_an_input_of_all_lines_is_said_once(taskkit: Run, server: Server) -> None:
    Path("in.jsonl").write_text('"Good day."\n{"source": "Good night.", "to": "fr"}\n')
    there = server("Well.")
    ran = taskkit("run", "translate", "in.jsonl", "--with", "to=de", server=there)
    assert ran.code == 0, ran.err
    assert [json.loads(line)["language"] for line in ran.out.splitlines()] == ["de", "fr"]
    for wrong in ("too=de", "to"):
        ran = taskkit("run", "translate", "in.jsonl", "--with", wrong, server=there)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
