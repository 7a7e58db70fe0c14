"""What a page or a document itself hides from its readers is no part of its text."""

from pathlib import Path

import pytest

from taskkit.knowledge.readers import read
from taskkit.knowledge.readers.markup import readable


@pytest.mark.parametrize(
    "html",
    [
        "<p>Seen.</p><p hidden>Never.</p><p>Also seen.</p>",
        "<p>Seen.</p><div style='color:red; display : none !important'><p>Never.</p><div>Never.</div></div><p>Also seen.</p>",
        "<p>Seen.</p><span style='visibility:hidden'>Never.<br>Never.</span><p>Also seen.</p>",
        "<p>Seen.<p hidden>Never.<p>Also seen.",
        "<div>Seen.<p hidden>Never.</div>Also seen.",
        "<ul><li>Seen.<li hidden>Never.<ul><li>Never.</li></ul><li>Also seen.</ul>",
        "<ul><li>Seen.</li><li hidden>Never.</ul><p>Also seen.</p>",
        "<p>Seen.</p><img hidden src=a><input style='display:none'>Also seen.",
        "<p>Seen.</p><section hidden><p>Never.<p>Never.<table><tr><td>Never.<td>Never.</table></section>Also seen.",
        "<table><tr><td>Seen.<td hidden>Never.<td>Also seen.</table>",
        "<table><tr><td>Seen.<tr hidden><td>Never.<td>Never.<tr><td>Also seen.</table>",
        "<p>Seen.</p><div hidden><script>'Never.'</script></div>Also seen.",
        "<p style='display:block'>Seen.</p><div hidden='until-found'>Also seen.</div>",
        "<p>Seen.</p><div hidden>Never.</div hidden>Also seen.",
        "<body style='visibility:hidden'>Seen. Also seen.</body>",  # until its script has run
    ],
)
def test_what_a_page_hides_is_left_out(html: str) -> None:
    text, _ = readable(html)
    assert "Never" not in text
    assert text.index("Seen.") < text.index("Also seen.")


def test_a_hidden_element_without_an_end_takes_nothing_with_it() -> None:
    text, _ = readable("<p>Seen.</p><b hidden>Perhaps. <p>Also seen.</p>")
    assert "Also seen." in text


def test_hidden_text_of_word_is_left_out(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    made = docx.Document()
    paragraph = made.add_paragraph("Seen. ")
    paragraph.add_run("Never.").font.hidden = True
    paragraph.add_run("Also ").font.hidden = False
    paragraph.add_run("seen.")
    made.save(str(tmp_path / "a.docx"))
    assert read(tmp_path / "a.docx").text.strip() == "Seen. Also seen."
