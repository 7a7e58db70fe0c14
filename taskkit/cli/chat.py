"""A conversation on a terminal: a task of turns that was given no message."""

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.interrupt import forgiven
from taskkit.errors import ConfigurationError, CostCapError, InputError, QuotaError, TaskkitError

if TYPE_CHECKING:
    from taskkit.cli.progress import Seen
    from taskkit.engine.engine import Engine

HELP = """/help        this list
/save FILE   keep the conversation in a .jsonl file, to go on from with --session
/quit        the end, as Ctrl-D; Ctrl-C stops an answer"""


def chat(cls: Any, message: str, values: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """Asks for a line, answers it, until the end of the input. `message` is the field that takes the line."""
    from taskkit.cli.options import engine_of
    from taskkit.cli.progress import watching
    from taskkit.cli.work import tallied
    from taskkit.tasks.sessions import session_file

    quiet = bool(given.get("quiet"))
    with tempfile.TemporaryDirectory() as folder, engine_of(given) as engine, tallied(engine, cls, quiet=quiet):
        values = {**values, "session": values.get("session") or str(Path(folder) / "conversation.jsonl")}
        kept = session_file(values["session"])
        if not quiet:
            click.echo("/help says what there is; Ctrl-D ends.", err=True)
        with watching(engine, quiet=quiet, bar=False) as seen:
            while (line := _line()) is not None:
                if line.startswith("/"):
                    if _ends(line, kept):
                        break
                elif line:
                    _turn(engine, cls, {**values, message: line}, seen)
    return 0


def _line() -> str | None:
    """None at the end of the input. Ctrl-C takes back what was typed."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - line editing and history for `input`
    while True:
        try:
            return input("> ").strip()
        except KeyboardInterrupt:
            forgiven()
            click.echo()
        except EOFError:
            click.echo()
            return None


def _turn(engine: "Engine", cls: Any, values: Mapping[str, Any], seen: "Seen") -> None:
    from taskkit.cli.work import streamed
    from taskkit.taskclass import make

    try:
        streamed(engine, make(cls, **values), seen)
    except KeyboardInterrupt:
        forgiven()
        click.echo("\nStopped.", err=True)
    except (ConfigurationError, CostCapError, QuotaError):
        raise  # the next line would meet it too
    except TaskkitError as error:
        click.echo(f"taskkit: {error}", err=True)


def _ends(line: str, kept: Path | None) -> bool:
    word, _, rest = line.partition(" ")
    if word in {"/quit", "/exit"}:
        return True
    if word == "/save":
        try:
            _save(rest.strip(), kept)
        except InputError as error:
            click.echo(f"taskkit: {error}", err=True)
    else:
        click.echo(HELP if word == "/help" else f"There is no {word}.\n{HELP}", err=True)
    return False


def _save(name: str, kept: Path | None) -> None:
    from taskkit.cli.inputs import check_writable
    from taskkit.cli.output import save

    if not name.endswith(".jsonl"):
        raise InputError("/save wants the name of a .jsonl file.")
    if kept is None or not kept.is_file():
        raise InputError("Nothing was said yet.")
    path = Path(name).expanduser()
    if path.exists():
        raise InputError(f"{path} is there already.", hint="Give another name.")
    check_writable(path)
    save(path, kept.read_text("utf-8"))
    click.echo(f"Kept in {path}.", err=True)
