"""The command line: `taskkit TASK …`, made from the registry."""

import contextlib
import errno
import sys
from collections.abc import Sequence

FULL = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
)  # what a stream that is written says


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command and ends the process with the exit code of what happened."""
    from taskkit.cli import interrupt

    interrupt.listen()
    try:
        from taskkit.cli.terminal import guard

        guard()
    except KeyboardInterrupt:
        _say("Interrupted.")
        interrupt.end()
    code = outcome(sys.argv[1:] if argv is None else argv)
    if code == interrupt.INTERRUPTED:
        interrupt.end()
    sys.exit(code)


def outcome(argv: Sequence[str]) -> int:
    """As `main`, and gives the exit code back. Whatever goes wrong is one line on standard error."""
    from taskkit.cli import interrupt

    try:
        code = _worked(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough
        _hush()
        return 0
    except KeyboardInterrupt as stop:
        interrupt.told()
        _say(f"Interrupted. {stop}".strip())
        return interrupt.INTERRUPTED
    except (Exception, SystemExit) as error:  # noqa: BLE001 - nobody above could tell it better
        if interrupt.obeyed():  # what goes wrong while all is being ended
            interrupt.told()
            _say("Interrupted.")
            return interrupt.INTERRUPTED
        if "--debug" in argv:
            _say_where()
        line, code = _told(error)
        if isinstance(error, OSError):  # what could not be written stays in the buffer
            _hush()
        _say(line)
    return code


def _worked(argv: Sequence[str]) -> int:
    import click

    from taskkit.cli.group import cli

    stdout = sys.stdout
    try:
        code = cli.main(args=list(argv), prog_name="taskkit", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as alone:
        click.echo(alone.ctx.get_help() if alone.ctx else "")
        return 0
    except click.Abort as stop:  # click's name for Ctrl-C and for the end of the input
        told = stop.__cause__.args if isinstance(stop.__cause__, KeyboardInterrupt) else ()
        raise KeyboardInterrupt(*told) from None
    except SystemExit:
        if sys.stdout is not stdout:  # click's way to end where whoever read has left
            raise BrokenPipeError from None
        raise
    return code if isinstance(code, int) else 0


def _told(error: BaseException) -> tuple[str, int]:
    import click

    from taskkit.errors import TaskkitError, one_line, shortened

    if isinstance(error, TaskkitError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        where = getattr(error, "ctx", None)
        hint = f" See `{where.command_path} --help`." if where is not None else ""
        return one_line(shortened(error.format_message())) + hint, 2
    if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
        return f"Standard output can not be written: {error.strerror}.", 2
    why = one_line(str(error))[:300]
    kind = type(error).__name__
    return f"Something unforeseen happened ({f'{kind}: {why}' if why else kind}). --debug shows where.", 5


def _say_where() -> None:
    """What an error came from may repeat what an endpoint said, and in it the key."""
    import traceback

    from taskkit.engine.failures import masked
    from taskkit.settings import keys

    text = traceback.format_exc()
    for key in ("", *keys()):
        text = masked(text, key)
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, end="")


def _hush() -> None:
    from taskkit.cli.terminal import hush

    hush()


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(f"taskkit: {line}", file=sys.stderr)
