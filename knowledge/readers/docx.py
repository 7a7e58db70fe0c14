"""Word: headings and the outline levels of styles make the title path, tables become rows, footnotes stand at the end.

Read from its XML as it streams by: libraries for this format build the whole tree first, unpack whatever an archive
claims to hold, and pass over text boxes, content controls and footnotes."""

from pathlib import Path

from taskkit.knowledge.readers.archive import Archive
from taskkit.knowledge.readers.lines import Blocks, heading, line
from taskkit.knowledge.records import Document

_GONE = frozenset(["del", "moveFrom", "Fallback"])  # struck out, moved away, said once more for old programs
_SIGNS = {"tab": " ", "br": " ", "cr": " ", "noBreakHyphen": "-"}
_NOTES = {"footnotes": "footnote", "endnotes": "endnote"}


def read(path: Path) -> Document:
    with Archive(path, "Word") as archive:
        main = next(
            (target for kind, target in archive.relations("").values() if kind == "officeDocument"), "word/document.xml"
        )
        related = dict(archive.relations(main).values())
        styles = _Styles()
        if (named := related.get("styles", "")) in archive.names:
            archive.parse(named, styles)
        body = _Body(styles)
        archive.parse(main, body)
        for kind, element in _NOTES.items():
            if (named := related.get(kind, "")) in archive.names:
                body.notes = element
                archive.parse(named, body)
        return Document(path.name, body.blocks.text, body.title or archive.title(), format="markdown")


class _Styles:
    """Which styles are headings, and of what level; which are of lists; which is the title's."""

    def __init__(self) -> None:
        self._levels: dict[str, int] = {}
        self._above: dict[str, str] = {}
        self._lists: set[str] = set()
        self.titles: set[str] = set()
        self._id = ""

    def start(self, name: str, given: dict[str, str]) -> None:
        value = given.get("val", "")
        if name == "style":
            self._id = given.get("styleId", "")
        elif name == "basedOn":
            self._above[self._id] = value
        elif name == "outlineLvl" and value.isdecimal():
            self._levels[self._id] = int(value) + 1
        elif name == "numPr":
            self._lists.add(self._id)
        elif name == "name" and value.lower() == "title":
            self.titles.add(self._id)

    def end(self, name: str) -> None: ...
    def data(self, text: str) -> None: ...

    def _chain(self, style: str) -> list[str]:
        found: list[str] = []
        while style and style not in found:
            found.append(style)
            style = self._above.get(style, "")
        return found

    def level(self, style: str) -> int:
        """From 1; 0 or above 9 for what is no heading."""
        return next((self._levels[one] for one in self._chain(style) if one in self._levels), 0)

    def listed(self, style: str) -> bool:
        return not self._lists.isdisjoint(self._chain(style))


class _Paragraph:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.style = ""
        self.level = -1  # given by the paragraph itself
        self.depth = -1  # in a list


class _Body:
    def __init__(self, styles: _Styles) -> None:
        self.blocks = Blocks()
        self.title = ""
        self.notes = ""  # the element that is one note, in a part that holds notes
        self._styles = styles
        self._open: list[_Paragraph] = []  # a text box is a paragraph within one
        self._gone = 0
        self._takes = False
        self._run = self._unseen = False  # in a run, and one whose text is hidden
        self._note = ""

    def start(self, name: str, given: dict[str, str]) -> None:
        if self._gone or name in _GONE:
            self._gone += 1
        elif name == "t":
            self._takes = not self._unseen
        elif name in {"r", "vanish"}:
            self._veiled(name, given)
        elif name == "p":
            self._open.append(_Paragraph())
            self._open[-1].text.append(self._note)
            self._note = ""
        elif name in {"tbl", "tr", "tc"}:
            begin = {"tbl": self.blocks.begin_table, "tr": self.blocks.begin_row, "tc": self.blocks.begin_cell}
            begin[name]()
        elif name == "gridSpan" and given.get("val", "").isdecimal():
            self.blocks.widen(int(given["val"]))
        elif name == self.notes:
            self._note = f"[^{given.get('id', '')}]: " if "type" not in given else ""
        elif self._open:
            self._inside(self._open[-1], name, given)

    def _veiled(self, name: str, given: dict[str, str]) -> None:
        """What `vanish` says of a paragraph's mark says nothing of the text."""
        self._unseen = name == "vanish" and self._run and given.get("val", "true").lower() not in {"0", "false", "off"}
        self._run = self._run or name == "r"

    def _inside(self, paragraph: _Paragraph, name: str, given: dict[str, str]) -> None:
        value = given.get("val", "")
        if name in _SIGNS:
            paragraph.text.append(_SIGNS[name])
        elif name == "pStyle":
            paragraph.style = value
        elif name == "outlineLvl" and value.isdecimal():
            paragraph.level = int(value) + 1
        elif name == "numPr":
            paragraph.depth = max(paragraph.depth, 0)
        elif name == "ilvl" and value.isdecimal():
            paragraph.depth = min(int(value), 8)
        elif name in {"footnoteReference", "endnoteReference"}:
            paragraph.text.append(f"[^{given.get('id', '')}]")

    def end(self, name: str) -> None:
        self._takes = False
        if self._gone:
            self._gone -= 1
        elif name == "r":
            self._run = self._unseen = False
        elif name == "p" and self._open:
            self._ended(self._open.pop())
        elif name == "tbl":
            self.blocks.end_table()

    def data(self, text: str) -> None:
        if self._takes and self._open:
            self._open[-1].text.append(text)

    def _ended(self, paragraph: _Paragraph) -> None:
        text = "".join(paragraph.text)
        level = paragraph.level if paragraph.level >= 0 else self._styles.level(paragraph.style)
        if paragraph.style in self._styles.titles and not self.title:
            self.title = " ".join(text.split())
        if 0 < level <= 9 and not self.blocks.in_table:
            self.blocks.add(heading(level, text))
        elif (paragraph.depth >= 0 or self._styles.listed(paragraph.style)) and text.strip():
            self.blocks.add(f"{'  ' * max(paragraph.depth, 0)}- {line(text)}")
        else:
            self.blocks.add(line(text))
