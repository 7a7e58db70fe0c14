"""A click command out of a task class: its fields are the arguments and options."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from taskkit.cli.fields import Field, Stdin, fields_of, is_piped, value_of
from taskkit.cli.options import COMMON, options_of
from taskkit.errors import InputError
from taskkit.taskclass import result_type

NUMBERS: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT}


class TaskCommand(click.Command):
    """Its help tells the task's own options apart from those that every task has."""

    own: frozenset[str] = frozenset()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (one, row)
            for one in self.get_params(ctx)
            if (row := one.get_help_record(ctx)) and (row[1] or isinstance(one, click.Option))
        ]
        mine = [row for one, row in rows if one.name in self.own]
        theirs = [row for one, row in rows if one.name not in self.own]
        for title, section in (("Options", mine), ("Options of every task", theirs)):
            if section:
                with formatter.section(title):
                    formatter.write_dl(section)


def command_of(cls: Any, name: str) -> click.Command:
    fields = [one for one in fields_of(cls) if one.is_typed]
    first = fields[0] if fields else None
    params: list[click.Parameter] = [] if first is None else [_argument(first)]
    params += [_option(one) for one in fields[1:]]
    if callable(report := getattr(result_type(cls), "report", None)):
        words = f"Write a report here. {(inspect.getdoc(report) or '').partition(chr(10))[0]}"
        params.append(click.Option(["--report"], metavar="FILE", type=click.Path(), help=words))
    if together := str(cls.together):
        words = "Take the several sources as one input, with one result."
        params.append(click.Option(["--together", "together"], is_flag=True, help=words))
    taken = {word for param in params for word in (*param.opts, param.name)}
    params += [one for one in options_of(COMMON) if not taken & {*one.opts, one.name}]

    def callback(**given: Any) -> int:
        from taskkit.cli.work import work

        own = {one.name: given.pop(one.name) for one in fields}
        wants_one = given.get("plan") or given.get("as_json") or given.get("output")
        if first is not None and not own[first.name] and not wants_one and _converses(cls, fields):
            from taskkit.cli.chat import chat

            del own[first.name]
            return chat(cls, first.name, _values(fields[1:], own, Stdin()), given)
        stdin = Stdin()
        firsts = [()] if first is None else _firsts(cls, first, own.pop(first.name), stdin)
        values = _values(fields[1:], own, stdin)
        if given.pop("together", False):
            values[together] = [*(one for rest in firsts[1:] for one in rest), *values.get(together, ())]
            firsts = firsts[:1]
        return work(cls, firsts, values, given)

    doc = inspect.getdoc(cls) or ""
    example = getattr(cls, "example", "")
    command = TaskCommand(
        name,
        params=params,
        callback=callback,
        help=doc + (f"\n\n\b\nExample:\n  {example}" if example else ""),
        epilog=_about(cls, first) if first is not None else None,
        short_help=doc.partition("\n")[0],
    )
    command.own = frozenset(["report", "together", *(one.name for one in fields)])
    return command


def _converses(cls: Any, fields: Sequence[Field]) -> bool:
    """A task of turns opens a conversation where there is someone to talk to."""
    return bool(cls.conversation) and any(one.name == "session" for one in fields) and not is_piped()


def _argument(field: Field) -> click.Argument:
    label = "SOURCE" if field.is_source else field.word.upper().replace("-", "_")
    many = field.is_source or bool(field.items)
    made = click.Path(allow_dash=True) if field.is_source else None  # for its completion; the task reads it
    metavar = f"[{label}]{'...' if many else ''}"
    return click.Argument([field.name], required=False, metavar=metavar, nargs=-1 if many else 1, type=made)


def _about(cls: Any, first: Field) -> str:
    words = f" {first.help}" if first.help else ""
    if cls.conversation:
        words += " Without one, on a terminal, a conversation begins."
    if first.is_source:
        folder = (
            " A folder stands for the files in it that the task can read, at any depth; with -o FOLDER each result is "
            "written as soon as it is there, under the same path. Broken off, the same command goes on."
        )
        return (
            "SOURCE is a file, or - for standard input, which is also read when it is a pipe and no file is given. "
            f"Several files make several results.{folder if cls.suffixes else ''}{words}"
        )
    return f"{first.word.upper().replace('-', '_')} may be -, or a pipe: then it is read from standard input.{words}"


def _option(field: Field) -> click.Option:
    kinds = field.items or field.kinds
    words = field.help
    if bool in kinds:
        both = f"--{field.word}/--no-{field.word}"
        return click.Option([both, field.name], default=None, help=words, show_default=False)
    shown = field.default
    if isinstance(shown, int | float | str) and shown != "":
        words = f"{words}  [default: {shown}]".strip()
    made: click.ParamType[Any] | None = None
    if field.choices:
        made = click.Choice([str(one) for one in field.choices if one != ""])
    elif Path in kinds:
        made = click.Path(allow_dash=True)  # for its completion
    elif len(kinds) == 1:
        made = NUMBERS.get(kinds[0])
        if made and field.bounds:
            low, high = (_bound(field.bounds, *names) for names in (("ge", "gt"), ("le", "lt")))
            ranged: Any = click.IntRange if made is click.INT else click.FloatRange
            made = ranged(low, high, min_open="gt" in field.bounds, max_open="lt" in field.bounds)
    many = bool(field.items or field.several)
    if many:
        words = f"{words}  [may be repeated]".strip()
    short = [f"-{field.word}"] if len(field.word) == 1 else []
    either = "TEXT|FILE" if field.items and {str, Path} <= set(kinds) else None
    return click.Option(
        [*short, f"--{field.word}", field.name], type=made, multiple=many, required=field.required, help=words or None,
        metavar=either,
    )  # fmt: skip


def _bound(bounds: Mapping[str, float], *names: str) -> float | None:
    return next((bounds[name] for name in names if name in bounds), None)


def _firsts(cls: Any, field: Field, given: Any, stdin: Stdin) -> list[tuple[Any, ...]]:
    """The first input of each task that there is to run; an empty one where the task can do without."""
    if given in (None, ()):
        if is_piped():
            given = "-"
        elif field.required:
            what = "SOURCE" if field.is_source else field.word.upper()
            raise InputError(
                f"No {what} was given.", hint=f"Give one, or - for standard input; see `taskkit {_name(cls)} --help`."
            )
        else:
            return [()]
    words = given if isinstance(given, tuple) else (given,)
    if words == ("-",) and not field.required and stdin.is_empty():
        return [()]
    if not field.is_source:
        words = tuple(stdin().strip() if one == "-" else one for one in words)
    made = value_of(field, words, stdin)
    return [(made,)] if field.items else [(one,) for one in made]


def _name(cls: Any) -> str:
    from taskkit.taskclass import task_name

    return task_name(cls).replace("_", "-")


def _values(fields: Sequence[Field], given: dict[str, Any], stdin: Stdin) -> dict[str, Any]:
    """What was not given is left to the fields' defaults."""
    return {one.name: value_of(one, given[one.name], stdin) for one in fields if given[one.name] not in (None, ())}
