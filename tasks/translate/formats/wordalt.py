"""What pictures of a Word document say to those who do not see them: an attribute, within a paragraph's text or not."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from xml.sax.saxutils import escape

from taskkit.tasks.translate.formats.wordruns import TAG
from taskkit.tasks.translate.segments import Segment

SAYING = {"wp:docPr": ("descr", "title"), "pic:cNvPr": ("descr", "title"), "v:shape": ("alt",), "v:rect": ("alt",)}
ATTRIBUTE = re.compile(r"""\s([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')""")


def alternatives(text: str, around: Sequence[Segment]) -> Iterator[Segment]:
    """One that stands within a stretch of `around` is written together with it."""
    for tag in TAG.finditer(text):
        names = SAYING.get(tag["name"] or "", ())
        for one in ATTRIBUTE.finditer(text, tag.start(), tag.end()) if names else ():
            said = unescape(one[2][1:-1])
            if one[1] not in names or not said.strip():
                continue
            whole = next((each for each in around if each.start <= one.start() < each.end), None)
            start, end = (whole.start, whole.end) if whole else one.span()
            yield Segment(
                "",
                start,
                end,
                text[start:end],
                said.strip(),
                kind="attribute",
                key=f"{tag['name']}@{one[1]}",
                style=one[0],
            )


def said_otherwise(raw: str, segment: Segment, target: str) -> str:
    """`raw` with what the attribute says in the place of what it said."""
    name, sign, value = segment.style.partition("=")
    quote = value.strip()[0]
    quoted = {quote: "&quot;" if quote == '"' else "&apos;", "\n": "&#10;"}
    return raw.replace(segment.style, f"{name}{sign}{quote}{escape(target, quoted)}{quote}")
