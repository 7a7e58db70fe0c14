"""The task classes of a project, read from its files without running them: a checkout that somebody else wrote must
not run because it is looked at."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from taskkit.errors import ConfigurationError
from taskkit.names import snake


@dataclass(frozen=True, slots=True)
class Declared:
    """A task class that stands in a file. `source` is what loads it: the file, or the dotted name of its module."""

    name: str
    summary: str
    home: str
    source: str


def declared(paths: Iterable[str], root: Path) -> Iterator[Declared]:
    """The classes under `@taskkit.task`, or `@task`, of files and modules of the project at `root`.

    Raises `ConfigurationError` for a file that is missing, no Python, outside the project, or holds none."""
    for path in paths:
        file = _file(path, root)
        try:
            tree = ast.parse(file.read_bytes(), str(file))
        except (SyntaxError, ValueError, RecursionError, OSError) as error:
            raise ConfigurationError(
                f"The tasks of {path} can not be loaded: {type(error).__name__}: {error}."
            ) from error
        found = [
            node for node in tree.body if isinstance(node, ast.ClassDef) and any(map(_is_task, node.decorator_list))
        ]
        if not found:
            raise ConfigurationError(f"{path} holds no task class.", hint="Decorate one with @taskkit.task.")
        for node in found:
            summary = (ast.get_docstring(node) or "").strip().partition("\n")[0]
            yield Declared(
                snake(node.name), summary, f"{path}:{node.name}", str(file) if path.endswith(".py") else path
            )


def _file(path: str, root: Path) -> Path:
    if path.endswith(".py"):
        places = [root / Path(path).expanduser()]
    else:
        inside = Path(*path.split("."))
        places = [
            base / one
            for base in (root, root / "src")
            for one in (inside.with_name(f"{inside.name}.py"), inside / "__init__.py")
        ]
    file = next((one for one in places if one.is_file()), None)
    if file is None:
        raise ConfigurationError(f"The task file {path} is not there.")
    if not file.resolve().is_relative_to(root.resolve()):
        raise ConfigurationError(
            f"The task file {path} is not in the project {root}.", hint="Name it with --tasks or TASKKIT_TASKS."
        )
    return file.resolve()


def _is_task(decorator: ast.expr) -> bool:
    return (isinstance(decorator, ast.Name) and decorator.id == "task") or (
        isinstance(decorator, ast.Attribute) and decorator.attr == "task"
    )
