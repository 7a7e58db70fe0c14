"""`taskkit kb`, the part that looks after a base: shown, counted, checked, made anew, written out."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.kb import AT, DEBUG, JSON, PAYING, QUIET, _json, _opened, _progress, _say, kb

if TYPE_CHECKING:
    from taskkit.knowledge import Document, Passage

__all__ = ["kb"]


@kb.command(epilog="Example: taskkit kb show people/sick-leave.md --knowledge handbook.kb")
@click.argument("name")
@AT
@JSON
@DEBUG
def show(*, name: str, knowledge: str | None, as_json: bool, **_: Any) -> None:
    """A document and its passages.

    With page or line, offsets, headings and text of each. NAME is as `list` shows it."""
    from taskkit.errors import InputError

    with _opened(knowledge) as base:
        document, passages = base.document(name), base.passages(name)
    if document is None:
        raise InputError(f"There is no document {name!r}.", hint="`taskkit kb list` shows their names.")
    if as_json:
        kept = dataclasses.asdict(document)
        del kept["lacks"]  # told when it was taken in, and not kept
        _json({**kept, "passages": [dataclasses.asdict(one) for one in passages]})
        return
    _head(document, len(passages))
    for one in passages:
        _passage(one)


def _head(document: "Document", count: int) -> None:
    _say(f"{document.name}{f'  {document.title}' if document.title else ''}")
    click.echo(f"{document.format}, {len(document.text):,} characters, {_count(count, 'passage')}")
    for what, some in (("metadata", document.metadata), ("access", document.access)):
        if some:
            values = (", ".join(map(str, one)) if isinstance(one, list | tuple) else one for one in some.values())
            _say(f"{what}: {'; '.join(f'{key} = {value}' for key, value in zip(some, values, strict=True))}")


def _passage(passage: "Passage") -> None:
    place = f"page {passage.page}, line {passage.line}" if passage.page else f"line {passage.line}"
    path = " > ".join(passage.path)
    click.echo()
    _say(f"{place} [{passage.start}:{passage.end}]{f'  {path}' if path else ''}")
    for line in passage.text.strip("\n").splitlines():
        _say(f"  {line}".rstrip())


@kb.command(epilog="Example: taskkit kb stats --knowledge handbook.kb")
@AT
@JSON
@DEBUG
def stats(*, knowledge: str | None, as_json: bool, **_: Any) -> None:
    """How much there is, and what it was made with."""
    with _opened(knowledge) as base:
        found = base.stats()
    if as_json:
        _json(dataclasses.asdict(found))
        return
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in found.languages.items())
    free = found.unused - found.awaited
    unused = f", {free:,} unused (`taskkit kb compact` frees them)" if free else ""
    unused += f", {found.awaited:,} of work that is not yet done" if found.awaited else ""
    click.echo(f"documents   {found.documents:,}")
    click.echo(f"passages    {found.passages:,}")
    click.echo(f"characters  {found.characters:,}")
    click.echo(f"vectors     {found.vectors:,}{unused}")
    click.echo(f"embedder    {found.embedder}{f', {found.width} wide' if found.width else ''}")
    click.echo(f"index       {found.index}")
    click.echo(f"languages   {languages or 'none'}")
    click.echo(f"size        {found.bytes / 1e6:,.1f} MB")


@kb.command(epilog="Example: taskkit kb verify --knowledge handbook.kb && cp handbook.kb /backup/")
@AT
@JSON
@DEBUG
def verify(*, knowledge: str | None, as_json: bool, **_: Any) -> int:
    """Say what is wrong with the base.

    Ends with 1 when something is."""
    with _opened(knowledge) as base:
        problems = base.verify()
    if as_json:
        _json({"problems": problems})
        return 1 if problems else 0
    for one in problems:
        click.echo(one)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    hint = "Take a copy that is sound, or make the base anew from its documents."
    click.echo(f"{count}. {hint}" if problems else "Nothing is wrong with it.", err=True)
    return 1 if problems else 0


@kb.command(epilog="Example: taskkit kb compact --knowledge handbook.kb")
@AT
@JSON
@DEBUG
def compact(*, knowledge: str | None, as_json: bool, **_: Any) -> None:
    """Give back the room of what is no longer needed.

    Those are vectors of texts that changed or went; they are kept for texts that come back. What a sync, add or reindex
    has embedded that goes on still, or was broken off in the last 30 days, stays for it."""
    with _opened(knowledge) as base:
        before = base.stats().bytes
        gone = base.compact()
        after = base.stats()
        freed = max(0, before - after.bytes)
    if as_json:
        _json({"vectors": gone, "bytes": freed})
    elif not gone and not freed:
        click.echo("There was nothing to give back.", err=True)
    else:
        click.echo(f"{_count(gone, 'vector')} went, {freed / 1e6:,.1f} MB are free again.", err=True)
    if after.awaited and not as_json:
        click.echo(f"{_count(after.awaited, 'vector')} of work that is not yet done stayed for it.", err=True)


@kb.command(epilog="Example: taskkit kb reindex --embedder openai:text-embedding-3-small --knowledge handbook.kb")
@AT
@click.option(
    "--embedder",
    metavar="NAME",
    help="wordllama, openai, openai:MODEL or openai:MODEL@512, local:MODEL or a plug-in's; as it was if left out.",
)
@click.option(
    "--precision", type=click.Choice(["float16", "int8"]), help="How vectors are kept; int8 takes half the room."
)
@PAYING
@JSON
@QUIET
@DEBUG
def reindex(
    *, knowledge: str | None, embedder: str | None, precision: str | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Embed all passages with another embedder, or keep their vectors in another way.

    What is embedded so already is not paid for again. The base is searched as it was until the last one is there, and then changes over in one step. Broken off, it is
    as it was, and the same command goes on from there."""
    paid = {**given, "quiet": quiet}
    with _opened(knowledge, given=paid, anew=embedder or "") as base, _progress(quiet=quiet) as told:
        count = base.reindex(embedder=embedder, precision=precision, progress=told)
        made = base.stats()
    if as_json:
        _json({"embedded": count, "embedder": made.embedder, "width": made.width, "passages": made.passages})
    elif not quiet:
        click.echo(
            f"{_count(made.passages, 'passage')} made with {made.embedder}; {_count(count, 'text')} embedded", err=True
        )


@kb.command(epilog="Example: taskkit kb export -o handbook.jsonl --knowledge handbook.kb")
@AT
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(), help="Written in one step; without it, standard output."
)
@click.option("--vectors", is_flag=True, help="With the passages' vectors.")
@JSON
@QUIET
@DEBUG
def export(*, knowledge: str | None, output: str | None, vectors: bool, as_json: bool, quiet: bool, **_: Any) -> None:
    """Write the documents out as JSON lines.

    A line each: name, title, text, metadata, access labels, and the passages with their places in the text. With --json and -o a summary is printed as JSON; what is written is JSON anyway."""
    output = None if output == "-" else output
    with _opened(knowledge) as base:
        count = base.export(Path(output) if output else sys.stdout, vectors=vectors)
    if as_json and output:
        _json({"documents": count, "file": output})
    elif not quiet:
        click.echo(f"{_count(count, 'document')} written{f' to {output}' if output else ''}", err=True)


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"
