"""What the commands do when all is well."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit import registry
from taskkit.cli.fields import fields_of
from taskkit.testing import Fail, Say, ScriptedServer, answer

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]

TASKS = tuple(registry.entries())


@pytest.mark.parametrize("name", TASKS)
def test_the_help_of_a_task_tells_all_its_fields_and_an_example(name: str, taskkit: Run) -> None:
    ran = taskkit(name.replace("_", "-"), "--help")
    assert ran.code == 0
    first, *others = fields_of(registry.resolve(name))
    assert ("SOURCE" if first.is_source else first.word.upper()) in ran.out
    for field in others:
        assert f"--{field.word}" in ran.out
        assert field.help, f"{name}.{field.name} has no description"
    for option in ("--model", "--base-url", "--tier", "--temperature", "--context", "--concurrency", "--max-cost",
                   "--plan", "--json", "--no-journal", "--fresh", "--strict", "--quiet", "--debug", "--output"):  # fmt: skip
        assert option in ran.out
    assert "api-key" not in ran.out
    assert f"taskkit {name.replace('_', '-')} " in ran.out.partition("Example:")[2]


def test_alone_it_lists_the_tasks_and_tells_of_the_model(taskkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = taskkit().out.splitlines()
    assert [line.split()[0] for line in lines[: len(TASKS)]] == [name.replace("_", "-") for name in TASKS]
    assert "No endpoint is configured" in lines[-1]
    monkeypatch.setenv("TASKKIT_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("TASKKIT_MODEL", "mine")
    assert taskkit().out.splitlines()[-1] == "The endpoint is http://127.0.0.1:9/v1, the model mine."


def test_aliases_and_version(taskkit: Run) -> None:
    assert "Usage: taskkit summarize" in taskkit("summarize", "--help").out
    assert taskkit("--version").out.startswith("taskkit 0.")


def test_exit_codes_are_in_the_help(taskkit: Run) -> None:
    out = taskkit("--help").out
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "130 "):
        assert f"\n    {code}" in out


def test_a_result_and_the_last_line(taskkit: Run, server: Server) -> None:
    Path("a.md").write_text("Ships sail the sea.")
    there = server("A fine text.")
    ran = taskkit("summarise", "a.md", server=there)
    assert (ran.code, ran.out) == (0, "A fine text.\n")
    assert ran.err.startswith("1 call, ")
    assert "tokens in" in ran.err
    again = taskkit("summarise", "a.md", "--json", server=there)
    assert json.loads(again.out)["usage"]["journal_hits"] == 1
    assert "0 calls, 1 from the journal" in again.err
    assert len(there.bodies) == 1
    assert taskkit("summarise", "a.md", "--fresh", "--quiet", server=there).err == ""
    assert len(there.bodies) == 2


def test_text_through_a_pipe(taskkit: Run, server: Server) -> None:
    there = server("A fine text.")
    assert taskkit("summarise", server=there, stdin="Ships sail the sea.").out == "A fine text.\n"
    assert taskkit("summarise", "-", server=there, stdin="Bees make honey.").out == "A fine text.\n"
    assert "Bees make honey." in json.dumps(there.bodies[-1])


def test_a_plan_sends_nothing(taskkit: Run, server: Server) -> None:
    there = server(Fail(500, "no"))
    ran = taskkit("summarise", "--plan", server=there, stdin="Ships sail the sea.")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "model", "strategy", "calls", "tokens", "cost", "minutes",
    ]  # fmt: skip
    rows = json.loads(taskkit("summarise", "--plan", "--json", server=there, stdin="Ships.").out)
    assert rows["calls"] == [1, 3]
    assert not there.bodies


def test_several_files_go_into_a_folder_under_their_names(taskkit: Run, server: Server) -> None:
    Path("in").mkdir()
    for name in ("a.md", "b.md"):
        (Path("in") / name).write_text(f"The text of {name}.")
    there = server(lambda body: "It is " + ("a." if "a.md" in json.dumps(body) else "b."))
    ran = taskkit("summarise", "in/a.md", "in/b.md", server=there)
    assert ran.out == "==> in/a.md <==\nIt is a.\n==> in/b.md <==\nIt is b.\n"
    assert [row["text"] for row in json.loads(taskkit("summarise", "in/a.md", "in/b.md", "--json", server=there).out)]
    assert taskkit("summarise", "in/a.md", "in/b.md", "-o", "in", server=there).code == 2  # over the sources
    Path("out").mkdir()
    assert taskkit("summarise", "in/a.md", "in/b.md", "-o", "out", server=there).code == 0
    assert Path("out/b.md").read_text() == "It is b.\n"
    assert sorted(one.name for one in Path("out").iterdir()) == ["a.md", "b.md"]


def test_one_of_several_that_fails_does_not_take_the_others_along(taskkit: Run, server: Server) -> None:
    for name in ("a.md", "b.md"):
        Path(name).write_text(f"The text of {name}.")
    there = server(lambda body: Fail(400, "odd") if "a.md" in json.dumps(body) else "Fine.")
    ran = taskkit("summarise", "a.md", "b.md", server=there)
    assert ran.code == 1
    assert ran.out == "==> b.md <==\nFine.\n"
    assert "taskkit: a.md: " in ran.err


def test_output_through_a_link_keeps_the_link(taskkit: Run, server: Server) -> None:
    Path("real.txt").write_text("old")
    Path("link.txt").symlink_to("real.txt")
    Path("real.txt").chmod(0o640)
    taskkit("summarise", "-o", "link.txt", server=server("New."), stdin="Ships.")
    assert Path("link.txt").is_symlink()
    assert Path("real.txt").read_text() == "New.\n"
    assert Path("real.txt").stat().st_mode & 0o777 == 0o640


TASK_OF_ONES_OWN = '''
from pathlib import Path
from typing import Annotated, Literal
import taskkit
from pydantic import Field
from taskkit import Job, Result, Source, Task

class Said(Result):
    text: str

@taskkit.task
class BigRepeat(Task[Said]):
    """Say what it was given."""

    source: Source
    must_have: Annotated[str, Field(description="Needed.")]
    times: Annotated[Literal[1, 2], Field(description="How often.")] = 1
    loud: bool = True
    words: tuple[str, ...] = ()
    others: tuple[Path, ...] = ()
    table: dict[str, int] | None = None
    level: float = 0.5
    model: str = "small"

    async def run(self, job: Job) -> Said:
        if self.times == 2:
            job.warn("twice", "Said twice.")
        if self.level > 1:
            job.warn("loud", "Not all was said.", failure=True)
        text = job.read(self.source).text
        rest = (self.must_have, self.times, self.loud, self.words, self.table, self.level, self.model)
        return Said(text=f"{text.strip()} {rest} {[one.name for one in self.others]}")
'''


def test_a_task_of_ones_own_gets_every_kind_of_option(
    taskkit: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.py").write_text(TASK_OF_ONES_OWN)
    Path("a.md").write_text("Hello")
    there = server("")
    own = ("--tasks", "mine.py", "big-repeat", "a.md", "--must-have", "it")
    ran = taskkit(*own, server=there)
    assert ran.out == "Hello ('it', 1, True, (), None, 0.5, 'gpt-4.1-mini') []\n"  # its own --model, not the engine's
    ran = taskkit(
        *own, "--times", "2", "--no-loud", "--words", "x", "--words", "y", "--others", "a.md", "--table", '{"n": 3}',
        "--level", "0.25", "--model", "m", server=there,
    )  # fmt: skip
    assert ran.out == "Hello ('it', 2, False, ('x', 'y'), {'n': 3}, 0.25, 'm') ['a.md']\n"
    assert (ran.code, "Warning: Said twice." in ran.err) == (0, True)
    assert taskkit(*own, "--times", "2", "--strict", server=there).code == 1
    assert taskkit(*own, "--level", "2", server=there).code == 1
    monkeypatch.setenv("TASKKIT_TASKS", "mine.py")
    assert "big-repeat  Say what it was given." in taskkit().out
    registry.remove("big_repeat")


def test_a_line_of_a_file_each(taskkit: Run, server: Server) -> None:
    rows = ['"Ships."', '{"source": "Bees.", "words": 20}', "", '{"sauce": 1}', '"Odd."', '{"source": "Cats."}']
    Path("in.jsonl").write_text("\n".join(rows))
    there = server(lambda body: Fail(400, "odd") if "Odd." in json.dumps(body) else "Fine.")
    ran = taskkit("run", "summarise", "in.jsonl", "-o", "out.jsonl", server=there)
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert ran.code == 1
    assert [line.get("text") for line in lines] == ["Fine.", "Fine.", None, None, "Fine."]
    assert "sauce" in lines[2]["error"]
    assert "2 of 5 lines failed" in ran.err
    asked = len(there.bodies)
    taskkit("run", "summarise", "in.jsonl", server=there)
    assert len(there.bodies) == asked + 1  # only the one that failed
    names = taskkit(
        "run", "translate", "-", server=server(answer()), stdin='{"source": "Hi", "from": "en", "to": "fr"}'
    )
    assert "error" not in json.loads(names.out)


def test_knowledge_bases(taskkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("docs").mkdir()
    Path("docs/pay.md").write_text("# Pay\n\nExpenses are paid back within ten days.\n")
    Path("docs/bees.md").write_text("# Bees\n\nBees make honey.\n")
    Path("docs/odd.md").write_bytes(b"\0\1\2")
    ran = taskkit("kb", "sync", "docs", "--knowledge", "k.kb")
    assert ran.code == 1  # one could not be read
    assert "Skipped odd.md" in ran.err
    assert "2 added, 1 skipped" in ran.err
    Path("docs/odd.md").unlink()
    monkeypatch.setenv("TASKKIT_KNOWLEDGE", "k.kb")
    assert "2 unchanged" in taskkit("kb", "sync", "docs").err
    found = taskkit("kb", "search", "When are expenses paid?", "-k", "1", "--explain")
    assert found.out.startswith("pay.md, line 1 [")
    assert "Expenses are paid back within ten days." in found.out
    chosen = taskkit(
        "kb", "search", "expenses", "--diversity", "0.3", "--neighbours", "1", "--fusion", "rrf", "--explain"
    )
    assert "likeness to a better one" in chosen.out
    assert taskkit("kb", "search", "expenses", "--diversity", "3").code == 2
    assert taskkit("kb", "sync", "docs", "--index", "tree").code == 3
    assert taskkit("kb", "sync", "docs", "--index", "hnsw").code == 0
    assert "index       hnsw\n" in taskkit("kb", "stats").out
    assert json.loads(taskkit("kb", "search", "honey", "--json").out)[0]["passage"]["document"] == "bees.md"
    assert [line.split()[0] for line in taskkit("kb", "list").out.splitlines()] == ["bees.md", "pay.md"]
    assert json.loads(taskkit("kb", "stats", "--json").out)["documents"] == 2
    assert taskkit("kb", "remove", "bees.md").code == 0
    assert "documents   1\n" in taskkit("kb", "stats").out
    assert taskkit("kb", "verify").code == 0
    assert taskkit("kb", "compact").code == 0


def test_prompts_are_taken_over_and_compared(taskkit: Run, server: Server) -> None:
    assert taskkit("prompts", "show", "summarise").out.startswith("{% block")
    assert taskkit("prompts", "diff", "summarise").out == ""
    assert taskkit("prompts", "eject", "summarise").out == "prompts/summarise.md\n"
    assert taskkit("prompts", "eject", "summarise").code == 2  # never over the user's own
    mine = Path("prompts/summarise.md")
    mine.write_text(mine.read_text().replace("@system", "@system\nSpeak like a pirate.", 1))
    assert "+Speak like a pirate." in taskkit("prompts", "diff", "summarise").out
    assert "(your own)" in taskkit("prompts", "list").out
    Path("prompts/summarise.digest").write_text("of an older one\n")
    assert "overtaken" in taskkit("prompts", "list").out


def test_the_journal_is_shown_and_cleared(taskkit: Run, server: Server) -> None:
    taskkit("summarise", server=server("Fine."), stdin="Ships.")
    assert json.loads(taskkit("journal", "show", "--json").out)["replies"] == 1
    assert taskkit("journal", "clear", "--older-than", "1", "--yes").err == "0 answers went.\n"
    assert taskkit("journal", "clear", stdin="").code == 2  # nobody there to ask
    assert taskkit("journal", "clear", "--yes").err == "1 answer went.\n"
    assert "answers   0," in taskkit("journal").out


def test_the_models_that_are_known(taskkit: Run) -> None:
    out = taskkit("models", "list").out
    (row,) = [line for line in out.splitlines() if line.lstrip().startswith("gpt-4o-mini ")]
    assert row.endswith("leaves its API on 2027-01-14, replaced by gpt-6-luna")
    assert "local:smollm2-135m" in out
    table = json.loads(taskkit("models", "list", "--json").out)
    assert set(table["tiers"]) == {"fast", "strong", "long"}
    assert taskkit("models", "remove", "smollm2-135m").err == "There was nothing to remove.\n"


def test_the_doctor(taskkit: Run, server: Server) -> None:
    def reply(body: Mapping[str, Any]) -> object:
        if (body.get("response_format") or {}).get("type") == "json_schema":
            return Fail(400, "response_format is not supported", param="response_format")
        return '{"word": "hi"}' if body.get("response_format") else Say("Hello there", chunk=3)

    ran = taskkit("doctor", server=server(reply, models=("gpt-4.1-mini", "other")))
    rows = dict(line.split(maxsplit=1) for line in ran.out.splitlines())
    assert ran.code == 0
    assert rows["has"] == "gpt-4.1-mini, other"
    assert rows["answers"].startswith("yes")
    assert rows["streams"].startswith("yes, ")
    assert rows["structured"] == "JSON objects"
    assert "k" not in rows["key"].replace("key", "")
    bad = taskkit("doctor", "--model", "no-such", server=server("x", models=("one",)))
    assert bad.code == 3
    assert "has         one" in bad.out
