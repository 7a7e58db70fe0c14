"""Every kind of file, found by its words again, under its title path and at its place."""

from pathlib import Path
from typing import Any

import pytest

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.read import documents, find
from taskkit.knowledge.records import Skipped

PATHS = {
    "md": ("Start", "Costs"), "html": ("The report", "Start", "Costs"), "rst": ("Start", "Costs"), "pdf": ("The report", "Costs"),
    "docx": ("The report", "Start", "Costs"), "pptx": ("The report", "Costs"), "epub": ("The report", "Costs"),
    "eml": ("The report",), "ipynb": ("The report", "Start", "Costs"), "json": ("costs", "said"),
}  # fmt: skip
LINES = {"md": 7, "txt": 5, "rst": 9, "py": 5, "json": 1, "jsonl": 2, "tsv": 3, "csv": 4}
WORDS = "Zebras cost twelve crowns each in Oslo."


def only(path: Path) -> Any:
    (found,) = documents(find(path))
    assert isinstance(found[0], Document), found[0]
    return found[0]


@pytest.mark.parametrize("kind", [
    "md", "txt", "html", "rst", "py", "csv", "tsv", "json", "jsonl", "pdf", "docx", "pptx", "epub", "eml", "ipynb",
])  # fmt: skip
def test_each_kind_is_found_with_its_place(kind: str, files: Path, makers: Any) -> None:
    makers[kind](files / f"report.{kind}", WORDS)
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
        assert (report.added, report.skipped) == (1, ())
        passages = base.passages(f"report.{kind}")
        text = only(files).text
        assert all(text[one.start : one.end] == one.text for one in passages)
        assert any("first" in one.text.lower() or kind == "py" for one in passages)
        best = base.search("zebras crowns", k=1)[0].passage
        assert WORDS in best.text
        assert base.sync(files).unchanged == 1
    # The passage holds the whole small document: where the words themselves stand is told by cutting it small.
    from taskkit.knowledge.pieces import pieces

    last = [one for one in pieces(only(files), 12) if "Zebras" in one.text][-1]
    if kind in PATHS:
        assert tuple(last.context.split("\n")[0].split(" > ")) == PATHS[kind]
    assert last.page == (2 if kind in {"pdf", "pptx", "epub"} else 0)
    if kind in LINES:
        assert text.split("\n")[last.line - 1].find("Zebras") >= 0 or last.line == LINES[kind] - 1


def test_word_tables_lists_and_awkward_paragraphs(files: Path, makers: Any) -> None:
    import docx as library

    makers["docx"](files / "a.docx", "Words.")
    text = only(files / "a.docx").text
    assert "| Item | Price |\n| --- | --- |\n| Desk | 4\\|5 |" in text
    assert "\n- An item\n" in text
    made = library.Document()
    made.add_heading("The plan", 0)
    for one in ("# no heading", "```", "| no table", "---", "Words after all."):
        made.add_paragraph(one)
    table = made.add_table(1, 1)
    table.cell(0, 0).text = "outer"
    table.cell(0, 0).add_table(1, 2).cell(0, 1).text = "inner"
    made.save(str(files / "b.docx"))
    found = only(files / "b.docx")
    assert found.title == "The plan"
    from taskkit.knowledge.pieces import pieces

    (piece,) = pieces(found)
    assert piece.headings == ()
    assert "inner" in piece.text


def test_slides_bring_tables_and_notes(files: Path, makers: Any) -> None:
    makers["pptx"](files / "a.pptx", "Words.")
    text = only(files / "a.pptx").text
    assert "| Item | Price |\n| --- | --- |\n| Desk | 45 |" in text
    assert "Notes: Say it slowly." in text
    assert text.count("\f") == 2


def test_a_notebook_keeps_its_code_and_prints_but_no_images(files: Path, makers: Any) -> None:
    makers["ipynb"](files / "a.ipynb", "Words.")
    text = only(files / "a.ipynb").text
    assert "```python\nprint(6 * 7)\n```\n\n```\n42\n```" in text
    assert "iVBOR" not in text


def test_mail_with_messages_and_files_in_it(files: Path, makers: Any) -> None:
    from email import message_from_bytes, policy

    makers["eml"](files / "inner.eml", "Inner words.")
    makers["docx"](files / "plan.docx", "Planned words.")
    makers["eml"](files / "outer.eml", "Outer words.")
    outer: Any = message_from_bytes((files / "outer.eml").read_bytes(), policy=policy.default)
    inner: Any = message_from_bytes((files / "inner.eml").read_bytes(), policy=policy.default)
    inner.replace_header("Subject", "The inner one")
    outer.add_attachment(inner)
    outer.add_attachment(
        (files / "plan.docx").read_bytes(), maintype="application", subtype="octet-stream", filename="plan.docx"
    )
    outer.add_attachment(b"\0\1", maintype="application", subtype="x-thing", filename="../../thing.bin")
    outer.add_attachment(b"PK\3\4broken", maintype="application", subtype="zip", filename="bad.docx")
    outer.add_attachment("a,b\n1,2\n", filename="rows.csv")
    (files / "outer.eml").write_bytes(bytes(outer))
    found = only(files / "outer.eml")
    assert found.title == "The report"
    assert found.metadata["from"] == "Ann <ann@example.org>"
    assert found.metadata["date"].startswith("2026-03-03")
    for words in ("Outer words.", "# The inner one", "Inner words.", "# plan.docx", "Planned words.", "a,b\n1,2",
                  "(not read: ../../thing.bin is application/x-thing)", "(not read: bad.docx is no Word file"):  # fmt: skip
        assert words in found.text, words
    assert "Not this form" not in found.text
    assert found.lacks.startswith("not read: bad.docx is no Word file")
    assert "thing.bin" not in found.lacks  # nobody expects that to be read


def test_a_message_in_a_message_without_end(files: Path) -> None:
    from email.message import EmailMessage

    message = EmailMessage()
    message["Subject"] = "The last"
    message.set_content("Deep words.")
    for number in range(40):
        outer = EmailMessage()
        outer["Subject"] = f"Number {number}"
        outer.set_content("Words.")
        outer.add_attachment(message)
        message = outer
    (files / "deep.eml").write_bytes(bytes(message))
    text = only(files / "deep.eml").text
    assert "too deep" in text
    assert "Deep words." not in text


def test_declared_encodings_hold_and_others_are_told(files: Path) -> None:
    (files / "a.html").write_bytes('<meta charset="iso-8859-1"><p>Café</p>'.encode("latin-1"))
    (files / "b.html").write_bytes("<p>Café</p>".encode("latin-1"))
    (files / "c.txt").write_bytes("Café".encode("utf-16"))
    (files / "d.txt").write_bytes("Café".encode("latin-1"))
    (files / "e.txt").write_bytes("Café".encode("utf-16-le"))
    found: dict[str, Any] = {
        one.file if isinstance(one, Skipped) else one.name: one for one, _ in documents(find(files))
    }
    assert found["a.html"].text.strip() == "Café"
    assert found["c.txt"].text == "Café"
    assert "not UTF-8: byte 6" in found["b.html"].reason
    assert "not UTF-8: byte 3" in found["d.txt"].reason
    assert "UTF-8" in found["e.txt"].reason or "binary" in found["e.txt"].reason


@pytest.mark.parametrize(
    ("said", "is_in", "text"),
    [
        ("iso-8859-1", "cp1252", "“Café” – 5 €"), ("gb2312", "gbk", "朱镕基"), ("shift_jis", "cp932", "①番の経費"),
        ("x-sjis", "cp932", "経費"), ("euc-kr", "cp949", "똠방각하"), ("iso-8859-8-i", "iso-8859-8", "שלום"),
        ("windows-1251", "cp1251", "Привет"), ("big5", "big5", "經費"), ("iso-8859-1", "latin-1", "a\x81é"),
    ],
)  # fmt: skip
def test_character_sets_are_what_browsers_and_mail_programs_mean(said: str, is_in: str, text: str, files: Path) -> None:
    (files / "a.html").write_bytes(f'<meta charset="{said}"><p>{text}</p>'.encode(is_in))
    head = f"From: a@example.org\nContent-Type: text/plain; charset={said}\nContent-Transfer-Encoding: 8bit\n\n"
    (files / "a.eml").write_bytes(head.encode() + text.encode(is_in))
    assert only(files / "a.html").text.strip() == text
    found = only(files / "a.eml")
    assert found.text.endswith(text)
    assert found.lacks == ""


def test_a_mail_whose_text_is_lost_says_so(files: Path) -> None:
    head = b"From: a@example.org\nSubject: Hours\nContent-Type: text/plain; charset=%s\n\n"
    for number, charset in enumerate((b"utf-8", b"undefined", b"hex", b"x-nobody-knows")):
        (files / f"{number}.eml").write_bytes(head % charset + b"caf\xe9")
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
    assert report.added == 4
    assert [one.file for one in report.incomplete] == [f"{number}.eml" for number in range(4)]
    assert report.incomplete[0].reason == "not read: a text that is not utf-8"
