"""What is installed, in an environment of its own elsewhere: the wheel, and plug-ins beside it."""

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import ScriptedServer, answer

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "examples" / "plugin"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
FROM_WHEEL = ["install", "-q", "--no-deps", "--no-index", "--no-compile"]

Ran = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Home:
    """An environment that holds taskkit from its wheel; what taskkit needs is lent by this one."""

    folder: Path
    sdist: Path
    wheel: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *argv: str | Path, env: dict[str, str] | None = None) -> Ran:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(
            [str(one) for one in argv],
            env={**clean, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def taskkit(
        self, *argv: str | Path, server: ScriptedServer | None = None, env: dict[str, str] | None = None
    ) -> Ran:
        env = dict(env or {})
        if server is not None:
            env |= {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "gpt-4.1-mini"}
        return self.run(self.folder / "bin" / "taskkit", *argv, env=env)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    made = Home(tmp_path_factory.mktemp("elsewhere") / "env", sdist, wheel)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.folder)], check=True)
    subprocess.run([*PIP, "--python", str(made.python), *FROM_WHEEL, str(wheel)], check=True)
    # A path file of the lender is not read, so its own editable taskkit is not seen; the wheel's comes first anyway.
    (site,) = made.folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return made


@pytest.fixture
def bare(tmp_path: Path) -> Callable[[dict[str, str]], dict[str, str]]:
    """Makes plug-ins, as installed packages with metadata, of the source of one module each."""

    def made(plugins: dict[str, str]) -> dict[str, str]:
        folder = tmp_path / "plugins"
        for name, code in plugins.items():
            folder.mkdir(exist_ok=True)
            (folder / f"{name}_task.py").write_text(code)
            info = folder / f"{name}_task-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-task\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[taskkit.tasks]\n{name} = {name}_task:Mine\n")
        return {"PYTHONPATH": str(folder)}

    return made


def task(summary: str) -> str:
    return (
        "import taskkit\n\n\n@taskkit.task\nclass Mine(taskkit.Task[str]):\n"
        f'    """{summary}"""\n\n    subject: str\n    prompt = taskkit.Prompt("About {{{{ subject }}}}.")\n'
    )


# The wheel -------------------------------------------------------------------------------------------------


def test_the_wheel_takes_no_name_but_its_own(home: Home) -> None:
    with zipfile.ZipFile(home.wheel) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
        said = email.message_from_bytes(archive.read("taskkit-0.1.0.dist-info/METADATA"))
    assert top == {"taskkit", "taskkit-0.1.0.dist-info"}
    assert said["Name"] == "taskkit"
    assert said["License-Expression"] == "MIT"
    assert {"local", "dev"} <= set(said.get_all("Provides-Extra", []))


def test_the_sdist_holds_what_its_wheel_is_made_of(home: Home) -> None:
    with tarfile.open(home.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tasks/draft.py", "knowledge/__init__.py"} <= names
    assert not [name for name in names if name.startswith((".venv", "tests/local/__pycache__"))]


def test_it_runs_elsewhere_beside_a_users_own_modules(home: Home, server: Callable[..., ScriptedServer]) -> None:
    there = server(answer({"text": "The harbour was closed."}))
    for name in ("tasks", "knowledge"):
        Path(f"{name}.py").write_text(f"WHOSE = 'the user, {name}'\n")
    Path("report.md").write_text("# Report\n\nThe harbour was closed in March, after a storm.\n")
    ran = home.taskkit("summarise", "report.md", "--words", "20", server=there)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
    assert "harbour was closed in March" in str(there.bodies[0]["messages"])
    code = (
        "import tasks, knowledge, taskkit, taskkit.tasks.summarise, taskkit.knowledge\n"
        "import sys; from taskkit.cli import outcome\n"
        "assert outcome(['summarise', 'report.md', '--no-journal', '-q']) == 0\n"
        "print(tasks.WHOSE, knowledge.WHOSE, taskkit.__file__, taskkit.tasks.__file__, sep='\\n')\n"
    )
    env = {"OPENAI_BASE_URL": there.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "gpt-4.1-mini"}
    ran = home.run(home.python, "-c", code, env=env)
    assert ran.returncode == 0, ran.stderr
    *_, tasks, knowledge, package, inner = ran.stdout.splitlines()
    assert (tasks, knowledge) == ("the user, tasks", "the user, knowledge")
    assert Path(package).is_relative_to(home.folder)
    assert Path(inner).is_relative_to(home.folder)


def test_a_users_own_tasks_file_is_loaded_by_its_path(home: Home, server: Callable[..., ScriptedServer]) -> None:
    Path("tasks.py").write_text(task("Tell of a subject."))
    ran = home.taskkit("--tasks", "tasks.py", "mine", "the sea", server=server("It is wide."))
    assert (ran.returncode, ran.stdout) == (0, "It is wide.\n"), ran.stderr


def test_every_task_finds_its_prompts(home: Home) -> None:
    ran = home.taskkit("prompts", "list")
    assert ran.returncode == 0, ran.stderr
    listed = home.taskkit()
    assert listed.returncode == 0, listed.stderr
    names = [line.split()[0] for line in listed.stdout.split("\n\n")[0].splitlines()]
    assert {"summarise", "translate", "ask", "code", "draft"} <= set(names)
    code = "import sys; from taskkit.cli import outcome\nfor one in sys.argv[1:]: assert outcome([one, '--help']) == 0"
    helped = home.run(home.python, "-c", code, *names)
    assert helped.returncode == 0, helped.stderr
    assert helped.stdout.count("Options of every task:") == len(names)


def test_types_and_data_come_along(home: Home) -> None:
    (package,) = home.folder.glob("lib/python*/site-packages/taskkit")
    for name in ("py.typed", "models.toml", "local/catalogue.toml", "tasks/summarise.md"):
        assert (package / name).is_file(), name
    ran = home.taskkit("models", "list", "--json")
    assert {"smollm2-135m", "qwen2.5-coder-1.5b"} <= {one["name"] for one in json.loads(ran.stdout)["embedded"]}


# Plug-ins --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def haiku(home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The example, installed as anybody would, into a folder of its own."""
    source = tmp_path_factory.mktemp("haiku") / "plugin"  # a build leaves its traces where it builds
    shutil.copytree(PLUGIN, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    target = source.parent / "target"
    argv = [*PIP, *FROM_WHEEL, "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(argv, check=True, capture_output=True)
    return {"PYTHONPATH": str(target)}


def test_the_example_is_a_task_like_any_other(
    home: Home, haiku: dict[str, str], server: Callable[..., ScriptedServer]
) -> None:
    listed = home.taskkit(env=haiku)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert any(
        line.split(maxsplit=1) == ["haiku", "Write a haiku about a subject."] for line in listed.stdout.splitlines()
    )
    helped = home.taskkit("haiku", "--help", env=haiku)
    assert helped.stdout.count("SUBJECT") == 2
    assert "--season" in helped.stdout
    assert "--plan" in helped.stdout
    there = server("An old silent pond")
    ran = home.taskkit("haiku", "a pond", "--season", "spring", "--json", server=there, env=haiku)
    assert ran.returncode == 0, ran.stderr
    assert "An old silent pond" in ran.stdout
    assert there.bodies[0]["messages"][-1]["content"] == "Write a haiku about a pond, in spring."
    assert there.bodies[0]["temperature"] == 0.9
    env = {"OPENAI_BASE_URL": there.base_url, "OPENAI_API_KEY": "k", "TASKKIT_MODEL": "gpt-4.1-mini"}
    python = home.run(home.python, "-c", "import taskkit; print(taskkit.haiku('the sea'))", env=haiku | env)
    assert (python.returncode, python.stdout) == (0, "An old silent pond\n"), python.stderr


def test_without_the_example_there_is_none(home: Home) -> None:
    ran = home.taskkit("haiku", "a pond")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "There is no task or command called 'haiku'." in ran.stderr


BROKEN = {
    "raises": "raise RuntimeError('it is broken')",
    "imports": "import a_package_that_nobody_has",
    "empty": "",
    "no_task": "class Mine: pass",
    "syntax": "def (",
    "leaves": "import sys; sys.exit('bye')",
}


def test_broken_plugins_are_warnings_and_take_nobody_with_them(
    home: Home, bare: Any, server: Callable[..., ScriptedServer]
) -> None:
    env = bare({**BROKEN, "good": task("Do good.")})
    listed = home.taskkit(env=env)
    assert listed.returncode == 0, listed.stderr
    assert "Do good." in listed.stdout
    assert "summarise" in listed.stdout
    warnings = sorted(listed.stderr.splitlines())
    assert len(warnings) == len(BROKEN)
    for name, warning in zip(sorted(BROKEN), warnings, strict=True):
        assert warning.startswith(f"Warning: The plug-in {name}-task ({name}_task:Mine) is left out: ")
    ran = home.taskkit("good", "x", server=server("Done."), env=env)
    assert (ran.returncode, ran.stdout, ran.stderr.count("Warning")) == (0, "Done.\n", 0), ran.stderr
    for name in ("raises", "leaves", "no_task"):
        used = home.taskkit(name.replace("_", "-"), "x", env=env)
        assert (used.returncode, used.stdout, used.stderr.count("\n")) == (3, "", 1), used.stderr
        assert used.stderr.startswith(f"taskkit: The plug-in {name}-task ({name}_task:Mine) ")


def test_a_taken_name_is_nobodys_and_names_both_homes(
    home: Home, bare: Any, server: Callable[..., ScriptedServer]
) -> None:
    env = bare({"summarise": task("Another."), "run": task("A command's.")})
    listed = home.taskkit(env=env)
    assert listed.returncode == 0, listed.stderr
    assert "Another." not in listed.stdout
    first, second = sorted(listed.stderr.splitlines())
    assert "The task name run of run-task (run_task:Mine) is taken by the command `taskkit run`" in first
    assert "The task name summarise of summarise-task (summarise_task:Mine) is taken by taskkit" in second
    Path("a.md").write_text("Ships sail the sea.")
    there = server("Fine.")
    for name in ("summarise", "summarize"):
        used = home.taskkit(name, "a.md", server=there, env=env)
        assert (used.returncode, used.stdout, used.stderr.count("\n")) == (3, "", 1), used.stderr
        assert "of summarise-task (summarise_task:Mine) is taken by taskkit. Take one of the two off" in used.stderr
    assert not there.bodies, "neither of the two got the text"
    python = home.run(home.python, "-c", "import taskkit; taskkit.summarise", env=env)
    assert "ConfigurationError: The task name summarise of summarise-task" in python.stderr
    for argv in (("--help",), ("run", "--help"), ("draft", "--help")):
        assert home.taskkit(*argv, env=env).returncode == 0
    assert home.taskkit("haiku-of-mine", env=env).returncode == 2


def test_two_plugins_of_one_name(home: Home, tmp_path: Path, bare: Any) -> None:
    env = bare({"one": task("The first."), "two": task("The second.")})
    for name in ("one", "two"):
        points = tmp_path / "plugins" / f"{name}_task-1.0.dist-info" / "entry_points.txt"
        points.write_text(f"[taskkit.tasks]\nsame = {name}_task:Mine\n")
    listed = home.taskkit(env=env)
    (warning,) = listed.stderr.splitlines()
    assert "one-task (one_task:Mine)" in warning
    assert "two-task (two_task:Mine)" in warning
    assert "The first." not in listed.stdout
    assert "The second." not in listed.stdout
    used = home.taskkit("same", "x", env=env)
    assert (used.returncode, used.stdout) == (3, "")
    assert "one-task (one_task:Mine)" in used.stderr
    assert "two-task (two_task:Mine)" in used.stderr
