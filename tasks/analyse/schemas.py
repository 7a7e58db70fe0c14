"""What is to be extracted, as a tree: from field names, a JSON schema or a pydantic model. A schema is untrusted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter

from taskkit.errors import InputError
from taskkit.source import read

DEEP = 8  # levels
MANY = 200  # nodes: what a reference multiplies is counted each time
BOUNDS = {
    "minLength": "min_length", "maxLength": "max_length", "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt", "multipleOf": "multiple_of", "pattern": "pattern",
}  # fmt: skip
KINDS: Mapping[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
FORMATS: Mapping[str, Any] = {"date": date, "date-time": datetime, "time": time}
UNKNOWN = ("not", "if", "patternProperties", "prefixItems", "dependentSchemas", "$dynamicRef", "$recursiveRef")
WORDS = {
    "text": {"type": "string"}, "number": {"type": "number"}, "integer": {"type": "integer"},
    "date": {"type": "string", "format": "date"}, "yes/no": {"type": "boolean"}, "list": {"type": "array"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """`type` is what pydantic validates the value by. `chosen` values need not be in the text themselves."""

    type: Any
    description: str = ""
    bounds: Mapping[str, Any] | None = None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    item: "Node"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    fields: Mapping[str, "Node"]
    description: str = ""


Node: TypeAlias = Leaf | Many | Group


def tree(schema: Any, fields: Sequence[str]) -> Group:
    """What is to be extracted; a list at the root becomes the field "". Raises `InputError`, in one line, for what is
    no schema, refers to itself or to elsewhere, or says what can not be asked for."""
    if fields:
        return _of_words(fields)
    if isinstance(schema, Path):
        schema = _json(read(schema).text, str(schema))
    elif not isinstance(schema, Mapping):
        schema = TypeAdapter(schema).json_schema()
    made = _Reader(schema).node(schema, "the schema", ())
    if isinstance(made, Leaf):
        raise InputError("The schema is of one value, not of an object.", hint='Give it a type "object".')
    return made if isinstance(made, Group) else Group({"": made})


def _json(text: str, name: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON: {str(error)[:120]}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{name} is no JSON schema: it is not an object.")
    return value


def _of_words(fields: Sequence[str]) -> Group:
    """`name`, `price:number`; several in one word with commas between."""
    made: dict[str, Node] = {}
    for word in (word.strip() for one in fields for word in one.split(",")):
        name, _, kind = (part.strip() for part in word.partition(":"))
        if not name:
            continue
        if name in made:
            raise InputError(f"The field {name} is named twice.", hint="Name it once.")
        if kind and kind not in WORDS:
            raise InputError(f"{kind!r} of the field {name} is no kind.", hint=f"There are: {', '.join(WORDS)}.")
        node = _Reader({}).node(WORDS[kind or "text"], name, ())
        made[name] = node
    if not made:
        raise InputError("No fields were named.", hint="Name them: --fields name,price:number")
    return Group(made)


class _Reader:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.nodes = 0

    def node(self, given: Any, path: str, above: tuple[str, ...]) -> Node:
        given, above = self.resolved(given, path, above)
        self.nodes += 1
        if self.nodes > MANY:
            raise InputError(f"The schema has more than {MANY} fields.", hint="Ask for fewer at once.")
        if path.count(".") + path.count("[") > DEEP:
            raise InputError(f"The schema is nested deeper than {DEEP} levels, at {path}.", hint="Make it flatter.")
        words = " ".join(str(given.get("description") or "").split())
        if unknown := next((key for key in UNKNOWN if key in given), ""):
            raise InputError(f"The schema uses {unknown!r} at {path}, which can not be asked for.")
        branches = [*given.get("anyOf", ()), *given.get("oneOf", ())]
        if branches:
            return self.either(branches, words, path, above)
        kinds = given.get("type")
        kinds = [one for one in kinds if one != "null"] if isinstance(kinds, list) else [kinds]
        if "properties" in given or kinds == ["object"]:
            return self.group(given, words, path, above)
        if kinds == ["array"]:
            return Many(self.node(given.get("items", {}), f"{path}[]", above), words)
        return self.leaf(given, kinds, words, path)

    def group(self, given: Mapping[str, Any], words: str, path: str, above: tuple[str, ...]) -> Group:
        properties = given.get("properties")
        if not isinstance(properties, dict) or not properties or "" in properties:
            raise InputError(f"The schema does not name the fields of {path}.", hint='List them under "properties".')
        under = "" if path == "the schema" else f"{path}."
        return Group({str(name): self.node(one, f"{under}{name}", above) for name, one in properties.items()}, words)

    def either(self, branches: Sequence[Any], words: str, path: str, above: tuple[str, ...]) -> Node:
        """What may be null, or one of several kinds of value."""
        told = [one for one in branches if not (isinstance(one, dict) and one.get("type") == "null")]
        made = [self.node(one, path, above) for one in told]
        if len(made) == 1:
            (only,) = made
            kind = type(only)
            return kind(
                **{**{name: getattr(only, name) for name in only.__slots__}, "description": words or only.description}
            )
        leaves = [one for one in made if isinstance(one, Leaf)]
        if len(leaves) < len(made) or not made:
            raise InputError(f"The schema leaves open what {path} is.", hint="Let it be one object, or one list.")
        either: Any = leaves[0].type
        for one in leaves[1:]:
            either |= one.type
        return Leaf(either, words, None, all(one.chosen for one in leaves))

    def leaf(self, given: Mapping[str, Any], kinds: Sequence[Any], words: str, path: str) -> Leaf:
        if "enum" in given or "const" in given:
            values = [one for one in given.get("enum", [given.get("const")]) if one is not None]
            if not values or not all(isinstance(one, str | int | bool) for one in values):
                raise InputError(f"The values that {path} may have are no texts or numbers.")
            return Leaf(Literal[tuple(values)], words, None, chosen=True)
        found = [KINDS.get(str(kind), str if kind is None else None) for kind in kinds]
        if None in found or not found:
            raise InputError(f"The schema gives {path} the type {kinds[0] if kinds else 'null'!r}, which is none.")
        kind = found[0] if len(found) == 1 else found[0] | found[1]
        if kind is str:
            kind = FORMATS.get(str(given.get("format")), str)
        bounds = {BOUNDS[key]: one for key, one in given.items() if key in BOUNDS} if kind in {str, int, float} else {}
        return Leaf(kind, words, bounds, chosen=kind is bool)

    def resolved(self, given: Any, path: str, above: tuple[str, ...]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The node that references and a lone `allOf` stand for."""
        while True:
            if given is True:
                given = {}
            if not isinstance(given, dict):
                raise InputError(f"The schema is none at {path}: {str(given)[:40]!r}.")
            if "$ref" in given:
                where = str(given["$ref"])
                if not where.startswith("#"):
                    raise InputError(f"The schema refers to elsewhere: {where[:80]}.", hint="Copy that part into it.")
                if where in above:
                    raise InputError(f"The schema refers to itself at {path}.", hint="Say how deep it is to go.")
                above = (*above, where)
                given = {**self.target(where), **{key: one for key, one in given.items() if key != "$ref"}}
            elif "allOf" in given:
                if not isinstance(given["allOf"], list) or len(given["allOf"]) != 1:
                    raise InputError(f"The schema uses 'allOf' at {path}, which can not be asked for.")
                (only,) = given["allOf"]
                rest = {key: one for key, one in given.items() if key != "allOf"}
                given = {**only, **rest} if isinstance(only, dict) else only
            else:
                return given, above

    def target(self, where: str) -> Mapping[str, Any]:
        found = self.root
        for step in where.removeprefix("#").strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) and name else found if not name else None
        if not isinstance(found, dict):
            raise InputError(f"The schema has no {where[:80]}, to which it refers.")
        return found
