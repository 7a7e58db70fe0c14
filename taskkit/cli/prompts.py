"""`taskkit prompts`: what the tasks say to the model, and copies of it to change."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from taskkit.prompt import Prompt


@click.group(help="Show the prompts, and take them over to change them.")
def prompts() -> None:
    pass


def _all(asked: str = "") -> "dict[str, Prompt]":
    """Tasks of a project are not run for a list; the one that is asked for is."""
    from taskkit import registry
    from taskkit.declared import Declared
    from taskkit.errors import TaskkitError
    from taskkit.prompt import Prompt

    found: dict[str, Prompt] = {}
    for name, entry in registry.entries().items():
        if isinstance(entry.target, Declared) and name != registry.canonical(asked):
            continue
        try:
            prompt = getattr(entry.load(), "prompt", None)
        except TaskkitError as error:
            click.echo(f"Warning: {error}", err=True)
            continue
        if isinstance(prompt, Prompt):
            found[name.replace("_", "-")] = prompt
    return found


def _one(name: str) -> "Prompt":
    from taskkit.errors import InputError

    found = _all(name)
    if name not in found:
        raise InputError(f"There is no prompt called {name}.", hint=f"There are: {', '.join(found)}.")
    return found[name]


@prompts.command("list", help="Every task's prompt, and where the one in force lies.")
def list_() -> None:
    for name, prompt in _all().items():
        click.echo(f"{name:<14} {prompt.digest}  {prompt.file or 'in the code'}{_overtaken(prompt)}")


def _overtaken(prompt: "Prompt") -> str:
    if prompt.file is None or prompt.file == prompt.built_in:
        return ""
    noted = prompt.file.with_suffix(".digest")
    if noted.is_file() and noted.read_text("utf-8").strip() != prompt.built_in_digest:
        return "  (overtaken by a newer built-in one: `taskkit prompts diff`)"
    return "  (your own)"


@prompts.command(help="The prompt in force.")
@click.argument("name")
def show(name: str) -> None:
    click.echo(_one(name).source)


@prompts.command(help="Copy a prompt into ./prompts, where it comes before the built-in one.")
@click.argument("name")
@click.option("--force", is_flag=True, help="Over a copy that is there.")
def eject(name: str, *, force: bool) -> None:
    from taskkit.cli.output import save
    from taskkit.errors import InputError

    prompt = _one(name)
    if prompt.built_in is None:
        raise InputError(f"The prompt of {name} stands in its code; there is no file to copy.")
    target = Path("prompts") / prompt.built_in.name
    if target.exists() and not force:
        raise InputError(f"{target} is there already.", hint="--force writes over it.")
    target.parent.mkdir(exist_ok=True)
    save(target, prompt.built_in.read_text("utf-8"))
    save(target.with_suffix(".digest"), prompt.built_in_digest + "\n")
    click.echo(str(target))


@prompts.command(help="How your own prompt differs from the built-in one.")
@click.argument("name")
def diff(name: str) -> None:
    import difflib

    prompt = _one(name)
    if prompt.built_in is None or prompt.file is None or prompt.file == prompt.built_in:
        click.echo(f"The prompt of {name} is the built-in one.", err=True)
        return
    mine, theirs = prompt.file.read_text("utf-8"), prompt.built_in.read_text("utf-8")
    lines = difflib.unified_diff(
        theirs.splitlines(keepends=True), mine.splitlines(keepends=True), str(prompt.built_in), str(prompt.file)
    )
    click.echo("".join(lines), nl=False)
