"""Tasks as functions: `taskkit.translate(...)` and its four other ways to run."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, ParamSpec, TypeVar, cast

from taskkit.engine.default import current
from taskkit.engine.plan import Plan
from taskkit.engine.stream import Stream
from taskkit.errors import TaskkitError
from taskkit.taskclass import Task, make, task_name

P = ParamSpec("P")
R = TypeVar("R")


class TaskFunction(Generic[P, R]):
    """A task as a function, with its five ways to run. Each takes the task's fields as arguments."""

    def __init__(self, cls: Callable[P, Task[R]]) -> None:
        self.task = cls
        self.__name__ = task_name(cast("type", cls))
        self.__doc__ = cls.__doc__
        self.__wrapped__ = cls  # so that help() and inspect.signature() show the fields

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs it and waits; works inside a running event loop too."""
        return current().run(self._made(*args, **kwargs))

    async def aio(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return await current().arun(self._made(*args, **kwargs))

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> Stream[R]:
        """Text as it comes, for a `for` or an `async for`; then `.result`."""
        return current().stream(self._made(*args, **kwargs))

    def plan(self, *args: P.args, **kwargs: P.kwargs) -> Plan:
        """What it would take: calls, tokens, cost. Sends nothing."""
        return current().plan(self._made(*args, **kwargs))

    def map(self, items: Iterable[Any], *args: Any, **kwargs: Any) -> list[R | TaskkitError]:
        """The task for each item as its first field, at once and in order. An item that fails gives its error in
        its place; bad settings, a refused key and a reached cost cap stop the whole."""
        tasks = [cast("Callable[..., Task[R]]", self._made)(item, *args, **kwargs) for item in items]
        return current().map(tasks)

    def _made(self, *args: P.args, **kwargs: P.kwargs) -> Task[R]:
        return make(self.task, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<taskkit function {self.__name__}>"


def function(cls: Callable[P, Task[R]]) -> TaskFunction[P, R]:
    """`summarise = taskkit.function(Summarise)`: typed by the task's fields and its result."""
    return TaskFunction(cls)
