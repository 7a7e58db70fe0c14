"""`taskkit models`: what is known of models, and the weights of the embedded ones."""

import sys
from datetime import date

import click


@click.group(help="The models that are known, and the weights of the embedded ones.")
def models() -> None:
    pass


@models.command("list", help="Tiers, embedded models, and the catalogue.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(*, as_json: bool) -> None:
    from taskkit import local
    from taskkit.models import catalogue, resolve, tiers

    today = date.today()  # noqa: DTZ011 - retirement dates are days
    bound = {tier: resolve(name, today).model.name for tier, name in tiers().items()}
    rows = list(catalogue().values())
    if as_json:
        import json

        table = [{"name": one.name, "context": one.context, "max_output": one.max_output} for one in rows]
        mine = [{"name": f"local:{one.name}", "present": one.installed, "bytes": one.size} for one in local.models()]
        click.echo(json.dumps({"tiers": bound, "models": table, "embedded": mine}, indent=2))
        return
    click.echo("Tiers")
    for tier, name in bound.items():
        click.echo(f"  {tier:<24} {name}")
    click.echo("\nEmbedded (taskkit models pull NAME)")
    for one in local.models():
        state = "here" if one.installed else f"{(one.size or 0) / 1e6:,.0f} MB to bring"
        click.echo(f"  {'local:' + one.name:<24} {state}")
    click.echo("\nCatalogue")
    for row in rows:
        end = f", retired on {row.retires}" if row.retires else ""
        click.echo(f"  {row.name:<24} {row.context:,} tokens, {row.max_output:,} out{end}")


@models.command(help="Bring the weights of an embedded model: a name of `list`, or hf:OWNER/REPO/FILE.")
@click.argument("name")
@click.option("-q", "--quiet", is_flag=True)
def pull(name: str, *, quiet: bool) -> None:
    from taskkit import local

    if quiet or not sys.stderr.isatty():
        path = local.pull(name.removeprefix("local:"))
    else:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        with Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
            console=Console(stderr=True),
        ) as bar:  # fmt: skip
            row = bar.add_task(name, total=None)
            path = local.pull(
                name.removeprefix("local:"),
                progress=lambda done, total: bar.update(row, completed=done, total=total),
            )
    click.echo(str(path))


@models.command(help="Where the weights of an embedded model lie.")
@click.argument("name")
def path(name: str) -> None:
    from taskkit import local

    click.echo(str(local.path(name.removeprefix("local:"))))


@models.command(help="Take the weights of an embedded model off the disk.")
@click.argument("name")
def remove(name: str) -> None:
    from taskkit import local

    gone = local.remove(name.removeprefix("local:"))
    click.echo("Removed." if gone else "There was nothing to remove.", err=True)
