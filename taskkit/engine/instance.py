"""Values that a JSON schema admits: one to show a model the form by, and stand-ins to plan with."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from taskkit.engine.strict import branches, resolved

Json = dict[str, Any]

FORMATS = {
    "date": "2024-05-31",
    "date-time": "2024-05-31T09:30:00Z",
    "time": "09:30:00",
    "duration": "PT1H30M",
    "uuid": "3f2b8c1e-6d5a-4e7b-9c0d-1a2b3c4d5e6f",
    "email": "name@example.org",
    "uri": "https://example.org/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "ipvanynetwork": "192.0.2.0/24",
    "ipvanyaddress": "192.0.2.1",
    "regex": ".*",
    "json-string": "{}",
}
WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor "
DEEP = 8  # levels after which lists end and what may be null is


@dataclass(frozen=True, slots=True)
class _Style:
    text: Callable[[str, Json], str]
    items: int
    nulls: bool = False  # what may be null is


def example_instance(schema: Mapping[str, Any]) -> Json:
    """One item a list, the first of every choice; texts are their descriptions in angle brackets."""
    return _object(_plain(schema), _Style(_placeholder, 1))


def placeholders(schema: Mapping[str, Any]) -> set[str]:
    """The texts of its example that an answer must not contain: the descriptions, not what it lets choose from."""
    bare = _object(_plain(schema), _Style(lambda _name, _node: "", 1))
    return texts_of(example_instance(schema)) - texts_of(bare)


def texts_of(value: Any) -> set[str]:
    """All texts in a JSON value, without the names of its fields."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return set[str]().union(*map(texts_of, inner))
    return {value} if isinstance(value, str) else set()


def stand_in(schema: Mapping[str, Any], size: Literal["low", "high"] = "low") -> Json:
    """A valid answer without meaning. "low": one word a text, one item a list (or as many as the schema asks
    for), null where it may be; "high": some sixty words and five items, or as many as it admits.
    """
    style = (
        _Style(lambda _name, _node: "text", 1, nulls=True)
        if size == "low"
        else _Style(lambda _name, _node: WORDS * 5, 5)
    )
    return _object(_plain(schema), style)


def _plain(schema: Mapping[str, Any]) -> Json:
    return dict(getattr(schema, "plain", schema))


def _object(schema: Json, style: _Style) -> Json:
    made = _Made(schema.get("$defs", {}), style).value(schema, "", 0)
    return made if isinstance(made, dict) else {}


def _placeholder(name: str, node: Json) -> str:
    return f"<{' '.join(str(node.get('description') or name or 'text').split())[:120]}>"


class _Made:
    def __init__(self, defs: Mapping[str, Json], style: _Style) -> None:
        self.defs = defs
        self.style = style

    def value(self, node: Any, name: str, depth: int) -> Any:
        node = resolved(node, self.defs)
        if node.get("examples"):
            return node["examples"][0]
        if "const" in node or "enum" in node:
            return node.get("enum", [node.get("const")])[0]
        if found := branches(node):
            return self._either(found, node, name, depth)
        kind = node.get("type")
        if kind == "object":
            return self._fields(node, name, depth)
        if kind == "array":
            return self._list(node, name, depth)
        if kind in {"integer", "number"}:
            return _number(node, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(str(kind), self._text(node, name))

    def _either(self, found: list[Json], node: Json, name: str, depth: int) -> Any:
        kinds = [resolved(one, self.defs) for one in found]
        flat = [one for one in kinds if one.get("type") not in {"null", "object", "array"}]
        full = [one for one in kinds if one.get("type") != "null"]
        null = len(full) < len(kinds)
        if null and self.style.nulls:
            return None
        if depth >= DEEP:
            return None if null else self.value((flat or full)[0], name, depth)
        if "description" in node and full:
            full[0] = {"description": node["description"], **full[0]}
        return self.value(full[0], name, depth) if full else None

    def _fields(self, node: Json, name: str, depth: int) -> Json:
        fields = node.get("properties", {})
        if depth >= DEEP:
            fields = {key: one for key, one in fields.items() if key in node.get("required", ())}
        if depth > 4 * DEEP:  # a form that only an endless answer could meet
            return {}
        made = {key: self.value(one, key, depth + 1) for key, one in fields.items()}
        if not made and isinstance(free := node.get("additionalProperties"), dict):
            made = {f"key{n + 1}": self.value(free, name, depth + 1) for n in range(node.get("minProperties", 1))}
        return made

    def _list(self, node: Json, name: str, depth: int) -> list[Any]:
        if "prefixItems" in node:
            return [self.value(one, name, depth + 1) for one in node["prefixItems"]]
        least, most = node.get("minItems", 0), node.get("maxItems", math.inf)
        wanted = 0 if depth >= DEEP else max(1, self.style.items >> depth // 2)
        count = int(max(least, min(wanted, most)))
        item = node.get("items", {})
        made = [self.value(item, name, depth + 1) for _ in range(count)]
        return self._unlike(made, resolved(item, self.defs)) if node.get("uniqueItems") else made

    def _unlike(self, values: list[Any], item: Json) -> list[Any]:
        if "enum" in item:
            return list(item["enum"][: len(values)])
        step = item.get("multipleOf", 1)
        return [
            one + step * n
            if isinstance(one, (int, float)) and not isinstance(one, bool)
            else f"{one[: len(one) - len(str(n))]}{n}"
            if isinstance(one, str) and n
            else one
            for n, one in enumerate(values)
        ]

    def _text(self, node: Json, name: str) -> str:
        if node.get("format") in FORMATS:
            return FORMATS[node["format"]]
        text = self.style.text(name, node)
        least, most = node.get("minLength", 0), node.get("maxLength")
        text += "x" * (least - len(text))
        return str(text if most is None else text[:most])


def _number(node: Json, *, whole: bool) -> int | float:
    """The least number from 1 up, or from the lower bound, that meets the bounds."""
    step = node.get("multipleOf") or 1
    low, high = node.get("minimum"), node.get("maximum")
    over, under = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    floor = max((one for one in (low, over) if one is not None), default=-math.inf)
    ceiling = min((one for one in (high, under) if one is not None), default=math.inf)
    value: float = math.ceil(max(floor, min(1, ceiling)) / step) * step
    if value == over:
        value += step
    if value > ceiling or value == under:  # no whole step within the bounds
        value = (max(floor, ceiling - 1) + ceiling) / 2
    return int(value) if whole and math.isfinite(value) else value
