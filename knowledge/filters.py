"""Conditions on documents, as SQL: on their metadata, and on who may see them.

Both stores keep them as JSON and mean the same by them: a number is compared with numbers, a text with texts, a truth
value with truth values; of a list, one of its values is enough."""

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from taskkit.errors import InputError
from taskkit.knowledge.checks import labels, plain, shown

ORDERS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
OPERATORS = ("$eq", "$ne", *ORDERS, "$in", "$nin")

KINDS = (bool, str, float)  # a truth value is a number only to Python
WIDE = 2**63  # a whole number from there on is none to SQLite
SQL = tuple[str, list[Any]]  # with a `?` for each of the values


class Dialect(Protocol):
    def compared(self, key: str, order: str, value: Any) -> SQL:
        """Whether one of the values under `key` compares so with a text or a number."""
        ...

    def among(self, key: str, values: Sequence[Any]) -> SQL:
        """Whether one of the values under `key` is one of these: texts, numbers or truth values."""
        ...

    def nothing(self, key: str) -> SQL:
        """Whether there is none, or null."""
        ...

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        """Whether under each key of the labels one of the values is brought."""
        ...


def condition(where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None, dialect: Dialect) -> SQL:
    """SQL on the table `documents`, and its values. Documents without labels are for everybody.

    `{"lang": "en", "year": {"$gte": 2024}, "kind": {"$in": ["a", "b"]}, "author.name": "Kim"}`. What a dotted name means
    is the value under that very name, else what lies in objects within each other, not in lists of them. Raises
    `InputError`."""
    if not isinstance(where, Mapping | None):
        raise InputError(f"A condition is names with values, not {shown(where)}.", hint='As in {"lang": "en"}.')
    parts: list[str] = []
    values: list[Any] = []
    for key, wanted in (where or {}).items():
        if str(key).startswith("$"):
            raise InputError(
                f"There is no operator {key!r} over conditions: all of them are to be met.",
                hint=f'One of several values is `{{"kind": {{"$in": ["a", "b"]}}}}`; there are: {", ".join(OPERATORS)}.',
            )
        tests = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
        if not tests:
            raise InputError(f"There is no condition on {key!r}.", hint='As in {"year": {"$gte": 2024}}.')
        for operator, value in tests.items():
            part, some = _test(_name(key), operator, value, dialect)
            parts.append(part)
            values += some
    part, some = dialect.labels(labels(allow))
    return " AND ".join((*parts, part)), [*values, *some]


def _test(key: str, operator: str, value: Any, dialect: Dialect) -> SQL:
    if operator not in OPERATORS:
        hint = f"There are: {', '.join(OPERATORS)}."
        if not str(operator).startswith("$"):
            hint += f' What lies deeper is named with dots, as in "{key}.{operator}".'
        raise InputError(f"There is no operator {operator!r}.", hint=hint)
    if operator in {"$in", "$nin"} and (isinstance(value, str) or not isinstance(value, Sequence)):
        raise InputError(f"{operator} of {key!r} wants a list, not {shown(value)}.")
    if operator in ORDERS and (value is None or isinstance(value, bool)):
        raise InputError(f"{operator} of {key!r} wants a number or a text, not {shown(value)}.")
    if operator in ORDERS:
        return dialect.compared(key, ORDERS[operator], _plain(value))
    several = value if operator in {"$in", "$nin"} else [value]
    found = [dialect.nothing(key)] if None in several else []
    kinds = {kind: [one for one in map(_plain, several) if one is not None and _kind(one) is kind] for kind in KINDS}
    found += [dialect.among(key, some) for some in kinds.values() if some]
    sql = f"({' OR '.join(part for part, _ in found) or '1 = 0'})"
    return f"NOT {sql}" if operator in {"$ne", "$nin"} else sql, [one for _, some in found for one in some]


class OfSQLite:
    # Older bases may hold metadata that are no JSON (a number that is none): to a condition there are none.
    metadata = "CASE WHEN json_valid(metadata) THEN metadata ELSE '{}' END"
    kinds: ClassVar = {bool: "'true', 'false'", str: "'text'", float: "'integer', 'real'"}

    def _met(self, key: str, kind: type, test: str, value: Any) -> SQL:
        where, values = self._where(key)
        each = f"json_each({self.metadata}, {where}) AS m"
        sql = f"EXISTS (SELECT 1 FROM {each} WHERE m.type IN ({self.kinds[kind]}) AND m.atom {test})"  # noqa: S608
        return sql, [*values, value]

    def _where(self, key: str) -> SQL:
        """The path of the value."""
        paths = ["$" + "".join(f'."{part}"' for part in way) for way in _ways(key)]
        if len(paths) == 1:
            return "?", paths
        return f"CASE WHEN json_type({self.metadata}, ?) IS NULL THEN ? ELSE ? END", [paths[0], paths[1], paths[0]]

    def compared(self, key: str, order: str, value: Any) -> SQL:
        if isinstance(value, int) and abs(value) >= WIDE:
            value = float(value)
        return self._met(key, _kind(value), f"{order} ?", value)

    def among(self, key: str, values: Sequence[Any]) -> SQL:
        return self._met(key, _kind(values[0]), "IN (SELECT value FROM json_each(?))", json.dumps(values))

    def nothing(self, key: str) -> SQL:
        where, values = self._where(key)
        return f"coalesce(json_type({self.metadata}, {where}), 'null') = 'null'", values

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        sql = (
            "NOT EXISTS (SELECT 1 FROM json_each(access) AS a WHERE NOT EXISTS (SELECT 1 FROM "
            "json_each(CASE a.type WHEN 'array' THEN a.value ELSE json_array(a.value) END) AS l WHERE (a.key, l.value) IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))))"
        )
        return sql, [json.dumps([(key, one) for key, some in brought.items() for one in some])]


class OfPostgres:
    """Its JSON paths look into lists by themselves, and compare only what is of one kind."""

    def compared(self, key: str, order: str, value: Any) -> SQL:
        return self._met(key, f"{order} $value", value)

    def among(self, key: str, values: Sequence[Any]) -> SQL:
        return self._met(key, "== $value[*]", values)

    def _met(self, key: str, test: str, value: Any) -> SQL:
        found, names = self._found(key)
        sql = f"jsonb_path_exists({found}, ?::text::jsonpath, ?::text::jsonb)"
        return sql, [*names, f"$ ? (@ {test})", json.dumps({"value": value})]

    def _found(self, key: str) -> SQL:
        """The value, null where there is none."""
        ways = _ways(key)
        steps = ", ".join("metadata" + " -> ?::text" * len(way) for way in ways)
        return f"coalesce({steps}, 'null')", [part for way in ways for part in way]

    def nothing(self, key: str) -> SQL:
        found, names = self._found(key)
        return f"jsonb_typeof({found}) = 'null'", names

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        sql = (
            "NOT EXISTS (SELECT 1 FROM jsonb_each(access) AS a WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text("
            "CASE jsonb_typeof(a.value) WHEN 'array' THEN a.value ELSE jsonb_build_array(a.value) END) AS l "
            "WHERE (a.key, l.value) IN (SELECT * FROM unnest(?::text[], ?::text[]))))"
        )
        pairs = [(key, one) for key, some in brought.items() for one in some]
        return sql, [[key for key, _ in pairs], [one for _, one in pairs]]


def _name(key: Any) -> str:
    if not isinstance(key, str) or '"' in key or "\\" in key:
        raise InputError(f"{shown(key)} is no name of metadata.")
    return plain(key)


def _ways(key: str) -> list[list[str]]:
    """The names that lead to a value: its own, and those that its dots stand between."""
    parts = key.split(".")
    return [[key], parts] if len(parts) > 1 and all(parts) else [[key]]


def _kind(value: Any) -> type:
    return bool if isinstance(value, bool) else str if isinstance(value, str) else float


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return None if value is None else plain(value)
    with contextlib.suppress(OverflowError):
        if isinstance(value, int | float) and math.isfinite(value):
            return value
    raise InputError(f"{shown(value)} can not be compared with metadata: a text, a finite number or a truth value can.")
