"""YAML as programs keep their messages in. PyYAML says where each value stands; it writes nothing.

Keys, anchors, comments, numbers and everything with a tag of its own stay. A value keeps its style: plain, quoted,
or a block after `|` or `>`, which is wrapped again where it was wrapped; one that says its indent comes in quotes."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskkit.tasks.translate.formats.extra import needed
from taskkit.tasks.translate.formats.messages import said, segments
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.formats.scalars import block, scalar
from taskkit.tasks.translate.segments import Group, Options, Segment

STRING = "tag:yaml.org,2002:str"
PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
INDENTED = re.compile(r"[|>][+-]?\d")
ENDS_PLAIN = ",[]{}"  # within brackets


class Value(NamedTuple):
    path: tuple[str, ...]
    node: Any
    style: str


def find(text: str, options: Options) -> list[Segment]:
    found: list[Segment] = []
    for path, node, style in _values(text):
        start, end = node.start_mark.index, node.end_mark.index
        properties = PROPERTIES.match(text, start, end)
        start = properties.end() if properties else start
        raw = text[start:end].rstrip()
        key = ".".join(path)
        how = f"indented{node.value}" if INDENTED.match(raw) else style
        found += segments(start, start + len(raw), raw, node.value, key, options.to, style=how)
    return sorted(found, key=lambda one: one.start)


def write(group: Group, options: Options) -> str:
    raw, style = group[0][0].raw, group[0][0].style
    if style.startswith("indented"):  # its blanks mean something: a block would lose or add some
        return scalar(said(group, style.removeprefix("indented"), options.to), '""')
    text = said(group, _value(raw) if group[0][0].kind == "branch" or raw[:1] in {"'", '"'} else "", options.to)
    if raw[:1] in {"|", ">"}:
        return block(text.strip("\n"), raw)
    return scalar(text, "" if raw[:1] not in {"'", '"'} else raw, also=ENDS_PLAIN if style == "inside" else "")


def check(_source: str, target: str) -> None:
    for _ in _values(target):
        pass


def _value(raw: str) -> str:
    """What a value says that is written so."""
    ((_, node, _),) = _values("- " + re.sub(r"^([|>][+-]?)\d", r"\1", raw))
    return str(node.value)


def _values(text: str) -> Iterator[Value]:
    """Each once, however often it is referred to."""
    yaml = needed("yaml", "Translating YAML")
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{getattr(error, 'problem', None) or 'it can not be read'}{where}.") from None
    except RecursionError:
        raise ValueError("it is nested too deeply.") from None
    seen: set[int] = set()
    todo: list[tuple[tuple[str, ...], Any, str]] = [
        (("",) if len(documents) == 1 else (str(number),), node, "") for number, node in enumerate(documents)
    ]
    while todo:
        path, node, style = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        inside = "inside" if style or getattr(node, "flow_style", False) else ""
        if isinstance(node, yaml.ScalarNode):
            if node.tag == STRING:
                yield Value(tuple(filter(None, path)), node, style)
        elif isinstance(node, yaml.SequenceNode):
            todo += [((*path, str(number)), one, inside) for number, one in enumerate(node.value)]
        else:
            todo += [((*path, _name(text, key)), one, inside) for key, one in node.value]


def _name(text: str, key: Any) -> str:
    """A key that is no scalar as it stands there."""
    return key.value if isinstance(key.value, str) else text[key.start_mark.index : key.end_mark.index].strip()


FORMAT = Format("yaml", (".yaml", ".yml"), find, write, check=check, named=True)
