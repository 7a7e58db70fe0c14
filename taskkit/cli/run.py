"""`taskkit run`: a task for each line of a file."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import engine_of, with_engine

if TYPE_CHECKING:
    from taskkit.taskclass import Task


@click.command(help="Run a task for each line of a JSONL file.")
@click.argument("task")
@click.argument("lines", metavar="FILE.jsonl")
@click.option("-o", "--output", metavar="FILE", help="Write the results here, a line each, in order.")
@with_engine
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but the results and errors.")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def run(task: str, lines: str, output: str | None, **given: Any) -> int:
    """A line is an object of the task's inputs, or a string for its first one. What fails gives a line with its
    error, and the others go on.
    """
    from taskkit import registry
    from taskkit.cli.output import check_writable, written
    from taskkit.cli.progress import watching
    from taskkit.cli.work import _last_line
    from taskkit.errors import TaskkitError
    from taskkit.results import Result

    cls = registry.resolve(task)
    rows = _rows(lines)
    check_writable(output)
    began = time.monotonic()
    made = [_made(cls, row) for row in rows]
    with engine_of(given) as engine, watching(engine, quiet=given["quiet"]):
        good = [one for one in made if not isinstance(one, TaskkitError)]
        engine.events.emit("step", total=len(good))
        results = iter(engine.map(good))
        done = [one if isinstance(one, TaskkitError) else next(results) for one in made]
        usage = engine.usage
    written("\n".join(map(_line, done)), output)
    if not given["quiet"]:
        _last_line(usage, time.monotonic() - began)
    failed = [one for one in done if isinstance(one, TaskkitError)]
    if failed and not given["quiet"]:
        click.echo(f"{len(failed)} of {len(done)} lines failed; the first: {failed[0]}", err=True)
    notices = [notice for one in done if isinstance(one, Result) for notice in one.warnings]
    bad = failed or any(one.failure for one in notices) or (given["strict"] and notices)
    return 1 if bad else 0


def _rows(lines: str) -> list[Any]:
    from taskkit.errors import InputError
    from taskkit.source import read

    text = sys.stdin.read() if lines == "-" else read(Path(lines)).text
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"Line {number} of {lines} is no JSON: {error}.") from error
        if not isinstance(row, dict | str):
            raise InputError(f"Line {number} of {lines} is neither an object nor a string.")
        rows.append(row)
    if not rows:
        raise InputError(f"{lines} has no lines.")
    return rows


def _made(cls: Any, row: Any) -> "Task[Any] | Any":
    from taskkit.errors import InputError
    from taskkit.taskclass import make

    try:
        return make(cls, row) if isinstance(row, str) else make(cls, **row)
    except (InputError, TypeError) as error:
        return error if isinstance(error, InputError) else InputError(str(error))


def _line(result: Any) -> str:
    from taskkit.errors import TaskkitError
    from taskkit.results import Result

    if isinstance(result, TaskkitError):
        return json.dumps({"error": str(result), "kind": type(result).__name__}, ensure_ascii=False)
    if isinstance(result, Result):
        return result.model_dump_json()
    return json.dumps({"text": str(result)}, ensure_ascii=False)
