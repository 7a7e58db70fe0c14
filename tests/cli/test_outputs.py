"""Where results go: nothing that was given is lost, and what is there is whole."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.testing import Fail, ScriptedServer

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]

OWN = "Ships sail the sea.\n"


@pytest.fixture(autouse=True)
def _files(_isolated: None) -> None:
    Path("a.md").write_text(OWN)
    Path("b.md").write_text(OWN)
    Path("rows.jsonl").write_text('"Ships."\n')
    Path("linked.md").symlink_to("a.md")
    os.link("a.md", "hard.md")
    Path("over").mkdir()
    Path("over/b.md").symlink_to("../a.md")
    Path("terms.csv").write_text("term,translation\nsea,mer\n")


@pytest.mark.parametrize(
    "argv",
    [
        ("translate", "a.md", "--to", "fr", "-o", "a.md"),
        ("summarise", "a.md", "-o", "./a.md"),
        ("summarise", "a.md", "-o", "linked.md"),
        ("summarise", "linked.md", "-o", "hard.md"),
        ("analyse", "a.md", "--labels", "x,y", "--report", "hard.md"),
        ("analyse", "a.md", "--labels", "x,y", "-o", "new.md", "--report", "./new.md"),
        ("summarise", "a.md", "b.md", "--together", "-o", "b.md"),
        ("summarise", "a.md", "b.md", "-o", "over"),  # the place of one is another's source
        ("translate", "a.md", "--to", "fr", "--glossary", "terms.csv", "-o", "terms.csv"),
        ("run", "summarise", "rows.jsonl", "-o", "rows.jsonl"),
    ],
)
def test_what_was_given_is_never_written_over(argv: tuple[str, ...], taskkit: Run, server: Server) -> None:
    there = server(Fail(500, "nobody may ask"))
    ran = taskkit(*argv, server=there)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    assert not there.bodies
    assert Path("a.md").read_text() == Path("b.md").read_text() == OWN
    assert Path("rows.jsonl").read_text() == '"Ships."\n'
    assert Path("terms.csv").read_text().startswith("term")
    assert not Path("new.md").exists()


@pytest.mark.parametrize(
    "argv",
    [
        ("--knowledge", ".", "-o", "a.md"),
        ("--knowledge", ".", "-o", "over/b.md"),
        ("--knowledge", "k.kb", "-o", "k.kb"),
        ("-o", "k.kb"),
        ("-o", "k.kb-wal"),
        ("--knowledge", "a.md", "--session", "s.jsonl", "-o", "s.jsonl"),
        ("--knowledge", "a.md", "--session", "s.jsonl", "-o", "./new.jsonl", "--session", "new.jsonl"),
    ],
)
def test_an_answer_takes_the_place_of_nothing_that_is_read_or_kept_for_it(
    argv: tuple[str, ...], taskkit: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = server(Fail(500, "nobody may ask"))
    with KnowledgeBase("k.kb") as base:
        base.add(Document("ships", OWN))
        monkeypatch.setenv("TASKKIT_KNOWLEDGE", "k.kb")
        Path("s.jsonl").write_text("")
        before = {one: one.read_bytes() for one in Path().rglob("*") if one.is_file()}
        ran = taskkit("ask", "What sails?", *argv, server=there)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
        assert before == {one: one.read_bytes() for one in Path().rglob("*") if one.is_file()}


def test_what_a_result_is_to_take_the_place_of_is_no_source(taskkit: Run, server: Server) -> None:
    there = server(lambda body: {"items": [{"id": "1", "translation": "Les navires sillonnent la mer."}]})
    argv = ("translate", "a.md", "--from", "en", "--to", "fr", "-o", "c.md", "--update", "c.md")
    assert taskkit(*argv, server=there).code == 0
    assert taskkit(*argv, server=there).code == 0  # it is there now
    argv = ("translate", "a.md", "--from", "en", "--to", "fr", "-o", "/dev/null", "--report", "/dev/null")
    assert taskkit(*argv, server=there).code == 0


def test_a_part_of_ones_own_is_left_alone(taskkit: Run, server: Server) -> None:
    Path("keep.out.part").write_text("mine")
    assert taskkit("run", "summarise", "rows.jsonl", "-o", "keep.out", server=server("Fine.")).code == 0
    assert Path("keep.out.part").read_text() == "mine"
    assert json.loads(Path("keep.out").read_text())["text"] == "Fine."


def test_a_folder_for_several_files_is_made(taskkit: Run, server: Server) -> None:
    there = server("Fine.")
    assert taskkit("summarise", "a.md", "b.md", "-o", "deep/er/", server=there).code == 0
    assert sorted(one.name for one in Path("deep/er").iterdir()) == ["a.md", "b.md"]
    assert taskkit("summarise", "a.md", "-o", "alone/", server=there).code == 0
    assert Path("alone/a.md").read_text() == "Fine.\n"


TWO = "names.py:\n```python\nX = 1\n```\n\ntests/check.py:\n```python\nY = 2\n```\n"


def test_code_of_several_files_keeps_their_names(taskkit: Run, server: Server) -> None:
    there = server(TWO)
    refused = taskkit("code", "two files", "-o", "one.py", server=there)
    assert refused.code == 2
    assert "2 files (names.py, tests/check.py)" in refused.err
    assert "The work is in the journal" in refused.err
    assert not Path("one.py").exists()
    ran = taskkit("code", "two files", "-o", "src/", server=there)
    assert (ran.code, len(there.bodies)) == (0, 1), ran
    assert Path("src/names.py").read_text() == "X = 1\n"
    assert Path("src/tests/check.py").read_text() == "Y = 2\n"
    Path("src/names.py").write_text("my own")
    again = taskkit("code", "two files", "-o", "src", server=there)
    assert again.code == 2
    assert "names.py is there already" in again.err
    assert Path("src/names.py").read_text() == "my own"
    mended = taskkit("code", "two files", "--files", "src/names.py", "-o", "src/", server=there)
    assert mended.code == 0, mended
    assert Path("src/names.py").read_text() == "X = 1\n"


@pytest.mark.parametrize(
    ("options", "words", "not_words"),
    [
        ((), "the same command with another place gives it at once", "--fresh"),
        (
            ("--fresh",),
            "the same command, without --fresh and with another place, gives it at once",
            "same command with",
        ),
        (("--no-journal",), "No space left", "journal"),
    ],
)
def test_what_can_not_be_written_is_only_kept_where_it_is(
    options: tuple[str, ...], words: str, not_words: str, taskkit: Run, server: Server
) -> None:
    ran = taskkit("summarise", "a.md", "-o", "/dev/full", *options, server=server("Fine."))
    line = ran.err.splitlines()[-1]
    assert (ran.code, line.startswith("taskkit: /dev/full can not be written: No space left on device.")) == (
        2,
        True,
    ), ran
    assert words in line
    assert not_words not in line


@pytest.mark.parametrize(
    ("options", "words", "not_words"),
    [
        ((), "kept in the journal", "fresh"),
        (("--fresh",), "without --fresh", "the same again"),
        (("--no-journal",), "max_cost", "journal"),
    ],
)
def test_a_reached_cap_says_how_to_go_on(
    options: tuple[str, ...], words: str, not_words: str, taskkit: Run, server: Server
) -> None:
    ran = taskkit("summarise", "a.md", "--max-cost", "0.0000001", *options, server=server("Fine."))
    assert ran.code == 4
    line = ran.err.splitlines()[-1]
    assert words in line
    assert not_words not in line
    assert "of the cap of $0.00000010" in line


def test_names_that_are_no_utf_8_come_through_json(taskkit: Run, server: Server) -> None:
    name = os.fsdecode(b"b\xff.md")
    Path("b.md").rename(name)
    ran = taskkit("summarise", "a.md", name, "--json", server=server("Fine."))
    assert ran.code == 0, ran
    assert [row["text"] for row in json.loads(ran.out)] == ["Fine.", "Fine."]
    assert taskkit("summarise", name, "--json", server=server("Fine.")).code == 0
    assert taskkit("summarise", name, "-o", "out.json", "--json", server=server("Fine.")).code == 0
    assert json.loads(Path("out.json").read_text())["text"] == "Fine."
