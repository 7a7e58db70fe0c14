"""Outlines of what has a structure of its own beside Markdown and HTML: reStructuredText, tables, JSON."""

import re
from collections.abc import Iterator

from taskkit import blocks
from taskkit.blocks import BLOCK, PART, ROW, Outline

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_ADORNMENT = re.compile(r"([^\w\s])\1+[ \t\r]*\n?")
_ITEM = re.compile(r"(?:[-*+•]|(?:\d{1,9}|\#|[a-zA-Z])[.)])[ \t]")
_OPENS = re.compile(r"\.\.[ \t]|.*::\s*\Z", re.DOTALL)
_CSV_ROW = re.compile(r'(?:[^"\n]++|"[^"]*+")*+(?:\n|\Z)')
_NUMBER = re.compile(r'(?:^|[,;\t|])[ "]*[-+]?\d[\d.,]*[ "\r]*(?=[,;\t|]|$)', re.MULTILINE)
_TOKEN = re.compile(r'(?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?)|[\[{]|[\]}]|,|[^\s\[\]{},":]+')
_SPACE = re.compile(r"\s*")
_KEY = re.compile(r"\s*:")
_DEEPEST = 6  # levels of JSON that a cut looks at
_LONGEST = 200  # characters of a key in the path


def outline(text: str, kind: str) -> Outline:
    """Of a text of any format."""
    special = {"rst": rst, "table": table, "json": json}.get(kind)
    return special(text) if special else blocks.outline(text, kind)


def rst(text: str) -> Outline:
    """A section's level is told by the order in which the adornments come, as docutils has it."""
    found = Outline()
    lines = [(line.start(), line[0]) for line in _LINE.finditer(text)]
    styles: list[tuple[str, bool]] = []
    blank, glued, inside = True, False, -1  # `inside`: the indent of what opened a directive or a literal block
    number = 0
    while number < len(lines):
        start, line = lines[number]
        number += 1
        if line.isspace():
            blank = True
            continue
        indent = len(line) - len(line.lstrip(" \t"))
        if 0 <= inside < indent:
            continue
        inside = -1
        if blank and (taken := _section(lines, number - 1, styles)):
            level, title, count = taken
            if not glued:
                found.border(start, level)
            number += count - 1
            found.headings.append((start, lines[number - 1][0] + len(lines[number - 1][1]), level, title))
            glued = True
            continue
        item, opens = _ITEM.match(line, indent), _OPENS.match(line, indent)
        if not glued and (blank or item):
            found.border(start, PART if indent or not blank else BLOCK)
        if item or opens:
            found.whole.add(found.starts[-1])
        if opens:
            found.verbatim.add(found.starts[-1])
            inside = indent
        blank = glued = False
    return found


def _section(lines: list[tuple[int, str]], at: int, styles: list[tuple[str, bool]]) -> tuple[int, str, int] | None:
    """Level, title and how many lines it takes."""
    over = _ADORNMENT.fullmatch(lines[at][1]) is not None
    if at + 1 + over >= len(lines):
        return None
    title, under = lines[at + over][1].strip(), lines[at + over + 1][1]
    if not title or not _ADORNMENT.fullmatch(under) or (over and under.strip() != lines[at][1].strip()):
        return None
    if len(under.strip()) < min(len(title), 4) or (not over and lines[at][1][0].isspace()):
        return None
    style = (under[0], over)
    if style not in styles:
        styles.append(style)
    return min(styles.index(style) + 1, 6), title[:_LONGEST], 2 + over


def table(text: str) -> Outline:
    """Rows of CSV, whatever parts their cells. A first row with a number in it is taken for data, not for a head."""
    found = Outline()
    for row in _rows(text):
        found.border(row, ROW)
    found.whole.update(found.starts)
    body = found.starts[1] if len(found.starts) > 1 else len(text)
    if not _NUMBER.search(text, 0, body):
        found.tables.append((0, len(text), body))
    return found


def _rows(text: str) -> Iterator[int]:
    at = 0
    while at < len(text):
        yield at
        row = _CSV_ROW.match(text, at)
        end = text.find("\n", at) + 1  # a quote that never ends: it is a character like any other
        at = row.end() if row else end or len(text)


def json(text: str) -> Outline:
    """Values of one file, of JSON or one a line, and below them each level's elements; the keys of the two outermost
    objects are headings. It is scanned, not parsed: broken or deep, it has an outline."""
    found = Outline(deeper=[[] for _ in range(_DEEPEST)])
    kinds = ""  # of the containers that are open, the outermost ones
    depth, begins = 0, True
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark in "]}":
            depth = max(0, depth - 1)
            kinds = kinds[:depth]
            begins = False
        elif mark == ",":
            begins = True
        else:
            if begins or not depth:
                _element(found, text, token, depth, kinds)
            begins = mark in "[{"
            if begins:
                kinds += mark if depth < _DEEPEST else ""
                depth += 1
    found.whole.update(found.starts)
    found.verbatim.update(found.starts)
    return found


def _element(found: Outline, text: str, token: re.Match[str], depth: int, kinds: str) -> None:
    at = token.start()
    if depth == 0:
        found.border(at, BLOCK)
    elif depth <= _DEEPEST:
        found.deeper[depth - 1].append(at)
    if 0 < depth <= 2 and kinds[:depth] == "{" * depth and token["string"] and _KEY.match(text, token.end()):
        found.headings.append((at, token.end(), depth, token[0][1:-1][:_LONGEST]))
