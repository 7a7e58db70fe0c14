"""Tasks run from the command line: plan, progress, result, last line, exit code."""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import engine_of
from taskkit.cli.output import as_data, as_text, targets, written
from taskkit.errors import TaskkitError
from taskkit.results import Result, Usage
from taskkit.taskclass import make

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine


def work(cls: Any, firsts: Sequence[tuple[Any, ...]], values: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """A task for each of `firsts`, its first input or nothing; `values` are the others. The exit code."""
    tasks = [make(cls, *first, **values) for first in firsts]
    sources = [first[0] if first else None for first in firsts]
    places = targets(given.get("output"), sources)
    with engine_of(given) as engine:
        if given.get("plan"):
            return _planned(engine, tasks, sources, as_json=bool(given.get("as_json")))
        if len(tasks) == 1:
            return _one(engine, tasks[0], places[0], given)
        return _several(engine, tasks, sources, places, given)


def _planned(engine: "Engine", tasks: Sequence[Any], sources: Sequence[Any], *, as_json: bool) -> int:
    from taskkit.cli.progress import watching

    with watching(engine, quiet=False, bar=False):
        plans = [engine.plan(task) for task in tasks]
    if as_json:
        import dataclasses
        import json

        rows = [dataclasses.asdict(one) for one in plans]
        click.echo(json.dumps(rows if len(rows) > 1 else rows[0], default=str, indent=2))
        return 0
    for plan, source in zip(plans, sources, strict=True):
        if len(plans) > 1:
            click.echo(f"==> {_name(source)} <==")
        click.echo(str(plan))
    return 0


def _one(engine: "Engine", task: Any, place: Path | None, given: Mapping[str, Any]) -> int:
    from taskkit.cli.progress import watching

    as_json, quiet = bool(given.get("as_json")), bool(given.get("quiet"))
    shows = place is None and not as_json and sys.stdout.isatty()
    with tallied(engine, quiet=quiet):
        with watching(engine, quiet=quiet, bar=not shows) as seen:
            result = streamed(engine, task) if shows else engine.run(task)
        if not shows:
            written(as_text(result, as_json=as_json), place)
    return exit_code([result], strict=bool(given.get("strict")), failures=seen.failures, warnings=seen.warnings)


def streamed(engine: "Engine", task: Any) -> Any:
    """On a terminal the text is shown as it comes; once more at the end where that is not all there is."""
    text = ""
    with engine.stream(task) as stream:
        for piece in stream:
            text += piece
            click.echo(piece, nl=False)
        result = stream.result
    whole = str(result).strip()
    if whole.startswith(text.strip()):
        click.echo(whole[len(text.strip()) :].lstrip("\n") if text.endswith("\n") else whole[len(text.strip()) :])
    else:  # a check changed it
        click.echo(f"\n\n{whole}")
    return result


@contextlib.contextmanager
def tallied(engine: "Engine", *, quiet: bool) -> Iterator[None]:
    """The last line: what it took, whether it came to its end or not."""
    began = time.monotonic()
    try:
        yield
    except (TaskkitError, KeyboardInterrupt):
        if not quiet and (engine.usage.calls or engine.usage.journal_hits):
            last_line(engine.usage, time.monotonic() - began)
        raise
    if not quiet:
        last_line(engine.usage, time.monotonic() - began)


def _several(
    engine: "Engine", tasks: Sequence[Any], sources: Sequence[Any], places: Sequence[Path | None],
    given: Mapping[str, Any],
) -> int:  # fmt: skip
    from taskkit.cli.progress import watching

    as_json, quiet = bool(given.get("as_json")), bool(given.get("quiet"))
    with tallied(engine, quiet=quiet):
        with watching(engine, quiet=quiet) as seen:
            results = engine.map(tasks)
        _given_out(results, sources, places, as_json=as_json)
    return exit_code(results, strict=bool(given.get("strict")), failures=seen.failures, warnings=seen.warnings)


def _given_out(results: Sequence[Any], sources: Sequence[Any], places: Sequence[Path | None], *, as_json: bool) -> None:
    rows: list[Any] = []
    for result, source, place in zip(results, sources, places, strict=True):
        if isinstance(result, TaskkitError):
            click.echo(f"taskkit: {_name(source)}: {result}", err=True)
            rows.append({"source": _name(source), "error": str(result), "kind": type(result).__name__})
        elif place is not None:
            written(as_text(result, as_json=as_json), place)
        elif as_json:
            rows.append({"source": _name(source), **as_data(result)})
        else:
            click.echo(f"==> {_name(source)} <==")
            written(as_text(result, as_json=False), None)
    if as_json and places[0] is None:
        import json

        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _name(source: Any) -> str:
    return str(source) if isinstance(source, Path) else getattr(source, "name", None) or " ".join(str(source).split())


def last_line(usage: Usage, seconds: float) -> None:
    cost = "cost unknown" if usage.cost is None else f"${usage.cost:.4f}"
    saved = f", {usage.journal_hits:,} from the journal" if usage.journal_hits else ""
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    calls = "1 call" if usage.calls == 1 else f"{usage.calls:,} calls"
    click.echo(f"{calls}{saved}, {tokens}, {cost}, {seconds:.1f} s", err=True)


def exit_code(results: Sequence[Any], *, strict: bool, failures: int = 0, warnings: int = 0) -> int:
    """1 where something is missing from the work, or, under `strict`, where there is anything to know of it."""
    notices = [notice for one in results if isinstance(one, Result) for notice in one.warnings]
    failed = failures or any(isinstance(one, TaskkitError) for one in results) or any(one.failure for one in notices)
    return 1 if failed or (strict and (warnings or notices)) else 0
