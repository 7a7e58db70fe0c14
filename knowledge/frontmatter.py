"""What stands before the text of a Markdown file, between two lines of `---`, as metadata.

Of YAML it knows what such heads are made of: `key: value`, with a text (in quotes or not), a number, true or false, null,
or a list, in brackets or a line each. A key with anything else is left out. No key of it is ever an access label: who
may read a file does not stand in the file."""

import math
import re
from collections.abc import Sequence

from taskkit.knowledge.records import Value

LONGEST = 50_000  # characters
_HEAD = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"(\w[\w .-]{0,200}?)[ \t]{0,200}:(?:[ \t]+(.*))?")  # bounded: blanks took seconds else
_OTHER = re.compile(r":(?:\s|\Z)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
_VALUE = re.compile(rf"({_QUOTED}|.*?)(?:(?:^|[ \t])#.*)?")  # without a comment
_PART = re.compile(rf"\s*+({_QUOTED}|(?:[^\s,\"'\[\]{{}}](?:[^\s,\[\]{{}}]|\s+(?![\s,\]]))*)?)\s*+([,\]])")
_END = re.compile(r"(?:[ \t]+#.*|[ \t]*)")
_DEEPER = tuple("{[|>&*!%@`")  # begins what is no plain value
_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_REAL = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}


def front_matter(text: str) -> dict[str, Value | Sequence[Value]]:
    """Empty where there is none."""
    found = _HEAD.match(text[:LONGEST])
    made: dict[str, Value | list[Value]] = {}
    key = ""  # the one that lists and lines further in belong to
    for line in found[1].splitlines() if found else ():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if entry := _KEY.fullmatch(line):
            key = entry[1]
            _take(made, key, (entry[2] or "").strip())
        elif (item := _ITEM.fullmatch(line)) and key in made:
            before = made[key]
            made[key] = [*(before if isinstance(before, list) else ()), scalar(item[1])]
            if item[1].startswith(_DEEPER) or (item[1][:1] not in {'"', "'"} and _OTHER.search(item[1])):
                del made[key]
        elif line[0] in " \t-":
            made.pop(key, None)
        elif _OTHER.search(line):
            key = ""
        else:
            return {}  # two lines that divide a text
    return dict(made)


def _take(made: dict[str, Value | list[Value]], key: str, text: str) -> None:
    if not text.startswith(_DEEPER):
        made[key] = scalar(text)
    elif text[0] == "[" and (parts := _parts(text)) is not None:
        made[key] = parts


def _parts(text: str) -> list[Value] | None:
    """Of a list in brackets; None where they hold something else than plain values."""
    found: list[Value] = []
    at, end = 1, ""
    while end != "]":
        part = _PART.match(text, at)
        if part is None:
            return None
        at, end = part.end(), part[2]
        if part[1] or end == ",":
            found.append(scalar(part[1]))
    return found if _END.fullmatch(text, at) else None


def scalar(text: str) -> Value:
    """A text, or what is written like a number, true, false or null; in quotes always a text."""
    given = _VALUE.fullmatch(text.strip())
    text = given[1].strip() if given else text
    if text[:1] in {'"', "'"} and len(text) > 1 and text[-1] == text[0]:
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] == '"' else text[1:-1].replace("''", "'")
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
