"""Text with opaque stretches in it, taken apart."""

import re
from collections.abc import Callable, Iterable


def apart(text: str, marks: Iterable[str]) -> list[str]:
    """Text, mark, text, mark, …, text."""
    known = sorted({*marks} - {""}, key=len, reverse=True)
    return re.split("(" + "|".join(map(re.escape, known)) + ")", text) if known else [text]


def between(text: str, marks: Iterable[str], change: Callable[[str], str]) -> str:
    """With `change` made of what is no mark."""
    return "".join(part if number % 2 else change(part) for number, part in enumerate(apart(text, marks)))
