"""The command line: `taskkit TASK …`, made from the registry."""

import contextlib
import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with the exit code of what happened."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """As `main`, and gives the exit code back."""
    import click

    from taskkit.cli.group import cli
    from taskkit.errors import TaskkitError

    debug = "--debug" in argv
    try:
        code = cli.main(args=list(argv), prog_name="taskkit", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted. What was done is in the journal: the same command goes on from there.")
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return 0
    except TaskkitError as error:
        if debug:
            raise
        _say(str(error))
        return error.exit_code
    except Exception as error:
        if debug:
            raise
        why = " ".join(str(error).split())[:300] or type(error).__name__
        _say(f"Something unforeseen happened ({type(error).__name__}: {why}). `--debug` shows where.")
        return 5
    return code if isinstance(code, int) else 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(f"taskkit: {line}", file=sys.stderr)
