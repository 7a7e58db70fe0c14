"""HTML as Markdown text: what a reader sees, with headings, lists, tables and code blocks marked."""

import codecs
import re
from html.parser import HTMLParser
from pathlib import Path

from taskkit.errors import InputError
from taskkit.knowledge.readers.lines import line
from taskkit.knowledge.readers.veil import VOID, Veil, hides
from taskkit.knowledge.records import Document
from taskkit.source import decoded as decoded_text

_HIDDEN = frozenset(["script", "style", "template", "noscript", "svg", "math", "iframe", "object", "nav"])
_BLOCK = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_HEADING = re.compile(r"h[1-6]")
_SPACE = re.compile(r"[ \t\r\n\f]+")


_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)


# What is said to be in one of these is in a wider one, more often than not; and names that only browsers know.
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs",
}  # fmt: skip
_CALLED = {
    "x-sjis": "cp932", "x-gbk": "gb18030", "x-euc-jp": "euc_jp", "x-x-big5": "big5hkscs", "iso-8859-8-i": "iso8859-8",
    "iso-8859-6-i": "iso8859-6", "x-mac-cyrillic": "mac_cyrillic", "dos-874": "cp874", "windows-874": "cp874",
}  # fmt: skip


def read(path: Path) -> Document:
    text, title = readable(decoded(path.read_bytes()))
    return Document(path.name, text, title, format="markdown")


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or what the file itself says that it is."""
    try:
        return decoded_text(data)
    except InputError as error:
        said = _CHARSET.search(data[:2048])
        if not said:
            raise InputError(error.message.strip().rstrip(".")) from None
        name = said[1].decode()
        try:
            return declared(data, name)
        except (LookupError, ValueError):
            raise InputError(f"is not {name}, which it says it is") from None


def declared(data: bytes, name: str) -> str:
    """In the character set of that name, as browsers and mail programs mean it. Raises `LookupError`, `ValueError`."""
    known = codecs.lookup(_CALLED.get(name.lower(), name)).name
    try:
        return data.decode(_WIDER[known])
    except (KeyError, ValueError):
        return data.decode(known)


def readable(html: str) -> tuple[str, str]:
    """`(text, title)`; the title is that of the head, else nothing."""
    reader = _read(html, veils=True)
    if reader.veil is not None:  # of which nothing tells where it ends: better too much than the rest lost
        reader = _read(html, veils=False)
    reader.break_line(2)
    return "".join(reader.out).strip("\n") + "\n", _SPACE.sub(" ", reader.title).strip()


def _read(html: str, *, veils: bool) -> "_Reader":
    reader = _Reader(veils=veils)
    reader.feed(html)
    reader.close()
    return reader


class _Reader(HTMLParser):
    def __init__(self, *, veils: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.veil: Veil | None = None
        self._veils = veils
        self.out: list[str] = []
        self.title = ""
        self._line: list[str] = []
        self._prefix = ""
        self._hidden = 0
        self._in_title = False
        self._pre = 0
        self._cells: list[str] | None = None
        self._rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.veil is not None and not self.veil.ended_by_start(tag):
            return
        self.veil = Veil(tag) if self._veils and tag not in VOID and tag != "body" and hides(attrs) else None
        if self.veil is None:
            self._begin(tag)

    def _begin(self, tag: str) -> None:  # noqa: C901
        if tag == "title" and not self.title:
            self._in_title = True
        if tag in _HIDDEN:
            self._hidden += 1
        if self._hidden:
            return
        if tag in {"td", "th"}:
            self._end_cell()
        elif tag == "tr":
            self.break_line()
            self._cells = []
        elif tag in _BLOCK:
            if tag == "table":
                self._end_row()
            self.break_line(1 if tag in {"li", "dt", "dd"} else 2)
        if _HEADING.fullmatch(tag):
            self._prefix = "#" * int(tag[1]) + " "
        elif tag == "li":
            self._prefix = "- "
        elif tag == "pre":
            self._pre += 1
            self.out.append("```\n")
        elif tag == "table":
            self._rows = 0
        elif tag == "br":
            self._line.append("\n" if self._pre else " ") if self._cells is not None else self.break_line()

    def handle_endtag(self, tag: str) -> None:
        if self.veil is None:
            self._end(tag)
        elif self.veil.ended_by_end(tag):
            own, self.veil = self.veil.tag == tag, None
            if not own:
                self._end(tag)

    def _end(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
            return
        if self._hidden or tag in VOID:
            return
        if tag == "pre" and self._pre:
            self._pre -= 1
            self.out.append("".join(self._line).strip("\n") + "\n```\n\n")
            self._line.clear()
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag in {"tr", "table"}:
            self._end_row()
            if tag == "table":
                self.break_line(2)
        elif tag in _BLOCK:
            self.break_line(1 if tag in {"li", "dt", "dd"} else 2)
            self._prefix = ""

    def handle_data(self, data: str) -> None:
        if self.veil is not None:
            return
        if self._in_title:
            self.title += data
        elif not self._hidden:
            self._line.append(data)

    def break_line(self, lines: int = 1) -> None:
        """Ends the line that is being written, if any, and leaves `lines - 1` blank ones."""
        if self._pre:
            return
        text = _SPACE.sub(" ", "".join(self._line)).strip()
        self._line.clear()
        if self._cells is not None:
            if text:
                self._line.append(text + " ")
            return
        if text:
            self.out.append(self._prefix + (text if self._prefix.startswith("#") else line(text)) + "\n")
            self._prefix = ""
        if lines > 1 and self.out and self.out[-1] != "\n" and not self.out[-1].endswith("\n\n"):
            self.out.append("\n")

    def _end_cell(self) -> None:
        text = _SPACE.sub(" ", "".join(self._line)).strip()
        self._line.clear()
        if self._cells is not None and text:
            self._cells.append(text.replace("|", "\\|"))

    def _end_row(self) -> None:
        if self._cells is None:
            return
        self._end_cell()
        cells, self._cells = self._cells, None
        if not cells:
            return
        self.out.append(f"| {' | '.join(cells)} |\n")
        self._rows += 1
        if self._rows == 1:
            self.out.append("|" + " --- |" * len(cells) + "\n")
