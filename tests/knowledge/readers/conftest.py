"""Real files of every kind, made here, each with a title, two headings or pages, and words of one's own."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

Maker = Callable[[Path, str], object]

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The report</dc:title></metadata>
<manifest><item id="b" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
PAGE = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>"""


def zipped(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def epub(path: Path, words: str, **parts: str) -> Path:
    return zipped(
        path,
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": PACKAGE,
            "OEBPS/text/one.xhtml": PAGE.format("<h1>Start</h1><p>First.</p>"),
            "OEBPS/text/two b.xhtml": PAGE.format(f"<h1>Costs</h1><p>{words}</p>"),
            **parts,
        },
    )


def docx(path: Path, words: str) -> None:
    import docx as library

    made = library.Document()
    made.core_properties.title = "The report"
    made.add_heading("Start", 1)
    made.add_paragraph("First.")
    made.add_heading("Costs", 2)
    made.add_paragraph(words)
    made.add_paragraph("An item", style="List Bullet")
    table = made.add_table(2, 2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ("Item", "Price", "Desk", "4|5"), strict=True):  # fmt: skip
        cell.text = text
    made.save(str(path))


def pptx(path: Path, words: str) -> None:
    import pptx as library
    from pptx.util import Inches

    made: Any = library.Presentation()
    made.core_properties.title = "The report"
    for title, text in (("Start", "First."), ("Costs", words)):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for (row, column), text in {(0, 0): "Item", (0, 1): "Price", (1, 0): "Desk", (1, 1): "45"}.items():
        table.cell(row, column).text = text
    made.save(str(path))


def pdf(path: Path, words: str, *, encrypt: object = None, outline: bool = True) -> None:
    from reportlab.pdfgen.canvas import Canvas

    made = Canvas(str(path), encrypt=encrypt)
    made.setTitle("The report")
    for title, text in (("Start", "First."), ("Costs", words)):
        if outline:
            made.bookmarkPage(title)
            made.addOutlineEntry(title, title)
        for number, one in enumerate((title, *text.split("\n"))):
            made.drawString(72, 720 - 20 * number, one)
        made.showPage()
    made.save()


def eml(path: Path, words: str) -> None:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "The report", "Ann <ann@example.org>", "bob@example.org"
    made["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
    made.set_content(f"First.\n\n{words}\n\n-- \nAnn\n")
    made.add_alternative("<p>Not this form.</p>", subtype="html")
    path.write_bytes(bytes(made))


def ipynb(path: Path, words: str) -> None:
    image = {
        "output_type": "display_data",
        "data": {"image/png": "iVBORw0KGgo" * 100, "text/plain": "<Figure>"},
        "metadata": {},
    }
    printed = {"output_type": "stream", "name": "stdout", "text": ["42\n"]}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Start\n", "\n", "First."]},
        {"cell_type": "markdown", "metadata": {}, "source": f"## Costs\n\n{words}"},
        {
            "cell_type": "code",
            "metadata": {},
            "source": "print(6 * 7)",
            "outputs": [printed, image],
            "execution_count": 1,
        },
    ]
    about = {"language_info": {"name": "python"}, "title": "The report"}
    path.write_text(json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}))


def plain(text: str) -> Maker:
    return lambda path, words: path.write_text(text.replace("@", words), encoding="utf-8")


MAKERS: dict[str, Maker] = {
    "md": plain("# Start\n\nFirst.\n\n## Costs\n\n@\n"),
    "txt": plain("Start\n\nFirst.\n\n@\n"),
    "html": plain("<title>The report</title><h1>Start</h1><p>First.</p><h2>Costs</h2><p>@</p>"),
    "rst": plain("Start\n=====\n\nFirst.\n\nCosts\n-----\n\n@\n"),
    "py": plain('"""Start."""\n\n\ndef costs() -> str:\n    return "@"\n'),
    "csv": plain('name,said\nfirst,"one\ntwo"\ncosts,"@"\n'),
    "tsv": plain("name\tsaid\nfirst\tone\ncosts\t@\n"),
    "json": plain('{"start": ["First."], "costs": {"said": "@"}}'),
    "jsonl": plain('{"start": "First."}\n{"costs": "@"}\n'),
    "pdf": pdf,
    "docx": docx,
    "pptx": pptx,
    "epub": epub,
    "eml": eml,
    "ipynb": ipynb,
}


@pytest.fixture(scope="session")
def makers() -> dict[str, Maker]:
    return MAKERS


@pytest.fixture
def files(tmp_path: Path) -> Path:
    there = tmp_path / "files"
    there.mkdir()
    return there


@pytest.fixture
def run_taskkit() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The command line, in a process of its own."""

    def run(*argv: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "taskkit", *argv],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
