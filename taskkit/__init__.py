"""taskkit: any length in, whole and checked output out, at a known cost.

    import taskkit
    taskkit.summarise(Path("report.md"), words=100)
    taskkit.translate("Good morning", to="fr")

Everything here is loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskkit import registry as registry
    from taskkit.engine.default import use as use
    from taskkit.engine.engine import Engine as Engine
    from taskkit.engine.plan import Plan as Plan
    from taskkit.errors import TaskkitError as TaskkitError
    from taskkit.functions import function as function
    from taskkit.job import Job as Job
    from taskkit.knowledge import Document as Document
    from taskkit.knowledge import KnowledgeBase as KnowledgeBase
    from taskkit.prompt import Prompt as Prompt
    from taskkit.results import Result as Result
    from taskkit.source import Source as Source
    from taskkit.source import Text as Text
    from taskkit.taskclass import Task as Task
    from taskkit.taskclass import task as task
    from taskkit.tasks.analyse import analyse as analyse
    from taskkit.tasks.ask import ask as ask
    from taskkit.tasks.character import character as character
    from taskkit.tasks.coding import code as code
    from taskkit.tasks.command import command as command
    from taskkit.tasks.draft import draft as draft
    from taskkit.tasks.summarise import summarise as summarise
    from taskkit.tasks.translate import translate as translate
    from taskkit.tasks.tutor import tutor as tutor

__version__ = "0.1.0"

_HOMES = {
    "Document": "taskkit.knowledge",
    "Engine": "taskkit.engine.engine",
    "Job": "taskkit.job",
    "KnowledgeBase": "taskkit.knowledge",
    "Plan": "taskkit.engine.plan",
    "Prompt": "taskkit.prompt",
    "Result": "taskkit.results",
    "Source": "taskkit.source",
    "Task": "taskkit.taskclass",
    "TaskkitError": "taskkit.errors",
    "Text": "taskkit.source",
    "function": "taskkit.functions",
    "task": "taskkit.taskclass",
    "use": "taskkit.engine.default",
}


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value
    if name.startswith("__"):
        raise AttributeError(name)
    registry = import_module("taskkit.registry")  # not `from taskkit import`: that would ask here again
    if name == "registry":
        return registry
    if registry.canonical(name) in registry.entries():
        return registry.function(name)
    raise AttributeError(f"module 'taskkit' has no attribute {name!r}, and no task is called so")


def __dir__() -> list[str]:
    from taskkit import registry

    return sorted({*_HOMES, *registry.entries(), "registry", "__version__"})
