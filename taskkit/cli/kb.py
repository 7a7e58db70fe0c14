"""`taskkit kb`: fill, search and look after a knowledge base."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from taskkit.knowledge import KnowledgeBase
    from taskkit.knowledge.records import Report


@click.group(help="Fill, search and look after a knowledge base.")
def kb() -> None:
    pass


def on_a_base(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--knowledge", metavar="FILE", envvar="TASKKIT_KNOWLEDGE", help="The knowledge base.  [TASKKIT_KNOWLEDGE]"
    )(command)
    command = click.option("--json", "as_json", is_flag=True, help="As JSON.")(command)
    return click.option("--debug", is_flag=True, help="Show where an error comes from.")(command)


def _open(knowledge: str | None, *, create: bool = False, embedder: str | None = None) -> "KnowledgeBase":
    from taskkit import settings
    from taskkit.errors import InputError
    from taskkit.knowledge import KnowledgeBase

    path = knowledge or settings.load().knowledge
    if not path:
        raise InputError("Which knowledge base?", hint="Give --knowledge FILE, or set TASKKIT_KNOWLEDGE.")
    return KnowledgeBase(path, create=create, embedder=embedder)


@kb.command(help="Take files and folders in.")
@click.argument("paths", nargs=-1, required=True)
@click.option("--embedder", help="wordllama, openai or openai:MODEL, for a new base.")
@on_a_base
def add(paths: tuple[str, ...], embedder: str | None, knowledge: str | None, *, as_json: bool, debug: bool) -> int:  # noqa: ARG001
    with _open(knowledge, create=True, embedder=embedder) as base, _progress() as shown:
        report = base.add([Path(one) for one in paths], progress=shown)
    return _reported(report, as_json=as_json)


@kb.command(help="Bring the base to what a folder holds: new, changed and deleted files.")
@click.argument("folder")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only files of this name, as in a .gitignore.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="No files of this name.")
@click.option("--embedder", help="wordllama, openai or openai:MODEL, for a new base.")
@on_a_base
def sync(
    folder: str, include: tuple[str, ...], exclude: tuple[str, ...], embedder: str | None, knowledge: str | None,
    *, as_json: bool, debug: bool,  # noqa: ARG001
) -> int:  # fmt: skip
    from taskkit.errors import InputError

    if not Path(folder).is_dir():
        raise InputError(f"There is no folder {folder}.", hint="A single file goes in with `taskkit kb add`.")
    with _open(knowledge, create=True, embedder=embedder) as base, _progress() as shown:
        report = base.sync(folder, include=include, exclude=exclude, progress=shown)
    return _reported(report, as_json=as_json)


@kb.command(help="The passages that bear most on a question.")
@click.argument("query")
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 100), help="How many.")
@click.option("--where", help='A condition on metadata, as JSON: \'{"year": {"$gte": 2024}}\'.')
@click.option("--explain", is_flag=True, help="Show the scores and why.")
@on_a_base
def search(
    query: str,
    k: int,
    where: str | None,
    knowledge: str | None,
    *,
    explain: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    import dataclasses

    from taskkit.errors import InputError

    try:
        condition = json.loads(where) if where else None
    except ValueError as error:
        raise InputError(f"--where is no JSON: {error}.") from error
    with _open(knowledge) as base:
        hits = base.search(query, k, where=condition, explain=explain)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(hit) for hit in hits], ensure_ascii=False, indent=2, default=str))
        return
    if not hits:
        click.echo("Nothing was found.", err=True)
    for number, hit in enumerate(hits, 1):
        path = " > ".join(hit.passage.path)
        click.echo(f"{number}. {hit.passage.document}{f' ({path})' if path else ''}")
        if explain and hit.reasons is not None:
            words = f"words {hit.lexical or 0:.2f} (place {hit.reasons.lexical_rank or '-'})"
            meaning = f"meaning {hit.dense or 0:.2f} (place {hit.reasons.dense_rank or '-'})"
            click.echo(f"   score {hit.score:.3f}: {words}, {meaning}, words count {hit.reasons.lexical_weight:.0%}")
        text = " ".join(hit.passage.text.split())
        click.echo(f"   {text[:300]}{'…' if len(text) > 300 else ''}\n")


@kb.command("list", help="The documents.")
@on_a_base
def list_(knowledge: str | None, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    import dataclasses

    with _open(knowledge) as base:
        rows = base.list()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], ensure_ascii=False, indent=2, default=str))
        return
    for row in rows:
        click.echo(f"{row.name}  ({row.passages} passages, {row.characters:,} characters)")


@kb.command(help="Take a document out.")
@click.argument("name")
@on_a_base
def remove(name: str, knowledge: str | None, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    from taskkit.errors import InputError

    with _open(knowledge) as base:
        if not base.remove(name):
            raise InputError(f"There is no document {name} in {base.path}.", hint="`taskkit kb list` shows the names.")
    if as_json:
        click.echo(json.dumps({"removed": name}))
    else:
        click.echo(f"{name} is out.", err=True)


@kb.command(help="How much there is.")
@on_a_base
def stats(knowledge: str | None, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    import dataclasses

    with _open(knowledge) as base:
        found = dataclasses.asdict(base.stats())
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        shown = f"{value:,}" if isinstance(value, int) else value
        if isinstance(value, dict):
            shown = ", ".join(f"{key or 'unknown'} {count:,}" for key, count in value.items())
        click.echo(f"{name:<12} {shown}")


@kb.command(help="Look the file over.")
@on_a_base
def verify(knowledge: str | None, *, as_json: bool, debug: bool) -> int:  # noqa: ARG001
    with _open(knowledge) as base:
        problems = base.verify()
    click.echo(json.dumps({"problems": problems}) if as_json else "\n".join(problems) or "It is whole.")
    return 1 if problems else 0


@kb.command(help="Give back the room of what is no longer needed.")
@on_a_base
def compact(knowledge: str | None, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    with _open(knowledge) as base:
        gone = base.compact()
    click.echo(json.dumps({"vectors": gone}) if as_json else f"{gone:,} unused vectors went.")


class _progress:  # noqa: N801 - a context manager
    """A bar over the documents, on a terminal; nothing elsewhere."""

    def __enter__(self) -> Callable[[int, int, str], None] | None:
        self._bar: Any = None
        if not sys.stderr.isatty():
            return None
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._bar.start()
        row = self._bar.add_task("documents", total=None)
        return lambda done, total, _name: self._bar.update(row, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _reported(report: "Report", *, as_json: bool) -> int:
    import dataclasses

    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), ensure_ascii=False, indent=2))
    else:
        click.echo(
            f"{report.added} added, {report.changed} changed, {report.unchanged} as before, {report.removed} removed; "
            f"{report.embedded:,} passages embedded"
        )
    for one in report.skipped:
        click.echo(f"Left out: {one.file} {one.reason}", err=True)
    return 1 if report.skipped else 0
