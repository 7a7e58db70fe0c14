"""The process' own streams: what is written to a terminal can not steer it, and one that is closed or full says so."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Say, ScriptedServer
from tests.made import on_a_terminal

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]

SCRIPT = Path(sys.executable).parent / "taskkit"
NAME = "odd\x1b]0;owned\x07\x9b31m.md"


@pytest.fixture
def there(server: Server) -> ScriptedServer:
    Path("a.md").write_text("Ships sail the sea.")
    Path(NAME).write_text("Ships sail the sea.")
    Path("empty\x1b[2J.md").write_text("")
    return server("Ships \x1b[31msail\x9b31m the sea.")


def shell(there: ScriptedServer, line: str) -> "subprocess.CompletedProcess[str]":
    options = f"--base-url {there.base_url} --model gpt-4.1-mini"
    return subprocess.run(
        ["bash", "-c", line.replace("TASKKIT", str(SCRIPT)).replace("OPTIONS", options)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("summarise", "a.md", NAME), 0),  # headers, and the texts of several
        (("summarise", "a.md", NAME, "--json"), 0),
        (("summarise", "a.md", "empty\x1b[2J.md"), 1),  # an error's name
        (("summarise", NAME, "--plan"), 0),
        (("--tasks", "mine.py", "odd", "x"), 5),  # what nobody foresaw
    ],
)
def test_no_text_and_no_name_can_steer_a_terminal(argv: tuple[str, ...], code: int, there: ScriptedServer) -> None:
    Path("mine.py").write_text(
        "import taskkit\n\n@taskkit.task\nclass Odd(taskkit.Task[str]):\n    '''Fail.'''\n    word: str\n\n"
        "    async def run(self, job: taskkit.Job) -> str:\n        raise ValueError('no \\x1b[2J\\x07')\n"
    )
    at = ("--base-url", there.base_url, "--model", "gpt-4.1-mini", "--quiet")
    got, seen = on_a_terminal([SCRIPT, *argv, *at])
    assert got == code, seen
    text = seen.decode()
    assert not {"\x1b", "\x07", "\x9b"} & set(text), text
    assert "\r\n" in text


def test_what_is_told_meanwhile_has_a_line_of_its_own(server: Server) -> None:
    Path("a.md").write_text("Ships sail the sea.")
    there = server([Say("Ships sail", chunk=3, finish="length"), *[""] * 4])
    at = ("--base-url", there.base_url, "--model", "gpt-4.1-mini", "--no-journal")
    code, seen = on_a_terminal([SCRIPT, "draft", "A note on ships.", *at])
    lines = seen.decode().replace("\r", "").splitlines()
    assert code == 5, seen
    assert "Ships sail" in lines
    assert any(line.startswith("Warning: ") for line in lines)


def test_texts_that_are_taken_in_for_a_question_are_counted(server: Server) -> None:
    Path("docs").mkdir()
    for number in range(30):
        Path("docs", f"{number}.md").write_text(f"Ship {number} sails at {number} o'clock.")
    quote = "Ship 7 sails at 7 o'clock."
    said = {"quotes": [{"passage": n, "quote": quote} for n in range(1, 7)], "answer": "At 7 o'clock [1]."}
    there = server([said, "Yes."])
    at = ("--base-url", there.base_url, "--model", "gpt-4.1-mini", "--no-journal")
    code, seen = on_a_terminal([SCRIPT, "ask", "When does ship 7 sail?", "--knowledge", "docs", *at])
    assert code == 0, seen
    assert b"30/30" in seen
    assert seen.index(b"30/30") < seen.index(b"At 7 o'clock [1].")


def test_a_closed_output_is_told_before_anything_is_paid_for(there: ScriptedServer) -> None:
    ran = shell(there, "TASKKIT summarise a.md OPTIONS >&-")
    assert (ran.returncode, ran.stderr) == (
        2, "taskkit: Standard output is closed. Give -o a file, or leave it open.\n",
    )  # fmt: skip
    assert not there.bodies
    assert shell(there, "TASKKIT summarise a.md -o out.md OPTIONS >&-").returncode == 0
    assert Path("out.md").read_text().startswith("Ships")
    assert shell(there, "TASKKIT models >&-").returncode == 2


def test_a_full_output_is_told(there: ScriptedServer) -> None:
    ran = shell(there, "TASKKIT summarise a.md OPTIONS > /dev/full")
    assert ran.returncode == 2, ran
    assert ran.stderr.splitlines()[-1] == "taskkit: Standard output can not be written: No space left on device."


def test_a_closed_input_is_told(there: ScriptedServer) -> None:
    ran = shell(there, "TASKKIT summarise - OPTIONS <&-")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran
    assert "Standard input is closed" in ran.stderr
    assert shell(there, "TASKKIT summarise a.md OPTIONS <&-").returncode == 0


def test_words_that_are_no_utf_8_are_told(there: ScriptedServer) -> None:
    ran = shell(there, "TASKKIT draft $'bad\\xff' OPTIONS")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran
    assert ran.stderr.startswith("taskkit: brief is not UTF-8.")


def test_utf_16_comes_through_a_pipe_as_it_does_from_a_file(taskkit: Run, there: ScriptedServer) -> None:
    ran = taskkit("summarise", "-", "-o", "out.md", server=there, stdin="\ufeffShips sail.".encode("utf-16-le"))
    assert ran.code == 0, ran
    assert "Ships sail." in json.dumps(there.bodies[0])


def test_an_error_does_not_repeat_a_book(taskkit: Run, there: ScriptedServer) -> None:
    ran = taskkit("translate", "a.md", "--to", "f" * 100_000, server=there)
    assert ran.code == 2
    assert len(ran.err) < 2000
    assert "…" in ran.err


def test_a_file_of_labels_that_is_not_there_is_no_label(taskkit: Run, there: ScriptedServer) -> None:
    ran = taskkit("analyse", "a.md", "--labels", "lables.txt", server=there)
    assert (ran.code, ran.err) == (2, "taskkit: There is no file lables.txt. Check its name and folder.\n")


@pytest.mark.parametrize("name", ["kb", "prompts"])
def test_a_group_alone_prints_its_help(name: str, taskkit: Run) -> None:
    ran = taskkit(name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: taskkit {name} ")
    assert "\nCommands:\n" in ran.out


def test_a_prompt_of_ones_own_that_is_broken_is_named(taskkit: Run, there: ScriptedServer) -> None:
    Path("prompts").mkdir()
    for text in ("Write {{ nothing }}.", "{% block draft %}\nWrite {{ nothing }}.\n{% endblock %}"):
        Path("prompts/draft.md").write_text(text)
        ran = taskkit("draft", "A letter.", server=there)
        assert ran.code == 3
        assert "prompts/draft.md" in ran.err


def test_the_doctor_says_where_settings_stand(taskkit: Run, there: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("rpm = 500\n")
    Path("pyproject.toml").write_text("[tool.taskkit]\nconcurrency = 2\n")
    ran = taskkit("doctor", server=there)
    assert f"settings    {tmp_path}/config/config.toml\n" in ran.out
    assert f"models      {tmp_path}/config/models.toml (there is none)\n" in ran.out
    assert f"project     {Path.cwd()}/pyproject.toml\n" in ran.out
    assert "max_cost" in taskkit("doctor", "--help").out
    assert f"{tmp_path}/config/models.toml" in taskkit("models").out


@pytest.mark.parametrize("task", ["summarise", "translate --to de", "analyse --labels a,b --plan", "draft x --sources"])
def test_what_can_be_read_once_only_is_read_once(task: str, there: ScriptedServer) -> None:
    ran = shell(there, f"TASKKIT {task} <(printf 'Ships sail the sea.') OPTIONS")
    assert ran.returncode == 0, ran
    assert "--plan" in task or "Ships sail the sea." in str(there.bodies[0]["messages"])


def test_what_never_ends_is_refused(there: ScriptedServer) -> None:
    ran = shell(there, "TASKKIT summarise /dev/zero OPTIONS")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran
    assert "does not come to an end" in ran.stderr
