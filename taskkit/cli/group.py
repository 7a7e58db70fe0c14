"""The root command: the tasks of the registry, and the few commands beside them. Nothing is loaded for its help."""

import importlib
from typing import Any

import click

from taskkit import registry

BESIDE = {
    "run": ("taskkit.cli.run:run", "Run a task for each line of a JSONL file."),
    "kb": ("taskkit.cli.kb:kb", "Fill, search and look after a knowledge base."),
    "models": ("taskkit.cli.models:models", "The models that are known, and the weights of the embedded ones."),
    "prompts": ("taskkit.cli.prompts:prompts", "Show the prompts, and take them over to change them."),
    "journal": ("taskkit.cli.journal:journal", "Show or clear what was paid for and is kept."),
    "doctor": ("taskkit.cli.doctor:doctor", "Try the endpoint and say what it takes."),
}

EXIT_CODES = """\b
Exit codes:
  0    whole
  1    finished, with failures or, under --strict, warnings
  2    wrong use: an option, a file, a text that does not fit
  3    configuration or authentication
  4    the cost cap was reached
  5    the endpoint failed
  6    refused or unsafe
  130  interrupted; the journal keeps what was done"""


class Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_files(ctx)
        return [*(name.replace("_", "-") for name, _ in registry.listing()[0]), *BESIDE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if found := BESIDE.get(cmd_name):
            module, _, name = found[0].partition(":")
            return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
        self._load_files(ctx)
        if registry.canonical(cmd_name) not in registry.entries():
            return None
        from taskkit.cli.command import command_of

        return command_of(registry.resolve(cmd_name), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from difflib import get_close_matches

            known = [*(one.replace("_", "-") for one in registry.entries()), *registry.ALIASES, *BESIDE]
            near = get_close_matches(name, known, n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`taskkit` alone lists the tasks."
            raise click.UsageError(f"There is no task or command called {name}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self._load_files(ctx)
        rows, warnings = registry.listing()
        with formatter.section("Tasks"):
            formatter.write_dl([(name.replace("_", "-"), summary) for name, summary in rows])
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in BESIDE.items()])
        for warning in warnings:
            formatter.write_paragraph()
            formatter.write_text(f"Warning: {warning}")

    def _load_files(self, ctx: click.Context) -> None:
        import os

        given = list(ctx.params.get("tasks") or ())
        if os.environ.get("TASKKIT_TASKS"):
            given += os.environ["TASKKIT_TASKS"].split(os.pathsep)
        elif not given:
            given += _of_the_project()
        loaded = ctx.meta.setdefault("taskkit.files", set())
        if new := [one for one in given if one not in loaded]:
            loaded.update(new)
            registry.load_files(new)


def _of_the_project() -> list[str]:
    """Only a file that speaks of taskkit is worth the settings' import."""
    from pathlib import Path

    try:
        if "[tool.taskkit" not in Path("pyproject.toml").read_text("utf-8"):
            return []
    except (OSError, UnicodeDecodeError):
        return []
    from taskkit import settings

    return list(settings.load().tasks)


def _listed(ctx: click.Context) -> None:
    """`taskkit` alone."""
    from taskkit import settings

    click.echo(ctx.get_help())
    chosen = settings.load()
    if chosen.base_url or chosen.api_key:
        where = chosen.base_url or "the OpenAI API"
        click.echo(f"\nThe endpoint is {where}{f', the model {chosen.model}' if chosen.model else ''}.")
    elif chosen.model:
        click.echo(f"\nThe model is {chosen.model}.")
    else:
        click.echo("\nNo endpoint is configured: the embedded model is used. OPENAI_API_KEY or --base-url sets one.")


@click.group(cls=Group, invoke_without_command=True, epilog=EXIT_CODES)
@click.option("--tasks", multiple=True, metavar="FILE", help="A Python file with task classes of your own.")
@click.version_option(package_name="taskkit", message="taskkit %(version)s")
@click.pass_context
def cli(ctx: click.Context, **_: Any) -> None:
    """Any length in, whole and checked output out, at a known cost, from any OpenAI-compatible endpoint."""
    if ctx.invoked_subcommand is None:
        _listed(ctx)
