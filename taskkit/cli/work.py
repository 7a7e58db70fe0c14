"""Tasks run from the command line: plan, progress, result, last line, exit code."""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.inputs import check_kept, check_writable, inputs, is_folder, of_this, paths, targets
from taskkit.cli.options import engine_of
from taskkit.cli.output import as_data, as_text, put, written
from taskkit.cli.terminal import check_open
from taskkit.engine.journal import FREEZES_UP_TO
from taskkit.errors import InputError, TaskkitError, one_line
from taskkit.job import waves
from taskkit.results import Result, Usage, dollars
from taskkit.taskclass import make, result_type

if TYPE_CHECKING:
    from taskkit.cli.progress import Seen
    from taskkit.engine.engine import Engine
    from taskkit.engine.plan import Plan
    from taskkit.events import Event


def work(cls: Any, firsts: Sequence[tuple[Any, ...]], values: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """A task for each of `firsts`, its first input or nothing, and for each file of a folder among them; `values` are
    the others. The exit code."""
    output = given.get("output") or ""
    todo = inputs(cls, firsts, output, quiet=bool(given.get("quiet")))
    tasks = [make(cls, *one.first, **of_this(values, one, output)) for one in todo]
    sources = [one.source for one in todo]
    as_json = bool(given.get("as_json"))
    places = targets(output, todo, makes_files=not as_json and _makes_files(cls))
    report = Path(given["report"]) if given.get("report") else None
    if report:
        check_writable(report)
    check_kept([*places, report], tasks)
    with engine_of(given) as engine:
        if given.get("plan"):
            return planned(engine, tasks, list(map(_name, sources)), as_json=as_json)
        _check_shown(tasks, places, as_json=as_json)
        if len(tasks) == 1:
            return _one(engine, tasks[0], places[0], given)
        return _several(engine, tasks, sources, places, given)


def _makes_files(cls: Any) -> bool:
    made = result_type(cls)
    return isinstance(made, type) and issubclass(made, Result) and made.as_files is not Result.as_files


def _check_shown(tasks: Sequence[Any], places: Sequence[Path | None], *, as_json: bool) -> None:
    """A document that is no text goes to a file, or alone through a pipe."""
    if None in places:
        check_open()
    for task, place in zip(tasks, places, strict=True):
        if place is None and not as_json and (len(tasks) > 1 or sys.stdout.isatty()):
            try:
                binary = task.binary
            except InputError:  # said when it is run
                continue
            if binary:
                raise InputError("The result is no text that can be shown.", hint="Give -o a file or a folder.")


def planned(engine: "Engine", tasks: Sequence[Any], names: Sequence[str], *, as_json: bool) -> int:
    """Tells what each task, and all together, would take. A task may be the error that it already is."""
    from taskkit.cli.progress import watching

    plans: list[Any] = []
    foreseen = Counter[str]()
    with watching(engine, quiet=False, bar=False):
        for task in tasks:
            try:
                plans.append(task if isinstance(task, TaskkitError) else engine.plan(task, foreseen))
            except InputError as error:
                if len(tasks) == 1:
                    raise
                plans.append(error)
    if as_json:
        import dataclasses
        import json

        rows = [_failed(name, one) if isinstance(one, TaskkitError) else dataclasses.asdict(one)
                for one, name in zip(plans, names, strict=True)]  # fmt: skip
        click.echo(json.dumps(rows if len(rows) > 1 else rows[0], default=str, indent=2))
    else:
        for plan, name in zip(plans, names, strict=True):
            if isinstance(plan, TaskkitError):
                _say_failed(name, plan)
                continue
            if len(plans) > 1:
                click.echo(f"==> {name} <==")
            click.echo(str(plan))
        good = [one for one in plans if not isinstance(one, TaskkitError)]
        if len(good) > 1:
            click.echo(f"==> all {len(good)} together <==\n{_together(good)}")
    return 1 if any(isinstance(one, TaskkitError) for one in plans) else 0


def _together(plans: Sequence["Plan"]) -> str:
    low, high = (sum(one.calls[end] for one in plans) for end in (0, 1))
    calls = f"calls     {low:,}" + (f" to {high:,}" if high > low else "")
    costs = [one.cost for one in plans if one.cost is not None]
    if len(costs) < len(plans):
        return f"{calls}\ncost      unknown"
    least, most = (sum((one[end] for one in costs), Decimal(0)) for end in (0, 1))
    return f"{calls}\ncost      {dollars(least)}" + (f" to {dollars(most)}" if most > least else "")


def _one(engine: "Engine", task: Any, place: Path | None, given: Mapping[str, Any]) -> int:
    from taskkit.cli.progress import watching

    as_json, quiet = bool(given.get("as_json")), bool(given.get("quiet"))
    shows = place is None and not as_json and sys.stdout.isatty()
    output = given.get("output") or ""
    whole = place is not None and place == Path(output) and is_folder(output)
    over = [path for name in task.rewrites for path in paths(getattr(task, name))] if whole else None
    with tallied(engine, type(task), quiet=quiet):
        with watching(engine, quiet=quiet, before_text=shows) as seen:
            result = streamed(engine, task, seen) if shows else engine.run(task)
        with handed_on(engine, type(task)):
            if not shows:
                put(result, place, as_json=as_json, over=over)
            _reported(given, [result], [None])
    return exit_code([result], strict=bool(given.get("strict")), failures=seen.failures, warnings=seen.warnings)


def streamed(engine: "Engine", task: Any, seen: "Seen") -> Any:
    """On a terminal the text is shown as it comes; once more at the end where that is not all there is."""
    text = ""
    try:
        with engine.stream(task) as stream:
            for piece in stream:
                seen.text_comes()
                text += piece
                click.echo(piece, nl=False)
                seen.within_line = not piece.endswith("\n")
            result = stream.result
    except BaseException:
        seen.new_line()
        raise
    seen.text_comes()
    whole = str(result).strip()
    if whole.startswith(text.strip()):
        rest = whole[len(text.strip()) :]
        click.echo(rest.lstrip("\n") if not seen.within_line else rest)
    else:  # a check changed it
        click.echo(f"\n\n{whole}")
    seen.within_line = False
    return result


@contextlib.contextmanager
def tallied(engine: "Engine", cls: Any, *, quiet: bool) -> Iterator[None]:
    """The last line: what it took, whether it came to its end or not. Broken off, it says how to go on."""
    began, asked = time.monotonic(), False

    def hear(event: "Event") -> None:
        nonlocal asked
        asked = asked or event.kind in {"call-finished", "journal-hit"}

    try:
        with engine.events.listen(hear):
            yield
    except (TaskkitError, KeyboardInterrupt) as stop:
        if not quiet and (engine.usage.calls or engine.usage.journal_hits):
            last_line(engine.usage, time.monotonic() - began)
        if isinstance(stop, KeyboardInterrupt) and asked and engine.journal.on and not cls.conversation:
            on = "run it without --fresh to go on" if engine.journal.fresh else "the same command goes on"
            raise KeyboardInterrupt(f"What was done is in the journal: {on} from there.") from None
        raise
    if not quiet:
        last_line(engine.usage, time.monotonic() - began)


@contextlib.contextmanager
def handed_on(engine: "Engine", cls: Any) -> Iterator[None]:
    """A result that can not be written is not lost, where the journal gives it again."""
    try:
        yield
    except InputError as error:
        temperature = cls.temperature if engine.temperature is None else engine.temperature
        if engine.journal.on and not cls.conversation and temperature <= FREEZES_UP_TO:
            anew = ", without --fresh and with another place," if engine.journal.fresh else " with another place"
            error.hint = f"The work is in the journal: the same command{anew} gives it at once."
        raise


def _several(
    engine: "Engine", tasks: Sequence[Any], sources: Sequence[Any], places: Sequence[Path | None],
    given: Mapping[str, Any],
) -> int:  # fmt: skip
    from taskkit.cli.progress import watching

    as_json, quiet = bool(given.get("as_json")), bool(given.get("quiet"))
    begun, cls = 0, type(tasks[0])

    def each(number: int, result: Any) -> None:
        place = places[begun + number]
        if place is not None and not isinstance(result, TaskkitError):
            with handed_on(engine, cls):
                put(result, place, as_json=as_json)

    results: list[Any] = []
    with tallied(engine, cls, quiet=quiet):
        with watching(engine, quiet=quiet, name=lambda number: _name(sources[begun + number])) as seen:
            for wave in waves(tasks) if any(map(_learns, tasks)) else [tasks]:
                begun = len(results)
                results += engine.map(wave, each=each)
        with handed_on(engine, cls):
            _given_out(results, sources, places, as_json=as_json)
            _reported(given, results, sources)
    return exit_code(results, strict=bool(given.get("strict")), failures=seen.failures, warnings=seen.warnings)


def _learns(task: Any) -> bool:
    return bool(task.learns)


def _given_out(results: Sequence[Any], sources: Sequence[Any], places: Sequence[Path | None], *, as_json: bool) -> None:
    """What went to a file has been written already."""
    rows: list[Any] = []
    for result, source, place in zip(results, sources, places, strict=True):
        if isinstance(result, TaskkitError):
            _say_failed(_name(source), result)
            rows.append(_failed(_name(source), result))
        elif place is None and as_json:
            rows.append({"source": _name(source), **as_data(result)})
        elif place is None:
            click.echo(f"==> {_name(source)} <==")
            written(as_text(result, as_json=False), None)
    if as_json and places[0] is None:
        import json

        written(json.dumps(rows, ensure_ascii=False, indent=2), None)


def _say_failed(name: str, error: TaskkitError) -> None:
    """Many an error begins with the name itself: once is enough."""
    click.echo(f"taskkit: {name}: {str(error).removeprefix(name).lstrip()}", err=True)


def _failed(name: str, error: TaskkitError) -> dict[str, str]:
    return {"source": name, "error": str(error), "kind": type(error).__name__}


def _reported(given: Mapping[str, Any], results: Sequence[Any], sources: Sequence[Any]) -> None:
    """What `--report` names gets what there is to say of each result."""
    if not given.get("report"):
        return
    parts: list[str] = []
    for one, source in zip(results, sources, strict=True):
        said = f"Failed: {one}\n" if isinstance(one, TaskkitError) else one.report()
        named = source is not None and not said.startswith("<!")  # a page bears its name
        parts.append(f"# {_name(source)}\n\n{said}" if named else said)
    written("\n".join(parts), Path(given["report"]))


def _name(source: Any) -> str:
    return one_line(str(source) if isinstance(source, Path) else getattr(source, "name", None) or str(source))


def last_line(usage: Usage, seconds: float) -> None:
    cost = "cost unknown" if usage.cost is None else dollars(usage.cost)
    saved = f", {usage.journal_hits:,} from the journal" if usage.journal_hits else ""
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    calls = "1 call" if usage.calls == 1 else f"{usage.calls:,} calls"
    click.echo(f"{calls}{saved}, {tokens}, {cost}, {seconds:.1f} s", err=True)


def exit_code(results: Sequence[Any], *, strict: bool, failures: int = 0, warnings: int = 0) -> int:
    """1 where something is missing from the work, or, under `strict`, where there is anything to know of it."""
    notices = [notice for one in results if isinstance(one, Result) for notice in one.warnings]
    failed = failures or any(isinstance(one, TaskkitError) for one in results) or any(one.failure for one in notices)
    return 1 if failed or (strict and (warnings or notices)) else 0
