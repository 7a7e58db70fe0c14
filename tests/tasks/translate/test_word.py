"""DOCX: what Word makes of a paragraph, and what a translation leaves of it."""

import io
import zipfile
from pathlib import Path

import pytest

from taskkit.tasks.translate.formats import Opened, opened

HEAD = (
    '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
)
TAIL = "<w:sectPr/></w:body></w:document>"
BOLD = "<w:rPr><w:b/></w:rPr>"


def run(text: str, looks: str = "") -> str:
    return f'<w:r>{looks}<w:t xml:space="preserve">{text}</w:t></w:r>'


def document(folder: Path, body: str) -> Opened:
    path = folder / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(zipfile.ZipInfo("word/media/image1.png", (2001, 2, 3, 4, 5, 6)), b"\x89PNG\0")
        made.writestr("word/document.xml", HEAD + body + TAIL)
    source = opened(path)
    assert source.written({one: one.text for one in source.segments}).data == path.read_bytes()
    return source


def body(source: Opened, *targets: str) -> str:
    written = source.written(dict(zip(source.segments, targets, strict=True)))
    assert not written.kept
    with zipfile.ZipFile(io.BytesIO(written.data)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.date_time) == ("word/media/image1.png", (2001, 2, 3, 4, 5, 6))
        assert archive.read(first) == b"\x89PNG\0"
        return archive.read("word/document.xml").decode().removeprefix(HEAD).removesuffix(TAIL)


@pytest.mark.parametrize(
    ("paragraph", "text", "target", "made"),
    [
        (run("Hel") + '<w:proofErr w:type="x"/>' + run("lo &amp; bye"), "Hello & bye", "Ciao < x", run("Ciao &lt; x")),
        (run("A ") + run("bold", BOLD) + run(" word"), "A <r1>bold</r1> word", "<r1>Fett</r1>: x",
         run("Fett", BOLD) + run(": x")),
        (run("All bold", BOLD), "All bold", "Alles", run("Alles", BOLD)),
        (run("See note") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" here"), "See note<x1/> here",
         "Siehe<x1/> dort", run("Siehe") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" dort")),
        ('<w:hyperlink w:anchor="t">' + run("Go") + "</w:hyperlink>" + run(" on now, friend"), "<a1>Go</a1> on now, friend",
         "Nun <a1>los</a1>", run("Nun ") + '<w:hyperlink w:anchor="t">' + run("los") + "</w:hyperlink>"),
        (run(" edge ") + '<w:bookmarkEnd w:id="1"/>', "edge", "Rand", run(" Rand ") + '<w:bookmarkEnd w:id="1"/>'),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b c</w:t></w:r>", "a<x1/>b c", "d<x1/>e", run("d") + "<w:r><w:tab/></w:r>" + run("e")),
        ('<w:ins w:id="1">' + run("added text") + "</w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>", "added text",
         "neu", '<w:ins w:id="1">' + run("neu") + "</w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"),
    ],
)  # fmt: skip
def test_paragraphs(tmp_path: Path, paragraph: str, text: str, target: str, made: str) -> None:
    source = document(tmp_path, f"<w:p>{paragraph}</w:p>")
    assert [one.text for one in source.segments] == [text]
    assert body(source, target) == f"<w:p>{made}</w:p>"


def test_a_text_box_is_translated_by_itself(tmp_path: Path) -> None:
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run('In the box')}</w:p></w:txbxContent></w:pict></w:r>"
    source = document(tmp_path, f"<w:p>{run('Before it ')}{box}{run('and after')}</w:p><w:p/>")
    assert [one.text for one in source.segments] == ["Before it", "In the box", "and after"]
    made = body(source, "Davor", "Drin", "danach")
    assert made == f"<w:p>{run('Davor ')}{box.replace('In the box', 'Drin')}{run('danach')}</w:p><w:p/>"


def test_a_field_stays_a_field(tmp_path: Path) -> None:
    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>PAGE</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + run("7") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    source = document(tmp_path, f"<w:p>{run('Page ')}{field}{run(' of the book')}</w:p>")
    made = body(source, "Seite", "7", "des Buches")
    assert made == f"<w:p>{run('Seite ')}{field}{run(' des Buches')}</w:p>"


def test_headings_are_the_path_of_what_follows(tmp_path: Path) -> None:
    style = '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
    source = document(tmp_path, f"<w:p>{style}{run('The title')}</w:p><w:p>{run('The text')}</w:p>")
    assert [(one.kind, one.context) for one in source.segments] == [("heading", ()), ("paragraph", ("The title",))]


def test_marks_that_do_not_nest_leave_the_source(tmp_path: Path) -> None:
    source = document(tmp_path, f"<w:p>{run('A ')}{run('bold', BOLD)}{run(' word')}</w:p>")
    (one,) = source.segments
    written = source.written({one: "Ein </r1>fettes<r1> Wort"})
    assert "</r1>" in written.kept[one].message
    assert written.data == source.data
