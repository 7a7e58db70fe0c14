"""Markdown, written so that a text stays a text: what readers lay down line by line."""

import re
from collections.abc import Iterable, Sequence

PAGE = "\n\f\n"  # between pages, and after the last one
_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"[ \t>]*(#{1,6}(?=\s|\Z)|`{3}|~{3}|\||(?:=+|-+)\s*\Z)")


def line(text: str) -> str:
    """In one line, which Markdown takes for nothing but text."""
    text = _SPACE.sub(" ", text).strip()
    mark = _MARK.match(text)
    return f"{text[: mark.start(1)]}\\{text[mark.start(1) :]}" if mark else text


def heading(level: int, text: str) -> str:
    text = _SPACE.sub(" ", text).strip()
    return f"{'#' * min(max(level, 1), 6)} {text}" if text else ""


def fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """The first row is its head."""
    kept = [[_SPACE.sub(" ", cell).strip().replace("|", "\\|") for cell in row] for row in rows]
    kept = [row for row in kept if any(row)]
    if not kept:
        return ""
    head, *body = (f"| {' | '.join(row)} |" for row in kept)
    return "\n".join([head, "|" + " --- |" * len(kept[0]), *body])


def paged(pages: Iterable[str]) -> str:
    """A form feed in a page's own text would be taken for its end."""
    return "".join(page.replace("\f", " ").strip("\n") + PAGE for page in pages)


class Blocks:
    """Paragraphs and tables in the order in which a file's elements come. A table in a cell is part of its text."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._tables: list[list[list[list[str]]]] = []  # those that are open: rows of cells of blocks
        self._wider = 0

    @property
    def text(self) -> str:
        return "\n\n".join(self.out)

    @property
    def in_table(self) -> bool:
        return bool(self._tables)

    def add(self, block: str) -> None:
        if not block.strip():
            return
        if self._tables and self._tables[-1] and self._tables[-1][-1]:
            self._tables[-1][-1][-1].append(block)
        elif block.lstrip().startswith("- ") and self.out and self.out[-1].lstrip().startswith("- "):
            self.out[-1] += "\n" + block
        else:
            self.out.append(block)

    def begin_table(self) -> None:
        self._tables.append([])

    def begin_row(self) -> None:
        self._wider = 0
        if self._tables:
            self._tables[-1].append([])

    def begin_cell(self) -> None:
        if self._tables and self._tables[-1]:
            row = self._tables[-1][-1]
            row += [[] for _ in range(self._wider)]
            self._wider = 0
            row.append([])

    def widen(self, columns: int) -> None:
        """The cell at hand spans so many: the others stay empty, so that the columns below keep their places."""
        self._wider = min(max(columns, 1), 100) - 1

    def end_table(self) -> None:
        if not self._tables:
            return
        rows = [[" ".join(cell) for cell in row] for row in self._tables.pop()]
        self._wider = 0
        self.add("; ".join(", ".join(filter(None, row)) for row in rows) if self._tables else table(rows))
