"""A click command out of a task class: its fields are the arguments and options."""

import dataclasses
import inspect
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click

from taskkit.cli.options import COMMON
from taskkit.errors import InputError
from taskkit.source import Text

SOURCE_TYPES = {str, Path, Text}


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A task's field as the command line needs it; `kinds` are the types that its value may have."""

    name: str
    kinds: tuple[Any, ...]
    required: bool
    default: Any
    help: str

    @property
    def is_source(self) -> bool:
        return set(self.kinds) >= SOURCE_TYPES

    @property
    def option(self) -> str:
        return "--" + self.name.rstrip("_").replace("_", "-")


def fields_of(cls: Any) -> list[Field]:
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for one in dataclasses.fields(cls):
        hint, words = _bare(hints[one.name])
        required = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        default = None if required or one.default is dataclasses.MISSING else one.default
        if type(default).__name__ == "FieldInfo":
            words = words or default.description or ""
            required, default = default.is_required(), None if default.is_required() else default.get_default()
        found.append(Field(one.name, _kinds(hint), required, default, words))
    return found


def _bare(hint: Any) -> tuple[Any, str]:
    if get_origin(hint) is not Annotated:
        return hint, ""
    inner, *notes = get_args(hint)
    words = next((text for note in notes if (text := getattr(note, "description", None))), "")
    return inner, words


def _kinds(hint: Any) -> tuple[Any, ...]:
    hint, _ = _bare(hint)
    if get_origin(hint) in {Union, types.UnionType}:
        return tuple(kind for one in get_args(hint) for kind in _kinds(one) if kind is not type(None))
    return (hint,)


def command_of(cls: Any, name: str) -> click.Command:
    fields = fields_of(cls)
    first = fields[0] if fields else None
    params: list[click.Parameter] = []
    if first is not None:
        label = "SOURCE" if first.is_source else first.name.rstrip("_").upper()
        params.append(click.Argument([first.name], required=False, metavar=f"[{label}]"))
    params += [_option(one) for one in fields[1:]]
    taken = {opt for param in params for opt in param.opts}
    params += [option for option in COMMON() if not taken & set(option.opts)]

    def callback(**given: Any) -> int:
        from taskkit.cli.work import work

        own = {one.name: given.pop(one.name) for one in fields}
        return work(cls, values_of(fields, own), given)

    doc = inspect.getdoc(cls) or ""
    example = getattr(cls, "example", "")
    return click.Command(
        name,
        params=params,
        callback=callback,
        help=doc + (f"\n\n\b\n  {example}" if example else ""),
        epilog=_source_help(first) if first is not None else None,
        short_help=doc.partition("\n")[0],
    )


def _source_help(first: Field) -> str:
    if first.is_source:
        return "SOURCE is a file, or - for standard input, which is also read when nothing is given and it is a pipe."
    return f"{first.name.rstrip('_').upper()} may be - for standard input."


def _option(field: Field) -> click.Option:
    kinds = field.kinds
    words = field.help or None
    shown = field.default if isinstance(field.default, int | float | str) and field.default not in {"", None} else None
    kind = kinds[0]
    many = get_origin(kind) in {list, tuple, set, frozenset}
    if bool in kinds:
        return click.Option(
            [f"{field.option}/--no-{field.option[2:]}", field.name], default=bool(field.default), help=words
        )
    choices = [str(one) for one in get_args(kind)] if get_origin(kind) is Literal else None
    made: click.ParamType | None = (
        click.Choice(choices) if choices else click.INT if kind is int else click.FLOAT if kind is float else None
    )
    return click.Option(
        [field.option, field.name],
        type=made,
        multiple=many,
        required=field.required,
        help=words if shown is None else f"{words or ''}  [default: {shown}]".strip(),
    )


def values_of(fields: list[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as what the fields take; what was not given is left to the fields' defaults."""
    values: dict[str, Any] = {}
    for number, field in enumerate(fields):
        value = given[field.name]
        if number == 0:
            value = _first(field, value)
        if value is None or value == () or (bool in field.kinds and value == bool(field.default)):
            continue
        values[field.name] = _typed(field, value, first=number == 0)
    return values


def _typed(field: Field, value: Any, *, first: bool) -> Any:
    if field.is_source and isinstance(value, str) and not first:
        return Path(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, str) and any(get_origin(kind) is dict or kind is dict for kind in field.kinds):
        return _mapping(field, value)
    if isinstance(value, str) and Path in field.kinds and not field.is_source and not first:
        return Path(value)
    return value


def _mapping(field: Field, value: str) -> Any:
    if not value.lstrip().startswith("{"):
        if Path in field.kinds:
            return Path(value)
        raise InputError(f"{field.option} takes a JSON object, not {value!r}.")
    try:
        return json.loads(value)
    except ValueError as error:
        raise InputError(f"{field.option} is no JSON: {error}.") from error


def _first(field: Field, value: str | None) -> Any:
    """The argument, or what comes through a pipe."""
    if value is None:
        if not _is_piped():
            if not field.required:
                return None
            raise InputError(f"No {field.name.rstrip('_')} was given.", hint="Give one, or - to read standard input.")
        value = "-"
    if value == "-":
        text = _standard_input()
        return Text(text, "standard input") if field.is_source else text.strip()
    return Path(value) if field.is_source else value


def _is_piped() -> bool:
    import sys

    return sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty()


def _standard_input() -> str:
    stream = click.get_binary_stream("stdin")
    data: bytes = stream.read()
    if b"\0" in data[:8192]:
        raise InputError("Standard input is binary, not a text.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"Standard input is not UTF-8: byte {error.start} can not be decoded.") from None
    if not text.strip():
        raise InputError("Standard input is empty.", hint="Give a file, or pipe a text in.")
    return text


