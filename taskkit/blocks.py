"""Where the structure of a text lets it be cut: one pass over it, offsets only."""

import math
import re
from bisect import bisect_right
from dataclasses import dataclass, field

# How good a place a border is, the lower the better; 1 to 6 are headings of that level.
BLOCK, PART, ROW, SENTENCE, WORD = 7, 8, 9, 10, 11

_LINE = r"""(?P<blank>[ \t\r\n\f]*\n)?(?P<indent>[ \t>]{0,40}+)(?:
      (?P<head>\#{1,6})(?=[ \t\r\n]|\Z)
    | (?P<fence>`{3,}|~{3,})
    | (?P<item>[-*+]|\d{1,9}[.)])(?=[ \t])
    | (?P<under>={2,}|-{2,})(?=[ \t\r]*(?:\n|\Z))
    | (?P<row>\|)
    | (?(blank)|(?!)))"""
_FIRST = re.compile(_LINE, re.VERBOSE)
_NEXT = re.compile(r"\n" + _LINE, re.VERBOSE)
_FENCE = re.compile(r"\n[ \t>]*+(`{3,}|~{3,})[ \t]*(?=\r?(?:\n|\Z))")
_FRONT = re.compile(r"---[ \t]*\r?\n(?:[^\r\n]+\r?\n)*?---[ \t]*(?=\r?(?:\n|\Z))")
_RULE = re.compile(r"[ \t>]*\|[ \t:|-]*-[ \t:|-]*\r?(?:\n|\Z)")
_GAP = re.compile(r"\n[ \t\r\n\f]*\n(?P<indent>[ \t]*+)")
_TAG = re.compile(
    r"<(?:h(?P<level>[1-6])|(?P<part>li|tr|dt|dd|br)|p|div|section|article|main|ul|ol|table|blockquote|pre|dl"
    r"|header|footer|nav|figure|hr)\b",
    re.IGNORECASE,
)
_LONGEST_HEADING = 200
_LONGEST_HEAD = 2_000  # characters of a table's: each of its pieces has them


@dataclass(slots=True)
class Outline:
    """`starts[i]` begins a block whose border has `ranks[i]`; a block in `verbatim` is cut at its lines. One in
    `whole` stays in one piece if it fits, even where a fuller piece could be had by cutting it; if it does not fit, it
    is cut at the first level of `deeper` that makes parts which do.

    A heading is `(start, end, level, title)`, a table `(start, end, end of its head)`."""

    starts: list[int] = field(default_factory=lambda: [0])
    ranks: list[int] = field(default_factory=lambda: [0])
    verbatim: set[int] = field(default_factory=set[int])
    whole: set[int] = field(default_factory=set[int])
    deeper: list[list[int]] = field(default_factory=list[list[int]])
    headings: list[tuple[int, int, int, str]] = field(default_factory=list[tuple[int, int, int, str]])
    tables: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])

    def border(self, at: int, rank: int) -> None:
        if at > self.starts[-1]:
            self.starts.append(at)
            self.ranks.append(rank)
        else:  # a line that turns out to be a heading only by the next one
            self.ranks[-1] = min(self.ranks[-1], rank)

    def table_head(self, text: str, at: int) -> str:
        """The head of the table that `at` is inside of, below its head, but no more of it than its beginning; else
        nothing."""
        if not self.tables:
            return ""
        start, end, body = self.tables[bisect_right(self.tables, (at, math.inf)) - 1]
        return text[start : min(body, start + _LONGEST_HEAD)] if body <= at < end else ""


def outline(text: str, kind: str) -> Outline:
    if kind == "markdown":
        return _Markdown(text).read()
    if kind == "html":
        return _tags(text)
    return _gaps(text, code=kind == "code")


def _gaps(text: str, *, code: bool) -> Outline:
    found = Outline()
    for gap in _GAP.finditer(text):
        found.border(gap.start("indent"), PART if code and gap["indent"] else BLOCK)
    if code:
        found.verbatim.update(found.starts)
    return found


def _tags(text: str) -> Outline:
    found = Outline()
    for tag in _TAG.finditer(text):
        level = tag["level"]
        found.border(tag.start(), int(level) if level else ROW if tag["part"] else BLOCK)
    return found


class _Markdown:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found = Outline()
        self.bare = -1  # the end of a heading's line: what follows stays with it
        self.rows = 0  # read of the table that ends at `row_end`
        self.row_end = -1
        self.ruled = False  # a rule was its second row: it has a head

    def read(self) -> Outline:
        search, line = _NEXT.search, _FIRST.match(self.text)
        if front := _FRONT.match(self.text):
            self.found.verbatim.add(0)
            line = search(self.text, front.end())
        elif line is None:
            line = search(self.text)
        while line:
            line = search(self.text, self._line(line))
        return self.found

    def _line(self, line: re.Match[str]) -> int:
        """Where to read on."""
        kind, blank = line.lastgroup, line["blank"]
        start, after = line.span("indent")
        glued = line.start() == self.bare
        if kind == "head":
            return self._heading(start, line.end(), len(line["head"]), glued=glued)
        if kind == "row":
            return self._row(line, start, glued=glued)
        if kind == "under" and not blank:
            return self._underlined(line)
        if not glued:
            self.found.border(start, _rank(deep=after > start, blank=bool(blank)))
        if kind in {"item", "fence"}:
            self.found.whole.add(self.found.starts[-1])
        return self._fenced(line) if kind == "fence" else line.end()

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _heading(self, start: int, at: int, level: int, *, glued: bool) -> int:
        end = self._line_end(at)
        if not glued:
            self.found.border(start, level)
        title = " ".join(self.text[start:end][: 4 * _LONGEST_HEADING].strip(" \t>#=-\r\n").split())
        self.found.headings.append((start, end, level, title[:_LONGEST_HEADING]))
        self.bare = end
        return end

    def _underlined(self, line: re.Match[str]) -> int:
        start = max(self.text.rfind("\n", 0, line.start()) + 1, self.found.starts[-1])
        if not self.text[start : line.start()].strip() or line.start() in {self.bare, self.row_end}:
            return line.end()
        return self._heading(start, line.end(), 1 if line["under"][0] == "=" else 2, glued=False)

    def _row(self, line: re.Match[str], start: int, *, glued: bool) -> int:
        end = self._line_end(line.end())
        if line.start() != self.row_end or line["blank"]:
            self.rows, self.ruled = 0, False
        self.rows, self.row_end = self.rows + 1, end
        if self.rows == 1:
            if not glued:
                self.found.border(start, _rank(deep=False, blank=bool(line["blank"])))
        elif self.rows == 2 and _RULE.match(self.text, start):
            self.ruled = True
            head = self.text.rfind("\n", 0, line.start()) + 1
            self.found.tables.append((head, end + 1, end + 1))
        elif self.ruled:
            head, _, body = self.found.tables[-1]
            self.found.tables[-1] = (head, end + 1, body)
            if self.rows > 3:  # the first row of all stays with the head
                self.found.border(start, ROW)
        else:
            self.found.border(start, ROW)
        self.found.whole.add(self.found.starts[-1])
        return end

    def _fenced(self, line: re.Match[str]) -> int:
        self.found.verbatim.add(self.found.starts[-1])
        at = line.end()
        while close := _FENCE.search(self.text, at):
            at = close.end()
            if close[1].startswith(line["fence"]):
                break
        else:
            return len(self.text)  # never closed: all the rest is code
        end = self._line_end(at)
        if end < len(self.text) and not _NEXT.match(self.text, end):
            self.found.border(end + 1, PART)
        return end


def _rank(*, deep: bool, blank: bool) -> int:
    if blank:
        return PART if deep else BLOCK
    return ROW if deep else PART
