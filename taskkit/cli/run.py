"""`taskkit run`: a task for each line of a file."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import ENGINE, MANNER, PLAN, with_options

if TYPE_CHECKING:
    from taskkit.errors import InputError


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("lines", metavar="FILE.jsonl", type=click.Path(allow_dash=True))
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(), help="Write the results here, a line each, in order."
)
@click.option(
    "--with", "common", metavar="NAME=VALUE", multiple=True,
    help="An input of every line that does not give it itself, by the name of its option: --with to=de. May be repeated.",
)  # fmt: skip
@with_options(ENGINE, PLAN, MANNER)
def run(task: str, lines: str, output: str | None, common: tuple[str, ...], plan: bool, **given: Any) -> int:
    """Run a task for each line of a JSONL file.

    A line is an object of the task's inputs, or a string for its first one; empty lines are passed over. The results
    come in the same order, a line each with the number of its line, as soon as they are there; what fails gives a line
    with its error, and the others go on. Until all are there they are kept in FILE.taskkit-part. Broken off, the same
    command goes on from the journal.
    """
    from taskkit import registry
    from taskkit.cli.inputs import Input, check_kept, targets
    from taskkit.cli.options import engine_of
    from taskkit.cli.output import Lines, part_of
    from taskkit.cli.progress import watching
    from taskkit.cli.terminal import check_open
    from taskkit.cli.work import exit_code, handed_on, planned, tallied
    from taskkit.errors import TaskkitError

    cls = registry.resolve(task)
    inputs = _inputs(cls, common)
    made = {number: _made(cls, row, inputs) for number, row in _rows(lines)}
    numbers, good = list(made), {number: one for number, one in made.items() if not isinstance(one, TaskkitError)}
    (place,) = targets(output, [Input((Path(lines),), Path(Path(lines).name))])
    check_kept([place, part_of(place) if place else None], good.values(), [Path(lines)])
    with engine_of(given) as engine:
        if plan:
            return planned(engine, list(made.values()), [f"line {number}" for number in made], as_json=False)
        if place is None:
            check_open()
        order, wanted = {number: at for at, number in enumerate(numbers)}, list(good)
        shows = place is None and sys.stdout.isatty()
        with (
            tallied(engine, cls, quiet=given["quiet"]),
            handed_on(engine, cls),
            watching(engine, quiet=given["quiet"], bar=not shows, name=lambda at: f"line {wanted[at]}") as seen,
            Lines(place) as out,
        ):
            for number, one in made.items():
                if number not in good:
                    out.put(order[number], _line(number, one))
            results = engine.map(
                list(good.values()), each=lambda n, done: out.put(order[wanted[n]], _line(wanted[n], done))
            )
    made |= zip(wanted, results, strict=True)
    failed = [f"line {number}: {one}" for number, one in made.items() if isinstance(one, TaskkitError)]
    if failed:
        click.echo(f"taskkit: {len(failed)} of {len(made)} lines failed; the first is {failed[0]}", err=True)
    return exit_code(list(made.values()), strict=given["strict"], failures=seen.failures, warnings=seen.warnings)


def _rows(lines: str) -> list[tuple[int, Any]]:
    """Each line's number and what it holds, or what is wrong with it. Raises `InputError` for a file of another kind:
    all of its lines are wrong."""
    from taskkit.cli.fields import Stdin
    from taskkit.errors import InputError
    from taskkit.source import read

    text = Stdin()() if lines == "-" else read(Path(lines)).text
    rows = [(number, _parsed(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if all(isinstance(row, InputError) for _, row in rows):
        number, error = rows[0]
        name = "standard input" if lines == "-" else lines
        raise InputError(f"Line {number} of {name} {str(error).removeprefix('It ')}")
    return rows


def _parsed(line: str) -> "dict[str, Any] | str | InputError":
    from taskkit.errors import InputError

    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return InputError(f"It is no JSON: {error}.")
    return row if isinstance(row, dict | str) else InputError("It is neither an object nor a string.")


def _inputs(cls: Any, said: Sequence[str]) -> dict[str, Any]:
    """What each `NAME=VALUE` says, as the task's fields take it. Raises `InputError`."""
    from taskkit.cli.fields import Stdin, fields_of, value_of
    from taskkit.errors import InputError

    fields = {one.word: one for one in fields_of(cls) if one.is_typed}
    words: dict[str, list[str]] = {}
    for pair in said:
        name, sign, value = pair.partition("=")
        if not sign or name.replace("_", "-") not in fields:
            raise InputError(f"{pair!r} is no NAME=VALUE of these: {', '.join(fields)}.")
        words.setdefault(name.replace("_", "-"), []).append(value)
    return {
        fields[name].name: value_of(fields[name], tuple(given) if fields[name].items else given[-1], Stdin())
        for name, given in words.items()
    }


def _made(cls: Any, row: "str | dict[str, Any] | InputError", inputs: Mapping[str, Any]) -> Any:
    """The task of a line, or what is wrong with it. Inputs go by their names in code or on the command line."""
    import dataclasses

    from taskkit.errors import InputError
    from taskkit.taskclass import make

    if isinstance(row, InputError):
        return row
    if isinstance(row, str):
        row = {dataclasses.fields(cls)[0].name: row}
    names = {one.name.rstrip("_"): one.name for one in dataclasses.fields(cls)}
    values = {**inputs, **{names.get(key.replace("-", "_"), key): value for key, value in row.items()}}
    try:
        return make(cls, **values)
    except InputError as error:
        return error


def _line(number: int, result: Any) -> str:
    from taskkit.cli.output import as_data
    from taskkit.errors import TaskkitError

    if isinstance(result, TaskkitError):
        data: Any = {"error": str(result), "kind": type(result).__name__}
    else:
        data = as_data(result)
    return json.dumps({"line": number, **data} if isinstance(data, dict) else data, ensure_ascii=False)
