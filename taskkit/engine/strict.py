"""A JSON schema in the strict dialect of structured output, and in words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

FORMATS = {
    "date": "a date as YYYY-MM-DD",
    "date-time": "a date and time as YYYY-MM-DDTHH:MM:SS, with the zone if known",
    "time": "a time as HH:MM:SS",
    "duration": "a duration in ISO 8601, as PT1H30M",
    "uuid": "a UUID",
    "email": "an e-mail address",
    "uri": "a URL",
    "binary": "text",
}
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
    "array": "list",
}


def resolved(node: Any, defs: Mapping[str, Json]) -> Json:
    """The node that a reference stands for, with what stands beside the reference."""
    seen: set[str] = set()
    while isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in defs and name not in seen:
            seen.add(name)
            node = {**defs[name], **{key: one for key, one in node.items() if key != "$ref"}}
        elif isinstance(node.get("allOf"), list) and len(node["allOf"]) == 1:
            node = {**node["allOf"][0], **{key: one for key, one in node.items() if key != "allOf"}}
        else:
            return node
    return {}


def branches(node: Mapping[str, Any]) -> list[Json]:
    return [*node.get("anyOf", ()), *node.get("oneOf", ())]


def is_nullable(node: Any, defs: Mapping[str, Json]) -> bool:
    """Whether null is a valid value."""
    node = resolved(node, defs)
    if node.get("type") == "null" or (not node.keys() & {"type", "anyOf", "oneOf", "enum", "const"}):
        return True
    return None in node.get("enum", ()) or any(is_nullable(one, defs) for one in branches(node))


def strict(schema: Json) -> tuple[Json, bool]:
    """The schema in the strict dialect, and whether that can say it. The root is an object with properties."""
    maker = _Strict(schema.get("$defs", {}))
    made = maker.node(schema)
    if maker.defs:
        made["$defs"] = {name: maker.node(one) for name, one in maker.defs.items()}
    return made, maker.faithful


class _Strict:
    def __init__(self, defs: Mapping[str, Json]) -> None:
        self.defs = defs
        self.faithful = True

    def node(self, node: Any, extra: str = "") -> Json:
        if not isinstance(node, dict) or not node:
            self.faithful = False
            return {}
        if len(node.get("allOf", ())) == 1:
            node = {**node["allOf"][0], **{key: one for key, one in node.items() if key != "allOf"}}
        words = "; ".join([*filter(None, [node.get("description", "").strip()]), *limits(node), *filter(None, [extra])])
        made = self._kind(node)
        if words:
            made = {**({"anyOf": [made]} if "$ref" in made else made), "description": words}
        return made

    def _kind(self, node: Json) -> Json:
        if "$ref" in node:
            return {"$ref": node["$ref"]}
        if found := branches(node):
            return {"anyOf": [self.node(one) for one in found]}
        if "const" in node or "enum" in node:
            return _choice(node.get("enum", [node.get("const")]))
        kind = node.get("type")
        if kind == "object":
            return self._object(node)
        if kind == "array":
            return {"type": "array", "items": self._items(node)}
        if kind is None:
            self.faithful = False
        return {} if kind is None else {"type": kind}

    def _object(self, node: Json) -> Json:
        if "properties" not in node or isinstance(node.get("additionalProperties"), dict):
            self.faithful = False
            free = node.get("additionalProperties")
            return {"type": "object", "additionalProperties": self.node(free) if isinstance(free, dict) else True}
        required = node.get("required", ())
        fields = {name: self._field(one, name in required) for name, one in node["properties"].items()}
        return {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }

    def _field(self, node: Any, required: bool) -> Json:
        if required or is_nullable(node, self.defs):
            return self.node(node)
        default = json.dumps(node.get("default"), ensure_ascii=False, default=str)
        made = self.node(node, "" if default == "null" or len(default) > 60 else f"null for the usual {default}")
        words = made.pop("description", "")
        either = made["anyOf"] if made.keys() == {"anyOf"} else [made]
        return {"anyOf": [*either, {"type": "null"}]} | ({"description": words} if words else {})

    def _items(self, node: Json) -> Json:
        if "prefixItems" not in node:
            return self.node(node.get("items"))
        kinds: list[Json] = []
        for one in map(self.node, node["prefixItems"]):
            if one not in kinds:
                kinds.append(one)
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _choice(values: list[Any]) -> Json:
    """An enum, each of whose branches has one type."""
    kinds: dict[str, list[Any]] = {}
    for value in values:
        kinds.setdefault(_kind_of(value), []).append(value)
    made: list[Json] = [{"type": kind, "enum": some} for kind, some in kinds.items()]
    made = [{"type": "null"} if one["type"] == "null" else one for one in made]
    return made[0] if len(made) == 1 else {"anyOf": made}


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "string")


def limits(node: Json) -> Iterator[str]:
    """The bounds of one node, in words."""
    yield from _between(node.get("minLength"), node.get("maxLength"), "character")
    yield from _between(node.get("minItems"), node.get("maxItems"), "item")
    yield from _between(node.get("minProperties"), node.get("maxProperties"), "entry")
    if "prefixItems" in node:
        yield "in this order: " + ", ".join(_short(one) for one in node["prefixItems"])
    for key, words in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
        ("multipleOf", "a multiple of"),
        ("pattern", "matching the regular expression"),
    ):
        if key in node:
            yield f"{words} {node[key]}"
    if "format" in node:
        yield FORMATS.get(node["format"], f"in the format {node['format']}")
    if node.get("uniqueItems"):
        yield "no two alike"


def _between(least: int | None, most: int | None, unit: str) -> Iterator[str]:
    def counted(number: int) -> str:
        plural = unit[:-1] + "ies" if unit.endswith("y") else unit + "s"
        return f"{number} {unit if number == 1 else plural}"

    if least is not None and least == most:
        yield f"exactly {counted(least)}"
    elif least and most is not None:
        yield f"{least} to {counted(most)}"
    elif least:
        yield f"at least {counted(least)}"
    elif most is not None:
        yield f"at most {counted(most)}"


def constraints_in_words(schema: Mapping[str, Any]) -> str:
    """The fields of a schema as a list in prose, nested as they are."""
    defs = schema.get("$defs", {})
    return "\n".join(_fields(resolved(dict(schema), defs), defs, 0, ()))


def _fields(node: Json, defs: Mapping[str, Json], depth: int, above: tuple[str, ...]) -> Iterator[str]:
    for name, field in node.get("properties", {}).items():
        yield f"{'  ' * depth}- {name}: {_said(field, defs)}"
        yield from _inside(field, defs, depth + 1, above)


def _inside(field: Any, defs: Mapping[str, Json], depth: int, above: tuple[str, ...]) -> Iterator[str]:
    """What stands within a field: the fields of its objects, each kind of object once on the way down."""
    name = str(field.get("$ref", "")).rpartition("/")[2] if isinstance(field, dict) else ""
    if name in above or depth > 12:
        return
    above = (*above, name) if name else above
    node = resolved(field, defs)
    yield from _fields(node, defs, depth, above)
    if isinstance(items := node.get("items"), dict):
        yield from _inside(items, defs, depth, above)
    found = [one for one in branches(node) if resolved(one, defs).keys() & {"properties", "items"}]
    for number, one in enumerate(found, 1):
        if len(found) > 1:
            yield f"{'  ' * depth}- kind {number} of {len(found)}:"
        yield from _inside(one, defs, depth + (len(found) > 1), above)


def _said(field: Any, defs: Mapping[str, Json]) -> str:
    notes = dict.fromkeys(" ".join(note.split()) for note in _notes(resolved(field, defs), defs))
    return _short(field, defs) + (f" ({'; '.join(notes)})" if notes else "")


def _notes(node: Json, defs: Mapping[str, Json]) -> Iterator[str]:
    if node.get("description", "").strip():
        yield node["description"]
    yield from limits(node)
    for one in branches(node):
        yield from _notes(one, defs)


def _short(field: Any, defs: Mapping[str, Json] | None = None) -> str:
    """The kind of a value in a few words."""
    node = resolved(field, defs or {})
    if found := branches(node):
        kinds: dict[str, None] = dict.fromkeys(_short(one, defs) for one in found)
        return " or ".join(kinds)
    if "const" in node or "enum" in node:
        values = node.get("enum", [node.get("const")])
        return ("one of " if len(values) > 1 else "") + ", ".join(json.dumps(one, ensure_ascii=False) for one in values)
    kind = node.get("type")
    if kind == "array" and isinstance(node.get("items"), dict):
        return f"list of {_many(_short(node['items'], defs))}"
    return TYPES.get(str(kind), "anything")


def _many(kind: str) -> str:
    plural = {"object": "objects", "whole number": "whole numbers", "number": "numbers", "text": "texts"}
    return plural.get(kind, kind)
