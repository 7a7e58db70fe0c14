"""A task is a dataclass with a `run`. From its fields come the function, the command and the schema."""

import dataclasses
import functools
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    ParamSpec,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import pydantic
import pydantic.dataclasses

from taskkit.errors import ConfigurationError, InputError
from taskkit.names import snake
from taskkit.prompt import Part, Prompt

if TYPE_CHECKING:
    from pathlib import Path

    from taskkit.job import Job  # for its name alone: the module of a task is to be light

OTHERWISE = "Input should be "  # begins what a value is not

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound="type[Task[Any]]")

_FILE = re.compile(r"[^\s\0]{1,200}\.\w{1,8}")


class Task(Generic[R]):
    """What a task class stands on. Class attributes say how its calls are made unless a caller says otherwise:

    `tier` the kind of model, `temperature` 0 to 2 (0.2 where the same input should give the same work),
    `conversation` True for turns, which are never answered from the journal, `suffixes` the endings of the files that
    a folder is searched for where one is given as the source; without any, folders are refused. `together` is the
    field that takes the second source and those after it, where several make one result with `--together`. `rewrites`
    are the fields whose files the result may take the place of; all others are kept as they are."""

    prompt: ClassVar[Prompt]
    tier: ClassVar[str] = "fast"
    temperature: ClassVar[float] = 0.2
    conversation: ClassVar[bool] = False
    suffixes: ClassVar[frozenset[str]] = frozenset()
    together: ClassVar[str] = ""
    rewrites: ClassVar[frozenset[str]] = frozenset()

    def check(self) -> None:
        """Looks at the inputs before any model is asked or started: the sources can be read. Raises `InputError`."""
        from pathlib import Path

        from taskkit.source import is_pipe, read

        for value in self._sources():
            if isinstance(value, bytes) or (isinstance(value, Path) and not is_pipe(value)):  # a look would use it up
                read(value, images=True, documents=True)
            elif isinstance(value, str) and _FILE.fullmatch(value) and Path(value).is_file():
                said = f"{value!r} was taken for the text itself; Path({value!r}) reads the file of that name."
                warnings.warn(said, stacklevel=2)

    def touched(self) -> "Sequence[Path]":
        """Files that it reads or writes besides those of its fields: no result takes the place of one."""
        return ()

    def images(self) -> dict[str, str]:
        """The images among the sources, by the marks that stand for them in the text."""
        from taskkit.source import images_of

        found: dict[str, str] = {}
        for value in self._sources():
            if not isinstance(value, str):
                found |= images_of(value)
        return found

    def _sources(self) -> Iterator[object]:
        for name in _sources(cast("Any", type(self))):
            value = getattr(self, name)
            yield from value if isinstance(value, list | tuple) else (value,)

    @property
    def binary(self) -> bool:
        """Whether the result can only be written to a file."""
        return False

    @property
    def learns(self) -> bool:
        """Whether it profits from what like tasks before it have left: of many, few are then begun at first."""
        return False

    async def run(self, job: "Job") -> R:
        """Asks once: the task's fields fill its prompt, the answer has the task's result type."""
        from pathlib import Path

        for value in self._sources():
            if isinstance(value, Path):
                job.read(value)  # which tells what it can not read of it
        parts = self._parts()
        output = result_type(type(self))
        if output is str:
            return cast("R", await job.complete(parts, show=True))
        return await job.complete(parts, output=cast("type[R]", output))

    def baseline(self) -> Sequence[Part]:
        """The same input in one plain prompt, a text cut where it does not fit: what somebody would send who has no
        taskkit. `make quality` measures the task against it."""
        return self._parts()

    def _parts(self) -> list[Part]:
        """The prompt with the fields filled in."""
        from taskkit.source import text_of

        if not hasattr(type(self), "prompt"):
            name = task_name(type(self)).replace("_", "-")
            raise ConfigurationError(f"The task {name} has neither a prompt nor a run.", hint="Give its class one.")
        names = [one.name for one in dataclasses.fields(cast("Any", self))]
        values: dict[str, Any] = {name: text_of(getattr(self, name)) for name in names}
        return type(self).prompt.parts(**values)


@functools.cache
def _sources(cls: type) -> tuple[str, ...]:
    """The fields that take a `Source`, or several."""
    from pathlib import Path

    from taskkit.source import Text

    def kinds(hint: object) -> Iterator[object]:
        inner = [one for one in get_args(hint) if one not in {..., type(None)}]
        for one in inner:
            yield from kinds(one)
        if not inner:
            yield hint

    hints = get_type_hints(cls)
    names = [one.name for one in dataclasses.fields(cast("Any", cls))]
    return tuple(name for name in names if {Path, Text} <= set(kinds(hints[name])) <= {str, bytes, Path, Text})


@dataclass_transform(frozen_default=True, field_specifiers=(pydantic.Field, dataclasses.field))
def task(cls: T) -> T:
    """Makes a class of fields a task: its inputs are validated, unknown ones refused, values frozen."""
    config = pydantic.ConfigDict(arbitrary_types_allowed=True, extra="forbid", validate_default=False)
    return cast("T", pydantic.dataclasses.dataclass(cls, config=config, frozen=True))


def result_type(cls: type[Task[Any]]) -> Any:
    """The R of `Task[R]`."""
    for base in (base for one in cls.__mro__ for base in getattr(one, "__orig_bases__", ())):
        if get_origin(base) is Task:
            return get_args(base)[0]
    return str


def task_name(cls: type) -> str:
    """`MeetingNotes` is called `meeting_notes` in code and `meeting-notes` on the command line."""
    return snake(cls.__name__)


def make(cls: Callable[P, Task[R]], *args: P.args, **kwargs: P.kwargs) -> Task[R]:
    """The task of these inputs; `InputError` names the inputs that do not fit."""
    try:
        return cls(*args, **kwargs)
    except pydantic.ValidationError as error:
        name = task_name(cast("type", cls)).replace("_", "-")
        fields = [one.name for one in dataclasses.fields(cast("Any", cls))]
        raise InputError(f"{name}: {_in_words(error, fields)}.") from error


def _in_words(error: pydantic.ValidationError, fields: Sequence[str]) -> str:
    words: dict[str, dict[str, None]] = {}
    for one in error.errors(include_url=False, include_input=False):
        at = one["loc"][0] if one["loc"] else "input"
        field = fields[at] if isinstance(at, int) and at < len(fields) else str(at)  # given by its place
        message = one["msg"].removeprefix("Value error, ")
        if one["type"] == "string_too_short" and one.get("ctx", {}).get("min_length") == 1:
            message = "is empty"
        told = words.setdefault(field, {})
        if not told or (len(one["loc"]) > 1 and message.startswith(OTHERWISE)):  # another kind that it could be
            told[message[:1].lower() + message[1:]] = None
    joined = (
        f"{field}: " + " or ".join([first, *(one.removeprefix(OTHERWISE.lower()) for one in others)])
        for field, (first, *others) in words.items()
    )
    return "; ".join(joined)
