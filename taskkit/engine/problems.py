"""What validation says of an answer, in words that a model can act on."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

MOST = 12  # problems that are told


def in_words(error: ValidationError) -> tuple[str, ...]:
    """A line a problem: where, and what. Branches of a union are told once a place."""
    lines: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        where = path(one["loc"])
        said = one["msg"].removeprefix("Value error, ")
        lines.setdefault(where, f"{where}: {said[:1].lower()}{said[1:]}" if where else said)
    found = list(lines.values())
    more = [f"and {len(found) - MOST} more problems of this kind"] if len(found) > MOST else []
    return (*found[:MOST], *more)


def path(place: Sequence[str | int]) -> str:
    """`items[3].name`"""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier():
            text += f".{step}" if text else step
    return text


def at(value: Any, place: Sequence[str | int]) -> Any:
    """The innermost part of an answer on the way to a place that is an object, or the value itself."""
    found = value
    inner = value
    for step in place:
        try:
            inner = inner[step]
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(inner, dict):
            found = inner
    return found
