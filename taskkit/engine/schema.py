"""What a model is asked for, as JSON schema, and back: from a Python type to a form, from JSON to a value.

The form is strict in the sense of OpenAI's `json_schema`: every property is required, an optional one may be null,
nothing else is admitted. What that dialect can not say (lengths, bounds, patterns, formats) stands in the
descriptions, in words. Types whose answer is no object are asked for as `{"value": …}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter

from taskkit.engine.instance import example_instance, resolved, stand_in
from taskkit.engine.jsontext import NoJson, find_json
from taskkit.engine.strict import constraints_in_words, strict
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
    """`is_strict` is False when the strict dialect can not say it: a mapping with free keys, an `Any`."""

    adapter: TypeAdapter[T]
    schema: AnswerSchema
    is_strict: bool
    wrapped: bool

    @property
    def names(self) -> set[str]:
        return set(self.schema.plain.get("properties", ()))

    def validated(self, value: object) -> T:
        """The Python value of an answer, lenient as JSON is ("5" for 5). Raises pydantic's ValidationError."""
        import json

        plain = self.schema.plain
        data: Any = _without_nulls(value, plain, plain.get("$defs", {}))
        if isinstance(data, dict):
            data = data["value"] if self.wrapped else {k: v for k, v in data.items() if k not in _own(self)}
        return self.adapter.validate_json(json.dumps(data))

    def readings(self, value: object) -> Iterator[object]:
        """The ways to take a JSON value for the answer, the likeliest first: models echo the schema around
        their answers, put them under a name of their own, or leave the wrapper out.
        """
        names = self.names
        if isinstance(value, dict):
            echo = value.get("properties")
            if isinstance(echo, dict) and "properties" not in names and echo.keys() & names:
                yield echo
            only = next(iter(value.values())) if len(value) == 1 else None
            if not value.keys() & names and isinstance(only, dict) and only.keys() & names:
                yield only
            if value.keys() & names or not names:
                yield value
            elif self.wrapped:
                yield {"value": value}
                if only is not None:
                    yield {"value": only}
        elif self.wrapped:
            yield {"value": value}
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            yield from self.readings(value[0])


def _own(shape: Shape[Any]) -> set[str]:
    """The fields of a Result that the engine fills, not the model."""
    kind = getattr(shape.adapter, "_type", None)
    return set(Result.model_fields) if isinstance(kind, type) and issubclass(kind, Result) else set()


def answer_schema(output: object) -> AnswerSchema:
    """The strict schema of what `output` (a type, or a TypeAdapter) is answered with."""
    return shape_of(output).schema


def shape_of(output: type[T] | TypeAdapter[T] | object) -> Shape[T]:
    try:
        return cast("Shape[T]", _shape_of(output))
    except TypeError:  # an annotation that can not be hashed
        return cast("Shape[T]", _shape_of.__wrapped__(output))


@lru_cache(maxsize=256)
def _shape_of(output: Any) -> Shape[Any]:
    adapter: TypeAdapter[Any] = output if isinstance(output, TypeAdapter) else TypeAdapter(output)
    plain = adapter.json_schema()
    defs = plain.pop("$defs", {})
    root = dict(resolved(plain, defs))
    wrapped = root.get("type") != "object" or "properties" not in root
    if wrapped:
        root = {"type": "object", "properties": {"value": plain}, "required": ["value"]}
    elif isinstance(output, type) and issubclass(output, Result):
        hidden = set(Result.model_fields)
        root["properties"] = {k: v for k, v in root["properties"].items() if k not in hidden}
        root["required"] = [name for name in root.get("required", ()) if name not in hidden]
    used = _used(root, defs)
    if used:
        root["$defs"] = {name: defs[name] for name in defs if name in used}
    made, is_strict = strict(root)
    return Shape(adapter, AnswerSchema(made, root), is_strict, wrapped)


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


def _without_nulls(value: Any, node: Json, defs: Mapping[str, Json]) -> Any:
    """The answer without the nulls that the strict form made room for: there the field's default holds."""
    node = resolved(node, defs)
    if isinstance(value, list):
        item = node.get("items")
        return [_without_nulls(one, item, defs) for one in value] if isinstance(item, dict) else value
    if not isinstance(value, dict):
        branches = [one for one in node.get("anyOf", ()) if resolved(one, defs).get("type") == "array"]
        return _without_nulls(value, branches[0], defs) if isinstance(value, list) and branches else value
    fields = _fields_for(value, node, defs)
    if fields is None:
        return value
    required = fields.get("required", ())
    kept = {}
    for name, one in value.items():
        field = fields["properties"].get(name)
        if field is None:
            kept[name] = one
        elif one is not None or name in required or _nullable(field, defs):
            kept[name] = _without_nulls(one, field, defs)
    return kept
