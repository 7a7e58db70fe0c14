"""Short texts that come back as they were, and the target language's way with numbers and quotations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.conventions import conventions
from tests.tasks.test_translate_memory import german, run, texts

MENU = {"a": "Open", "b": "Save file", "c": "GitHub", "d": "Lund", "e": "The boats of Lund lie here.", "f": "page.md"}


def lazy(*untouched: str) -> Any:
    """Leaves some texts as they are, however often it is asked."""

    def reply(body: Mapping[str, Any]) -> Any:
        asked = texts(body)
        said = {key: text if text in untouched else german(text) for key, text in asked.items()}
        if "one" in said:
            return said["one"]
        return {"items": [{"id": key, "translation": text} for key, text in said.items()]}

    return reply


def test_a_short_text_that_came_back_is_asked_for_once_more_then_told() -> None:
    Path("en.json").write_text(json.dumps(MENU))
    done, sent = run(Translate(Path("en.json"), to="de", from_="en"), lazy("Open", "Save file", "GitHub", "Lund"))
    asked = [sorted(texts(body).values()) for body in sent]
    assert len(asked) == 2
    assert asked[1] == ["Open", "Save file"]
    told = [done.segments[one.segment or 0].source for one in done.issues if one.code == "untranslated"]
    assert told == ["Open", "Save file"]
    assert any("2 untranslated" in one.message and not one.failure for one in done.warnings)


def test_one_that_is_translated_at_the_second_time_is_no_issue() -> None:
    done, sent = run(Translate("Open", to="de", from_="en"), ["Open", german("Open")])
    assert done.text == german("Open")
    assert len(sent) == 2
    assert not done.issues


@pytest.mark.parametrize("text", ["Rio de Janeiro", "New York City"])
def test_a_name_of_three_words_may_stay(text: str) -> None:
    done, sent = run(Translate(text, to="de", from_="en"), lazy(text))
    assert done.text == text
    assert len(sent) == 2
    assert not any(one.failure for one in done.warnings)


def test_a_term_that_stays_and_one_language_in_two_lands_are_no_issues() -> None:
    for task in (
        Translate("Open", to="de", from_="en", glossary={"Open": "="}),
        Translate("Harbour", to="en-us", from_="fr"),
    ):
        done, sent = run(task, lazy("Open"))
        assert len(sent) <= 1
        assert not done.issues


def test_what_the_memory_has_is_not_asked_for_again() -> None:
    run(Translate("Open", to="de", from_="en", memory=Path("de.tmx")), lazy("Open"))
    done, sent = run(Translate("Open", to="de", from_="en", memory=Path("de.tmx")), lazy("Open"))
    assert not sent
    assert [one.code for one in done.issues] == ["untranslated"]


@pytest.mark.parametrize(
    ("source", "target", "to"),
    [
        ("It weighs 2.5 kg.", "Es wiegt 2.5 kg.", "de"),
        ("It costs $3.50.", "Cela coûte 3.50 $.", "fr"),
        ("Es wiegt 2,5 kg.", "It weighs 2,5 kg.", "en"),
        ("About 0.5% of them", "Etwa 0.5 % davon", "de"),
        ("He said “yes” to it.", "Er sagte “ja” dazu.", "de"),
        ("He said “yes” to it.", "Il a dit “oui”.", "fr"),
        ("He said “yes” to it.", "Han sa “ja” till det.", "sv"),
        ("Er sagte „ja“ dazu.", "He said „yes“ to it.", "en"),
    ],
)
def test_the_way_of_the_source_is_told(source: str, target: str, to: str) -> None:
    assert [one.severity for one in conventions(source, target, to) if one.code == "locale"] == ["warning"]


@pytest.mark.parametrize(
    ("source", "target", "to"),
    [
        ("It weighs 2.5 kg.", "Es wiegt 2,5 kg.", "de"),
        ("It weighs 2.5 kg.", "Pesa 2.5 kg.", "es-mx"),
        ("It weighs 2.5 kg.", "Es wiegt 2.5 kg.", "de-ch"),
        ("It weighs 2.5 kg.", "重さは2.5 kgです。", "ja"),
        ("Python 3.11 is out", "Python 3.11 ist da", "de"),
        ("See chapter 2.4 and USB 3.0", "Siehe Kapitel 2.4 und USB 3.0", "de"),
        ("Version 2.5 makes it", "Version 2.5 macht es", "de"),
        ("The address 10.0.0.1 is taken", "Die Adresse 10.0.0.1 ist belegt", "de"),
        ("It has 1,234 kg", "Es hat 1.234 kg", "de"),
        ("It has 1,234 kg", "Es hat 1,234 kg", "de"),
        ("From 08.30 to 12.15", "Von 08.30 bis 12.15", "de"),
        ("He said “yes” to it.", "Er sagte „ja“ dazu.", "de"),
        ('He said "yes" to it.', 'Er sagte "ja" dazu.', "de"),
        ("He said “yes” to it.", "Dijo “sí”.", "es"),
        ("He said “the “yes” of it”.", "Il a dit « le “oui” de cela ».", "fr"),
        ("He said “yes” to it.", "Er sagte «ja» dazu.", "de-ch"),
        ("He said “yes” to it.", "Han sa ”ja” till det.", "sv"),
        ("He said “yes” to it.", "He said “yes” to it.", "en-gb"),
    ],
)
def test_what_is_as_it_should_be_is_not(source: str, target: str, to: str) -> None:
    assert not list(conventions(source, target, to))


def test_it_is_a_warning_and_costs_no_call() -> None:
    done, sent = run(Translate("The boat weighs 2.5 kg.", to="de", from_="en"), "Das Boot wiegt 2.5 kg.")
    assert len(sent) == 1
    assert [one.code for one in done.issues] == ["locale"]
    assert done.text == "Das Boot wiegt 2.5 kg."


ICU = {"n": "{n, plural, one {# boat lies here} other {# boats lie here}}"}


@pytest.mark.parametrize("installed", [True, False])
def test_without_the_rules_of_plurals_that_is_told(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not installed:
        monkeypatch.setitem(__import__("sys").modules, "babel", None)
    to = "sl" if installed else "lt"  # what was asked for is remembered
    Path("en.json").write_text(json.dumps(ICU))
    done, _ = run(Translate(Path("en.json"), to=to, from_="en"))
    assert [one.code for one in done.warnings if "babel" in one.message] == ["plural-rules"] * (not installed)
    assert ("few {" in done.text) is installed
    Path("en.json").write_text(json.dumps({"n": "{n, select, a {The red one} other {The blue one}}"}))
    assert not [one for one in run(Translate(Path("en.json"), to=to, from_="en"))[0].warnings if "babel" in one.message]
