"""The house: what is packaged, where the links point, and which way the imports run."""

import ast
import graphlib
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOMES = {"taskkit.tasks": "tasks", "taskkit.knowledge": "knowledge"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# A layer imports its own and earlier ones only. The longest name that a module begins with is its layer.
LAYERS = (
    (
        "taskkit.errors",
        "taskkit.events",
        "taskkit.results",
        "taskkit.settings",
        "taskkit.window",
        "taskkit.files",
        "taskkit.names",
    ),
    ("taskkit.engine.call", "taskkit.models", "taskkit.tiles", "taskkit.tokens"),
    (
        "taskkit.split",
        "taskkit.blocks",
        "taskkit.outlines",
        "taskkit.sentences",
        "taskkit.around",
        "taskkit.graphemes",
        "taskkit.hardcut",
    ),
    ("taskkit.images", "taskkit.source", "taskkit.spans", "taskkit.rows", "taskkit.prompt"),
    ("taskkit.local",),
    ("taskkit.engine",),  # calls and routes; it knows of no task
    ("taskkit.telemetry",),
    ("taskkit.job",),
    ("taskkit.taskclass", "taskkit.keyed"),
    ("taskkit.engine.plan", "taskkit.engine.engine", "taskkit.engine.default"),  # what runs a task
    ("taskkit.functions", "taskkit.registry", "taskkit.declared"),
    ("taskkit.testing",),
    ("taskkit.knowledge",),
    ("taskkit.tasks",),
    ("taskkit.cli",),
    ("taskkit.__main__",),
)


def modules() -> Iterator[tuple[str, Path]]:
    for folder, package in (
        ("taskkit", "taskkit"),
        ("tasks", "taskkit.tasks"),
        ("knowledge", "taskkit.knowledge"),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            inside = path.relative_to(ROOT / folder)
            if folder == "taskkit" and inside.parts[0] in {"tasks", "knowledge"}:
                continue
            parts = inside.with_suffix("").parts
            yield ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts))), path


def test_packages_listed_are_the_packages_there_are() -> None:
    found = {name for name, path in modules() if path.name == "__init__.py"}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found


def test_links_point_home() -> None:
    for name in ("tasks", "knowledge"):
        link = ROOT / "taskkit" / name
        assert link.is_symlink()
        assert link.readlink() == Path("..") / name


def test_top_level_is_the_plan() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    top = {line.partition("/")[0] for line in tracked if line}
    assert top <= {
        "taskkit", "tasks", "knowledge", "tests", "examples", "pyproject.toml", "README.md", "CONTRIBUTING.md",
        "CHANGELOG.md", "LICENSE", "Makefile", ".ci", ".gitignore",
    }  # fmt: skip


def test_no_file_of_tasks_or_knowledge_bears_a_standard_modules_name() -> None:
    for folder in HOMES.values():
        for path in (ROOT / folder).glob("*.py"):
            assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names, path


def test_no_file_is_longer_than_400_lines() -> None:
    long = {name: lines for name, path in modules() if (lines := len(path.read_text().splitlines())) > 400}
    assert not long


def layer_of(module: str) -> int:
    fits = [
        (len(start), number)
        for number, starts in enumerate(LAYERS)
        for start in starts
        if module == start or module.startswith(f"{start}.")
    ]
    assert fits, f"{module} is in no layer of tests/test_layout.py"
    return max(fits)[1]


def imports_of(path: Path) -> set[str]:
    """Absolute imports of ours, wherever they stand: also those in functions and those for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            inner = {f"{node.module}.{one.name}" for one in node.names}
            found |= inner & MODULES.keys() or {str(node.module)}
    return found & MODULES.keys()


MODULES = dict(modules())
# The root is a face: it names everything and loads nothing until it is asked. Who asks it may stand beneath what it
# names, so it takes no part in the order.
FACES = {"taskkit"}
# Two halves of one thing may name each other for types; a pair here says why.
FOR_TYPES = {
    # an index file is written from the rows of the store that keeps it, and by nobody else
    ("taskkit.knowledge.stores.index", "taskkit.knowledge.stores.sqlite"),
}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - FACES))
def test_imports_run_one_way(name: str) -> None:
    for wanted in imports_of(MODULES[name]) - FACES:
        assert layer_of(wanted) <= layer_of(name), f"{name} imports {wanted}"


def test_no_imports_go_in_a_circle() -> None:
    graph = {name: imports_of(path) - FACES - {name} for name, path in MODULES.items() if name not in FACES}
    for name, wanted in FOR_TYPES:
        graph[name].discard(wanted)
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the circle


def test_the_root_loads_nothing_by_itself() -> None:
    at_the_top = [node for node in ast.parse(MODULES["taskkit"].read_text()).body if "taskkit" in ast.unparse(node)]
    assert not [node for node in at_the_top if isinstance(node, ast.Import | ast.ImportFrom)]


def test_only_the_connection_knows_the_sdk() -> None:
    for name, path in modules():
        tree = ast.parse(path.read_text())
        names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert name == "taskkit.engine.connection" or not any(one.partition(".")[0] == "openai" for one in names), name


def test_the_wheel_built_from_the_sdist_holds_every_file(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    for name, path in modules():
        inside = name.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else ".py")
        assert inside in packed
    for folder in ("taskkit", *HOMES.values()):
        for path in (ROOT / folder).rglob("*"):
            if (
                path.suffix in {".md", ".toml", ".jsonl", ".html"}
                and path.is_file()
                and not {"tasks", "knowledge"} & set(path.relative_to(ROOT / folder).parts[:1])
            ):
                home = "" if folder == "taskkit" else "taskkit/"
                assert home + str(path.relative_to(ROOT)) in packed
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/tasks/summarise.md") for name in archive.getnames())
