"""What is said on standard error while a task works: notices, warnings, and a bar on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Self

import click

from taskkit.errors import one_line

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine
    from taskkit.events import Event


SAID = {"warning": "Warning: ", "notice": "", "pause": "Slower: ", "retry": "Trying again: "}


@dataclass(slots=True)
class Seen:
    """`within_line` while the text on the terminal stands in the middle of one; `text` once there is some, beside which
    no bar is shown."""

    failures: int = 0
    warnings: int = 0
    within_line: bool = False
    text: bool = False
    bar: "_Bar | None" = None

    def text_comes(self) -> None:
        self.text = True
        if self.bar is not None:
            self.bar.stop()
        self.bar = None

    def new_line(self) -> None:
        if self.within_line:
            click.echo()
        self.within_line = False


@contextlib.contextmanager
def watching(
    engine: "Engine", *, quiet: bool, bar: bool = True, before_text: bool = False,
    name: Callable[[int], str] | None = None,
) -> Iterator[Seen]:  # fmt: skip
    """Listens to the engine until the block ends. `name` is that of a task among several, by its number. The bar is one
    of many pieces alone where it is `before_text`."""
    seen = Seen()
    bar = bar and not quiet and sys.stderr.isatty()
    tried: set[str] = set()
    with contextlib.ExitStack() as stack:
        if bar and not before_text:
            seen.bar = stack.enter_context(_Bar())

        def hear(event: "Event") -> None:
            if event.kind == "warning" and "code" in event.data:  # of the work; others are of the settings
                seen.warnings += 1
                seen.failures += bool(event.data.get("failure"))
            if event.kind == "retry" and event.message in tried:
                return
            tried.add(event.message)
            if event.kind in SAID and event.message and not quiet:
                number = event.data.get("task")
                of = f"{name(number)}: " if name is not None and isinstance(number, int) else ""
                line = SAID[event.kind] + of + one_line(event.message)
                if shown := seen.bar:
                    shown.say(line)
                else:
                    seen.new_line()
                    click.echo(line, err=True)
            if event.kind == "step" and event.data["total"] != 1 and bar and not (seen.bar or seen.text):
                seen.bar = stack.enter_context(_Bar())
            if shown := seen.bar:
                shown.update(event)

        stack.enter_context(engine.events.listen(hear))
        yield seen


class _Bar(contextlib.AbstractContextManager["_Bar"]):
    """Pieces done, tokens, cost and the time that is left. Of many tasks, the tasks are counted, not their pieces."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from taskkit.cli.terminal import console

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[spent]}"),
            TimeRemainingColumn(), console=console(), transient=True,
        )  # fmt: skip
        self._task = self._progress.add_task("working", total=None, spent="")
        self._tokens = 0
        self._cost: Decimal | None = Decimal(0)
        self._total = 0
        self._counts = "piece-done"

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def update(self, event: "Event") -> None:
        if event.kind == "tasks" or (event.kind == "step" and self._counts == "piece-done"):
            self._total += int(str(event.data["total"]))
            self._progress.update(self._task, total=self._total)
            if event.kind == "tasks":
                self._counts = "task-done"
        elif event.kind == self._counts:
            self._progress.advance(self._task)
        elif event.kind == "call-finished":
            self._spent(event)

    def _spent(self, event: "Event") -> None:
        self._tokens += int(str(event.data["input_tokens"])) + int(str(event.data["output_tokens"]))
        cost = event.data["cost"]
        self._cost = self._cost + cost if isinstance(cost, Decimal) and self._cost is not None else None
        spent = f"{self._tokens:,} tokens" + ("" if not self._cost else f", ${self._cost:.4f}")
        self._progress.update(self._task, spent=spent)
