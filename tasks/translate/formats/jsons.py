"""JSON as programs keep their messages in: nested objects and lists, ARB, a browser extension's messages.json.

Keys are never touched. A value that is an address, a colour or a file name has no words, and is left by the task."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from taskkit.tasks.translate.formats.escapes import double, undouble
from taskkit.tasks.translate.formats.messages import said, segments
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.segments import Group, Options, Segment

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]')


class Value(NamedTuple):
    path: tuple[str | int, ...]
    start: int
    end: int


def find(text: str, options: Options) -> list[Segment]:
    _parse(text)
    found: list[Segment] = []
    values = list(_values(text))
    texts = {value.path: undouble(text[value.start + 1 : value.end - 1]) for value in values}
    extension = _is_extension(values)
    for value in values:
        key, note = _key(value.path), ""
        if extension:
            if value.path[-1:] != ("message",) or len(value.path) != 2:
                continue
            note = texts.get((value.path[0], "description"), "")
        elif any(isinstance(step, str) and step.startswith("@") for step in value.path):
            continue
        elif value.path and isinstance(value.path[-1], str):
            note = texts.get((*value.path[:-1], f"@{value.path[-1]}", "description"), "")
        raw = text[value.start : value.end]
        found += segments(value.start, value.end, raw, undouble(raw[1:-1]), key, options.to, note)
    return found


def write(group: Group, options: Options) -> str:
    raw = group[0][0].raw
    return '"' + double(said(group, undouble(raw[1:-1]), options.to), raw) + '"'


def check(_source: str, target: str) -> None:
    _parse(target)


def _parse(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} in line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise ValueError("it is nested too deeply.") from None


def _values(text: str) -> Iterator[Value]:
    """Strings that are values, in a text that is known to be JSON."""
    path: list[str | int] = []
    key: str | None = None
    for match in TOKEN.finditer(text):
        sign = match[0]
        inside_list = bool(path) and isinstance(path[-1], int)
        if sign in "{[":
            path.append("" if sign == "{" else 0)
            key = None
        elif sign in "}]":
            path.pop()
        elif sign == "," and inside_list:
            path[-1] = int(path[-1]) + 1
        elif sign == ",":
            path[-1:] = [""] if path else []
            key = None
        elif sign[0] == '"':
            if path and not inside_list and key is None:
                key = path[-1] = undouble(sign[1:-1])
            else:
                yield Value(tuple(path), *match.span())


def _key(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def _is_extension(values: list[Value]) -> bool:
    """Every entry at the top is an object with a `message`."""
    with_message = {value.path[0] for value in values if len(value.path) == 2 and value.path[1] == "message"}
    return bool(with_message) and {value.path[0] for value in values} == with_message


FORMAT = Format("json", (".json", ".arb"), find, write, check=check, named=True)
