"""What is not a document of its format, or does not fit into one, is said in one line; nothing is half written."""

import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from taskkit.errors import ConfigurationError, InputError
from taskkit.source import Text
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import FORMATS, Options, opened
from taskkit.testing import scripted


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"a": "b",}', "line 1, column"),
        ("a.json", '{"a": ' * 100_000, "nested too deeply"),
        ("a.yaml", "a: [b\nc: d", "line 2"),
        ("a.yaml", "- " * 5000, "nested too deeply"),
        ("a.po", 'msgid "a"\nmsgstr "b\n', "line 2"),
        ("a.po", 'msgid "a"\n\nmsgid "b"\nmsgstr ""\n', "line 3"),
        ("a.po", 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=__import__(1);\\n"\n', "valid po"),
        ("a.po", 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n/0;\\n"\n', "zero"),
        ("a.po", 'msgid ""\nmsgstr "Plural-Forms: nplurals=99999; plural=n;\\n"\n', "99999 plural forms"),
        ("a.csv", 'text\n"never closed\n', "line 2"),
        ("a.csv", "this;that\nx;y\n", "No column"),
        ("a.srt", "Just some words.\n", "times of a cue"),
    ],
)
def test_broken_documents(name: str, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        opened(Text(text, name, "code"))
    assert "\n" not in str(raised.value)


def test_without_its_library_a_format_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigurationError, match=r'pip install "taskkit\[documents\]"'):
        opened(Text("a: b", "a.yaml", "code"))


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, contents in members.items():
            made.writestr(name, contents)
    return path


def test_word_documents_that_are_none(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document xmlns:w="w">&b;</w:document>'
    for name, members, said in [
        ("empty.docx", {"a.txt": b"x"}, "no word/document.xml"),
        ("entities.docx", {"word/document.xml": bomb}, "entity bomb"),
        ("cut.docx", {"word/document.xml": b"<w:document xmlns:w='w'><w:p>"}, "damaged"),
        ("zeros.docx", {"word/document.xml": b"<a/>", "word/media/x.bin": b"\0" * 201_000_000}, "ZIP bomb"),
    ]:
        with pytest.raises(InputError, match=said):
            opened(archive(tmp_path / name, members))
    (tmp_path / "text.docx").write_text("Not an archive.")
    with pytest.raises(InputError, match="is no Word file"):
        opened(tmp_path / "text.docx")


def test_a_format_that_is_not_known() -> None:
    with pytest.raises(InputError, match="code"):
        opened(Path("program.py"))
    with pytest.raises(InputError, match="docx"):
        opened("text", "pages")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for one in FORMATS.values():
        with pytest.raises(InputError, match="nowhere"):
            opened(tmp_path / f"nowhere{one.suffixes[0]}")


def test_what_would_break_the_file_is_left_out_and_told() -> None:
    source = opened(Text("text\nOne day\nTwo days\nThree days\n", "a.csv"), options=Options("de"))
    one, two, three = source.segments
    written = source.written({one: "Ein Tag", two: '=HYPERLINK("evil")', three: "Drei Tage"})
    assert written.text == "text\nEin Tag\nTwo days\nDrei Tage\n"
    assert [*written.kept] == [two]
    assert "formula" in written.kept[two].message


def test_a_translation_that_would_be_read_as_several_texts_is_left_out() -> None:
    source = opened(Text('{"a": "days", "b": "more"}', "a.json", "json"), options=Options("de"))
    one, other = source.segments
    written = source.written({one: "{n, plural, one {ein Tag} other {# Tage}}", other: "mehr"})
    assert written.text == '{"a": "days", "b": "mehr"}'
    assert "in the place of" in written.kept[one].message


def test_no_cue_is_lost_where_a_sentence_goes_on() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nWe went\n\n2\n00:00:02,100 --> 00:00:04,000\nhome again.\n"
    source = opened(Text(text, "a.srt"), options=Options("de"))
    (one,) = source.segments
    written = source.written({one: "Wir gingen wieder heim."})
    assert written.text == text
    assert "2 cues" in written.kept[one].message


def test_a_tag_that_would_be_lost_leaves_the_paragraph_as_it_was() -> None:
    text = "<p>A <b>bold</b> word</p><p>Another</p>"
    source = opened(Text(text, "a.html", "html"), options=Options("de"))
    first, second = source.segments
    written = source.written({first: "Ein <b>fettes Wort", second: "Noch eins <script>"})
    assert written.text == "<p>A <b>bold</b> word</p><p>Noch eins &lt;script&gt;</p>"
    assert [*written.kept] == [first]


def test_plural_forms_of_the_language_are_filled() -> None:
    header = 'msgid ""\nmsgstr "Plural-Forms: nplurals=6; plural=n==0?0:n==1?1:n==2?2:n%100>=3&&n%100<=10?3:n%100>=11?4:5;"\n'
    text = header + '\nmsgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    source = opened(Text(text, "ar.po"), options=Options("ar"))
    assert [one.text for one in source.segments] == ["%d days", "%d day", *["%d days"] * 4]
    assert "2" in source.segments[2].note
    written = source.written({one: f"form {number}" for number, one in enumerate(source.segments)})
    assert written.text.endswith("".join(f'msgstr[{number}] "form {number}"\n' for number in range(6)))


def test_messages_get_the_cases_of_the_language() -> None:
    text = '{"a": "{n, plural, one {# day of {who}} other {# days of {who}}} left"}'
    source = opened(Text(text, "a.json"), options=Options("pl"))
    assert [one.text for one in source.segments] == ["{n, plural, …} left", "# day of {who}", *["# days of {who}"] * 3]
    names = ["zostało {n, plural, …}", "# dzień", "# dni", "# dni'", "# dnia"]
    written = source.written(dict(zip(source.segments, names, strict=True)))
    assert written.text == ('{"a": "zostało {n, plural, one {# dzień} few {# dni} many {# dni\'\'} other {# dnia}}"}')
    japanese = opened(Text(text, "a.json"), options=Options("ja"))
    assert [one.plural.category for one in japanese.segments if one.plural] == ["other"]


def test_a_finished_translation_is_known_and_a_fuzzy_one_is_not() -> None:
    text = 'msgid "a b"\nmsgstr "c d"\n\n#, fuzzy, c-format\n#| msgid "old"\nmsgid "e f"\nmsgstr "g h"\n\nmsgctxt "x"\nmsgid "i"\nmsgstr ""\n'
    source = opened(Text(text, "a.po"), options=Options("de"))
    assert [one.new for one in source.segments] == [False, True, True]
    assert source.segments[2].note == "Context: x"
    written = source.written({source.segments[1]: "j\nk"})
    assert written.text == text.replace('#, fuzzy, c-format\n#| msgid "old"', "#, c-format").replace(
        '"g h"', '""\n"j\\n"\n"k"'
    )


def test_the_blanks_of_a_block_that_says_its_indent_are_kept() -> None:
    text = "a:\n  b: |2\n      A list:\n    one\n  c: &x >1-\n     Two words\n? [1, 2]\n: A word\n"
    source = opened(Text(text, "a.yaml"), options=Options("de"))
    assert [one.key for one in source.segments] == ["a.b", "a.c", "[1, 2]"]
    targets = ["Eine Liste:\neins", "Zwei Wörter", "Ein Wort"]
    written = source.written(dict(zip(source.segments, targets, strict=True)))
    assert not written.kept
    was, now = (yaml.safe_load(one.replace("[1, 2]", "x").replace("? x\n:", "x:")) for one in (text, written.text))
    assert was["a"] == {"b": "  A list:\none\n", "c": "  Two words"}
    assert now["a"] == {"b": "  Eine Liste:\neins\n", "c": "  Zwei Wörter"}


@pytest.mark.parametrize(
    "target", ["yes", "12", "a: b", "a #b", "# a", "- a", "@a", "a, b", "[a", "{a}", "'a'", "a:", "~", "\\a"]
)
def test_a_plain_value_is_quoted_where_it_would_mean_something_else(target: str) -> None:
    source = opened(Text("a: one text\nb: [two texts, {c: three}]\n", "a.yaml"), options=Options("de"))
    written = source.written(dict.fromkeys(source.segments, target))
    assert not written.kept
    assert yaml.safe_load(written.text) == {"a": target, "b": [target, {"c": target}]}


def test_a_report_names_a_message_on_one_line() -> None:
    text = 'msgctxt "menu"\nmsgid "One line\\nand 20 more"\nmsgstr ""\n'
    done = scripted("Eine Zeile\nund mehr").run(Translate(Text(text, "a.po", "po"), to="de", from_="en"))
    assert "(number), menu | One line and 20 more: " in done.report()
