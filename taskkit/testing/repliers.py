"""Functions that answer any request, for scripts that need not say what the model says."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from taskkit.testing.script import Body, text_of

DEEP = 6  # levels of a schema that refers to itself, before the way out is taken
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}


def echo(body: Body) -> str:
    """The last user message: `ScriptedServer(echo)`."""
    said = [text_of(one) for one in body["messages"] if one.get("role") == "user"]
    return said[-1] if said else ""


def answer(values: Mapping[str, Any] | None = None) -> Callable[[Body], str]:
    """Meets whatever schema a request asks for, with the smallest instance of it; `values` go wherever a property
    of that name stands. Without a schema the last user message comes back.

        ScriptedServer(answer({"text": "Bonjour"}))
    """
    given = dict(values or {})

    def reply(body: Body) -> str:
        wanted = body.get("response_format") or {}
        if wanted.get("type") == "json_schema":
            return json.dumps(instance(wanted["json_schema"]["schema"], given), ensure_ascii=False)
        return json.dumps(given, ensure_ascii=False) if wanted.get("type") == "json_object" else echo(body)

    return reply


def instance(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that a JSON schema admits; `pattern` and `not` are not looked at.

    instance({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]})
    # {"n": 3}
    """
    return _Filler(schema, values or {}).value(schema, 0)


class _Filler:
    def __init__(self, root: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.root = root
        self.values = values

    def value(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return "x"
        if "$ref" in schema:
            return self.value(self._target(schema["$ref"]), depth + 1)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.value(self._choice(schema[key], depth), depth + 1)
        if "allOf" in schema:
            return self.value(self._merged(schema["allOf"]), depth + 1)
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = kinds if isinstance(kinds, str) else kinds[-1] if depth > DEEP else kinds[0]
        return self._of_kind(kind, schema, depth)

    def _of_kind(self, kind: str, schema: Mapping[str, Any], depth: int) -> Any:
        if kind == "object":
            known = schema.get("properties", {})
            return {
                name: self.values[name] if name in self.values else self.value(known.get(name, {}), depth + 1)
                for name in known
                if name in schema.get("required", ()) or name in self.values
            }
        if kind == "array":
            first = [self.value(one, depth + 1) for one in schema.get("prefixItems", ())]
            more = max(0, schema.get("minItems", 0) - len(first))
            return first + [self.value(schema.get("items", {}), depth + 1) for _ in range(more)]
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        if kind == "string":
            text = FORMATS.get(schema.get("format", ""), "x")
            return text + "x" * (schema.get("minLength", 0) - len(text))
        return {"boolean": False}.get(kind)

    def _target(self, reference: str) -> Any:
        found: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")] if step else found
        return found

    def _choice(self, options: list[Any], depth: int) -> Any:
        if depth > DEEP:
            return min(options, key=lambda one: len(json.dumps(one)) if "$ref" not in one else 10**9)
        return options[0]

    def _merged(self, parts: list[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for part in parts:
            resolved = self._target(part["$ref"]) if "$ref" in part else part
            properties = {**merged.get("properties", {}), **resolved.get("properties", {})}
            required = [*merged.get("required", ()), *resolved.get("required", ())]
            merged = {**merged, **resolved, "properties": properties, "required": required}
        if not merged["properties"]:
            del merged["properties"]
        return merged


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    step = schema.get("multipleOf", 1 if whole else None)
    low = max(schema.get("minimum", float("-inf")), schema.get("exclusiveMinimum", float("-inf")))
    high = min(schema.get("maximum", float("inf")), schema.get("exclusiveMaximum", float("inf")))
    if not whole and step is None:
        if low < 0 < high or (low == 0 and "exclusiveMinimum" not in schema):
            return 0.0
        middle = (low + high) / 2 if high - low < float("inf") else low + 1.0 if high == float("inf") else high - 1.0
        return float(middle)
    number = 0 if low < 0 else -(-low // step) * step
    if high < 0:
        number = high // step * step
    if number == schema.get("exclusiveMinimum"):
        number += step
    if number == schema.get("exclusiveMaximum"):
        number -= step
    return int(number) if whole else number
