"""PowerPoint: a slide is a page, its title a heading; tables become rows, the speaker's notes follow their slide."""

from pathlib import Path

from taskkit.knowledge.readers.archive import Archive, attributes
from taskkit.knowledge.readers.lines import Blocks, heading, line, paged
from taskkit.knowledge.records import Document

_TITLES = frozenset(["title", "ctrTitle"])
_FURNITURE = frozenset(["sldNum", "ftr", "dt", "hdr", "sldImg"])


def read(path: Path) -> Document:
    with Archive(path, "PowerPoint") as archive:
        main = next(
            (target for kind, target in archive.relations("").values() if kind == "officeDocument"),
            "ppt/presentation.xml",
        )
        related = archive.relations(main)
        wanted = [related.get(one.get("r:id", ""), ("", ""))[1] for one in attributes(archive, main, "sldId")]
        slides = [_slide(archive, part) for part in wanted if part in archive.names]
        return Document(path.name, paged(slides), archive.title(), format="markdown")


def _slide(archive: Archive, part: str) -> str:
    slide = _Shapes()
    archive.parse(part, slide)
    blocks = [heading(1, slide.title), slide.blocks.text]
    for kind, target in archive.relations(part).values():
        if kind == "notesSlide" and target in archive.names:
            notes = _Shapes()
            archive.parse(target, notes)
            said = " ".join(" ".join(notes.blocks.text.split("\n- ")).removeprefix("- ").split())
            blocks.append(f"Notes: {said}" if said else "")
    return "\n\n".join(filter(None, blocks))


class _Shapes:
    def __init__(self) -> None:
        self.blocks = Blocks()
        self.title = ""
        self._kind = "box"  # of the shape at hand: its placeholder's, "box" for one that is none
        self._text: list[str] | None = None  # of the paragraph at hand
        self._level = 0
        self._takes = False

    def start(self, name: str, given: dict[str, str]) -> None:  # noqa: C901
        if name == "sp":
            self._kind = "box"
        elif name == "ph":
            self._kind = given.get("type", "body")
        elif name == "p":
            self._text, self._level = [], 0
        elif name == "pPr" and given.get("lvl", "").isdecimal():
            self._level = min(int(given["lvl"]), 8)
        elif name == "t":
            self._takes = True
        elif name in {"br", "tab"} and self._text is not None:
            self._text.append(" ")
        elif name == "tbl":
            self.blocks.begin_table()
        elif name == "tr":
            self.blocks.begin_row()
        elif name == "tc":
            self.blocks.begin_cell()
            if given.get("gridSpan", "").isdecimal():
                self.blocks.widen(int(given["gridSpan"]))

    def end(self, name: str) -> None:
        self._takes = False
        if name == "p" and self._text is not None:
            self._ended("".join(self._text))
            self._text = None
        elif name == "sp":
            self._kind = "box"
        elif name == "tbl":
            self.blocks.end_table()

    def data(self, text: str) -> None:
        if self._takes and self._text is not None:
            self._text.append(text)

    def _ended(self, text: str) -> None:
        if self._kind in _FURNITURE or not text.strip():
            return
        if self._kind in _TITLES:
            self.title = f"{self.title} {text}".strip()
        elif self._kind == "box" or self.blocks.in_table:
            self.blocks.add(line(text))
        else:
            self.blocks.add(f"{'  ' * self._level}- {line(text)}")
