"""PDF: the text of its pages; the bookmarks are its headings, found again among the lines of the page they lead to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskkit.errors import InputError
from taskkit.knowledge.readers.lines import heading, line, paged
from taskkit.knowledge.records import Document

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_DEEPEST = 6
# Operators that show something: an image or a form, a shading, a path that is filled or drawn, text of unknown letters.
_DRAWN = re.compile(rb"(?:^|[\s\])>])(?:Do|BI|sh|[fFBb]\*?|[Ss'\"]|T[jJ])(?=\s|$)")


def read(path: Path) -> Document:
    from pypdf import PdfReader, errors

    try:
        with PdfReader(path) as pdf:
            if pdf.is_encrypted and not pdf.decrypt(""):
                raise InputError("is encrypted")
            titles: dict[int, list[tuple[int, str]]] = {}
            for page, level, title in _bookmarks(pdf, pdf.outline, 1):
                titles.setdefault(page, []).append((level, title))
            pages = [page.extract_text() for page in pdf.pages]
            bare = [n for n, page in enumerate(pdf.pages) if not pages[n].strip() and _draws(page)]
            title = (pdf.metadata and pdf.metadata.title) or ""
    except errors.DependencyError:
        raise InputError("is encrypted; to try without a password, run: pip install 'taskkit[documents]'") from None
    except errors.PyPdfError as error:
        raise InputError(f"is no PDF, or a damaged one: {error}") from None
    if not any(map(str.strip, pages)):
        raise InputError("has no text: its pages are images, which need text recognition first")
    if titles:
        pages = [_headed(page, titles.get(number, [])) for number, page in enumerate(pages)]
    title = " ".join(str(title).split())
    return Document(path.name, paged(pages), title, format="markdown" if titles else "text", lacks=_lacks(bare))


def _draws(page: "PageObject") -> bool:
    """Whether there is anything on it: an empty page lacks nothing."""
    contents = page.get_contents()
    return contents is not None and bool(_DRAWN.search(contents.get_data()))


def _lacks(bare: list[int]) -> str:
    """Of pages, by their places from 0."""
    if not bare:
        return ""
    runs: list[list[int]] = []
    for page in bare:
        if runs and page == runs[-1][-1]:
            runs[-1][-1] += 1
        else:
            runs.append([page + 1, page + 1])
    told = ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)
    one = len(bare) == 1
    return f"page{'' if one else 's'} {told} {'has' if one else 'have'} no text: images need text recognition first"


def _bookmarks(pdf: "PdfReader", found: Any, level: int) -> Iterator[tuple[int, int, str]]:
    """Page, level and title of each; one that leads nowhere is left out."""
    for one in found:
        if isinstance(one, list):
            if level < _DEEPEST:
                yield from _bookmarks(pdf, one, level + 1)
            continue
        page = pdf.get_destination_page_number(one)
        title = " ".join(str(one.title or "").split())
        if page is not None and page >= 0 and title:
            yield page, level, title


def _headed(page: str, titles: list[tuple[int, str]]) -> str:
    """A title that is no line of its page is put at its top."""
    lines = [line(one) for one in page.splitlines()]
    at = 0
    for level, title in titles:
        wanted = _letters(title)
        place = next((n for n in range(at, len(lines)) if _letters(lines[n]).endswith(wanted) and
                      len(_letters(lines[n])) <= len(wanted) + 8), -1)  # fmt: skip
        if place < 0:
            lines.insert(at, heading(level, title) + "\n")
            at += 1
        else:
            lines[place] = f"\n{heading(level, lines[place])}\n"
            at = place + 1
    return "\n".join(lines)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
