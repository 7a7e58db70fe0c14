"""`taskkit journal`: what was paid for and is kept."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from taskkit.engine.journal import Journal


@click.group(invoke_without_command=True)
@click.pass_context
def journal(ctx: click.Context) -> None:
    """Show or clear what was paid for and is kept."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(show)


@journal.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(*, as_json: bool = False) -> None:
    """Where it lies, how many answers it holds."""
    import json
    from datetime import datetime

    stats = _journal().stats()
    if as_json:
        click.echo(json.dumps(stats, indent=2))
        return
    click.echo(f"file      {stats['path']}")
    click.echo(f"answers   {stats['replies']:,}, {int(str(stats['bytes'])) / 1e6:.1f} MB")
    click.echo(f"tokens    {stats['input_tokens']:,} in, {stats['output_tokens']:,} out")
    if isinstance(stats["first"], float) and isinstance(stats["last"], float):
        first, last = (datetime.fromtimestamp(at).astimezone() for at in (stats["first"], stats["last"]))
        click.echo(f"from      {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}")


@journal.command()
@click.option("--older-than", type=click.FloatRange(min=0), default=0.0, metavar="DAYS", help="Only those so old.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clear(*, older_than: float, yes: bool) -> int:
    """Take answers out; the work they were of would be paid for again."""
    from taskkit.cli.fields import is_piped
    from taskkit.errors import InputError

    if not yes and is_piped():
        raise InputError("Clearing the journal wants a yes.", hint="Say --yes.")
    if not yes and not click.confirm("Take the kept answers out?", err=True):
        click.echo("Nothing was taken out.", err=True)
        return 1
    gone = _journal().clear(older_than=older_than * 86400)
    click.echo("1 answer went." if gone == 1 else f"{gone:,} answers went.", err=True)
    return 0


def _journal() -> "Journal":
    from taskkit.engine.journal import Journal
    from taskkit.settings import cache_dir

    return Journal(cache_dir() / "journal.sqlite", warn=lambda line: click.echo(f"Warning: {line}", err=True))
