"""Tasks of one's own: given by a file, by the environment, by the project; names that are taken or unknown."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import registry
from taskkit.errors import ConfigurationError, InputError
from taskkit.testing import ScriptedServer, scripted

SCRIPT = Path(sys.executable).parent / "taskkit"


def source(*names: str) -> str:
    made = "import taskkit\n"
    for name in names:
        made += (
            f'\n\n@taskkit.task\nclass {name}(taskkit.Task[str]):\n    """Do {name}."""\n\n    subject: str\n'
            '    prompt = taskkit.Prompt("About {{ subject }}.")\n'
        )
    return made


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = set(registry.entries())
    yield
    for name in set(registry.entries()) - before:
        registry.remove(name)


def run(*argv: str, server: ScriptedServer | None = None, **env: str) -> "subprocess.CompletedProcess[str]":
    if server is not None:
        env |= {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "gpt-4.1-mini"}
    return subprocess.run(
        [SCRIPT, *argv], env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60
    )


def test_what_is_built_in_is_what_its_module_says() -> None:
    for name, entry in registry.entries().items():
        if entry.home == "taskkit":
            cls = entry.load()
            assert registry.first_line(cls) == entry.summary, name
            assert registry.resolve(name) is cls
            assert callable(getattr(taskkit, name))


@pytest.mark.parametrize(
    ("said", "name"), [("summarize", "summarise"), ("ANALYZE", "analyse"), ("Summarise", "summarise")]
)
def test_names_have_aliases(said: str, name: str) -> None:
    assert registry.resolve(said) is registry.resolve(name)


def test_a_name_that_is_none() -> None:
    with pytest.raises(InputError, match=r"There is no task called summarsie. Did you mean summarise\?"):
        registry.resolve("summarsie")
    with pytest.raises(InputError, match=r"There is no task called xyzzy. There are: summarise, translate"):
        registry.resolve("xyzzy")
    with pytest.raises(AttributeError, match="no task is called so"):
        _ = taskkit.xyzzy


def test_a_file_of_tasks() -> None:
    Path("mine.py").write_text(source("WordCount", "Rhyme"))
    registry.load_files(["mine.py"])
    registry.load_files(["mine.py", str(Path("mine.py").absolute())])
    rows, warnings = registry.listing()
    assert ("word_count", "Do WordCount.") in rows
    assert ("rhyme", "Do Rhyme.") in rows
    assert not warnings
    assert registry.resolve("word-count") is registry.resolve("word_count")
    with scripted("An answer.") as engine, taskkit.use(engine):
        assert str(taskkit.word_count("the sea")) == "An answer."


def test_a_module_by_its_dotted_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a_package_of_mine").mkdir()
    Path("a_package_of_mine/__init__.py").touch()
    Path("a_package_of_mine/deep.py").write_text(source("Deep"))
    monkeypatch.syspath_prepend(str(Path.cwd()))
    registry.load_files(["a_package_of_mine.deep"])
    assert registry.resolve("deep").__module__ == "a_package_of_mine.deep"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "The task file mine.py is not there."),
        ("x = 1", "mine.py holds no task class. Decorate one with @taskkit.task."),
        ("def (", "The tasks of mine.py can not be loaded: SyntaxError: "),
        ("raise RuntimeError('no')", "The tasks of mine.py can not be loaded: RuntimeError: no."),
        ("import no_such_package", "can not be loaded: ModuleNotFoundError: No module named 'no_such_package'."),
        ("import sys; sys.exit(3)", "can not be loaded: SystemExit: 3."),
    ],
)
def test_a_file_that_can_not_be_loaded(text: str | None, says: str) -> None:
    if text is not None:
        Path("mine.py").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        registry.load_files(["mine.py"])
    assert says in str(caught.value)


def test_a_taken_name_names_both_homes() -> None:
    Path("mine.py").write_text(source("Summarise"))
    Path("other.py").write_text(source("Rhyme"))
    Path("third.py").write_text(source("Rhyme"))
    with pytest.raises(ConfigurationError, match=r"The task name summarise of mine\.py:Summarise is taken by taskkit"):
        registry.load_files(["mine.py"])
    registry.load_files(["other.py"])
    with pytest.raises(
        ConfigurationError, match=r"rhyme of third\.py:Rhyme is taken by other\.py:Rhyme\. Rename one\."
    ):
        registry.load_files(["third.py"])
    assert registry.entries()["rhyme"].home == "other.py:Rhyme"


def test_the_names_of_commands_are_taken() -> None:
    from taskkit.cli.group import BESIDE

    assert set(BESIDE) == registry.COMMANDS
    Path("mine.py").write_text(source("Doctor"))
    with pytest.raises(ConfigurationError, match=r"doctor of mine\.py:Doctor is taken by the command `taskkit doctor`"):
        registry.load_files(["mine.py"])


def test_what_is_no_task_is_not_added() -> None:
    for thing in (int, taskkit.Task, "summarise", object()):
        with pytest.raises(ConfigurationError, match=r"is no task class: decorate it with @taskkit\.task"):
            registry.add(thing)  # type: ignore[arg-type]


def test_what_was_added_is_taken_back() -> None:
    Path("mine.py").write_text(source("Rhyme"))
    registry.load_files(["mine.py"])
    registry.remove("rhyme")
    assert "rhyme" not in registry.entries()
    registry.remove("rhyme")


def test_the_command_line_has_three_ways_to_name_files(server: Callable[..., ScriptedServer]) -> None:
    there = server("An answer.")
    for name in ("One", "Two", "Three", "Four"):
        Path(f"{name.lower()}.py").write_text(source(name))
    ran = run("--tasks", "one.py", "--tasks", "two.py", "two", "the sea", server=there)
    assert (ran.returncode, ran.stdout) == (0, "An answer.\n"), ran.stderr
    ran = run("three", "the sea", server=there, TASKKIT_TASKS=f"two.py{os.pathsep}three.py")
    assert (ran.returncode, ran.stdout) == (0, "An answer.\n"), ran.stderr
    Path("pyproject.toml").write_text('[tool.taskkit]\ntasks = ["four.py"]\n')
    ran = run("four", "the sea", server=there)
    assert (ran.returncode, ran.stdout) == (0, "An answer.\n"), ran.stderr
    listed = run("--tasks", "one.py")
    assert {"one", "four", "summarise"} <= {line.partition(" ")[0] for line in listed.stdout.splitlines()}
    assert there.bodies[0]["messages"][-1]["content"] == "About the sea."


@pytest.mark.parametrize("way", ["option", "environment", "project"])
def test_a_file_that_is_not_there_is_told_in_a_line(way: str) -> None:
    argv: list[str] = ["one", "x"]
    named = ""
    if way == "option":
        argv = ["--tasks", "no.py", *argv]
    elif way == "environment":
        named = "no.py"
    else:
        Path("pyproject.toml").write_text('[tool.taskkit]\ntasks = ["no.py"]\n')
    ran = run(*argv, TASKKIT_TASKS=named)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", "taskkit: The task file no.py is not there.\n")


def test_help_of_a_task_of_ones_own_lists_options_without_a_word_of_theirs() -> None:
    Path("mine.py").write_text(source("Rhyme").replace("subject: str", "subject: str\n    tone: str = ''"))
    ran = run("--tasks", "mine.py", "rhyme", "--help")
    assert ran.returncode == 0
    assert "Do Rhyme." in ran.stdout
    assert "--tone" in ran.stdout


RUNS = "from pathlib import Path\nPath('ran').touch()\n"


def test_a_projects_file_runs_for_its_own_tasks_alone(server: Callable[..., ScriptedServer]) -> None:
    """Whoever looks at a checkout, or works in it with the built-in tasks, does not run its code."""
    there = server("An answer.")
    Path("mine.py").write_text(RUNS + source("SeaSong"))
    Path("package").mkdir()
    Path("package/__init__.py").write_text(RUNS)
    Path("package/deep.py").write_text(source("Deep"))
    Path("pyproject.toml").write_text('[tool.taskkit]\ntasks = ["mine.py", "package.deep"]\n')
    Path("a.md").write_text("Ships.")
    for argv in ((), ("--help",), ("summarise", "--help"), ("prompts", "list"), ("models",), ("summarise", "a.md")):
        ran = run(*argv, server=there)
        assert ran.returncode == 0, ran
        assert not Path("ran").exists(), argv
    listed = run()
    assert "sea-song   Do SeaSong." in listed.stdout
    assert "deep       Do Deep." in listed.stdout
    ran = run("sea-song", "the sea", server=there)
    assert (ran.returncode, ran.stdout) == (0, "An answer.\n"), ran.stderr
    assert Path("ran").exists()


def test_a_projects_file_lies_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(RUNS + source("Evil"))
    Path("pyproject.toml").write_text('[tool.taskkit]\ntasks = ["../evil.py"]\n')
    ran = run("evil", "x")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "is not in the project" in ran.stderr
    assert run("--help").returncode == 0


def test_an_input_that_does_not_fit_is_named_also_where_it_was_given_by_its_place() -> None:
    wrong: Any = 3
    with pytest.raises(InputError, match=r"^summarise: source: input should be a valid string"):
        taskkit.summarise(wrong)


ENUM = """
import enum
import taskkit

class Tone(enum.Enum):
    WARM = "warm"
    COLD = "cold"

@taskkit.task
class Tell(taskkit.Task[str]):
    "Tell it."
    subject: str
    tone: Tone = Tone.WARM
    prompt = taskkit.Prompt("Tell {{ subject }}, {{ tone.value }}.")

@taskkit.task
class Idle(taskkit.Task[str]):
    "Do nothing."
    subject: str

@taskkit.task
class Endless(taskkit.Task[str]):
    "Ask for too much."
    subject: str
    prompt = taskkit.Prompt("{{ range(100000000) | list | length }} {{ subject }}")
"""


def test_an_enumeration_is_a_choice_and_a_task_without_anything_to_do_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ENUM)
    with ScriptedServer("Told.") as server:
        at = ["--base-url", server.base_url, "--model", "gpt-4.1-mini", "--no-journal"]

        def run(*argv: str) -> "subprocess.CompletedProcess[str]":
            line = [str(SCRIPT), "--tasks", "mine.py", *argv]
            return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

        assert run("tell", "it", "--tone", "cold", *at).stdout == "Told.\n"
        assert run("tell", "it", *at).returncode == 0
        assert [body["messages"][-1]["content"] for body in server.bodies] == ["Tell it, cold.", "Tell it, warm."]
        assert "--tone [warm|cold]" in run("tell", "--help").stdout
        assert "'hot' is not one of" in run("tell", "it", "--tone", "hot", *at).stderr
        for name, words in (("idle", "neither a prompt nor a run"), ("endless", "can not be filled")):
            ran = run(name, "it", *at)
            assert (ran.returncode, words in ran.stderr) == (3, True), ran
