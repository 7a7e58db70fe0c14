"""The options that every task has, and the engine that they ask for."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from taskkit.engine import Engine

ENGINE = (
    (["--model"], {"metavar": "NAME", "help": "The model; local:NAME is an embedded one."}),
    (["--base-url"], {"metavar": "URL", "help": "The endpoint, up to its /v1."}),
    (["--tier"], {"metavar": "TIER", "help": "fast, strong or long, in place of the task's own."}),
    (["--temperature"], {"type": click.FloatRange(0, 2), "help": "0 to 2, in place of the task's own."}),
    (["--context"], {"type": click.IntRange(min=1), "metavar": "TOKENS", "help": "The model's window."}),
    (["--concurrency"], {"type": click.IntRange(min=1), "metavar": "N", "help": "Calls at once, at most."}),
    (["--max-cost"], {"metavar": "DOLLARS", "help": "A hard cap; what was done is kept."}),
    (["--no-journal"], {"is_flag": True, "help": "Neither use nor keep what was paid for."}),
    (["--fresh"], {"is_flag": True, "help": "Ask anew, whatever the journal has."}),
    (["--allow-http"], {"is_flag": True, "help": "Admit an endpoint without TLS on another machine."}),
)  # fmt: skip
OUTPUT = (
    (["--plan"], {"is_flag": True, "help": "Tell calls, tokens and cost; send nothing."}),
    (["--json", "as_json"], {"is_flag": True, "help": "Give the whole result as JSON."}),
    (["-o", "--output"], {"metavar": "FILE", "help": "Write the result here, once it is whole."}),
    (["--strict"], {"is_flag": True, "help": "Exit with 1 on warnings too."}),
    (["-q", "--quiet"], {"is_flag": True, "help": "Say nothing but the result and errors."}),
    (["--debug"], {"is_flag": True, "help": "Show where an error comes from."}),
)  # fmt: skip


def COMMON() -> list[click.Option]:  # noqa: N802 - a table, made anew for each command
    return [click.Option(names, **options) for names, options in (*ENGINE, *OUTPUT)]  # type: ignore[arg-type]


def with_engine(command: Callable[..., Any]) -> Callable[..., Any]:
    """The engine's options, for commands that are no tasks."""
    for names, options in reversed(ENGINE):
        command = click.option(*names, **options)(command)  # type: ignore[arg-type]
    return command


def engine_of(given: Mapping[str, Any]) -> "Engine":
    from taskkit.engine import Engine

    return Engine(
        given["model"],
        base_url=given["base_url"],
        tier=given["tier"],
        temperature=given["temperature"],
        context=given["context"],
        concurrency=given["concurrency"],
        max_cost=given["max_cost"],
        journal=not given["no_journal"],
        fresh=given["fresh"],
        allow_http=given["allow_http"] or None,
    )
