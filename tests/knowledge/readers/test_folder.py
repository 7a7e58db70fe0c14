"""Two thousand files of every kind, good and bad, through the command line."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from taskkit.knowledge import KnowledgeBase
from taskkit.knowledge.records import Report

COUNT = 2_000
BAD = 50
CHEAP = ("md", "txt", "html", "rst", "py", "csv", "tsv", "json", "jsonl", "eml", "ipynb")


@pytest.fixture
def many(files: Path, makers: Any) -> Path:
    """Office files and PDFs are copies, for the most part: making one takes longer than reading it."""
    made = 0
    for kind in ("pdf", "docx", "pptx", "epub"):
        makers[kind](files / f"first.{kind}", f"The word of the {kind}.")
        for number in range(49):
            shutil.copy(files / f"first.{kind}", files / f"copy {number}.{kind}")
        made += 50
    for number in range(COUNT - BAD - made):
        folder = files / f"part {number % 7}" / "below"
        folder.mkdir(parents=True, exist_ok=True)
        kind = CHEAP[number % len(CHEAP)]
        makers[kind](folder / f"{number}.{kind}", f"This is what number {number} says.")
    for number in range(BAD):
        kind = ("pdf", "docx", "pptx", "epub", "md")[number % 5]
        (files / f"bad {number}.{kind}").write_bytes(b"\xff\xfe\0\xd8" + os.urandom(500) + b"\0\xd8")
    return files


def test_two_thousand_files_of_every_kind_with_progress(many: Path, makers: Any) -> None:
    told: list[tuple[int, int, str]] = []
    with KnowledgeBase("h.kb") as base:
        report = base.sync(many, progress=lambda done, total, name: told.append((done, total, name)))
        assert (report.added, len(report.skipped)) == (COUNT - BAD, BAD)
        assert all(one.file.startswith("bad ") and one.reason for one in report.skipped)
        done = [done for done, _, _ in told]
        assert done == sorted(done)  # once over the whole
        assert {total for _, total, _ in told} == {COUNT}
        assert len({name for _, _, name in told}) == COUNT + 1
        assert told[-1] == (COUNT, COUNT, "")
        for word in ("number 1234 says", "number 77 says", "word of the epub"):
            assert word in base.search(word, k=1)[0].passage.text
        assert base.verify() == []
        assert base.sync(many) == Report(unchanged=COUNT - BAD, skipped=report.skipped)


def test_the_command_line_tells_what_was_left_out(files: Path, makers: Any, run_taskkit: Any) -> None:
    makers["docx"](files / "good.docx", "Words.")
    (files / "bad.docx").write_bytes(b"no document")
    ran = run_taskkit("kb", "sync", str(files), "--knowledge", "h.kb")
    assert (ran.returncode, ran.stdout) == (1, "")
    first, last = ran.stderr.splitlines()
    assert first == "Skipped bad.docx: is no Word file, or a damaged one: File is not a zip file"
    assert last == "1 added, 1 skipped; 1 texts embedded"
    ran = run_taskkit("kb", "search", "words", "--json", "--knowledge", "h.kb")
    assert json.loads(ran.stdout)[0]["passage"]["line"] == 1


def test_scanned_pages_beside_pages_with_text_are_named(files: Path, makers: Any, run_taskkit: Any) -> None:
    from reportlab.pdfgen.canvas import Canvas

    made = Canvas(str(files / "mixed.pdf"))
    for text in ("First words.", "", "", "Harbour and copper.", "-", "", "Last words."):
        if text == "":
            made.drawInlineImage(Image.new("L", (8, 8)), 72, 72, 300, 300)
        elif text != "-":  # else an empty page
            made.drawString(72, 720, text)
        made.showPage()
    made.save()
    told = "pages 2-3, 6 have no text: images need text recognition first"
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
        assert (report.added, report.skipped) == (1, ())
        assert [(one.file, one.reason) for one in report.incomplete] == [("mixed.pdf", told)]
        assert "copper" in base.search("harbour", k=1)[0].passage.text
    ran = run_taskkit("kb", "sync", str(files), "--knowledge", "h.kb")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (0, f"Warning: mixed.pdf: {told}")
