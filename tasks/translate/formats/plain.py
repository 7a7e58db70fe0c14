"""Plain text: paragraphs between blank lines; a line that stands alone on purpose is a segment of its own."""

import re
from collections.abc import Iterator

from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.segments import Options, Segment, trim

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
MARKER = re.compile(r"[ \t>\ufeff]*(?:(?:[-*+•‣◦–—]|\d{1,3}[.)]|[A-Za-z][.)])[ \t]+)?")
WRAPPED = 40  # a line shorter than this was not broken for lack of room


def find(text: str, _options: Options) -> list[Segment]:
    return [
        Segment(f"s{number}", start, end, text[start:end], text[start:end])
        for number, (start, end) in enumerate(_found(text), 1)
    ]


def _found(text: str) -> Iterator[tuple[int, int]]:
    paragraph: list[tuple[int, int]] = []
    for match in LINE.finditer(text):
        if match[0].strip().strip(">\ufeff \t"):
            paragraph.append(match.span())
        else:
            yield from _pieces(text, paragraph)
            paragraph = []


def _pieces(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join the lines that a writer or an editor wrapped; keep verse, addresses and lists line by line."""
    width = max((len(text[start:end].rstrip()) for start, end in lines), default=0)
    begin: int | None = None
    for number, (start, end) in enumerate(lines):
        if begin is None:
            mark = MARKER.match(text, start, end)
            begin = mark.end() if mark else start
        following = text[slice(*lines[number + 1])] if number + 1 < len(lines) else ""
        if not _continues(text[start:end].rstrip(), following, width):
            first, last = trim(text, begin, end)
            if first < last:
                yield first, last
            begin = None


def _continues(line: str, following: str, width: int) -> bool:
    mark = MARKER.match(following)
    rest = following[mark.end() :] if mark else following
    if not rest.strip() or (mark and mark[0].strip(" \t>")):
        return False
    word = rest.split(maxsplit=1)[0]
    full = width >= WRAPPED and len(line) + 1 + len(word) > width
    return full or word[0].islower()


FORMAT = Format("text", (".txt", ".text"), find, prose="text", reread=None)
