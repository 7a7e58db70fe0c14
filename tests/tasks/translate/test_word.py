"""DOCX: what Word makes of a paragraph, and what a translation leaves of it."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from taskkit.errors import InputError
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import Opened, opened
from taskkit.testing import scripted

HEAD = (
    '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:m="urn:m" xmlns:wp="urn:wp"><w:body>'
)
TAIL = "<w:sectPr/></w:body></w:document>"
BOLD = "<w:rPr><w:b/></w:rPr>"


def run(text: str, looks: str = "") -> str:
    return f'<w:r>{looks}<w:t xml:space="preserve">{text}</w:t></w:r>'


def control(content: str) -> str:
    properties = '<w:sdtPr><w:alias w:val="Name"/><w:text/></w:sdtPr>'
    return f"<w:sdt>{properties}<w:sdtContent>{content}</w:sdtContent></w:sdt>"


GONE = '<w:del w:id="1"><w:r><w:delText>ten</w:delText></w:r></w:del>'
FORMULA = "<m:oMath><m:r><w:rPr/><m:t>E=mc</m:t></m:r></m:oMath>"
RUBY = (
    "<w:r><w:ruby><w:rt><w:r><w:t>aid</w:t></w:r></w:rt><w:rubyBase>" + run("the base") + "</w:rubyBase></w:ruby></w:r>"
)


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
        (run("It costs ") + GONE + '<w:ins w:id="2">' + run("twelve") + "</w:ins>" + run(" euros"),
         "It costs <x1/><a1>twelve</a1> euros", "<x1/><a1>Zwölf</a1> Euro kostet es",
         GONE + '<w:ins w:id="2">' + run("Zwölf") + "</w:ins>" + run(" Euro kostet es")),
        (run("Dear ") + control(run("friend")) + run(", hello"), "Dear <a1>friend</a1>, hello", "Hallo, <a1>Freund</a1>",
         run("Hallo, ") + control(run("Freund"))),
        (control(run("All of it")), "All of it", "Alles", control(run("Alles"))),
        ('<w:hyperlink w:anchor="t">' + run("the ") + '<w:ins w:id="3">' + run("new") + "</w:ins></w:hyperlink>" + run(" page"),
         "<a1>the <a2>new</a2></a1> page", "<a1>die <a2>neue</a2></a1> Seite",
         '<w:hyperlink w:anchor="t">' + run("die ") + '<w:ins w:id="3">' + run("neue") + "</w:ins></w:hyperlink>" + run(" Seite")),
        (run("Here ") + FORMULA + run(" is less."), "Here <x1/> is less.", "Weniger ist <x1/>.",
         run("Weniger ist ") + FORMULA + run(".")),
        ("<w:r><w:t>e</w:t><w:noBreakHyphen/><w:t>mail co</w:t><w:softHyphen/><w:t>op</w:t></w:r>", "e\u2011mail coop",
         "E\u2011Post", run("E\u2011Post")),
        (run("Read ") + RUBY + run(" now"), "Read the base now", "Lies", run("Lies")),
        ("<w:r><w:t><![CDATA[a < b]]> and<!-- no --> c</w:t></w:r>", "a < b and c", "c > b", run("c &gt; b")),
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


def test_a_text_in_one_run_with_a_box_or_with_a_border_of_a_field_is_translated(tmp_path: Path) -> None:
    box = f"<w:pict><w:txbxContent><w:p>{run('In the box')}</w:p></w:txbxContent></w:pict>"
    mixed = f"<w:r>{BOLD}<w:t>Before it</w:t>{box}<w:t>and after</w:t></w:r>"
    source = document(tmp_path, f"<w:p>{mixed}</w:p>")
    assert [one.text for one in source.segments] == ["Before it", "In the box", "and after"]
    inner = f"<w:r>{BOLD}{box.replace('In the box', 'Drin')}</w:r>"
    assert body(source, "Davor", "Drin", "danach") == f"<w:p>{run('Davor', BOLD)}{inner}{run('danach', BOLD)}</w:p>"
    ended = border("end").replace("</w:r>", "<w:t> is said</w:t></w:r>")
    source = document(tmp_path, f"<w:p>{field('PAGE', run('3')).removesuffix(border('end'))}{ended}</w:p>")
    assert [one.text for one in source.segments] == ["is said"]


def test_what_pictures_say_is_translated_with_the_text_that_they_stand_in(tmp_path: Path) -> None:
    def picture(descr: str) -> str:
        inline = f'<wp:inline><wp:docPr id="1" name="Picture 1" descr="{descr}"/></wp:inline>'
        return f"<w:r><w:drawing>{inline}</w:drawing></w:r>"

    both = f"<w:p>{run('See ')}{picture('a &quot;red&quot; boat')}{run(' there')}</w:p><w:p>{picture('alone')}</w:p>"
    source = document(tmp_path, both)
    assert [one.text for one in source.segments] == ["See <x1/> there", 'a "red" boat', "alone"]
    made = body(source, "<x1/>: da", 'ein "rotes" & Boot', "allein")
    one, other = picture("ein &quot;rotes&quot; &amp; Boot"), picture("allein")
    assert made == f"<w:p>{one}{run(': da')}</w:p><w:p>{other}</w:p>"


def test_comments_are_translated_and_what_a_chart_says_is_told(tmp_path: Path) -> None:
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
    parts = {
        "word/document.xml": HEAD + f"<w:p>{run('The text')}</w:p>" + TAIL,
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{relations}">'
        f'<Relationship Id="r1" Type="{kind}" Target="comments.xml"/></Relationships>',
        "word/comments.xml": HEAD + f"<w:comment><w:p>{run('My remark')}</w:p></w:comment>" + TAIL,
        "word/charts/chart1.xml": '<c:chart xmlns:c="c" xmlns:a="a"><a:t>Sales</a:t></c:chart>',
        "word/charts/chart2.xml": '<c:chart xmlns:c="c"><c:v>12.5</c:v></c:chart>',
    }
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    said = {"1": "Der Text", "2": "Meine Bemerkung"}
    model = {"items": [{"id": key, "translation": text} for key, text in said.items()]}
    done = scripted(model).run(Translate(tmp_path / "a.docx", to="de", from_="en"))
    assert [one.target for one in done.segments] == ["Der Text", "Meine Bemerkung"]
    (told,) = [one for one in done.warnings if one.code == "unread"]
    assert "a chart" in told.message


def test_boxes_without_end_are_refused(tmp_path: Path) -> None:
    deep = "<w:p><w:r><w:t>x</w:t><w:pict>" * 500 + "</w:pict></w:r></w:p>" * 500
    with pytest.raises(InputError, match="nested more than"):
        document(tmp_path, deep)


def border(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def field(code: str, result: str) -> str:
    told = f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
    return f"{border('begin')}{told}{border('separate')}{result}{border('end')}"


PAGE = field("PAGEREF _Toc1 \\h", run("7"))
IN_ONE = '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:fldChar w:fldCharType="end"/></w:r>'
SIMPLE = f'<w:fldSimple w:instr=" SEQ Figure ">{run("3")}</w:fldSimple>'


@pytest.mark.parametrize(
    ("paragraph", "text", "target", "made"),
    [
        (run("See page ") + PAGE + run(" of it."), "See page <x1/> of it.", "Siehe Seite <x1/> davon.",
         run("Siehe Seite ") + PAGE + run(" davon.")),
        (run("Page ") + IN_ONE + run(" ends"), "Page <x1/> ends", "<x1/>: Ende", IN_ONE + run(": Ende")),
        (run("Figure ") + SIMPLE + run(": a boat"), "Figure <x1/>: a boat", "Bild <x1/>: Boot",
         run("Bild ") + SIMPLE + run(": Boot")),
        (run("Read ") + field('HYPERLINK "https://a.example"', run("our rules", BOLD)) + run(" first"),
         "Read <a1>our rules</a1> first", "Erst <a1>Regeln</a1> lesen",
         run("Erst ") + field('HYPERLINK "https://a.example"', run("Regeln", BOLD)) + run(" lesen")),
        (run("As ") + field("REF x", run("said in ") + PAGE + run(" here")) + run(" there"),
         "As <a1>said in <x1/> here</a1> there", "Wie <a1>hier <x1/></a1>",
         run("Wie ") + field("REF x", run("hier ") + PAGE)),
        (run("Dear ") + field("MERGEFIELD Name", run("«Name»")) + run(", hello"), "Dear <x1/>, hello", "Hallo <x1/>",
         run("Hallo ") + field("MERGEFIELD Name", run("«Name»"))),
        ('<w:fldSimple w:instr="REF y">' + run("the part") + "</w:fldSimple>" + run(" says so now"),
         "<a1>the part</a1> says so now", "So steht es <a1>dort</a1>",
         run("So steht es ") + '<w:fldSimple w:instr="REF y">' + run("dort") + "</w:fldSimple>"),
    ],
)  # fmt: skip
def test_a_field_does_not_cut_its_sentence(tmp_path: Path, paragraph: str, text: str, target: str, made: str) -> None:
    source = document(tmp_path, f"<w:p>{paragraph}</w:p>")
    assert [one.text for one in source.segments] == [text]
    assert body(source, target) == f"<w:p>{made}</w:p>"


def test_a_field_over_paragraphs_stays_as_it_is(tmp_path: Path) -> None:
    start = border("begin") + "<w:r><w:instrText>TOC</w:instrText></w:r>" + border("separate")
    one = f"<w:p>{start}{run('The first part ')}{PAGE}</w:p>"
    other = f"<w:p>{run('The second part ')}{PAGE}</w:p><w:p>{border('end')}</w:p>"
    source = document(tmp_path, one + other)
    assert [each.text for each in source.segments] == ["The first part", "The second part"]
    wanted = (one + other).replace("The first part", "Der erste").replace("The second part", "Der zweite")
    assert body(source, "Der erste", "Der zweite") == wanted


def test_an_entry_of_a_table_of_contents_is_one_text(tmp_path: Path) -> None:
    tab = "<w:r><w:tab/></w:r>"
    link = f'<w:hyperlink w:anchor="_Toc1">{run("The first part")}{tab}{PAGE}</w:hyperlink>'
    source = document(tmp_path, f"<w:p>{link}</w:p>")
    assert [one.text for one in source.segments] == ["The first part"]
    made = body(source, "Der erste Teil")
    assert made == f"<w:p>{link}</w:p>".replace("The first part", "Der erste Teil")


def test_an_earlier_translation_is_kept_by_its_former_source(tmp_path: Path) -> None:
    def at(name: str, *paragraphs: str) -> Path:
        (tmp_path / name).mkdir()
        return Path(document(tmp_path / name, "".join(f"<w:p>{one}</w:p>" for one in paragraphs)).name)

    link = '<w:hyperlink w:anchor="t">{}</w:hyperlink>'.format
    old = at("old", run("Go ") + link(run("home")) + run(" now"), run("A word"))
    hand = at("hand", link(run("Heim")) + run(" mit dir"), run("Ein Wort"))
    new = at("new", run("A new text"), run("Go ") + link(run("home")) + run(" now"), run("A word"))
    engine = scripted("Neu hier")
    done = engine.run(Translate(new, to="de", from_="en", update=hand, was=old))
    assert [one.target for one in done.segments] == ["Neu hier", "<a1>Heim</a1> mit dir", "Ein Wort"]
    assert [one.status for one in done.segments] == ["translated", "earlier", "earlier"]


def test_a_field_that_a_translation_loses_is_kept(tmp_path: Path) -> None:
    source = document(tmp_path, f"<w:p>{run('See page ')}{PAGE}{run(' of it.')}</w:p>")
    (one,) = source.segments
    written = source.written({one: "Siehe dort."})
    assert "w:fldChar" in written.kept[one].message
    assert written.data == source.data


@pytest.mark.parametrize("prefix", ["ns0", "W"])
def test_the_prefix_of_the_namespace_makes_no_difference(tmp_path: Path, prefix: str) -> None:
    paragraphs = (
        f"<w:p>{run('A ')}{run('bold', BOLD)}{run(' word w:r, &lt;w:r>')}</w:p><w:p>{PAGE}{run(' or so')}</w:p>"
    )

    def renamed(xml: str) -> str:
        return re.sub(r"<[^<>]*>", lambda tag: re.sub(r"(?<=[</\s:])w(?=[:=])", prefix, tag[0]), xml)

    whole = HEAD + paragraphs + TAIL
    other = renamed(whole)
    for name, xml in {"a.docx": whole, "b.docx": other}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr("word/document.xml", xml)
    one, two = opened(tmp_path / "a.docx"), opened(tmp_path / "b.docx")
    assert [each.text for each in one.segments] == [each.text for each in two.segments]
    assert len(one.segments) == 2
    same = two.written({each: each.text for each in two.segments})
    assert same.data == (tmp_path / "b.docx").read_bytes()
    written = [source.written({source.segments[0]: "Ein <r1>fettes</r1> Wort"}) for source in (one, two)]
    xml, theirs = (zipfile.ZipFile(io.BytesIO(each.data)).read("word/document.xml").decode() for each in written)
    assert theirs == renamed(xml)
    assert "fettes" in theirs


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
