"""Fields of a Word document: what Word works out itself, such as the number of a page, from a code to its result.

A field within one paragraph does not cut its sentence in two: it is one mark, or, where its result is a text of the
author's, what stands between an opening and a closing one, as a link is."""

import re
from collections.abc import Sequence
from typing import NamedTuple

SAID = frozenset({"HYPERLINK", "REF", "STYLEREF", "QUOTE", "IF"})  # fields whose result is language
KIND = re.compile(r'fldCharType="(\w+)"')
CODE = re.compile(r"<w:instrText\b[^>]*>([^<]*)")


class Item(NamedTuple):
    """`kind` is `text`, `mark`, `open` or `close` (of a link), `end` (nothing goes on past it), or `field`, a run with
    a border of one, before `joined` has made another of it. `looks` is the `w:rPr` of a text; [start, end) its run or
    element in the part."""

    kind: str
    start: int
    end: int
    text: str = ""
    looks: str = ""


def joined(text: str, items: Sequence[Item]) -> list[Item]:
    """A paragraph's items with its fields made whole; one that does not end in the paragraph ends the text."""
    found: list[Item] = []
    opened: list[int] = []
    for item in items:
        kinds = KIND.findall(item.text) if item.kind == "field" else []
        found.append(item)
        if kinds == ["begin"]:
            opened.append(len(found) - 1)
        elif kinds == ["end"] and opened:
            at = opened.pop()
            found[at:] = _whole(text, found[at:])
        elif kinds and kinds[0] == "begin" and kinds[-1] == "end":
            found[-1] = Item("mark", item.start, item.end, item.text)
    return [_ended(one) for one in found]


def _whole(text: str, items: list[Item]) -> list[Item]:
    first, last = items[0], items[-1]
    parts = next((n for n, one in enumerate(items) if 0 < n < len(items) - 1 and one.kind == "field"), len(items) - 1)
    result = items[parts + 1 : -1]
    code = "".join(CODE.findall(text[first.start : items[parts].start])).split()
    has_words = any(one.kind == "text" and any(map(str.isalpha, one.text)) for one in result)
    if not all(one.kind in {"text", "mark"} for one in result):
        return [_ended(one) for one in items]
    if has_words and code and code[0].upper() in SAID:
        stop = items[parts].end
        opening = Item("open", first.start, stop, text[first.start : stop])
        return [opening, *result, Item("close", last.start, last.end, last.text)]
    return [Item("mark", first.start, last.end, text[first.start : last.end])]


def _ended(item: Item) -> Item:
    return Item("end", item.start, item.end) if item.kind == "field" else item


def is_said(tag: str) -> bool:
    """Of a field in one element, by its first tag."""
    code = re.search(r"""instr=(?:"|')\s*(\w+)""", tag)
    return code is not None and code[1].upper() in SAID
