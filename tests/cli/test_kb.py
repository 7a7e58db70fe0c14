"""`taskkit kb`, each command as it is typed."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.cli.kb_care import kb
from taskkit.engine.default import use
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.testing import Fail, ScriptedServer

Run = Callable[..., Any]
Server = Callable[..., ScriptedServer]


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> str:
    with KnowledgeBase("k.kb") as made:
        made.add(
            [
                Document("pay.md", "# Pay\n\nExpenses are paid back.\n", metadata={"year": 2024}, format="markdown"),
                Document("evil", "Bees \x1b]0;owned\x07 make honey.", title="On\x1b[2J bees", access={"team": "hr"}),
            ]
        )
    monkeypatch.setenv("TASKKIT_KNOWLEDGE", "k.kb")
    return "k.kb"


@pytest.mark.usefixtures("base")
def test_a_document_is_shown_with_its_passages(taskkit: Run) -> None:
    shown = taskkit("kb", "show", "pay.md").out
    assert shown.startswith("pay.md\nmarkdown, 31 characters, 1 passage\nmetadata: year = 2024\n\nline 1 [0:30]  Pay\n")
    assert "  Expenses are paid back." in shown
    data = json.loads(taskkit("kb", "show", "pay.md", "--json").out)
    passage = data["passages"][0]
    assert data["text"][passage["start"] : passage["end"]] == passage["text"]
    missing = taskkit("kb", "show", "nope")
    assert (missing.code, "kb list" in missing.err) == (2, True)


@pytest.mark.usefixtures("base")
def test_scores_are_shown_when_they_are_asked_for(taskkit: Run) -> None:
    plain = taskkit("kb", "search", "expenses").out
    assert plain.splitlines()[0] == "pay.md, line 1 [0:30]  Pay"
    assert "score" not in plain
    assert "score 1.000: words" in taskkit("kb", "search", "expenses", "--explain").out
    assert taskkit("kb", "search", "honey").out.count("evil") == 0
    assert "honey" in taskkit("kb", "search", "honey", "--allow", '{"team": "hr"}').out


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("command", [["list"], ["show", "evil"], ["search", "honey", "--allow", '{"team": "hr"}']])
def test_no_document_steers_the_terminal(taskkit: Run, command: list[str]) -> None:
    assert "\x1b" not in taskkit("kb", *command).out


@pytest.mark.usefixtures("base")
def test_a_base_is_made_anew_and_written_out(taskkit: Run) -> None:
    ran = taskkit("kb", "reindex", "--precision", "int8")
    assert (ran.code, ran.err) == (0, "2 passages made with wordllama int8; 2 texts embedded\n")
    assert json.loads(taskkit("kb", "reindex", "--json").out)["embedded"] == 0
    assert taskkit("kb", "reindex", "--embedder", "nobody").code == 3
    rows = [json.loads(line) for line in taskkit("kb", "export").out.splitlines()]
    assert [row["name"] for row in rows] == ["evil", "pay.md"]
    assert rows[1]["passages"][0] == {"start": 0, "end": 30, "headings": ["Pay"], "line": 1, "page": 0, "table": ""}
    assert rows[0]["access"] == {"team": ["hr"]}
    ran = taskkit("kb", "export", "-o", "out.jsonl", "--vectors", "--json")
    assert json.loads(ran.out) == {"documents": 2, "file": "out.jsonl"}
    lines = Path("out.jsonl").read_text().splitlines()
    assert len(json.loads(lines[1])["passages"][0]["vector"]) == 256
    assert taskkit("kb", "export", "-o", "nowhere/out.jsonl").code == 2
    assert {path.name for path in Path.cwd().iterdir()} == {"k.kb", "out.jsonl"}


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("place", ["k.kb", "./k.kb", "linked", "hard", "k.kb-index"])
def test_a_base_is_not_written_out_over_itself(taskkit: Run, place: str) -> None:
    Path("linked").symlink_to("k.kb")
    os.link("k.kb", "hard")
    Path("k.kb-index").touch()
    ran = taskkit("kb", "export", "-o", place)
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == f"taskkit: {Path(place)} is the knowledge base itself. Give another name, so that it is not lost.\n"
    )
    assert taskkit("kb", "list", "--knowledge", "k.kb").out.startswith("evil ")


@pytest.mark.parametrize(
    "command", [["list"], ["stats"], ["verify"], ["export"], ["show", "x"], ["search", "x"], ["remove", "x"]]
)
def test_what_only_reads_makes_no_base_of_an_empty_file(taskkit: Run, command: list[str]) -> None:
    Path("notes.txt").touch()
    ran = taskkit("kb", *command, "--knowledge", "notes.txt")
    assert ran.code == 2
    assert ran.err.startswith("taskkit: notes.txt is empty: there is no knowledge base in it.")
    assert Path("notes.txt").read_bytes() == b""
    assert [one.name for one in Path().iterdir()] == ["notes.txt"]


@pytest.mark.usefixtures("base")
def test_each_command_answers_in_json(taskkit: Run) -> None:
    Path("more").mkdir()
    Path("more/new.md").write_text("# New\n\nWords.\n")
    assert json.loads(taskkit("kb", "add", "more", "--json").out)["added"] == 1
    assert json.loads(taskkit("kb", "sync", "more", "--json").out)["unchanged"] == 1
    assert json.loads(taskkit("kb", "remove", "new.md", "--json").out) == {"removed": 1}
    assert json.loads(taskkit("kb", "verify", "--json").out) == {"problems": []}
    assert json.loads(taskkit("kb", "compact", "--json").out)["vectors"] == 1
    assert [row["name"] for row in json.loads(taskkit("kb", "list", "--json").out)] == ["evil", "pay.md"]
    assert json.loads(taskkit("kb", "stats", "--json").out)["passages"] == 2


def test_what_is_wrong_ends_with_1(taskkit: Run, base: str) -> None:
    with KnowledgeBase(base) as made, made._store.change() as db:  # type: ignore[attr-defined]
        db.execute("DELETE FROM vectors")
    ran = taskkit("kb", "verify")
    assert ran.code == 1
    assert ran.out == "2 passages have no vector\n"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM words WHERE rowid = 1", "1 passages are not in the word index"),
        ("DELETE FROM passages WHERE id = 1", "1 entries of the word index have no passage"),
        ("UPDATE vectors SET vector = substr(vector, 3) WHERE id = 1", "1 vectors are not as wide as the others"),
        ("UPDATE documents SET text = substr(text, 1, 5) WHERE name = 'pay.md'", "1 documents end before their passages do"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_is_told(taskkit: Run, base: str, damage: str, told: str) -> None:
    with KnowledgeBase(base) as made, made._store.change() as db:  # type: ignore[attr-defined]
        db.execute(damage)
    ran = taskkit("kb", "verify")
    assert (ran.code, ran.out) == (1, f"{told}\n")


@pytest.mark.parametrize("name", sorted(kb.commands))
def test_help_teaches_by_an_example(taskkit: Run, name: str) -> None:
    told = taskkit("kb", name, "--help").out
    assert f"Example: taskkit kb {name}" in told
    assert "--knowledge" in told
    assert "--json" in told


def test_a_base_in_postgres_by_its_address(taskkit: Run) -> None:
    ran = taskkit("kb", "list", "--knowledge", "postgresql://me:s3cret@127.0.0.1:1/db")
    assert ran.code == 3
    assert "postgresql://me@127.0.0.1:1/db" in ran.err
    assert "s3cret" not in ran.err + ran.out


@pytest.mark.usefixtures("base")
def test_what_the_model_is_asked_for_a_search_is_told(
    taskkit: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(reply: Any, *how: str) -> Any:
        monkeypatch.setenv("OPENAI_BASE_URL", server(reply).base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("TASKKIT_MODEL", "gpt-4.1-mini")
        with use(None):
            return taskkit("kb", "search", "expenses", *how)

    ran = asked('{"best": [1]}', "--rerank")
    assert (ran.code, ran.out.splitlines()[:1]) == (0, ["pay.md, line 1 [0:30]  Pay"]), ran.err
    assert ran.err.startswith("1 call, ")
    ran = asked(Fail(500, "Down.", headers={"retry-after-ms": "1"}), "--rerank", "--expand", "queries")
    assert (ran.code, ran.out.splitlines()[:1]) == (0, ["pay.md, line 1 [0:30]  Pay"]), ran.err
    warnings = [line for line in ran.err.splitlines() if line.startswith("Warning: ")]
    assert [line.endswith("own words alone.") for line in warnings] == [True, False]
    assert warnings[1].endswith("The passages stay in the order that they were found in.")
    ran = asked(Fail(401, "no", "invalid_api_key"), "--rerank")
    assert (ran.code, ran.out) == (3, "")
    assert asked("never", "-k", "1").err == ""


def test_documents_get_metadata_and_labels_from_the_shell(taskkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKKIT_KNOWLEDGE", "k.kb")
    Path("pay").mkdir()
    Path("pay/rules.md").write_text("---\nyear: 2023\naccess: everybody\n---\n\n# Expenses\n\nThey are paid back.\n")
    options = ("--metadata", "year=2024", "--metadata", "draft=false", "--metadata", "tag=a", "--metadata", 'tag="7"')
    labels = ("--access", "team=hr", "--access", "team=board", "--access", "level=2")
    assert taskkit("kb", "sync", "pay", *options, *labels).code == 0
    (row,) = json.loads(taskkit("kb", "list", "--json").out)
    assert row["metadata"] == {"year": 2024, "access": "everybody", "draft": False, "tag": ["a", "7"]}
    assert row["access"] == {"team": ["hr", "board"], "level": ["2"]}
    assert row["title"] == "Expenses"
    assert taskkit("kb", "list").out == "rules.md       1  Expenses\n"

    def found(**how: Any) -> bool:
        given = [part for name, value in how.items() for part in (f"--{name}", json.dumps(value))]
        return "paid back" in taskkit("kb", "search", "expenses", *given).out

    assert not found()
    assert not found(allow={"access": "everybody", "team": "hr"})
    assert found(allow={"team": "hr", "level": "2"}, where={"year": {"$gte": 2024}, "draft": False})
    assert not found(allow={"team": "hr", "level": "2"}, where={"year": 2023})

    Path("pay/rules.md").write_text("# Expenses\n\nThey are paid back soon.\n")
    assert taskkit("kb", "sync", "pay").code == 0  # forgotten labels open nothing
    assert not found()
    assert found(allow={"team": "board", "level": "2"})
    ran = taskkit("kb", "sync", "pay", "--access", "team=it")
    assert "1 changed; 0 texts embedded" in ran.err
    assert found(allow={"team": "it"})


@pytest.mark.parametrize("given", ["year", "=2024", " = "])
def test_metadata_that_are_none(taskkit: Run, given: str) -> None:
    Path("d").mkdir()
    for option in ("--metadata", "--access"):
        ran = taskkit("kb", "sync", "d", option, given, "--knowledge", "k.kb")
        assert (ran.code, "KEY=VALUE" in ran.err) == (2, True)
    assert not Path("k.kb").exists()


def test_two_folders_of_one_name_and_a_move_as_they_are_typed(taskkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKKIT_KNOWLEDGE", "k.kb")
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "x.md").write_text(f"# X of {folder}\n\nWords of {folder}.\n")
    taskkit("kb", "sync", "a")
    assert "1 added" in taskkit("kb", "sync", "b").err
    assert taskkit("kb", "list").out.split() == ["b/x.md", "1", "X", "of", "b", "x.md", "1", "X", "of", "a"]
    Path("a/y.md").write_text("Words.")
    taskkit("kb", "sync", "a")
    Path("a").rename("moved")
    assert taskkit("kb", "sync", "moved").err.strip() == "2 unchanged; 0 texts embedded"
    Path("moved/y.md").unlink()
    assert "1 removed" in taskkit("kb", "sync", "moved").err


def test_labels_of_a_folder_stay_until_they_are_taken_off(taskkit: Run) -> None:
    Path("d").mkdir()
    Path("d/a.md").write_text("Wages.\n")
    at = ("--knowledge", "k.kb")
    assert taskkit("kb", "sync", "d", *at, "--access", "team=hr", "--metadata", "year=2024").code == 0
    Path("d/b.md").write_text("More wages.\n")
    assert (
        f"As before, {Path('d').resolve()}: access team = hr, metadata year = 2024 (--access ''"
        in taskkit("kb", "sync", "d", *at).err
    )
    assert taskkit("kb", "search", "wages", *at).out == ""
    assert json.loads(taskkit("kb", "sync", "d", *at, "--json").out)["as_before"]
    assert taskkit("kb", "sync", "d", *at, "--access", "team=").code == 2
    ran = taskkit("kb", "sync", "d", *at, "--access", "", "--metadata", "")
    assert ran.err == "2 changed; 0 texts embedded\n"
    assert "wages" in taskkit("kb", "search", "wages", *at).out


def test_a_question_is_asked_of_several_texts_and_of_a_pipe(taskkit: Run, server: Server) -> None:
    Path("a.md").write_text("The harbour opens at six.\n")
    Path("b.md").write_text("The harbour closes at nine.\n")
    there = server({"quotes": [], "answer": ""})
    argv = ("ask", "When is the harbour open?", "--knowledge", "a.md", "--knowledge")
    assert taskkit(*argv, "b.md", server=there).code == 0
    assert taskkit(*argv, "-", server=there, stdin="The harbour has a lamp.\n").code == 0
    assert taskkit(*argv[:2], "--knowledge", "-", server=there, stdin="The harbour has a dog.\n").code == 0
    os.mkfifo("pipe")
    with subprocess.Popen("echo The harbour has a cat. > pipe", shell=True):
        assert taskkit(*argv[:2], "--knowledge", "pipe", server=there).code == 0
    first, second, third, fourth = map(str, there.bodies)
    assert "has a cat" in fourth
    assert "opens at six" in first
    assert "closes at nine" in first
    assert "opens at six" in second
    assert "has a lamp" in second
    assert "has a dog" in third
    with KnowledgeBase("k.kb"):
        pass
    ran = taskkit(*argv, "k.kb", server=there)
    assert (ran.code, len(there.bodies)) == (2, 4)
    assert "k.kb is a knowledge base, which is asked alone." in ran.err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("kb", "sync", "d", "--knowledge", "nodir/x.kb"), "There is no folder nodir for the knowledge base x.kb."),
        (("kb", "sync", "d", "--knowledge", "d"), "d is a folder, and a knowledge base is a file."),
        (("kb", "list", "--knowledge", "d"), "d is a folder, and a knowledge base is a file."),
        (("kb", "sync", "d", "--knowledge", "-"), "A knowledge base is a file or an address, not standard input."),
        (("kb", "sync", "d", "--knowledge", ":memory:"), "A knowledge base is a file: there is none in memory."),
        (("kb", "list", "--knowledge", "none.kb"), "There is no knowledge base none.kb."),
        (("ask", "Why?", "--knowledge", "none.kb"), "There is no knowledge base none.kb, and no text of that name."),
        (("ask", "", "--knowledge", "d"), "ask: question: is empty."),
        (("kb", "search", "x", "--knowledge", "k.kb", "--where", '{"a":' + "[" * 9000 + "]" * 9000 + "}"),
         "--where is nested too deeply."),
        (("ask", "x", "--knowledge", "k.kb", "--where", '{"a":' + "[" * 9000 + "]" * 9000 + "}"),
         "--where is nested too deeply."),
        (("kb", "search", "x", "--knowledge", "k.kb", "--where", '{"$or": [{"a": 1}]}'),
         "There is no operator '$or' over conditions"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_what_was_given_is_said_in_a_line(taskkit: Run, argv: tuple[str, ...], told: str) -> None:
    Path("d").mkdir()
    Path("d/a.md").write_text("Words.\n")
    with KnowledgeBase("k.kb"):
        pass
    before = {path.name for path in Path().iterdir()}
    ran = taskkit(*argv)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran
    assert ran.err.startswith(f"taskkit: {told}")
    assert {path.name for path in Path().iterdir()} == before


def test_a_name_that_turns_what_is_shown_is_told_in_signs(taskkit: Run) -> None:
    Path("d").mkdir()
    Path("d/rtl\u202etxt.md").write_text("Words.\n")
    assert taskkit("kb", "sync", "d", "--knowledge", "k.kb").err.startswith("Skipped rtl\\u202etxt.md: ")


def test_a_base_whose_texts_are_damaged_is_said_to_be(taskkit: Run) -> None:
    with KnowledgeBase("k.kb") as base:
        base.add(Document("a.md", "Words of a document.", format="markdown"))
    with sqlite3.connect("k.kb") as db:
        db.execute("UPDATE documents SET text = CAST(x'c3c3c3' AS TEXT)")
    db.close()
    ran = taskkit("kb", "list", "--knowledge", "k.kb")
    assert ran.code == 3
    assert "The knowledge base k.kb is damaged" in ran.err


def test_home_is_home(taskkit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    Path("d").mkdir()
    Path("d/a.md").write_text("Words.\n")
    assert taskkit("kb", "sync", "d", "--knowledge", "~/x.kb").code == 0
    assert (tmp_path / "home/x.kb").is_file()
    assert taskkit("ask", "Why?", "--knowledge", "~/x.kb", "-o", str(tmp_path / "home/x.kb")).code == 2


def test_what_embedding_takes_is_told_and_capped(
    taskkit: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, other = server(""), server("")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", other.base_url)
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    (tmp_path / "models.toml").write_text("[models.text-embedding-3-small]\nprice = [100000.0, 0.0]\n")
    Path("d").mkdir()
    for number in range(3):
        Path(f"d/{number}.md").write_text(f"Expenses number {number} are paid back.\n")
    at = ("--knowledge", "oa.kb", "--base-url", there.base_url)
    ran = taskkit("kb", "sync", "d", *at, "--embedder", "openai", "--max-cost", "0.01")
    assert (ran.code, len(there.requests)) == (4, 0)
    with use(None):
        ran = taskkit("kb", "sync", "d", *at, "--embedder", "openai")
    told, count = ran.err.splitlines()
    assert re.fullmatch(r"1 call, \d+ tokens in, 0 out, \$\d\.\d+, \d+\.\d s", told)
    assert count == "3 added; 3 texts embedded"
    assert taskkit("kb", "reindex", *at, "--embedder", "openai:text-embedding-3-large", "--quiet").err == ""
    assert taskkit("kb", "search", "expenses", *at, "--model", "gpt-4.1-mini", "-k", "1").err.startswith("1 call, ")
    assert len(there.requests) == 3
    assert other.requests == []


def test_what_is_of_a_folder_that_is_gone_goes_at_once(taskkit: Run) -> None:
    at = ("--knowledge", "k.kb")
    for folder in ("d", "e"):
        Path(folder).mkdir()
        for name in ("a.md", "b.md"):
            Path(folder, name).write_text(f"Words of {folder}.\n")
        assert taskkit("kb", "sync", folder, *at).code == 0
    shutil.rmtree("d")
    ran = taskkit("kb", "remove", "--folder", "d", *at)
    assert (ran.code, ran.err) == (0, "2 removed.\n")
    assert [row["origin"] for row in json.loads(taskkit("kb", "list", "--json", *at).out)] == [
        str(Path("e").resolve())
    ] * 2
    assert taskkit("kb", "remove", "--folder", "d", *at).code == 2
    assert taskkit("kb", "remove", *at).code == 2
