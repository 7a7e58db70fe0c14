"""PO files of another language than the one that is wanted: their header, their plural forms, what stands there."""

import gettext
import io
import re
from pathlib import Path

import pytest

from taskkit.source import Text
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.checks import check_document
from taskkit.tasks.translate.formats import Opened, Options, opened
from taskkit.testing import scripted
from tests.tasks.translate.test_task import compiled

HEADER = r"""# Of the shed
msgid ""
msgstr ""
"Project-Id-Version: shed 1\n"
"Language: en\n"
"X-Language: en\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"X-Generator: hand\n"
"""
MESSAGES = r"""
#: a.c
msgid "Open"
msgstr "Open"

msgid "%d bean"
msgid_plural "%d beans"
msgstr[0] "%d bean"
msgstr[1] "%d beans"

#~ msgid "gone"
#~ msgstr "gone"
"""


def shed(to: str, text: str = HEADER + MESSAGES) -> Opened:
    return opened(Text(text, "shed.po"), options=Options(to, "en"))


def filled(source: Opened) -> str:
    written = source.written({one: f"form {number} %d" for number, one in enumerate(source.segments)})
    assert not written.kept
    return written.text


def test_the_header_speaks_of_the_target_and_the_forms_are_its_own() -> None:
    text = filled(shed("ru"))
    assert text.startswith(HEADER[: HEADER.index("Language: en")] + "Language: ru\\n")
    assert '"X-Language: en\\n"\n"Plural-Forms: nplurals=3; plural=' in text
    assert '"X-Generator: hand\\n"\n\n#: a.c\nmsgid "Open"\nmsgstr "form 0 %d"\n' in text
    assert text.endswith(MESSAGES[MESSAGES.index("\n#~") :])
    head = "".join(re.findall(r'^"(.*)"$', text.partition("\n\n")[0], re.MULTILINE)).replace("\\n", "\n")
    forms = re.findall(r'^msgstr\[\d\] "(.*)"$', text, re.MULTILINE)
    texts = {b"": head.encode(), b"%d bean\0%d beans": "\0".join(forms).encode()}
    catalogue = gettext.GNUTranslations(io.BytesIO(compiled(texts)))
    assert [catalogue.ngettext("%d bean", "%d beans", n) for n in (1, 2, 5, 21)] == [forms[i] for i in (0, 1, 2, 0)]


def test_a_form_that_the_target_has_not_goes() -> None:
    text = filled(shed("ja"))
    assert '"Plural-Forms: nplurals=1; plural=0;\\n"' in text
    assert 'msgstr[0] "form 1 %d"\n\n#~' in text


def test_what_another_language_said_is_neither_kept_nor_left_where_it_was_not_said_anew() -> None:
    source = shed("ru")
    assert all(one.new for one in source.segments)
    first = next(one for one in source.segments if one.plural)
    text = source.written({first: "%d боб"}).text
    assert 'msgid "Open"\nmsgstr ""\n' in text
    assert 'msgstr[0] "%d боб"\nmsgstr[1] ""\n' in text
    assert [one.target for one in shed("ru", text).segments] == ["", "%d боб", "", ""]


@pytest.mark.parametrize(
    ("said", "to"), [("en", "en"), ("en", "en-gb"), ("pt_BR", "pt"), ("no", "nb"), ("sr@latin", "sr"), ("he", "he")]
)
def test_the_language_s_own_file_keeps_its_rule_and_what_it_has(said: str, to: str) -> None:
    text = (HEADER + MESSAGES).replace('"Language: en', f'"Language: {said}').replace("(n != 1)", "(n > 1)")
    source = shed(to, text)
    assert not any(one.new for one in source.segments)
    assert source.written({source.segments[0]: "Offen"}).text == text.replace('msgstr "Open"', 'msgstr "Offen"')


@pytest.mark.parametrize(("said", "to"), [("pt_PT", "pt-br"), ("zh_TW", "zh-cn"), ("de", "nl")])
def test_another_variant_is_another_language(said: str, to: str) -> None:
    source = shed(to, (HEADER + MESSAGES).replace('"Language: en', f'"Language: {said}'))
    assert all(one.new for one in source.segments)
    written = {"pt-br": "pt_BR", "zh-cn": "zh_CN", "nl": "nl"}[to]
    assert f'"Language: {written}\\n"' in filled(source)


def test_nothing_said_changes_no_byte_of_a_foreign_file() -> None:
    source = shed("ru")
    assert source.written({}).text == HEADER + MESSAGES
    assert source.written({one: one.current for one in source.segments}).text == HEADER + MESSAGES


def test_a_header_that_names_no_language_gets_one_and_forms_while_nothing_follows_its_own() -> None:
    bare = HEADER.replace('"Language: en\\n"\n', "")
    empty = re.sub(r'(msgstr(\[\d\])?) ".+"', r'\1 ""', MESSAGES)
    text = filled(shed("ru", bare + empty))
    assert "nplurals=3;" in text
    assert '"X-Generator: hand\\n"\n"Language: ru\\n"\n\n' in text
    assert len(shed("ru", bare + MESSAGES).segments) == 3
    assert "nplurals=2;" in shed("ru", bare + MESSAGES).written({shed("ru", bare + MESSAGES).segments[0]: "x"}).text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_header_in_one_string_or_over_lines_is_mended_all_the_same(end: str) -> None:
    one = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: \\nMIME-Version: 1.0"\n'
    text = filled(shed("pl", (one + MESSAGES).replace("\n", end)))
    assert text.startswith(
        end.join(
            [
                'msgid ""',
                'msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: pl\\nMIME-Version: 1.0"',
                '"\\nPlural-Forms: nplurals=3; ',
            ]
        )
    )
    wrapped = HEADER.replace("(n != 1);", '(n%10==1 && "\n"n%100!=11 ? 0 : 1);')
    assert filled(shed("ja", wrapped + MESSAGES)) == filled(shed("ja"))


def test_what_a_header_does_not_say_is_told() -> None:
    assert not check_document(HEADER + MESSAGES, filled(shed("ru")), "po")
    (none,) = check_document(MESSAGES, filled(shed("ru", MESSAGES)), "po")
    assert (none.code, none.severity) == ("header", "warning")
    unknown = HEADER.replace('"Language: en', '"Language: tlh') + MESSAGES  # a language whose rule nobody has
    (rule,) = check_document(HEADER + MESSAGES, unknown, "po")
    assert (rule.code, rule.severity) == ("plural-forms", "warning")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "de.po"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + MESSAGES).encode())
    source = opened(path, options=Options("fr", "en"))
    written = source.written(dict.fromkeys(source.segments, "été %d"))
    assert written.data.startswith(b"\xef\xbb\xbf# Of the shed\n")
    assert b'"Language: fr\\n"' in written.data


def test_the_cases_of_an_icu_message_are_those_of_the_language() -> None:
    text = HEADER.replace("Language: en", "Language: pl") + (
        '\n#, fuzzy\nmsgid "{n, plural, one {# bean} other {# beans}} in {place}"\nmsgstr "bob"\n'
        '\nmsgid "{n, plural, one {# pod} other {# pods}}"\nmsgstr "{n} po polsku"\n'
    )
    source = shed("pl", text)
    new = [one for one in source.segments if one.new]
    assert [one.text for one in new] == ["{n, plural, …} in {place}", "# bean", "# beans", "# beans", "# beans"]
    said = ["{n, plural, …} w {place}", *(f"{letter} #" for letter in "abcd")]
    written = source.written(dict(zip(new, said, strict=True)))
    assert not written.kept
    made = '"{n, plural, one {a #} few {b #} many {c #} other {d #}} w {place}"'
    assert f'\nmsgid "{{n, plural, one {{# bean}} other {{# beans}}}} in {{place}}"\nmsgstr {made}\n' in written.text
    assert 'msgstr "{n} po polsku"' in written.text
    again = shed("pl", written.text)
    assert not any(one.new for one in again.segments)
    assert again.written({one: one.current for one in again.segments}).text == written.text


def test_a_choice_that_a_format_does_not_take_apart_stays_whole_and_is_told() -> None:
    choice = "{n, plural, one {# bean} other {# beans}}"
    Path("a.csv").write_text(f'text\n"Take {choice} now"\n')
    done = scripted("Nimm ⟦1⟧ jetzt").run(Translate(Path("a.csv"), to="de", from_="en"))
    assert f"Nimm {choice} jetzt" in done.text
    assert [one.code for one in done.issues] == ["choice"]
