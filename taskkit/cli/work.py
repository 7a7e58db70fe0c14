"""One task, run from the command line: plan, progress, result, last line, exit code."""

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import engine_of
from taskkit.cli.output import check_writable, written
from taskkit.errors import TaskkitError
from taskkit.results import Result, Usage
from taskkit.taskclass import make

if TYPE_CHECKING:
    from taskkit.engine import Engine


def work(cls: Any, values: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """Runs the task; the exit code."""
    task = make(cls, **values)
    check_writable(given["output"])
    with engine_of(given) as engine:
        if given["plan"]:
            return _planned(engine, task, as_json=given["as_json"])
        return _run(engine, task, given)


def _planned(engine: "Engine", task: Any, *, as_json: bool) -> int:
    plan = engine.plan(task)
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps(dataclasses.asdict(plan), default=str, indent=2))
    else:
        click.echo(str(plan))
    return 0


def _run(engine: "Engine", task: Any, given: Mapping[str, Any]) -> int:
    from taskkit.cli.progress import watching

    quiet, as_json, output = given["quiet"], given["as_json"], given["output"]
    shows = sys.stdout.isatty() and not as_json and not output
    began = time.monotonic()
    try:
        with watching(engine, quiet=quiet, bar=not shows) as seen:
            if shows:
                stream = engine.stream(task)
                text = ""
                for piece in stream:
                    text += piece
                    click.echo(piece, nl=False)
                result = stream.result
                if str(result).strip() != text.strip():  # checks changed it, or there is more than its text
                    click.echo("\n")
                    click.echo(str(result), nl=False)
                click.echo()
            else:
                result = engine.run(task)
    except (TaskkitError, KeyboardInterrupt):
        if not quiet and engine.usage.calls:
            _last_line(engine.usage, time.monotonic() - began)
        raise
    if not shows:
        text = _json(result) if as_json else str(result)
        written(text, output)
    if not quiet:
        _last_line(result.usage if isinstance(result, Result) else engine.usage, time.monotonic() - began)
    return _code(result, strict=given["strict"], said=seen.failures)


def _json(result: Any) -> str:
    if isinstance(result, Result):
        return result.model_dump_json(indent=2)
    from pydantic import TypeAdapter

    return TypeAdapter(Any).dump_json(result, indent=2).decode()


def _last_line(usage: Usage, seconds: float) -> None:
    cost = "cost unknown" if usage.cost is None else f"${usage.cost:.4f}"
    saved = f", {usage.journal_hits} from the journal" if usage.journal_hits else ""
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    calls = "1 call" if usage.calls == 1 else f"{usage.calls:,} calls"
    click.echo(f"{calls}{saved}, {tokens}, {cost}, {seconds:.1f} s", err=True)


def _code(result: Any, *, strict: bool, said: int) -> int:
    notices = result.warnings if isinstance(result, Result) else ()
    failed = any(one.failure for one in notices) or (not isinstance(result, Result) and said)
    return 1 if failed or (strict and notices) else 0
