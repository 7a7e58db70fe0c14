"""The root command: the tasks of the registry, and the few commands beside them. Nothing is loaded for its help."""

import contextlib
import importlib
from functools import partial
from typing import Any

import click

from taskkit import registry
from taskkit.errors import ConfigurationError

BESIDE = {
    "run": ("taskkit.cli.run:run", "Run a task for each line of a JSONL file."),
    "kb": ("taskkit.cli.kb_care:kb", "Fill, search and look after a knowledge base."),
    "models": ("taskkit.cli.models:models", "The models that are known, and the weights of the embedded ones."),
    "prompts": ("taskkit.cli.prompts:prompts", "Show the prompts, and take them over to change them."),
    "journal": ("taskkit.cli.journal:journal", "Show or clear what was paid for and is kept."),
    "doctor": ("taskkit.cli.doctor:doctor", "Try the endpoint and say what it takes."),
}
OF_TASKS = {"run", "prompts"}  # these are of all tasks, one's own too

EXIT_CODES = """\b
Exit codes:
  0    whole
  1    finished, with failures or, under --strict, warnings
  2    wrong use: an option, a file, a text that does not fit
  3    configuration or authentication
  4    the cost cap was reached
  5    the endpoint failed
  6    refused or unsafe
  130  interrupted; the journal keeps what was done (143 by SIGTERM)

\b
Settings: `taskkit doctor --help` lists them; `taskkit doctor` says where they stand."""


class Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*(name for name, _ in _tasks(ctx)[0]), *BESIDE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if found := BESIDE.get(cmd_name):
            module, _, name = found[0].partition(":")
            return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
        if registry.canonical(cmd_name) not in registry.entries():
            return None
        from taskkit.cli.command import command_of

        return command_of(registry.resolve(cmd_name), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        helps = "--help" in args
        if name in OF_TASKS or name not in BESIDE:
            _load_files(ctx, helps=helps and (name in BESIDE or registry.canonical(name) in registry.entries()))
        command = self.get_command(ctx, name)
        if command is not None:
            return name, command, args[1:]
        if name.startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        known = [*(one.replace("_", "-") for one in registry.entries()), *registry.ALIASES, *BESIDE]
        near = get_close_matches(name, known, n=2)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`taskkit` alone lists the tasks."
        raise click.UsageError(f"There is no task or command called {name!r}. {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows, warnings = _tasks(ctx)
        with formatter.section("Tasks"):
            formatter.write_dl(rows)
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in BESIDE.items()])
        for warning in warnings:
            _warn(warning)


def _tasks(ctx: click.Context) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    _load_files(ctx, helps=True)
    rows, warnings = registry.listing()
    return [(name.replace("_", "-"), summary) for name, summary in rows], warnings


def _load_files(ctx: click.Context, *, helps: bool = False) -> None:
    """Task files given on the command line and, as for any setting, by the environment, else by the project, else
    by the user's file. Those of a project are not run before one of their tasks is. Where only help is wanted, what is
    wrong with them, or with the settings, is a warning."""
    if ctx.meta.setdefault("taskkit.loaded", False):
        return
    ctx.meta["taskkit.loaded"] = True
    for load in (partial(registry.load_files, ctx.params.get("tasks") or ()), _load_of_the_settings):
        try:
            load()
        except ConfigurationError as error:
            if not helps:
                raise
            ctx.meta["taskkit.told"] = str(error)
            if not ctx.resilient_parsing:  # a completion is no place for it
                _warn(error)


def _load_of_the_settings() -> None:
    """The user's file is read only where it may name tasks: that is dearer than all the help together."""
    import os

    if named := os.environ.get("TASKKIT_TASKS"):
        registry.load_files(named.split(os.pathsep))
        return
    from taskkit.settings import config_dir, load, project

    here = project()
    if here is None:
        with contextlib.suppress(OSError):
            if b"tasks" in (config_dir() / "config.toml").read_bytes():
                registry.load_files(load().tasks)
        return
    chosen = load()
    if "tasks" in here[1]:
        registry.declare(chosen.tasks, here[0].parent)
    else:
        registry.load_files(chosen.tasks)


def _warn(why: object) -> None:
    click.echo(f"Warning: {why}", err=True)


def _listed(ctx: click.Context) -> None:
    """`taskkit` alone: a line each, and whether a model is configured. Nothing is asked."""
    from taskkit import settings

    rows, warnings = _tasks(ctx)
    width = max(len(name) for name, _ in rows)
    for name, summary in rows:
        click.echo(f"{name:<{width}}  {summary}")
    click.echo(f"\nAlso: {', '.join(BESIDE)}. `taskkit --help` and `taskkit TASK --help` say more.")
    for warning in warnings:
        _warn(warning)
    try:
        chosen = settings.load()
    except ConfigurationError as error:
        if ctx.meta.get("taskkit.told") != str(error):
            _warn(error)
        return
    model = f", the model {chosen.model}" if chosen.model else ""
    if chosen.model.startswith("local:"):
        click.echo(f"The model is {chosen.model}, embedded.")
    elif chosen.base_url or chosen.api_key:
        click.echo(f"The endpoint is {settings.shown(chosen.base_url or settings.OPENAI_URL)}{model}.")
    elif chosen.model:
        click.echo(f"The model is {chosen.model}, but there is no key for it: set OPENAI_API_KEY or --base-url.")
    else:
        click.echo(
            "No endpoint is configured: an embedded model is used. Set OPENAI_API_KEY or --base-url for another."
        )


@click.group(cls=Group, invoke_without_command=True, epilog=EXIT_CODES)
@click.option(
    "--tasks", multiple=True, metavar="FILE", type=click.Path(),
    help="A Python file with task classes of your own; may be repeated. [TASKKIT_TASKS]",
)  # fmt: skip
@click.version_option(package_name="taskkit", message="taskkit %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **_: Any) -> None:
    """Any length in, whole and checked output out, at a known cost, from any OpenAI-compatible endpoint."""
    if ctx.invoked_subcommand is None:
        _listed(ctx)
