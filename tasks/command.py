"""A request in plain language as a call of a program: the tool is known, its arguments fit its schema, nothing is run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

import taskkit
from taskkit.errors import InputError, InvalidOutputError
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.source import read
from taskkit.taskclass import Task

CLOSED = ConfigDict(extra="forbid")
NONE = "none"  # what is answered where no tool fits
TYPES: Mapping[str, Any] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list[Any], "object": dict[str, Any],
}  # fmt: skip


class Call(BaseModel):
    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, Any]


class Outcome(Result):
    """`calls` are valid and were not made; `text` says what they would do."""

    calls: tuple[Call, ...] = ()
    results: tuple[Any, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return "\n".join(one.model_dump_json() for one in self.calls) or self.text


@taskkit.task
class Command(Task[Outcome]):
    """Turn a request in plain language into a call of a program."""

    request: Annotated[str, Field(min_length=1)]
    tools: Annotated[
        Path | tuple[dict[str, Any], ...],
        Field(description="A JSON file: a list of tools with name, description and parameters (a JSON schema)."),
    ]

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    temperature: ClassVar[float] = 0.0
    example: ClassVar[str] = 'taskkit command "lights on in the kitchen" --tools tools.json'

    def check(self) -> None:
        super().check()
        answer_of(tools_of(self.tools))

    async def run(self, job: Job) -> Outcome:
        tools = tools_of(self.tools)
        parts = type(self).prompt.parts("choose", request=self.request, tools=list(tools.values()))
        try:
            chosen = (await job.complete(parts, output=answer_of(tools), max_output=400)).call
        except InvalidOutputError as error:
            job.warn("no-call", f"The model found no valid call: {error.message}", failure=True)
            return Outcome(text="No valid call was found.")
        if chosen.tool == NONE:
            return Outcome(text="No tool does what was asked.")
        arguments = chosen.arguments.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        call = Call(tool=chosen.tool, arguments=arguments)
        return Outcome(calls=(call,), text=f"{call.tool} {json.dumps(call.arguments, ensure_ascii=False)}")


def tools_of(given: Path | Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By name; also in the form of OpenAI's `tools`. Raises `InputError`."""
    rows: Any = given
    if isinstance(given, Path):
        try:
            rows = json.loads(read(given).text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{given} is no JSON: {str(error)[:120]}.") from error
    tools: dict[str, Mapping[str, Any]] = {}
    for row in rows if isinstance(rows, list | tuple) else ():
        tool = row.get("function", row) if isinstance(row, Mapping) else {}
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            raise InputError(f"A tool without a name: {str(row)[:80]}.")
        name = tool["name"]
        if name in {*tools, NONE}:
            raise InputError(
                f"There can not be {'a' if name == NONE else 'a second'} tool {name!r}.", hint="Rename it."
            )
        try:
            json.dumps(tool, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"The tool {name!r} can not be written as JSON: {str(error)[:120]}.") from error
        tools[name] = tool
    if not tools:
        raise InputError("There are no tools.", hint="Give a JSON list of objects with name and parameters.")
    return tools


def answer_of(tools: Mapping[str, Mapping[str, Any]]) -> type[Any]:
    """What the model has to give: the call of one of the tools by its own schema, or none."""
    options: list[Any] = []
    for number, (name, tool) in enumerate(tools.items()):
        fields: dict[str, Any] = {"tool": (Literal[name], ...), "arguments": (arguments_of(tool, number), ...)}
        options.append(create_model(f"Call{number}", __config__=CLOSED, **fields))
    none: dict[str, Any] = {"tool": (Literal[NONE], ...)}
    options.append(create_model("NoCall", __config__=CLOSED, **none))
    whole: dict[str, Any] = {"call": (Union[tuple(options)], ...)}  # noqa: UP007 - of a tuple made just now
    chosen: type[Any] = create_model("Chosen", **whole)
    return chosen


def arguments_of(tool: Mapping[str, Any], number: int) -> type[BaseModel]:
    """A model of the tool's arguments: names, types, choices and which must be given. Raises `InputError`."""
    schema = tool.get("parameters") or {}
    known, must = (
        (schema.get("properties") or {}, schema.get("required") or []) if isinstance(schema, Mapping) else (0, 0)
    )
    if not isinstance(known, Mapping) or not isinstance(must, list) or not all(map(is_object, known.values())):
        raise InputError(f"The parameters of the tool {tool['name']} are no JSON schema of an object.")
    fields: dict[str, Any] = {}
    for place, (name, field) in enumerate({**{str(one): {} for one in must}, **known}.items()):
        kind = type_of(field, f"The argument {name!r} of the tool {tool['name']}")
        words = field.get("description") if isinstance(field.get("description"), str) else None
        if name in must:
            fields[f"argument_{place}"] = (kind, Field(alias=name, description=words))
        else:
            fields[f"argument_{place}"] = (kind | None, Field(None, alias=name, description=words))
    return create_model(f"Arguments{number}", __config__=CLOSED, **fields)


def is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def type_of(field: Mapping[str, Any], what: str) -> Any:
    choices = field.get("enum")
    if not choices:
        return TYPES.get(str(field.get("type")), Any)
    if not isinstance(choices, list) or not all(isinstance(one, str | int | float | None) for one in choices):
        raise InputError(f"{what} has choices that are no list of texts, numbers, true, false or null.")
    return Literal[tuple(choices)]


command = taskkit.function(Command)
