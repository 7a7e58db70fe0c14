"""Terms, names, numbers and lengths: what is checked by code, asked for once more, and told."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.glossary import Term, glossary, term_problems
from taskkit.tasks.translate.segments import Limit, Segment
from taskkit.tasks.translate.verify import Wanted, verified
from taskkit.testing import scripted
from tests.tasks.test_translate_memory import bodies, german, model, run, texts

TBX = """<?xml version="1.0"?>
<martif type="TBX" xml:lang="en"><text><body>
<termEntry id="1"><note>of ships</note>
 <langSet xml:lang="en"><tig><term>harbour</term></tig><tig><term>port</term></tig></langSet>
 <langSet xml:lang="de"><tig><term>Hafenstelle</term><termNote type="administrativeStatus">deprecatedTerm-admn-sts
 </termNote></tig><ntig><termGrp><term>Hafen</term></termGrp></ntig></langSet></termEntry>
<conceptEntry id="2"><langSec xml:lang="en-GB"><termSec><term>pier</term></termSec></langSec>
 <langSec xml:lang="fr"><termSec><term>jetée</term></termSec></langSec></conceptEntry>
</body></text></martif>
"""


@pytest.mark.parametrize(
    ("name", "text", "terms"),
    [
        ("a.csv", "harbour,Hafen\nGitHub,=\n", [Term("harbour", "Hafen"), Term("GitHub", "=")]),
        ("b.csv", "\ufeffharbour;Hafen;Port|Anleger;of ships\n", [Term("harbour", "Hafen", ("Port", "Anleger"), "of ships")]),
        ("c.csv", 'note,Translation,Term\n"a, b",Hafen,harbour\n\n', [Term("harbour", "Hafen", (), "a, b")]),
        ("d.csv", "harbour\tHafen\n", [Term("harbour", "Hafen")]),
        ("e.tbx", TBX, [Term(one, "Hafen", ("Hafenstelle",), "of ships") for one in ("harbour", "port")]),
    ],
)  # fmt: skip
def test_glossaries_of_several_forms(name: str, text: str, terms: list[Term]) -> None:
    Path(name).write_text(text)
    assert list(glossary(Path(name), "de", "")) == terms


def test_a_cell_of_a_glossary_may_be_long() -> None:
    Path("a.csv").write_text(f'harbour,Hafen,,"{"x" * 200_000}"\npier,Pier\n')
    assert [term.target for term in glossary(Path("a.csv"), "de", "")] == ["Hafen", "Pier"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "harbour,\n", "Row 1"),
        ("a.csv", ",\n", "has no terms"),
        ("a.csv", 'harbour,"Hafen\npier,Pier\n', "a.csv is no CSV"),
        ("a.csv", "term,translation\nharbour,Hafen\npier\n", "Row 2"),
        ("a.tbx", TBX.replace('"de"', '"nl"'), "no terms with a translation to de"),
        ("a.tbx", '<!DOCTYPE x [<!ENTITY a "b">]><martif>&a;</martif>', "entities"),
        ("a.tbx", "harbour,Hafen", "no valid XML"),
    ],
)
def test_a_glossary_that_is_none_is_refused(name: str, text: str, words: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(InputError, match=words):
        glossary(Path(name), "de", "")


@pytest.mark.parametrize(
    ("source", "target", "codes"),
    [
        ("The harbour is closed.", "Der Hafen ist zu.", []),
        ("The harbours are closed.", "Die Häfen sind zu.", []),
        ("The harbour office.", "Das Hafenamt.", []),
        ("The harbour is closed.", "Der Port ist zu.", ["forbidden"]),
        ("The harbour is closed.", "Die Marina ist zu.", ["term"]),
        ("Harbouring ill will.", "Er grollte.", []),
        ("The harbour.", "Der Hafen, kein Portal.", []),
    ],
)
def test_a_term_counts_in_any_of_its_forms(source: str, target: str, codes: list[str]) -> None:
    terms = (Term("harbour", "Hafen", ("Port",)),)
    assert [one.code for one in term_problems(terms, source, target)] == codes


def test_only_the_terms_of_a_batch_are_in_its_prompt() -> None:
    Path("g.csv").write_text("harbour,Hafen,Port,of ships\nship,Schiff\n")
    _, sent = run(Translate("The harbour is closed.", to="de", glossary=Path("g.csv")))
    said = json.dumps(sent[0], ensure_ascii=False)
    assert "harbour → Hafen, never Port (of ships)" in said
    assert "Schiff" not in said


def of_words(answers: list[str]) -> Any:
    """Gives these translations of the text with "harbour", one after the other."""
    left = list(answers)

    def reply(body: Mapping[str, Any]) -> Any:
        said = {key: left.pop(0) if "harbour" in text else german(text) for key, text in texts(body).items()}
        return said.get("one") or {"items": [{"id": key, "translation": one} for key, one in said.items()]}

    return reply


@pytest.mark.parametrize(
    ("answers", "calls", "target", "codes"),
    [
        (["Die Marina.", "Der Hafen."], 2, "Der Hafen.", []),
        (["Die Marina.", "Die Reede."], 2, "Die Marina.", ["term"]),
        (["Der Port.", "Der Port da.", "Der Hafen."], 3, "Der Hafen.", []),
        (["Der Port.", "Der Port da.", "Der Port dort."], 3, "Der Port.", ["forbidden"]),
    ],
    ids=["repaired", "once", "forbidden, repaired", "forbidden to the end"],
)
def test_a_term_is_asked_for_again_then_told(answers: list[str], calls: int, target: str, codes: list[str]) -> None:
    Path("g.csv").write_text("harbour,Hafen,Port\n")
    source = "The harbour.\n\nAll is well.\n"
    done, sent = run(Translate(source, to="de", glossary=Path("g.csv")), of_words(answers))
    assert len(sent) == calls
    assert all("All is well" not in json.dumps(texts(body)) for body in sent[1:])
    assert done.segments[0].target == target
    assert [(one.code, one.severity) for one in done.issues] == [(code, "warning") for code in codes]
    assert not any(one.failure for one in done.warnings)


def test_a_term_that_stays_is_never_shown_to_the_model() -> None:
    done, sent = run(
        Translate("Push it to GitHub, as Baker says.", to="de", glossary={"GitHub": "=", "Baker": "Baker"})
    )
    assert "GitHub" not in json.dumps(texts(sent[0]))
    assert "GitHub" in done.text
    assert "Baker" in done.text


# The record ----------------------------------------------------------------------------------------------------------

FILLERS = [
    "stone", "river", "cloud", "window", "garden", "letter", "market", "winter", "candle", "bridge", "forest", "copper", "silver", "ladder", "engine",
]  # fmt: skip


def chapter(number: int, name: str = "") -> str:
    words = " ".join(f"{FILLERS[(number * 7 + n) % 15]}{number}" for n in range(40))
    return f"The part {number} speaks {f'of old {name} ' if name else ''}too. It tells {words}. It ends {number}."


def test_what_the_first_batch_called_a_name_is_in_the_prompt_of_the_ninth() -> None:
    book = "\n\n".join(chapter(n, "Quillford" if n in {1, 62} else "") for n in range(70))
    _, sent = run(Translate(book, to="de", format="text"))
    assert len(sent) >= 9
    first, later = (next(body for body in sent if f"part {n} speaks" in str(texts(body))) for n in (1, 62))
    assert "Quillford" in str(texts(first))
    assert list(sent).index(later) >= 8
    assert german("The part 1 speaks of old Quillford too.") in str(later["messages"])
    others = [body for body in sent if "Quillford" not in str(texts(body))]
    assert not any("Quillforden" in str(body["messages"]) for body in others)


def test_the_same_document_gives_the_same_prompts_whatever_comes_first() -> None:
    book = "\n\n".join(chapter(n, "Quillford") for n in range(40))
    prompts = [sorted(json.dumps(body, sort_keys=True) for body in run(Translate(book, to="de"))[1]) for _ in range(2)]
    assert prompts[0] == prompts[1]


# Language, numbers, lengths ------------------------------------------------------------------------------------------

LONG = "The harbour of the town is closed in the winter, and you can not go to the other side of it by ship."


def test_an_answer_in_the_language_of_the_source_is_asked_for_again() -> None:
    other = "In the winter the harbour of this town is closed, so that you can not get to the other side of it."
    done, sent = run(Translate(LONG, to="de"), [other, german(LONG)])
    assert done.text == german(LONG)
    assert len(sent) == 2
    assert "language of the source" in json.dumps(sent[1])


@pytest.mark.parametrize(("to", "warned"), [("en", True), ("de", False), ("en-GB", False)])
def test_a_source_in_the_target_language_is_told(to: str, warned: bool) -> None:
    done, _ = run(Translate(LONG, to=to))
    assert any(one.code == "same-language" for one in done.warnings) == warned


def test_one_language_for_both_is_refused() -> None:
    with pytest.raises(InputError, match="both French"):
        run(Translate("Bonjour", to="fr", from_="French"))


@pytest.mark.parametrize(
    ("source", "target", "lost"),
    [
        ("It costs 1,250.50 dollars in 2024.", "Es kostet 1.250,50 Dollar im Jahr 2024.", ""),
        ("It has 12 doors.", "Es hat zwölf Türen.", "12"),
        ("It has 2 doors.", "Es hat zwei Türen.", ""),
        ("From 1990 to 1999.", "De 1990 à 1999.", ""),
        ("About 10 000 people", "Etwa 10.000 Menschen", ""),
        ("Room 451", "Raum 541", "451"),
    ],
)
def test_a_number_that_is_lost_is_told(source: str, target: str, lost: str) -> None:
    found = [one.message for one in verified(segment(source), target, Wanted("de"))]
    assert [re.sub(r"\D", "", message) for message in found] == ([lost] if lost else [])


def segment(text: str, limit: Limit | None = None) -> Segment:
    return Segment("s1", 0, len(text), text, text, limit=limit)


@pytest.mark.parametrize(
    ("limit", "target", "words"),
    [
        (Limit(width=10), "zehn Worte", ""),
        (Limit(width=9), "zehn Worte", "9 characters, it has 10"),
        (Limit(lines=2, width=6), "zwei\nZeilen", ""),
        (Limit(lines=1, width=42), "zwei\nZeilen", "1 lines"),
        (Limit(lines=2, width=5), "zwei\nZeilen", "5 characters, one has 6"),
        (Limit(seconds=1.0), "Dies ist in einer Sekunde nicht zu lesen.", "1 s: 21"),
    ],
)
def test_lengths(limit: Limit, target: str, words: str) -> None:
    found = [one.message for one in verified(segment("x", limit), target, Wanted("de"))]
    assert (words in found[0]) if words else not found


def test_a_revision_is_taken_where_it_is_as_sound() -> None:
    def reviser(body: Mapping[str, Any]) -> Any:
        said = str(body["messages"][-1]["content"])
        if "drafts" not in said:
            return model(body)
        ids = re.findall(r"^id (\d+):", said, re.MULTILINE)
        better = {"1": "Der Hafen {0} ist zu.", "2": "Das Ende."}
        return {"items": [{"id": key, "translation": better[key].replace("{0}", "⟦1⟧" * (key != "1"))} for key in ids]}

    done, sent = run(Translate("The harbour {0} is closed.\n\nThe end.", to="de", reflect=True), reviser)
    assert len(sent) == 2
    assert done.text == "Theen harbouren {0} isen closeden.\n\nDas Ende."


def test_a_bilingual_text_has_both() -> None:
    source = (
        "# The title\n\nA text of\ntwo lines.\n\n- first of them\n- and last\n\n> Said by him.\n\n- [ ] to be done\n"
    )
    done, _ = run(Translate(source, to="de", bilingual=True))
    assert done.text == (
        "# The title / Theen titleen\n\nA text of\ntwo lines.\n\nA texten ofen\ntwoen linesen.\n\n"
        "- first of them\n\n  firsten ofen themen\n- and last\n\n  anden lasten\n\n"
        "> Said by him.\n>\n> Saiden byen himen.\n\n- [ ] to be done / toen been doneen\n"
    )
    assert not done.warnings


def test_a_bilingual_page_of_another_format_is_refused() -> None:
    Path("a.html").write_text("<p>The harbour</p>")
    with pytest.raises(InputError, match="bilingual html"):
        run(Translate(Path("a.html"), to="de", bilingual=True))


def test_locale_and_register_are_in_the_prompt() -> None:
    engine = scripted(model)
    engine.run(Translate("Hello there, all of you.", to="de-CH", register="formal"))
    said = str(bodies(engine)[0]["messages"])
    assert "formal" in said
    assert "1’234.5" in said
