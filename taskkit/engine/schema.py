"""What a model is asked for, as JSON schema, and back: from a Python type to a form, from JSON to a value.

The form is strict in the sense of OpenAI's `json_schema`: every property is required, an optional one may be null,
nothing else is admitted. What that dialect can not say (lengths, bounds, patterns, formats) stands in the
descriptions, in words. Types whose answer is no object are asked for as `{"value": …}`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter

from taskkit.engine.instance import example_instance, stand_in
from taskkit.engine.jsontext import NoJson, find_json
from taskkit.engine.strict import branches, constraints_in_words, is_nullable, resolved, strict
from taskkit.errors import EndpointError
from taskkit.results import Result

__all__ = [
    "NoJson",
    "Shape",
    "UnsupportedParameter",
    "answer_schema",
    "constraints_in_words",
    "example_instance",
    "find_json",
    "shape_of",
    "stand_in",
]

T = TypeVar("T")
Json = dict[str, Any]


class UnsupportedParameter(EndpointError):  # noqa: N818 - the field's name for it
    """The endpoint takes the request, but not `parameter`."""

    def __init__(self, message: str, *, parameter: str, status: int | None = 400) -> None:
        super().__init__(message, status=status)
        self.parameter = parameter


class AnswerSchema(dict[str, Any]):
    """A strict schema. `plain` is the one that pydantic made, with the bounds that only words can say here."""

    def __init__(self, strict_schema: Json, plain: Json) -> None:
        super().__init__(strict_schema)
        self.plain = plain


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """`is_strict` is False when the strict dialect can not say it: a mapping with free keys, an `Any`.
    `hidden` are fields that the engine fills, not the model.
    """

    adapter: TypeAdapter[T]
    schema: AnswerSchema
    is_strict: bool
    wrapped: bool
    hidden: frozenset[str]

    @property
    def names(self) -> set[str]:
        return set(self.schema.plain.get("properties", ()))

    def validated(self, value: object) -> T:
        """The Python value of an answer, lenient as JSON is ("5" for 5). Raises pydantic's ValidationError."""
        plain = self.schema.plain
        data: Any = _without_nulls(value, plain, plain.get("$defs", {}))
        if isinstance(data, dict):
            data = data["value"] if self.wrapped else {k: v for k, v in data.items() if k not in self.hidden}
        return self.adapter.validate_json(json.dumps(data))

    def readings(self, value: object) -> Iterator[object]:
        """The ways to take a JSON value for the answer, the likeliest first: models echo the schema around
        their answers, put them under a name of their own, or leave the wrapper out.
        """
        names = self.names
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and not self.wrapped:
            value = value[0]
        if not isinstance(value, dict):
            yield from [{"value": value}] if self.wrapped else []
            return
        echo = value.get("properties")
        if isinstance(echo, dict) and "properties" not in names and echo.keys() & names:
            yield echo
        elif value.keys() & names or not names:
            yield value
        else:
            only = next(iter(value.values())) if len(value) == 1 else None
            if isinstance(only, dict) and only.keys() & names:
                yield only
            if self.wrapped:
                yield {"value": value}
                yield {"value": only}


def answer_schema(output: object) -> AnswerSchema:
    """The strict schema of what `output` (a type, or a TypeAdapter) is answered with."""
    return shape_of(output).schema


def shape_of(output: type[T] | TypeAdapter[T] | object) -> Shape[T]:
    try:
        return cast("Shape[T]", _shape_of(cast("Any", output)))
    except TypeError:  # an annotation that can not be hashed
        return cast("Shape[T]", _shape_of.__wrapped__(output))


@lru_cache(maxsize=256)
def _shape_of(output: Any) -> Shape[Any]:
    adapter: TypeAdapter[Any] = output if isinstance(output, TypeAdapter) else TypeAdapter(output)
    plain = adapter.json_schema()
    defs = {name: _without_ours(one) for name, one in plain.pop("$defs", {}).items()}
    root = resolved(plain, defs)
    hidden: frozenset[str] = frozenset()
    wrapped = root.get("type") != "object" or "properties" not in root
    if wrapped:
        root = {"type": "object", "properties": {"value": plain}, "required": ["value"]}
    elif isinstance(output, type) and issubclass(output, Result):
        hidden = frozenset(Result.model_fields)
        root = _without_ours(root)
    if used := _used(root, defs):
        root = {**root, "$defs": {name: one for name, one in defs.items() if name in used}}
    made, is_strict = strict(root)
    return Shape(adapter, AnswerSchema(made, root), is_strict, wrapped, hidden)


def _without_ours(node: Json) -> Json:
    """A `Result`, also one within another, without the fields that the engine fills."""
    fields = node.get("properties", {})
    if not Result.model_fields.keys() <= fields.keys() or not str(fields["usage"].get("$ref")).endswith("/Usage"):
        return node
    return {
        **node,
        "properties": {name: one for name, one in fields.items() if name not in Result.model_fields},
        "required": [name for name in node.get("required", ()) if name not in Result.model_fields],
    }


def _used(root: Json, defs: Mapping[str, Json]) -> set[str]:
    """The definitions that are referred to from the root, directly or through others."""
    seen: set[str] = set()
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name in defs and name not in seen:
                seen.add(name)
                todo.append(defs[name])
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return seen


def _without_nulls(value: Any, node: Any, defs: Mapping[str, Json]) -> Any:
    """The answer without the nulls that the strict form made room for: there the field's default holds."""
    node = _branch(value, resolved(node, defs), defs)
    if isinstance(value, list):
        return [_without_nulls(one, node.get("items"), defs) for one in value]
    if not isinstance(value, dict) or "properties" not in node:
        return value
    kept: Json = {}
    for name, one in value.items():
        field = node["properties"].get(name)
        if one is None and field is not None and name not in node.get("required", ()) and not is_nullable(field, defs):
            continue
        kept[name] = _without_nulls(one, field, defs)
    return kept


def _branch(value: Any, node: Json, defs: Mapping[str, Json]) -> Json:
    """Of a union, the branch that a list or an object most likely belongs to."""
    kinds = [_branch(value, resolved(one, defs), defs) for one in branches(node)]
    wanted = [one for one in kinds if one.get("type") == ("array" if isinstance(value, list) else "object")]
    if not wanted or not isinstance(value, (list, dict)):
        return node
    is_object = isinstance(value, dict)
    values = list(value.values()) if isinstance(value, dict) else []

    def likeness(one: Json) -> int:
        fields = one.get("properties", {})
        kinds = [resolved(field, defs).get("const") for name, field in fields.items() if name in value]
        others = sum(kind is not None and kind not in values for kind in kinds) if kinds else 0
        return len(kinds) - 100 * others

    return max(wanted, key=likeness) if is_object else wanted[0]
