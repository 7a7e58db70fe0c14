"""What Markdown says beside its text: titles of link definitions, and the attributes of HTML that people see or hear.

An attribute within a text is written together with it, any other, and a title, by itself."""

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from typing import Any

from taskkit.tasks.translate.formats.webpage import said_in
from taskkit.tasks.translate.mask import mask

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
TITLE = re.compile(r"""(?<=[\s>])(?:"(?:[^"\\\r\n]|\\.)+"|'(?:[^'\\\r\n]|\\.)+')[ \t]*\Z""")


def titles(text: str, environment: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Where those of link definitions stand, with their quotation marks."""
    starts = [line.start() for line in LINE.finditer(text)]
    for one in environment.get("references", {}).values():
        if one["title"] and one["map"][1] < len(starts):
            first, last = one["map"]
            stretch = text[starts[first] : starts[last]].rstrip()
            if found := TITLE.search(stretch):
                yield starts[first] + found.start(), starts[first] + found.start() + len(found[0].rstrip())


def within(text: str) -> list[str]:
    """The attributes, as they stand, of the tags in a text; not of those in its code."""
    if "<" not in text or "=" not in text:
        return []
    tokens = [one for one in mask(text).tokens if one.startswith("<")]
    return list(dict.fromkeys(text[slice(*span)] for text in tokens for span in said_in(text)))


def said(raw: str) -> str:
    """What an attribute or a title says that is written so."""
    if raw[0] in "\"'":
        return raw[1:-1]
    value = raw.partition("=")[2].strip()
    return " ".join(unescape(value[1:-1] if value[:1] in {'"', "'"} else value).split())


def saying(text: str, raw: str, target: str) -> str:
    """`text` with the attribute or the title `raw` saying `target`."""
    if raw[0] in "\"'":
        return raw[0] + re.sub(rf"(?<!\\)((?:\\\\)*){raw[0]}", rf"\1\\{raw[0]}", target) + raw[0]
    name, sign, value = raw.partition("=")
    quote = value.strip()[0] if value.strip()[0] in {'"', "'"} else '"'
    made = escape(target, quote=False).replace(quote, "&quot;" if quote == '"' else "&#39;")
    return re.sub(rf"(?<![\w-]){re.escape(raw)}", lambda _: f"{name}{sign}{quote}{made}{quote}", text)
