"""The tasks by name: built-in ones, plug-ins of the entry-point group `taskkit.tasks`, files, `add`, and a project's.

A task's module is loaded when the task is asked for, not before. Names are `snake_case` here and `kebab-case` on
the command line; `resolve` takes both, and the aliases."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from taskkit.declared import Declared, declared
from taskkit.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from taskkit.functions import TaskFunction
    from taskkit.taskclass import Task

GROUP = "taskkit.tasks"
ALIASES = {"summarize": "summarise", "analyze": "analyse"}


@dataclass(frozen=True, slots=True)
class Entry:
    """`home` says where it comes from; `target` is `module:Class`, or the class itself. `clash` says who else wants
    the name: then nobody has it, so that no package can put itself in another's place."""

    name: str
    summary: str
    home: str
    target: "str | type[Task[Any]] | EntryPoint | Declared"
    clash: str = ""

    def load(self) -> "type[Task[Any]]":
        if self.clash:
            raise ConfigurationError(self.clash, hint="Take one of the two off (pip uninstall), or have it renamed.")
        if isinstance(self.target, type):
            return self.target
        if isinstance(self.target, str):
            module, _, name = self.target.partition(":")
            return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
        if isinstance(self.target, Declared):
            return _loaded(self.target)
        try:
            loaded = self.target.load()
        except (Exception, SystemExit) as error:  # a script without a guard ends the process as it is imported
            raise ConfigurationError(
                f"The plug-in {self.home} can not be loaded: {type(error).__name__}: {error}."
            ) from error
        if not _is_task(loaded):
            raise ConfigurationError(f"The plug-in {self.home} gives {self.name}, which is no task class.")
        return loaded  # type: ignore[no-any-return]


# A line each, so that the list of tasks needs no import; a test holds it against the docstrings.
BUILT_IN = (
    ("summarise", "Summarise a text of any length.", "summarise:Summarise"),
    (
        "translate",
        "Translate a text, a document or a folder of them, leaving what is not language as it is.",
        "translate:Translate",
    ),
    ("code", "Write code from a description.", "coding:Code"),
    ("ask", "Answer a question from a knowledge base or given texts, with checked citations.", "ask:Ask"),
    ("character", "Answer as a character of a game or a story.", "character:Character"),
    ("draft", "Draft a document from a brief.", "draft:Draft"),
    ("analyse", "Analyse a text: classify it, or find and quote what it holds.", "analyse:Analyse"),
    ("command", "Turn a request in plain language into a call of a program.", "command:Command"),
    ("tutor", "Teach a topic, a step at a time.", "tutor:Tutor"),
)

COMMANDS = frozenset({"run", "kb", "models", "prompts", "journal", "doctor"})  # of the command line, beside the tasks

_added: dict[str, Entry] = {}
_declared: dict[str, Entry] = {}


def add(cls: "type[Task[Any]]", *, home: str = "") -> None:
    """Makes a task known under its name. A taken name is an error that names both homes."""
    from taskkit.taskclass import task_name

    if not _is_task(cls):
        raise ConfigurationError(f"{cls!r} is no task class: decorate it with @taskkit.task.")
    home = home or f"{cls.__module__}.{cls.__qualname__}"
    entry = Entry(task_name(cls), first_line(cls), home, cls)
    _check_free(entry)
    _added[entry.name] = entry


def _check_free(entry: Entry) -> None:
    name, home = entry.name, entry.home
    if name in COMMANDS:
        raise ConfigurationError(_taken(name, home, f"the command `taskkit {name}`"), hint="Rename it.")
    taken = entries().get(name)
    if taken is not None and taken.home != home and taken.target is not entry.target:
        raise ConfigurationError(_taken(name, home, taken.home), hint="Rename one.")


def _taken(name: str, home: str, by: str) -> str:
    return f"The task name {name} of {home} is taken by {by}."


def remove(name: str) -> None:
    """Takes back what `add` or `load_files` made known."""
    _added.pop(canonical(name), None)


def declare(paths: Iterable[str], root: Path) -> None:
    """Makes the tasks of a project's files known, by their names alone: a file is run when one of its tasks is asked
    for. A taken name is an error that names both homes."""
    for one in declared(paths, root):
        entry = Entry(one.name, one.summary or "…", one.home, one)
        _check_free(entry)
        _declared[one.name] = entry


def entries() -> dict[str, Entry]:
    """All tasks, by their names in code, in the order in which they are listed."""
    return {**_built_in(), **_plugins(), **_declared, **_added}


def resolve(name: str) -> "type[Task[Any]]":
    """The task class of a name; `InputError` with near names when there is none."""
    known = entries()
    found = known.get(canonical(name))
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(canonical(name), known, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
        raise InputError(f"There is no task called {name}.", hint=hint)
    return found.load()


def function(name: str) -> "TaskFunction[..., Any]":
    cls: Any = resolve(name)
    return _function(cls)


@lru_cache
def _function(cls: "type[Task[Any]]") -> "TaskFunction[..., Any]":
    from taskkit import functions

    made = next((v for v in vars(sys.modules[cls.__module__]).values() if getattr(v, "task", None) is cls), None)
    return made or functions.function(cast("Any", cls))


def canonical(name: str) -> str:
    name = name.replace("-", "_").lower()
    return ALIASES.get(name, name)


def listing() -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Name and summary of each task, and a warning for each plug-in that is broken or takes a name that is taken.
    Plug-ins are loaded for their summaries; the built-in tasks are not."""
    rows: list[tuple[str, str]] = []
    warnings: list[str] = []
    for name, entry in entries().items():
        summary = entry.summary
        if entry.clash:
            warnings.append(f"{entry.clash} Neither is run until one of them is gone.")
            continue
        if not summary:
            try:
                summary = first_line(entry.load())
            except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way; the others must not go with it
                warnings.append(f"The plug-in {entry.home} is left out: {type(error).__name__}: {error}")
                continue
        rows.append((name, summary))
    return rows, tuple(warnings)


def load_files(paths: Iterable[str]) -> None:
    """Task classes of Python files, or of modules given by their dotted names."""
    for path in paths:
        module = _module(path)
        mine = [one for one in vars(module).values() if _is_task(one) and one.__module__ == module.__name__]
        if not mine:
            raise ConfigurationError(f"{path} holds no task class.", hint="Decorate one with @taskkit.task.")
        for cls in mine:
            add(cls, home=f"{path}:{cls.__name__}")


def _module(path: str) -> ModuleType:
    file = Path(path)
    try:
        if file.suffix != ".py":
            return importlib.import_module(path)
        file = file.expanduser().resolve(strict=True)
        name = "taskkit_user_" + "".join(c if c.isalnum() else "_" for c in str(file.with_suffix("")))
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    except FileNotFoundError as error:
        raise ConfigurationError(f"The task file {path} is not there.") from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"The tasks of {path} can not be loaded: {type(error).__name__}: {error}.") from error
    return module


def _loaded(wanted: Declared) -> "type[Task[Any]]":
    from taskkit.taskclass import task_name

    found = [one for one in vars(_module(wanted.source)).values() if _is_task(one) and task_name(one) == wanted.name]
    if not found:
        raise ConfigurationError(f"{wanted.home} is no task class: decorate it with @taskkit.task.")
    return found[0]  # type: ignore[no-any-return]


def _is_task(thing: object) -> bool:
    if not inspect.isclass(thing):
        return False
    from taskkit.taskclass import Task

    return issubclass(thing, Task) and thing is not Task and "__dataclass_fields__" in vars(thing)


def first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").strip().partition("\n")[0]


@lru_cache
def _built_in() -> dict[str, Entry]:
    return {name: Entry(name, summary, "taskkit", f"taskkit.tasks.{target}") for name, summary, target in BUILT_IN}


@lru_cache
def _plugins() -> dict[str, Entry]:
    """Found by metadata; nothing of them is loaded here."""
    found: dict[str, Entry] = {}
    for point in entry_points(group=GROUP):
        name = canonical(point.name)
        home = f"{point.dist.name if point.dist else 'a plug-in'} ({point.value})"
        taken = found.get(name) or _built_in().get(name)
        by = f"the command `taskkit {name}`" if name in COMMANDS else taken.home if taken else ""
        found[name] = Entry(name, "", home, point, clash=_taken(name, home, by) if by else "")
    return found
