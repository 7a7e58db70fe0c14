"""`taskkit kb`: a knowledge base filled, searched and looked after."""

import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli import marks
from taskkit.cli.fields import json_of
from taskkit.cli.marks import ACCESS, METADATA
from taskkit.cli.options import ENGINE, with_options

if TYPE_CHECKING:
    from taskkit.knowledge import Hit, KnowledgeBase
    from taskkit.knowledge.records import Report

Command = Callable[..., Any]

AT = click.option(
    "--knowledge",
    metavar="FILE",
    type=click.Path(),
    help="The knowledge base: a file, or postgresql://user@host/db. [TASKKIT_KNOWLEDGE]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="Say nothing but the result and errors.")
DEBUG = click.option("--debug", is_flag=True, help="Show where an error comes from.")
EMBEDDER = click.option(
    "--embedder",
    metavar="NAME",
    help="Of a new base: wordllama (the default), openai, openai:MODEL or openai:MODEL@512 for shorter vectors; local:MODEL is a GGUF model on this machine, "
    "by its name in `taskkit models`, hf:OWNER/REPO/FILE.gguf or its path.",
)

WHERE = (
    'Only passages whose metadata meet this: {"lang": "en", "year": {"$gte": 2024}}. There are $eq, $ne, $gt, $gte, $lt, '
    "$lte, and $in and $nin with a list."
)

ASKING = ("openai", "local:")  # begins the name of an embedder that the engine asks
PAID = ("base_url", "max_cost")  # options of the engine, where it embeds,
ASKED = ("model", "context", *PAID)  # and where it is asked


def _of_engine(names: Sequence[str]) -> Callable[[Any], Any]:
    return with_options(tuple(row for row in ENGINE if row[0][0].lstrip("-").replace("-", "_") in names))


PAYING, WRITING = _of_engine(PAID), _of_engine(ASKED)

INDEX = click.option(
    "--index", default="", metavar="KIND", help="exact, hnsw, ivf, or auto: by size. Kept in the base."
)


@click.group()
def kb() -> None:
    """Fill, search and look after a knowledge base."""


@contextlib.contextmanager
def _opened(
    knowledge: str | None, *, create: bool = False, embedder: str | None = None, index: str = "", asks: bool = False,
    given: Mapping[str, Any] | None = None, anew: str = "",
) -> "Iterator[KnowledgeBase]":  # fmt: skip
    """`given` are options of the engine, `anew` the embedder that it is made anew with."""
    from taskkit import settings
    from taskkit.errors import InputError
    from taskkit.knowledge import KnowledgeBase

    name = knowledge or settings.load().knowledge
    if name == "-":
        raise InputError("A knowledge base is a file or an address, not standard input.", hint="Give --knowledge FILE.")
    if not name:
        raise InputError("No knowledge base was given.", hint="Give --knowledge FILE, or set TASKKIT_KNOWLEDGE.")
    with KnowledgeBase(name, create=create, embedder=embedder, index=index) as base:
        asks = asks or base.embedder.startswith(ASKING) or anew.startswith(ASKING)
        with _heard(given or {}) if asks else contextlib.nullcontext():
            yield base


@contextlib.contextmanager
def _heard(given: Mapping[str, Any]) -> Iterator[None]:
    """What the engine has to say, which embeds or is asked, and what that took."""
    from taskkit.cli.options import engine_of
    from taskkit.cli.progress import watching
    from taskkit.cli.work import last_line
    from taskkit.engine.default import current, use
    from taskkit.results import Usage

    said = any(given.get(option) is not None for option in ASKED)
    quiet = bool(given.get("quiet"))
    with contextlib.ExitStack() as stack:
        engine, began = stack.enter_context(engine_of(given)) if said else current(), time.monotonic()
        stack.enter_context(use(engine))
        before, engine.usage = engine.usage, Usage()
        try:
            with watching(engine, quiet=quiet, bar=False):
                yield
        finally:
            if engine.usage.calls and not quiet:
                last_line(engine.usage, time.monotonic() - began)
            engine.usage += before


@kb.command(epilog="Example: taskkit kb add handbook/ notes.md --knowledge handbook.kb")
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path())
@click.option("--url", "urls", multiple=True, metavar="URL", help="A page to fetch, over https; may be repeated.")
@METADATA
@ACCESS
@AT
@EMBEDDER
@INDEX
@PAYING
@JSON
@QUIET
@DEBUG
def add(
    paths: tuple[str, ...], urls: tuple[str, ...], metadata: tuple[str, ...], access: tuple[str, ...], knowledge: str | None,
    embedder: str | None, index: str, **given: Any,
) -> int:  # fmt: skip
    """Take in files, folders and pages. What is there under the same name is replaced.

    The head of a Markdown file (`year: 2024` between two lines of ---) is read as metadata."""
    from taskkit.knowledge import fetched

    if not paths and not urls:
        raise click.UsageError("Give a PATH or a --url.")
    todo = [_there(Path(one)) for one in paths]
    pages = [fetched(one) for one in urls]
    told_of, labels = marks.metadata(metadata), marks.access(access)
    with (
        _opened(knowledge, create=True, embedder=embedder, index=index, given=given) as base,
        _progress(quiet=given["quiet"]) as told,
    ):
        if labels is None:
            pages = [
                dataclasses.replace(one, access=known.access) if (known := base.document(one.name)) else one
                for one in pages
            ]
        report = base.add([*todo, *pages], metadata=told_of, access=labels, progress=told)
    return _reported(report, **given)


@kb.command(epilog="Example: taskkit kb sync handbook/ --exclude drafts/ --knowledge handbook.kb")
@click.argument("folder", type=click.Path())
@AT
@EMBEDDER
@INDEX
@PAYING
@click.option("--include", multiple=True, metavar="PATTERN", help="Only these, as in a .gitignore; may be repeated.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these; may be repeated.")
@METADATA
@ACCESS
@JSON
@QUIET
@DEBUG
def sync(
    folder: str, knowledge: str | None, embedder: str | None, index: str, include: tuple[str, ...], exclude: tuple[str, ...],
    metadata: tuple[str, ...], access: tuple[str, ...], **given: Any,
) -> int:  # fmt: skip
    """Make the base as a folder is. New and changed files go in, those that are gone go out.

    Several folders may be in one base: a file whose name another one has is called FOLDER/name. The head of a Markdown file
    (`year: 2024` between two lines of ---) is read as metadata."""
    if _there(Path(folder)).is_file():
        raise click.UsageError(f"{folder} is a file; `taskkit kb add` takes files in.")
    told_of, labels = marks.metadata(metadata), marks.access(access)
    with (
        _opened(knowledge, create=True, embedder=embedder, index=index, given=given) as base,
        _progress(quiet=given["quiet"]) as told,
    ):
        report = base.sync(folder, include=include, exclude=exclude, metadata=told_of, access=labels, progress=told)
    return _reported(report, **given)


@kb.command(epilog='Example: taskkit kb search "Who pays for travel?" -k 3 --knowledge handbook.kb')
@click.argument("query")
@AT
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--where", metavar="JSON", help=WHERE)
@click.option("--allow", metavar="JSON", help='The access labels that you bring: {"team": "hr"}.')
@click.option(
    "--diversity", default=0.0, type=click.FloatRange(0, 1), help="From 0 to 1: leave out what says the same."
)
@click.option("--neighbours", default=0, type=click.IntRange(0), help="Join so many passages before and after.")
@click.option("--fusion", default="convex", show_default=True, type=click.Choice(["convex", "rrf"]))
@click.option("--expand", type=click.Choice(["queries", "hyde"]), help="Have the model search in other words, too.")
@click.option("--rerank", is_flag=True, help="Have the model put the best in order.")
@click.option("--explain", is_flag=True, help="Show the scores, and why.")
@WRITING
@JSON
@DEBUG
def search(query: str, knowledge: str | None, k: int, where: str | None, allow: str | None, **how: Any) -> None:
    """The passages that bear most on a question."""
    as_json, _ = how.pop("as_json"), how.pop("debug")
    given = {option: how.pop(option) for option in ASKED}
    with _opened(knowledge, asks=bool(how["rerank"] or how["expand"]), given=given) as base:
        hits = base.search(query, k, where=_object(where, "--where"), allow=_object(allow, "--allow"), **how)
    if as_json:
        _json([dataclasses.asdict(one) for one in hits])
        return
    for hit in hits:
        _shown(hit)
    if not hits:
        click.echo("Nothing was found.", err=True)


@kb.command("list", epilog="Example: taskkit kb list --knowledge handbook.kb")
@AT
@JSON
@DEBUG
def list_(*, knowledge: str | None, as_json: bool, **_: Any) -> None:
    """The documents. A line each: name, passages, title."""
    with _opened(knowledge) as base:
        rows = base.list()
    if as_json:
        _json([dataclasses.asdict(one) for one in rows])
        return
    width = max((len(one.name) for one in rows), default=0)
    for one in rows:
        _say(f"{one.name:<{width}}  {one.passages:>6,}  {one.title}".rstrip())


@kb.command(epilog="Example: taskkit kb remove people/old.md --knowledge handbook.kb")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--folder", "folders", multiple=True, metavar="PATH", help="All of this folder, which may be gone.")
@AT
@JSON
@DEBUG
def remove(
    *, names: tuple[str, ...], folders: tuple[str, ...], knowledge: str | None, as_json: bool, **_: Any
) -> int:  # fmt: skip
    """Take documents out, by the names that `list` shows, or all of a folder."""
    from taskkit.errors import InputError

    if not names and not folders:
        raise click.UsageError("Give a NAME or a --folder.")
    with _opened(knowledge) as base:
        wanted = dict.fromkeys(names)
        for folder in folders:
            home = str(Path(folder).resolve())
            there = [one.name for one in base.list() if one.origin == home]
            if not there:
                raise InputError(
                    f"No document is from the folder {home}.", hint="`kb list --json` shows their folders."
                )
            wanted |= dict.fromkeys(there)
        missing = [name for name in wanted if not base.remove(name)]
    gone = len(wanted) - len(missing)
    if missing:
        raise InputError(
            f"There is no document {', '.join(map(repr, missing))}.",
            kept=f"{gone:,} of {len(wanted):,} removed." if gone else "",
            hint="`taskkit kb list` shows their names.",
        )
    if as_json:
        _json({"removed": gone})
    else:
        click.echo(f"{gone:,} removed.", err=True)
    return 0


def _there(path: Path) -> Path:
    """Before a base is made for nothing."""
    from taskkit.errors import InputError

    if not path.exists():
        raise InputError(f"There is no file or folder {path}.", hint="Check its name.")
    return path


def _object(text: str | None, option: str) -> dict[str, Any] | None:
    from taskkit.errors import InputError

    if text is None:
        return None
    found = json_of(text, option)
    if not isinstance(found, dict):
        raise InputError(f"{option} takes a JSON object, not {text!r}.")
    return found


def _reported(report: "Report", *, as_json: bool, quiet: bool, **_: Any) -> int:
    """What could not be read is work that was not done."""
    from taskkit.errors import one_line

    if as_json:
        _json(dataclasses.asdict(report))
    for one in report.skipped:
        if not quiet:
            click.echo(f"Skipped {one.file}: {one.reason}", err=True)
    for one in report.incomplete:
        if not quiet:
            click.echo(f"Warning: {one.file}: {one.reason}", err=True)
    for told in report.as_before:
        if not quiet:
            click.echo(f"As before, {one_line(told)} (--access '' and --metadata '' take it off)", err=True)
    if not quiet and not as_json:
        parts = [
            f"{count:,} {name}"
            for name in ("added", "changed", "unchanged", "removed")
            if (count := getattr(report, name))
        ]
        if report.skipped:
            parts.append(f"{len(report.skipped):,} skipped")
        click.echo(f"{', '.join(parts) or 'nothing to do'}; {report.embedded:,} texts embedded", err=True)
    return 1 if report.skipped else 0


def _shown(hit: "Hit") -> None:
    passage = hit.passage
    path = " > ".join(passage.path)
    place = f"page {passage.page}" if passage.page else f"line {passage.line}"
    _say(f"{passage.document}, {place} [{passage.start}:{passage.end}]{f'  {path}' if path else ''}")
    if (why := hit.reasons) is not None:
        bm25 = "" if hit.lexical is None else f", BM25 {hit.lexical:.2f}"
        cosine = "" if hit.dense is None else f", cosine {hit.dense:.2f}"
        _say(
            f"  score {hit.score:.3f}: words {why.lexical_share:.3f} (rank {why.lexical_rank or '-'}{bm25}, weight "
            f"{why.lexical_weight:.2f}), meaning {why.dense_share:.3f} (rank {why.dense_rank or '-'}{cosine}); "
            f"terms: {', '.join(why.terms)}"
        )
        more = [f"also asked: {one}" for one in why.queries[1:]]
        more += [f"likeness to a better one {why.like:.3f}"] if why.like is not None else []
        more += [f"near-duplicates left out {why.duplicates}"] if why.duplicates else []
        more += [f"the model's place {why.reranked}"] if why.reranked else []
        if more:
            _say(f"  {'; '.join(more)}")
    for line in passage.text.strip("\n").splitlines():
        _say(f"  {line}".rstrip())
    click.echo()


def _say(line: str) -> None:
    """A line with text of documents: what would steer a terminal does not."""
    from taskkit.cli.terminal import CONTROLS

    click.echo(CONTROLS.sub("\ufffd", line))


def _json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=list))


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """Of work that can be broken off: whoever does that is told what is kept."""
    try:
        with _bar(shown=not quiet and sys.stderr.isatty()) as told:
            yield told
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "What was embedded and taken in is kept: the same command goes on from there."
        ) from None


@contextlib.contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    if not shown:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from taskkit.cli.terminal import console

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console(), transient=True) as bar:
        row = bar.add_task("", total=None)

        def told(done: int, total: int, name: str) -> None:
            from rich.markup import escape

            bar.update(row, completed=done, total=total or None, description=escape(name))

        yield told
