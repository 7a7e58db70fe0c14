"""What is given to a base, looked at before anything is done with it. All raise `InputError`."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from taskkit.errors import InputError
from taskkit.knowledge.records import Document

SHOWN = 80  # characters of a value


def labels(given: Any) -> dict[str, list[str]]:
    """Access labels, each with its values: those of a document, or those that somebody brings."""
    if not isinstance(given, Mapping | None):
        raise InputError(f"Access labels are names with values, not {shown(given)}.", hint='As in {"team": "hr"}.')
    found: dict[str, list[str]] = {}
    for key, value in (given or {}).items():
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, Sequence | AbstractSet) or not all(isinstance(one, str) for one in values):
            raise InputError(
                f"The access label {key!r} has a text or several, not {shown(value)}.", hint='As in {"team": "hr"}.'
            )
        found[plain(key)] = [plain(one) for one in values]
    return found


def plain(text: Any) -> str:
    """A text that every store can hold."""
    if not isinstance(text, str):
        raise InputError(f"{shown(text)} is no text.")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError(f"{shown(text)} has characters that no text has.")
    return text


def shown(value: Any) -> str:
    """As it is written in code, in an error's one line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits
        return f"{type(value).__name__} too large to be shown"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def document(one: Document) -> None:
    """That it can be kept and found again: numbers that are none would spoil every condition on metadata."""
    if not isinstance(one.name, str) or not one.name:
        raise InputError(f"A document's name is a text, not {one.name!r}.")
    if not all(isinstance(part, str) for part in (one.text, one.title, one.format, one.lacks)):
        raise InputError(f"The document {one.name!r} has no text: text, title, format and lacks are `str`.")
    metadata(one.metadata, f"The document {one.name!r}")
    try:
        labels(one.access)
    except InputError as error:
        raise InputError(f"The document {one.name!r} can not be taken in. {error.message}", hint=error.hint) from None


def metadata(given: Any, whose: str) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{whose} has no metadata: names with values, not {shown(given)}.")
    for key, value in given.items():
        try:
            if not isinstance(key, str):
                raise TypeError
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise InputError(
                f"{whose} has {shown(value)} under {key!r} in its metadata.",
                hint="Texts, finite numbers, truth values, None and lists of them can be kept.",
            ) from None
