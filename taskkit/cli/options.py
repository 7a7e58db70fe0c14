"""The options that every task has, and the engine that they ask for."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine


class Dollars(click.ParamType[Decimal]):
    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            cost = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount of dollars.", param, ctx)
        if not cost.is_finite() or cost < 0:
            self.fail(f"{value!r} is not 0 or more dollars.", param, ctx)
        return cost


class Within(click.FloatRange):
    """A range that holds numbers only: NaN is in every range of click's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


Table = tuple[tuple[list[str], dict[str, Any]], ...]

ENGINE: Table = (
    (["--model"], {"metavar": "NAME", "help": "The model; local:NAME is an embedded one."}),
    (["--base-url"], {"metavar": "URL", "help": "The endpoint, up to its /v1."}),
    (["--tier"], {"metavar": "TIER", "help": "fast, strong or long, not the task's own; --model comes before it."}),
    (["--temperature"], {"type": Within(0, 2), "metavar": "NUMBER", "help": "0 to 2, not the task's own."}),
    (["--context"], {"type": click.IntRange(min=1), "metavar": "TOKENS", "help": "The model's window."}),
    (["--concurrency"], {"type": click.IntRange(min=1), "metavar": "N", "help": "Calls at once, at most."}),
    (["--max-cost"], {"type": Dollars(), "metavar": "DOLLARS", "help": "A hard cap; what was done is kept."}),
    (["--no-journal"], {"is_flag": True, "help": "Neither use nor keep what was paid for."}),
    (["--fresh"], {"is_flag": True, "help": "Ask anew, whatever the journal has."}),
    (["--allow-http"], {"is_flag": True, "help": "Admit an endpoint without TLS on another machine."}),
)
PLAN: Table = (
    (["--plan"], {"is_flag": True, "help": "Tell calls, tokens, cost and minutes, the journal apart; send nothing."}),
)
OUTPUT: Table = (
    (["--json", "as_json"], {"is_flag": True, "help": "Give the whole result as JSON."}),
    (
        ["-o", "--output"],
        {
            "metavar": "FILE",
            "type": click.Path(),
            "help": "Write the result, or its JSON, here, once it is whole; or a folder/.",
        },
    ),
)
MANNER: Table = (
    (["--strict"], {"is_flag": True, "help": "Exit with 1 on warnings too."}),
    (["-q", "--quiet"], {"is_flag": True, "help": "Say nothing but the result and errors."}),
    (["--debug"], {"is_flag": True, "help": "Show where an error comes from."}),
)
COMMON: Table = (*ENGINE, *PLAN, *OUTPUT, *MANNER)


def options_of(*tables: Table) -> list[click.Option]:
    return [click.Option(names, **settings) for table in tables for names, settings in table]


def with_options(*tables: Table) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """These options as a decorator, for commands that are no tasks."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for names, settings in reversed([row for table in tables for row in table]):
            command = click.option(*names, **settings)(command)
        return command

    return decorate


def engine_of(given: Mapping[str, Any]) -> "Engine":
    """An option that a task has for itself is not the engine's: it is then missing in `given`."""
    from taskkit.engine.engine import Engine

    return Engine(
        given.get("model"),
        base_url=given.get("base_url"),
        tier=given.get("tier"),
        temperature=given.get("temperature"),
        context=given.get("context"),
        concurrency=given.get("concurrency"),
        max_cost=given.get("max_cost"),
        journal=not given.get("no_journal"),
        fresh=bool(given.get("fresh")),
        allow_http=given.get("allow_http") or None,
    )
