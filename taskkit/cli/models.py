"""`taskkit models`: what is known of models, and the weights of the embedded ones."""

import dataclasses
import sys
from datetime import date
from typing import Any

import click

DEBUG = click.option("--debug", is_flag=True, help="Show where an error comes from.")


OWN = """A model that the catalogue does not have, or has otherwise, gets a row in your models.toml; `taskkit models`
says where that lies.

\b
    [models."my-model"]
    context = 131072           # tokens; max_input and max_output may be told, too
    price = [0.15, 0.60]       # dollars a million tokens, in and out
    images = true              # of what is not told, the usual is taken"""


@click.group(invoke_without_command=True, epilog=OWN)
@click.pass_context
def models(ctx: click.Context) -> None:
    """The models that are known, and the weights of the embedded ones."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@DEBUG
def list_(*, as_json: bool = False, **_: Any) -> None:
    """Tiers, embedded models, and the catalogue."""
    from taskkit import local
    from taskkit.models import catalogue, user_file

    tiers, rows, embedded = _tiers(), list(catalogue().values()), local.models()
    if as_json:
        import json

        table = {
            "tiers": tiers,
            "models": [dataclasses.asdict(one) for one in rows],
            "embedded": [dataclasses.asdict(one) for one in embedded],
        }
        click.echo(json.dumps(table, indent=2, default=str))
        return
    width = max(len(name) for name in (*(one.name for one in rows), *(f"local:{one.name}" for one in embedded)))
    click.echo("Tiers")
    for tier, name in tiers.items():
        click.echo(f"  {tier:<{width}}  {name}")
    click.echo("\nEmbedded (taskkit models pull NAME)")
    for one in embedded:
        state = "here" if one.installed else f"{one.size / 1e6:,.0f} MB to bring"
        click.echo(f"  {'local:' + one.name:<{width}}  {state}; {one.good_for or 'of your choice'}")
    click.echo("\nCatalogue")
    for row in rows:
        end = f"; leaves its API on {row.retires}, replaced by {row.replacement or 'nothing'}" if row.retires else ""
        click.echo(f"  {row.name:<{width}}  {row.context:,} tokens, {row.max_output:,} out{end}")
    click.echo(f"\nYour own rows stand in {user_file()}, before these.")


def _tiers() -> dict[str, str]:
    """What each tier stands for today: as the settings bind it, else the catalogue."""
    from taskkit import settings
    from taskkit.models import resolve, tiers

    today = date.today()  # noqa: DTZ011 - retirement dates are days
    names = {tier: [name] for tier, name in tiers().items()}
    names |= {tier: [one.model for one in bound] for tier, bound in settings.load().tiers.items()}
    return {
        tier: ", else ".join(_today(name, resolve(name, today).model.name) for name in row)
        for tier, row in names.items()
    }


def _today(name: str, resolved: str) -> str:
    return name if name == resolved else f"{resolved} (for {name})"


@models.command()
@click.argument("name")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but the path and errors.")
@DEBUG
def pull(name: str, *, quiet: bool, **_: Any) -> None:
    """Bring the weights of an embedded model, by a name of `list` or as hf:OWNER/REPO/FILE.gguf.

    Broken off, the same command goes on where it stopped."""
    from taskkit import local

    name = name.removeprefix("local:")
    if quiet:
        path = local.pull(name)
    elif not sys.stderr.isatty():
        path = local.pull(name, on_notice=lambda line: click.echo(line, err=True))
    else:
        path = _pulled(name)
    click.echo(str(path))


def _pulled(name: str) -> Any:
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from taskkit import local
    from taskkit.cli.terminal import console

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console()) as bar:
        row = bar.add_task(escape(name), total=None)
        return local.pull(
            name,
            progress=lambda done, total: bar.update(row, completed=done, total=total),
            on_notice=lambda line: bar.console.print(line, markup=False, highlight=False),
        )


@models.command()
@click.argument("name")
@DEBUG
def path(name: str, **_: Any) -> None:
    """Where the weights of an embedded model lie."""
    from taskkit import local

    click.echo(str(local.path(name.removeprefix("local:"))))


@models.command()
@click.argument("name")
@DEBUG
def remove(name: str, **_: Any) -> None:
    """Take the weights of an embedded model off the disk."""
    from taskkit import local

    gone = local.remove(name.removeprefix("local:"))
    click.echo("Removed." if gone else "There was nothing to remove.", err=True)
