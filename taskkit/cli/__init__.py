"""The command line: `taskkit TASK …`, made from the registry."""

import contextlib
import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with the exit code of what happened."""
    sys.exit(outcome(sys.argv[1:] if argv is None else argv))


def outcome(argv: Sequence[str]) -> int:
    """As `main`, and gives the exit code back. Whatever goes wrong is one line on standard error."""
    try:
        code = _worked(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough
        _hush()
        return 0
    except KeyboardInterrupt as stop:
        kept = f" {stop}" if str(stop) else "" if "--no-journal" in argv else KEPT
        _say(f"Interrupted.{kept}")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - nobody above could tell it better
        if "--debug" in argv:
            import traceback

            traceback.print_exc()
        line, code = _told(error)
        _say(line)
    return code


KEPT = " What was done is in the journal: the same command goes on from there."


def _worked(argv: Sequence[str]) -> int:
    import click

    from taskkit.cli.group import cli

    try:
        code = cli.main(args=list(argv), prog_name="taskkit", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort as stop:  # click's name for Ctrl-C and for the end of the input
        told = stop.__cause__.args if isinstance(stop.__cause__, KeyboardInterrupt) else ()
        raise KeyboardInterrupt(*told) from None
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> tuple[str, int]:
    import click

    from taskkit.errors import TaskkitError

    if isinstance(error, TaskkitError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        where = getattr(error, "ctx", None)
        hint = f" See `{where.command_path} --help`." if where is not None else ""
        return " ".join(error.format_message().split()) + hint, 2
    why = " ".join(str(error).split())[:300]
    kind = type(error).__name__
    return f"Something unforeseen happened ({f'{kind}: {why}' if why else kind}). --debug shows where.", 5


def _hush() -> None:
    """What is still buffered has nowhere to go; Python would complain of that at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(f"taskkit: {line}", file=sys.stderr)
