"""JSON out of a text: in prose, in a code fence, after a byte order mark, with a comma too many.

Nothing is guessed at: what is cut off or broken is not mended, and an object within a broken one is not taken for
the answer. The work is bounded for any text.
"""

import json
import re
from json.decoder import JSONDecodeError
from typing import Any

MOST_VALUES = 8
MOST_STARTS = 100

_STRICT = json.JSONDecoder(parse_constant=lambda name: _not_json(name))
_LAX = json.JSONDecoder(strict=False, parse_constant=lambda name: _not_json(name))  # admits line ends in strings
_START = re.compile(r'\{\s*["}]|\[\s*(?:[\[\]{"\d-]|true\b|false\b|null\b)')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class NoJson(Exception):  # noqa: N818 - it is not always an error
    """Its text says in a few words why there is none; `at` is the offset of what is wrong."""

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.at = at


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def find_json(text: str) -> list[Any]:
    """The objects and lists that stand in a text as whole JSON, outermost, in order, 8 at most. Raises NoJson."""
    thought = _THOUGHT.match(text)
    at = thought.end() if thought else 0
    values: list[Any] = []
    problem = NoJson("there is no JSON in it")
    work = 4 * len(text) + 1000
    for _ in range(MOST_STARTS):
        start = _START.search(text, at)
        if start is None or len(values) == MOST_VALUES or work < 0:
            break
        try:
            value, at = _value_at(text, start.start())
            values.append(value)
        except RecursionError:
            problem = NoJson("it is nested too deeply", start.start())
            break
        except NoJson as broken:
            problem = broken if not values else problem
            end = _end_of(text, start.start())
            work -= end - start.start()
            at = end
    if not values:
        raise problem
    return values


def _value_at(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _STRICT.raw_decode(text, at)
    except JSONDecodeError as error:
        problem = NoJson(_why(error, text), error.pos)
    except ValueError as error:
        raise NoJson(str(error).partition(";")[0], at) from None
    else:
        return value, end
    end = _end_of(text, at)
    if not _is_closed(text, at, end):
        raise NoJson("it is cut off before its end", len(text))
    mended = _COMMA.sub(lambda one: one[1] or "", text[at:end])
    try:
        return _LAX.decode(mended), end
    except ValueError:
        raise problem from None


def _why(error: JSONDecodeError, text: str) -> str:
    near = " ".join(text[max(0, error.pos - 30) : error.pos + 10].split())
    return f"the JSON breaks off near {near!r} ({error.msg[:1].lower()}{error.msg[1:]})"


def _end_of(text: str, at: int) -> int:
    """Where the bracket at `at` is closed, or the end of the text."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token[0]
        if mark in {"{", "["}:
            depth += 1
        elif mark in {"}", "]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def _is_closed(text: str, at: int, end: int) -> bool:
    return end < len(text) or text[end - 1] == ("}" if text[at] == "{" else "]")
