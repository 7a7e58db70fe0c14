"""A request in plain language as a call of a program: the tool is known, its arguments fit its schema, nothing is run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

import taskkit
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.source import read
from taskkit.taskclass import Task

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip


class Call(BaseModel):
    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, Any]


class Chosen(BaseModel):
    """`arguments` is the JSON text of an object, since each tool has another form."""

    tool: str = Field(description="The name of the tool; none when no tool does what is asked.")
    arguments: str = Field(description="A JSON object with the arguments of the tool.")


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
        tools_of(self.tools)

    async def run(self, job: Job) -> Outcome:
        tools = tools_of(self.tools)
        problem = ""
        for _ in range(3):
            parts = type(self).prompt.parts("choose", request=self.request, tools=list(tools.values()), problem=problem)
            likely = Chosen(tool=next(iter(tools)), arguments="{}")
            chosen = await job.complete(parts, output=Chosen, max_output=400, likely=likely)
            if chosen.tool.strip().lower() in {"", "none"}:
                return Outcome(text="No tool does what was asked.")
            call, problem = checked(chosen, tools)
            if call is not None:
                return Outcome(calls=(call,), text=f"{call.tool} {json.dumps(call.arguments, ensure_ascii=False)}")
            if job.engine.rehearses:
                break
        job.warn("no-call", f"The model found no valid call: {problem}.", failure=True)
        return Outcome(text=f"No valid call was found: {problem}.")


def tools_of(given: Path | Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By name; also in the form of OpenAI's `tools`. Raises `InputError`."""
    rows: Any = given
    if isinstance(given, Path):
        try:
            rows = json.loads(read(given).text)
        except ValueError as error:
            raise InputError(f"{given} is no JSON: {error}.") from error
    tools: dict[str, Mapping[str, Any]] = {}
    for row in rows if isinstance(rows, list | tuple) else ():
        tool = row.get("function", row) if isinstance(row, Mapping) else {}
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            raise InputError(f"A tool without a name: {str(row)[:80]}.")
        tools[tool["name"]] = tool
    if not tools:
        raise InputError("There are no tools.", hint="Give a JSON list of objects with name and parameters.")
    return tools


def checked(chosen: Chosen, tools: Mapping[str, Mapping[str, Any]]) -> tuple[Call | None, str]:
    tool = tools.get(chosen.tool.strip())
    if tool is None:
        return None, f"there is no tool {chosen.tool!r}, only {', '.join(tools)}"
    try:
        arguments = json.loads(chosen.arguments or "{}")
    except ValueError as error:
        return None, f"the arguments are no JSON: {error}"
    if not isinstance(arguments, dict):
        return None, "the arguments are no JSON object"
    problem = misfit(arguments, tool.get("parameters") or {})
    return (None, problem) if problem else (Call(tool=chosen.tool.strip(), arguments=arguments), "")


def misfit(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What is wrong with the arguments by their schema: names, missing ones, types, choices."""
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in arguments:
            return f"the argument {name} is missing"
    for name, value in arguments.items():
        if name not in known:
            return f"there is no argument {name}"
        field = known[name]
        kinds = TYPES.get(str(field.get("type", "")), ())
        if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            return f"{name} is to be of type {field['type']}, not {value!r}"
        if "enum" in field and value not in field["enum"]:
            return f"{name} is to be one of {field['enum']}, not {value!r}"
    return ""


command = taskkit.function(Command)
