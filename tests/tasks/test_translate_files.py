"""Files of programs, subtitles and office documents, as a user has them translated."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import Options, opened
from taskkit.testing import Fail
from tests.tasks.test_translate_memory import german, model, run, texts

PO = """msgid ""
msgstr ""
"Language: ar\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);\\n"

#: app.py:9
msgid "%d ship in the harbour"
msgid_plural "%d ships in the harbour"
msgstr[0] ""
msgstr[1] ""
msgstr[2] ""
msgstr[3] ""
msgstr[4] ""
msgstr[5] ""

msgid "Close"
msgstr "Zu damit"

#, fuzzy
msgid "Open the gate of the harbour"
msgstr "Tor"

msgctxt "verb"
msgid "Book"
msgstr ""

msgctxt "noun"
msgid "Book"
msgstr ""
"""


def arabic(body: Mapping[str, Any]) -> Any:
    """The id in the script of the language, so that the forms differ, and the marks."""
    said = {
        key: "سفن " + "ابجدهو"[int(key) % 6] * 3 + " " + " ".join(re.findall(r"⟦\d+⟧", text))
        for key, text in texts(body).items()
        if key != "one"
    }
    return {"items": [{"id": key, "translation": text} for key, text in said.items()]}


def test_a_po_of_six_plural_forms_is_filled_completely() -> None:
    Path("ar.po").write_text(PO)
    done, sent = run(Translate(Path("ar.po"), to="ar", from_="en"), arabic)
    Path("ar.po").write_bytes(done.content)
    found = opened(Path("ar.po"), "", Options("ar", "en")).segments
    assert not [one for one in found if one.new]
    forms = [str(one.target) for one in found if one.plural is not None]
    assert len(set(forms)) == 6
    assert all("%d" in form for form in forms)
    assert 'msgstr "Zu damit"' in done.text
    assert "fuzzy" not in done.text
    asked = json.dumps(sent, ensure_ascii=False)
    for number in ("such as 0", "such as 1", "such as 2", "3, 4, 5"):
        assert number in asked
    again, none = run(Translate(Path("ar.po"), to="ar", from_="en"), Fail(500, "nobody may ask"))
    assert not none
    assert again.content == done.content
    assert {one.status for one in again.segments} == {"earlier"}


def test_one_word_of_two_meanings_is_asked_for_twice_and_no_memory_mixes_them() -> None:
    Path("de.po").write_text(PO.replace("ar\\n", "de\\n"))
    done, _ = run(Translate(Path("de.po"), to="de", from_="en", memory=Path("m.tmx")))
    assert [one.status for one in done.segments if one.source == "Book"] == ["translated", "translated"]
    assert ">Book<" not in Path("m.tmx").read_text()


def test_the_keys_of_an_earlier_translation_are_kept() -> None:
    Path("en.json").write_text(json.dumps({"a": {"title": "The harbour", "new": "A new text"}, "open": "Open it"}))
    Path("de.json").write_text(json.dumps({"a": {"title": "Hafen von Hand"}, "open": "Open it", "gone": "Weg"}))
    done, sent = run(Translate(Path("en.json"), to="de", update=Path("de.json")))
    assert json.loads(done.text) == {
        "a": {"title": "Hafen von Hand", "new": german("A new text")},
        "open": german("Open it"),
    }
    assert [sorted(texts(body).values()) for body in sent] == [["A new text", "Open it"]]


def test_a_changed_text_under_an_old_key_is_sent() -> None:
    def update(source: Mapping[str, str], script: Any = model) -> tuple[Mapping[str, str], int]:
        Path("en.json").write_text(json.dumps(source))
        done, sent = run(Translate(Path("en.json"), to="de", update=Path("de.json")), script)
        Path("de.json").write_bytes(done.content)
        done.saved(Path("de.json"))
        return json.loads(done.text), len(sent)

    update({"a": "The harbour", "b": "The ship"})
    assert update({"a": "The harbour", "b": "The ship"}, Fail(500, "nobody may ask"))[1] == 0
    said, calls = update({"a": "The old harbour", "b": "The ship"})
    assert said == {"a": german("The old harbour"), "b": german("The ship")}
    assert calls == 1


SRT = "1\n00:00:01,000 --> 00:00:02,000\nThe harbour is closed\n\n2\n00:00:03,000 --> 00:00:09,000\nGood night\n"


def test_a_subtitle_that_nobody_can_read_in_time_is_made_shorter() -> None:
    Path("a.srt").write_text(SRT)
    long = "Der Hafen dieser alten Stadt ist heute leider zu"

    def reply(body: Mapping[str, Any]) -> Any:
        said = texts(body)
        if "one" in said:
            return "Hafen ist zu"
        return {
            "items": [
                {"id": key, "translation": long if "harbour" in text else "Gute Nacht"} for key, text in said.items()
            ]
        }

    done, sent = run(Translate(Path("a.srt"), to="de"), reply)
    assert len(sent) == 2
    assert [one.target for one in done.segments] == ["Hafen ist zu", "Gute Nacht"]
    assert done.text.startswith("1\n00:00:01,000 --> 00:00:02,000\nHafen ist zu\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.po", '#, max-length:9\nmsgid "The harbour"\nmsgstr ""\n\nmsgid "Good night"\nmsgstr ""\n'),
        ("b.po", '#. Max. 9 characters on the button\nmsgid "The harbour"\nmsgstr ""\n'),
        ("a.csv", "key,en,de,max length\na,The harbour,,9\nb,Good night,,\n"),
        ("a.ftl", "# maxLength = 9\na = The harbour\n"),
        ("a.arb", '{"a": "The harbour", "@a": {"description": "max-length: 9"}}'),
    ],
)
def test_a_button_has_the_room_that_its_note_says(name: str, text: str) -> None:
    Path(name).write_text(text)

    def reply(body: Mapping[str, Any]) -> Any:
        said = texts(body)
        if "one" in said:
            return "Der Hafen" if "at most 9 characters" in str(body) and "has 12" in str(body) else "Der Hafen da"
        long = {"The harbour": "Der Hafen da", "Good night": "Gute Nacht auch"}
        return {"items": [{"id": key, "translation": long[one]} for key, one in said.items()]}

    done, _ = run(Translate(Path(name), to="de", from_="en"), reply)
    assert done.segments[0].target == "Der Hafen"
    assert "Gute Nacht auch" in done.text or "Good night" not in text
    assert not [one for one in done.issues if one.code == "length"]
