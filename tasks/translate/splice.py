"""Write translations back by offset: what lies between segments is copied, never written anew."""

import re
from collections.abc import Mapping

from taskkit.errors import InputError
from taskkit.tasks.translate.segments import Segment

# A YAML value that starts or goes on like this needs quotes.
NEEDS_QUOTES = re.compile(r"""[\s"'\[\]{}>|*&!%#`@,?:-]|.*(?::(?:\s|\Z)|\s\#|["\\])|.*\s\Z""", re.VERBOSE | re.DOTALL)


def splice(text: str, replacements: Mapping[Segment, str]) -> str:
    """`text` with each segment replaced. Raises InputError when a segment is not where it was found."""
    parts: list[str] = []
    at = 0
    for segment in sorted(replacements, key=lambda segment: segment.start):
        if segment.start < at or text[segment.start : segment.end] != segment.text:
            raise InputError(
                f"Segment {segment.id} is not at offset {segment.start} any more: the text has changed.",
                hint="Find the segments again in the text as it is now.",
            )
        parts += text[at : segment.start], _written(text, segment, replacements[segment])
        at = segment.end
    return "".join([*parts, text[at:]])


def _written(text: str, segment: Segment, replacement: str) -> str:
    """A value in front matter has to be escaped like the one that it replaces."""
    if segment.kind != "front-matter" or replacement == segment.text:
        return replacement
    line = " ".join(replacement.split())
    quote = text[segment.start - 1 : segment.start]
    if quote == "'":
        return re.sub(r"'+", lambda run: run[0] if len(run[0]) % 2 == 0 else f"{run[0]}'", line)
    escaped = re.sub(r'\\(?![\\"/abefnrtvN0_ LPxuU])', r"\\\\", line)
    escaped = re.sub(r'((?:^|[^\\])(?:\\\\)*)(?=")', r"\1\\", escaped)
    if quote == '"':
        return escaped
    return f'"{escaped}"' if NEEDS_QUOTES.match(line) else line
