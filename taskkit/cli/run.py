"""`taskkit run`: a task for each line of a file."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from taskkit.cli.options import ENGINE, MANNER, with_options


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("lines", metavar="FILE.jsonl", type=click.Path(allow_dash=True))
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(), help="Write the results here, a line each, in order."
)
@with_options(ENGINE, MANNER)
def run(task: str, lines: str, output: str | None, **given: Any) -> int:
    """Run a task for each line of a JSONL file.

    A line is an object of the task's inputs, or a string for its first one. The results come in the same order, a
    line each, as soon as they are there; what fails gives a line with its error, and the others go on. Until all are
    there they are kept in FILE.part. Broken off, the same command goes on from the journal.
    """
    from taskkit import registry
    from taskkit.cli.inputs import Input, targets
    from taskkit.cli.options import engine_of
    from taskkit.cli.output import Lines
    from taskkit.cli.progress import watching
    from taskkit.cli.work import exit_code, tallied
    from taskkit.errors import TaskkitError

    cls = registry.resolve(task)
    made = [_made(cls, row) for row in _rows(lines)]
    (place,) = targets(output, [Input((Path(lines),), Path(Path(lines).name))])
    wanted = {number: one for number, one in enumerate(made) if not isinstance(one, TaskkitError)}
    numbers = list(wanted)
    with engine_of(given) as engine, tallied(engine, quiet=given["quiet"]):
        shows = place is None and sys.stdout.isatty()
        with watching(engine, quiet=given["quiet"], bar=not shows) as seen, Lines(place) as out:
            for number, one in enumerate(made):
                if number not in wanted:
                    out.put(number, _line(one))
            results = engine.map(list(wanted.values()), each=lambda n, done: out.put(numbers[n], _line(done)))
        done = [*results, *(one for one in made if isinstance(one, TaskkitError))]
        failed = [one for one in done if isinstance(one, TaskkitError)]
        if failed:
            click.echo(f"taskkit: {len(failed)} of {len(done)} lines failed; the first: {failed[0]}", err=True)
    return exit_code(done, strict=given["strict"], failures=seen.failures, warnings=seen.warnings)


def _rows(lines: str) -> list[Any]:
    from taskkit.cli.fields import Stdin
    from taskkit.errors import InputError
    from taskkit.source import read

    name = "standard input" if lines == "-" else lines
    text = Stdin()() if lines == "-" else read(Path(lines)).text
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"Line {number} of {name} is no JSON: {error}.") from error
        if not isinstance(row, dict | str):
            raise InputError(f"Line {number} of {name} is neither an object nor a string.")
        rows.append(row)
    return rows


def _made(cls: Any, row: str | dict[str, Any]) -> Any:
    """The task of a line, or what is wrong with it. Inputs go by their names in code or on the command line."""
    import dataclasses

    from taskkit.errors import InputError
    from taskkit.taskclass import make

    if isinstance(row, str):
        row = {dataclasses.fields(cls)[0].name: row}
    names = {one.name.rstrip("_"): one.name for one in dataclasses.fields(cls)}
    values = {names.get(key.replace("-", "_"), key): value for key, value in row.items()}
    try:
        return make(cls, **values)
    except InputError as error:
        return error


def _line(result: Any) -> str:
    from taskkit.cli.output import as_data
    from taskkit.errors import TaskkitError

    if isinstance(result, TaskkitError):
        return json.dumps({"error": str(result), "kind": type(result).__name__}, ensure_ascii=False)
    return json.dumps(as_data(result), ensure_ascii=False)
