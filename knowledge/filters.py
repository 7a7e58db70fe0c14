"""Conditions on documents, as SQL: on their metadata, and on who may see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskkit.errors import InputError

OPERATORS = {"$eq": "=", "$ne": "IS NOT", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def condition(where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None) -> tuple[str, list[Any]]:
    """SQL on the table `documents`, and its values. Documents without labels are for everybody.

    `{"lang": "en", "year": {"$gte": 2024}, "kind": {"$in": ["a", "b"]}}`. Raises `InputError`."""
    parts: list[str] = []
    values: list[Any] = []
    for key, wanted in (where or {}).items():
        tests = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
        for operator, value in tests.items():
            path = _path(key)
            if operator in {"$in", "$nin"}:
                if isinstance(value, str) or not isinstance(value, Sequence):
                    raise InputError(f"{operator} of {key!r} wants a list, not {value!r}.")
                marks = ", ".join("?" * len(value))
                parts.append(f"json_extract(metadata, ?) {'NOT ' if operator == '$nin' else ''}IN ({marks})")
                values += [path, *map(_plain, value)]
            elif operator in OPERATORS:
                parts.append(f"json_extract(metadata, ?) {OPERATORS[operator]} ?")
                values += [path, _plain(value)]
            else:
                raise InputError(
                    f"There is no operator {operator!r}.", hint=f"There are: {', '.join((*OPERATORS, '$in', '$nin'))}."
                )
    labels = {key: [value] if isinstance(value, str) else list(value) for key, value in (allow or {}).items()}
    brought = " OR ".join(f"(key = ? AND value IN ({', '.join('?' * len(value))}))" for value in labels.values())
    refused = f"NOT ({brought})" if brought else "1"
    parts.append(f"NOT EXISTS (SELECT 1 FROM json_each(access) WHERE {refused})")  # noqa: S608 - marks, no values
    values += [one for key, value in labels.items() for one in (key, *value)]
    return " AND ".join(parts), values


def _path(key: str) -> str:
    if '"' in key or "\0" in key:
        raise InputError(f"{key!r} is no name of metadata.")
    return f'$."{key}"'


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    raise InputError(f"{value!r} can not be compared with metadata: a text, a number or a truth value can.")
