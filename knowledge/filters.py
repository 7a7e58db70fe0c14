"""Conditions on documents, as SQL: on their metadata, and on who may see them.

Both stores keep them as JSON and mean the same by them: a number is compared with numbers, a text with texts, a truth
value with truth values; of a list, one of its values is enough."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from taskkit.errors import InputError

OPERATORS = {"$eq": "=", "$ne": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<=", "$in": "=", "$nin": "="}

SQL = tuple[str, list[Any]]  # with a `?` for each of the values


class Dialect(Protocol):
    def value(self, key: str, compare: str, value: Any) -> SQL:
        """Whether one of the values under `key` compares so; `value` is a text, a number or a truth value."""
        ...

    def nothing(self, key: str) -> SQL:
        """Whether there is none, or null."""
        ...

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        """Whether under each key of the labels one of the values is brought."""
        ...


def condition(where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None, dialect: Dialect) -> SQL:
    """SQL on the table `documents`, and its values. Documents without labels are for everybody.

    `{"lang": "en", "year": {"$gte": 2024}, "kind": {"$in": ["a", "b"]}}`. Raises `InputError`."""
    parts: list[str] = []
    values: list[Any] = []
    for key, wanted in (where or {}).items():
        tests = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
        for operator, value in tests.items():
            part, some = _test(_name(key), operator, value, dialect)
            parts.append(part)
            values += some
    labels = {key: [value] if isinstance(value, str) else list(value) for key, value in (allow or {}).items()}
    part, some = dialect.labels(labels)
    return " AND ".join((*parts, part)), [*values, *some]


def _test(key: str, operator: str, value: Any, dialect: Dialect) -> SQL:
    if operator not in OPERATORS:
        raise InputError(f"There is no operator {operator!r}.", hint=f"There are: {', '.join(OPERATORS)}.")
    if operator in {"$in", "$nin"} and (isinstance(value, str) or not isinstance(value, Sequence)):
        raise InputError(f"{operator} of {key!r} wants a list, not {value!r}.")
    if operator in {"$gt", "$gte", "$lt", "$lte"} and (value is None or isinstance(value, bool)):
        raise InputError(f"{operator} of {key!r} wants a number or a text, not {value!r}.")
    several = value if operator in {"$in", "$nin"} else [value]
    found = [
        dialect.nothing(key) if one is None else dialect.value(key, OPERATORS[operator], _plain(one)) for one in several
    ]
    sql = f"({' OR '.join(part for part, _ in found) or '1 = 0'})"
    return f"NOT {sql}" if operator in {"$ne", "$nin"} else sql, [one for _, some in found for one in some]


class OfSQLite:
    def value(self, key: str, compare: str, value: Any) -> SQL:
        kinds = "'true', 'false'" if isinstance(value, bool) else "'text'" if isinstance(value, str) else "'integer', 'real'"  # fmt: skip
        sql = f"EXISTS (SELECT 1 FROM json_each(metadata, ?) AS m WHERE m.type IN ({kinds}) AND m.atom {compare} ?)"  # noqa: S608
        return sql, [_path(key), value]

    def nothing(self, key: str) -> SQL:
        return "coalesce(json_type(metadata, ?), 'null') = 'null'", [_path(key)]

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        given = " OR ".join(f"(a.key = ? AND l.value IN ({', '.join('?' * len(some))}))" for some in brought.values())
        sql = (
            "NOT EXISTS (SELECT 1 FROM json_each(access) AS a WHERE NOT EXISTS (SELECT 1 FROM "  # noqa: S608 - no values
            "json_each(CASE a.type WHEN 'array' THEN a.value ELSE json_array(a.value) END) AS l "
            f"WHERE {given or '1 = 0'}))"
        )
        return sql, [one for key, some in brought.items() for one in (key, *some)]


class OfPostgres:
    """Its JSON paths look into lists by themselves, and compare only what is of one kind."""

    def value(self, key: str, compare: str, value: Any) -> SQL:
        compare = "==" if compare == "=" else compare
        path = f"$.{json.dumps(key)} ? (@ {compare} $value)"
        return "jsonb_path_exists(metadata, ?::text::jsonpath, ?::text::jsonb)", [path, json.dumps({"value": value})]

    def nothing(self, key: str) -> SQL:
        return "coalesce(jsonb_typeof(metadata -> ?::text), 'null') = 'null'", [key]

    def labels(self, brought: Mapping[str, Sequence[str]]) -> SQL:
        given = " OR ".join("(a.key = ? AND l.value = ANY (?::text[]))" for _ in brought)
        sql = (
            "NOT EXISTS (SELECT 1 FROM jsonb_each(access) AS a WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text("  # noqa: S608
            "CASE jsonb_typeof(a.value) WHEN 'array' THEN a.value ELSE jsonb_build_array(a.value) END) AS l "
            f"WHERE {given or 'false'}))"
        )
        return sql, [one for key, some in brought.items() for one in (key, list(some))]


def _name(key: str) -> str:
    if '"' in key or "\\" in key or "\0" in key:
        raise InputError(f"{key!r} is no name of metadata.")
    return key


def _path(key: str) -> str:
    return f'$."{key}"'


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float):
        return value
    raise InputError(f"{value!r} can not be compared with metadata: a text, a number or a truth value can.")
