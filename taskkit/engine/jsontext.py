"""JSON out of a text: in prose, in a code fence, after a byte order mark, with a comma too many.

Nothing is guessed at: what is cut off or broken is not mended, and an object within a broken one is not taken for
the answer. The work is bounded for any text.
"""

import contextlib
import json
import re
from typing import Any

MOST_VALUES = 8
MOST_STARTS = 100

_START = re.compile(r'\{\s*["}]|\[\s*(?:[\[\]{"\d-]|true\b|false\b|null\b)')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
_CONTROL = re.compile(r"(\\[^u])|\\u00(?:0[0-8ef]|1[0-9a-f]|7f)", re.IGNORECASE)


class NoJson(Exception):  # noqa: N818 - it is not always an error
    """Its text says in a few words why there is none; `at` is the offset of what is wrong."""

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.at = at


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(parse_constant=_not_json)
_LAX = json.JSONDecoder(strict=False, parse_constant=_not_json)  # admits line ends in strings


def find_json(text: str) -> list[Any]:
    """The objects and lists that stand in a text as whole JSON, outermost, in order, 8 at most. Raises NoJson."""
    if "\\u00" in text:  # control characters, as `wire` leaves them out of a text
        text = _CONTROL.sub(r"\1", text)
    at = 0
    values: list[Any] = []
    problem = NoJson("there is no JSON in it")
    work = 4 * len(text) + 1000
    for _ in range(MOST_STARTS):
        start = _START.search(text, at)
        if start is None or len(values) == MOST_VALUES or work < 0:
            break
        begin = start.start()
        try:
            value, at = _STRICT.raw_decode(text, begin)
            values.append(value)
            continue
        except RecursionError:
            problem = NoJson("it is nested too deeply", begin)
            break
        except ValueError as error:
            problem = _problem(error, text, begin)
        end = _end_of(text, begin)
        if end is None:  # what stands within it is not the answer
            problem = NoJson("the JSON is cut off before its end", len(text))
            break
        with contextlib.suppress(ValueError):
            values.append(_LAX.decode(_COMMA.sub(lambda one: one[1] or "", text[begin:end])))
        work -= end - begin
        at = end
    if not values:
        raise problem
    return values


def _problem(error: ValueError, text: str, begin: int) -> NoJson:
    if not isinstance(error, json.JSONDecodeError):
        return NoJson(str(error).partition(";")[0], begin)
    near = " ".join(text[max(0, error.pos - 30) : error.pos + 10].split())
    return NoJson(f"the JSON is broken near {near!r} ({error.msg[:1].lower()}{error.msg[1:]})", error.pos)


def _end_of(text: str, at: int) -> int | None:
    """Where the bracket at `at` is closed."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token[0]
        if mark in {"{", "["}:
            depth += 1
        elif mark in {"}", "]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return None
