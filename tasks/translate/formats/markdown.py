"""Markdown: prose in paragraphs, headings, list items, quotes, footnotes, notes, table cells and blocks of HTML.

Code, the tags of HTML, link definitions, directives and all markers of structure lie between segments.
"""

import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from taskkit.tasks.translate.formats.beside import said, saying, titles, within
from taskkit.tasks.translate.formats.blocks import front_matter, parse_blocks
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.formats.scalars import block, scalar, value
from taskkit.tasks.translate.formats.webpage import said_in, stretches
from taskkit.tasks.translate.segments import Group, Kind, Options, Segment, trim

if TYPE_CHECKING:
    from markdown_it.token import Token

INSIDE: dict[str, Kind] = {
    "list_item_open": "list-item",
    "blockquote_open": "quote",
    "footnote_open": "footnote",
    "note_open": "paragraph",
}
FIELD = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?"?(?:title|description|subtitle|summary|excerpt|abstract|tagline|headline|lead|caption
    |details|text|intro|heading|alt|sidebar_label|sidebar_title|linkTitle|nav_title|seo_title|meta_title|meta_description)"?[ \t]*[:=][ \t]*
    (?:(?P<double>"(?:[^"\\\r\n]|\\.)*+") | (?P<single>'(?:[^'\r\n]|'')*+')
     | (?P<plain>[^\s"'\[\]{}>|*&!%#`@,?-](?:[^\r\n#:]|(?<!\s)\#|:(?!\s))*+))
    [ \t]*(?:(?<=\s)\#.*)?\r?$""",
    re.MULTILINE | re.VERBOSE,
)
BLOCK_FIELD = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?(?:title|description|subtitle|summary|excerpt|abstract|tagline|lead|details)[ \t]*:[ \t]*
    (?P<block>[|>][+-]?[ \t]*\r?\n(?:[ \t]*\r?\n)*[ ]+[^\s\r\n][^\r\n]*(?:(?:\r?\n[ \t]*)*\r?\n[ ]+[^\s][^\r\n]*)*)""",
    re.MULTILINE | re.VERBOSE,
)
NOT_A_STRING = re.compile(r"[-+.\d_:eTZ \t]+|true|false|null|yes|no|on|off|~", re.IGNORECASE)
TASK = re.compile(r"\[[ xX]\][ \t]+")
CALLOUT = re.compile(r"\[![\w-]+\][+-]?[ \t]*")
DEFINITION = re.compile(r":[ \t]+")
OPAQUE = re.compile(  # also what MDX imports and defines
    r"""\{[:%*\#./].*\} | \[TOC\] | \[\[_?toc_?\]\] | </?[A-Za-z][^<>]*> | <!--.*-->
    | import[ ]+(?:[\w*{}\s,$]+[ ]from[ ]+)?["'][^"']+["'];? | export[ ]+(?:const|let|var|function)[ ]+\w+.*[={(].*""",
    re.VERBOSE | re.IGNORECASE,
)
ABBREVIATION = re.compile(r"\*\[[^\]]+\]:[ \t]*")
ATTRIBUTES = re.compile(r"\{:?[ \t]*[#.][^{}]*\}")
TITLE = re.compile(
    r"""[^"]*"(?P<quoted>[^"]*)" | /{3,}[^|]*\|(?P<piped>.*)
    | :{3,}[ \t]*[\w-]+(?: \[(?P<bracketed>[^\]]*)\] | [ \t]+(?P<bare>[^\s{\[][^{]*))""",
    re.VERBOSE,
)
SHORTCUT = re.compile(r"(?<![\]\\])\[((?:[^\[\]\\]|\\.)++)\](?![(\[])")


class Found(NamedTuple):
    start: int
    end: int
    kind: Kind
    context: tuple[str, ...] = ()


def find(text: str, _options: Options) -> list[Segment]:
    tokens, environment = parse_blocks(text)
    labels = frozenset(environment.get("references", ()))
    aside = (Found(*span, "attribute") for span in titles(text, environment))
    found = sorted([*_fields(text), *_prose(text, tokens), *aside], key=lambda item: item.start)
    trimmed = [(item, *trim(text, item.start, item.end)) for item in found]
    filled = [(item, start, end) for item, start, end in trimmed if start < end]
    return [one for item, start, end in filled for one in _segments(text, item, start, end, labels)]


def _segments(text: str, item: Found, start: int, end: int, labels: frozenset[str]) -> Iterator[Segment]:
    raw = text[start:end]
    if item.kind == "front-matter":
        yield Segment("", start, end, raw, value(raw), item.context, item.kind)
    elif item.kind == "attribute":
        yield Segment("", start, end, raw, said(raw), item.context, item.kind, style=raw)
    else:
        yield Segment("", start, end, raw, raw, item.context, item.kind, _keep(raw, labels))
        for one in within(raw):
            yield Segment("", start, end, raw, said(one), item.context, "attribute", style=one)


def _keep(text: str, labels: frozenset[str]) -> tuple[str, ...]:
    """Links of the form `[label]`: what a reader sees is also what finds the target."""
    if not labels or "[" not in text:
        return ()
    from markdown_it.common.utils import normalizeReference

    hits = (match[0] for match in SHORTCUT.finditer(text) if normalizeReference(match[1]) in labels)
    return tuple(dict.fromkeys(hits))


def _fields(text: str) -> Iterator[Found]:
    matter = front_matter(text)
    if matter is None:
        return
    for match in FIELD.finditer(text, matter.start("body"), matter.end("body")):
        group = match.lastgroup or "plain"
        if group != "plain" or not NOT_A_STRING.fullmatch(match["plain"].strip()):
            yield Found(*match.span(group), "front-matter")
    for match in BLOCK_FIELD.finditer(text, matter.start("body"), matter.end("body")):
        yield Found(*match.span("block"), "front-matter")


def _prose(text: str, tokens: list["Token"]) -> Iterator[Found]:
    path: list[tuple[int, str]] = []
    inside: list[Kind] = ["paragraph"]
    for token in tokens:
        context = tuple(title for _, title in path)
        if token.type == "heading_open":
            level = int(token.tag[1])
            start, end = _heading(text, token.meta["lines"], token.markup)
            while path and path[-1][0] >= level:
                path.pop()
            yield Found(start, end, "heading", tuple(title for _, title in path))
            path.append((level, " ".join(text[start:end].split())))
        else:
            yield from _read(text, token, inside[-1], context)
        if token.type in INSIDE:
            inside.append(INSIDE[token.type])
        elif token.type.removesuffix("close") + "open" in INSIDE:
            inside.pop()


def _read(text: str, token: "Token", kind: Kind, context: tuple[str, ...]) -> Iterator[Found]:
    """What a block has to read, of one within a `kind`."""
    lines = token.meta.get("lines", [])
    if token.type == "paragraph_open":
        yield from (Found(*run, context) for run in _runs(text, lines, kind))
    elif token.type == "html_block":
        shown = list(_shown(text, lines))
        yield from (Found(*stretch, "paragraph", context) for stretch in shown)
        yield from (Found(*one, "attribute", context) for one in _attributes(text, lines, shown))
    elif token.type == "table_open":
        yield from (Found(*cell, "table-cell", context) for cell in _cells(text, lines))
    elif token.type in {"note_open", "directive"}:
        match = TITLE.fullmatch(text, *trim(text, *lines[0]))
        if match and match.lastgroup:
            yield Found(*match.span(match.lastgroup), "title", context)


def _heading(text: str, lines: list[tuple[int, int]], markup: str) -> tuple[int, int]:
    if not markup.startswith("#"):
        start, end = lines[0][0], lines[-2][1]  # the last line is the underline
    else:
        start, end = trim(text, lines[0][0] + len(markup), lines[0][1])
        closed = text[start:end].rstrip("#")
        if not closed or closed[-1] in " \t":
            end = start + len(closed)
    start, end = trim(text, start, end)
    brace = text.rfind("{", start, end)
    if brace >= 0 and ATTRIBUTES.fullmatch(text, brace, end):
        end = brace
    return trim(text, start, end)


def _runs(text: str, lines: list[tuple[int, int]], kind: Kind) -> Iterator[tuple[int, int, Kind]]:
    """The paragraph in one piece, or in several where a line is markup of its own."""
    run: tuple[int, int] | None = None
    for number, (begin, finish) in enumerate(lines):
        start, end = trim(text, begin, finish)
        callout = CALLOUT.match(text, start, end) if number == 0 and kind == "quote" else None
        task = TASK.match(text, start, end) if number == 0 and kind == "list-item" else None
        definition = DEFINITION.match(text, start, end) if number else None
        opaque = OPAQUE.fullmatch(text, start, end)
        short = ABBREVIATION.match(text, start, end)
        if run and (definition or opaque or short):
            yield *run, kind
            run = None
        if callout or short:
            yield (callout or short).end(), end, "title"  # type: ignore[union-attr]
        elif not opaque:
            mark = task or definition
            run = (run[0] if run else mark.end() if mark else start), end
    if run:
        yield *run, kind


def _shown(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What a block of HTML shows; nothing of one whose lines have the marks of a quote between them."""
    start, end = lines[0][0], lines[-1][1]
    between = (text[left:right] for (_, left), (right, _) in itertools.pairwise(lines))
    if not any(one.strip() for one in between):
        yield from ((start + begin, start + finish) for begin, finish in stretches(text[start:end]))


def _attributes(text: str, lines: list[tuple[int, int]], shown: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those of a block of HTML that are in none of its texts."""
    begin = lines[0][0]
    for start, end in said_in(text[begin : lines[-1][1]]):
        if not any(first <= begin + start < last for first, last in shown):
            yield begin + start, begin + end


def _cells(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    columns = 0
    for number, line in enumerate(lines):
        if number == 1:  # the row of dashes
            continue
        cells = _row(text, *line)
        columns = columns or len(cells)
        yield from cells[:columns]  # what a row has beyond the header is never shown


def _row(text: str, begin: int, finish: int) -> list[tuple[int, int]]:
    start, end = trim(text, begin, finish)
    bars = [match.start() for match in re.finditer(r"(?<!\\)\|", text[start:end])]
    edges = [start - 1, *(start + bar for bar in bars), end]
    cells = [(left + 1, right) for left, right in itertools.pairwise(edges)]
    if cells[0][0] == cells[0][1]:
        cells = cells[1:]
    return cells[:-1] if cells and cells[-1][0] == cells[-1][1] else cells


def write(group: Group, _options: Options) -> str:
    """A value in front matter has to be quoted like the one that it replaces."""
    made = group[0][0].raw
    for segment, target in group:
        if segment.kind == "front-matter":
            made = block(target, segment.raw) if segment.raw[:1] in {"|", ">"} else scalar(target, segment.raw)
        elif segment.kind != "attribute":
            made = target
    for segment, target in group:
        if segment.kind == "attribute" and target != segment.text:
            made = saying(made, segment.style, target)
    return made


FORMAT = Format("markdown", (".md", ".markdown", ".mdown", ".mkd"), find, write, prose="markdown", reread=None)
