"""Things found in a text, each at its place."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import RefusedError
from taskkit.tasks.analyse import Analyse, Evidence, Item
from taskkit.tasks.analyse.pii import by_code, masked
from taskkit.testing import Fail, Refuse, adversarial, scripted
from tests.tasks.analyse.conftest import after
from tests.tasks.analyse.test_labels import bodies, quoted

TEXT = "Annabel met Anna in Bonn. Anna works for Acme; 阿娜 lives in 北京 👩🏽 with Anna."


def found(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"items": [{"label": label, "evidence": evidence} for label, evidence in pairs]}


def placed(result: Any) -> list[tuple[str, int]]:
    return [(one.label, one.evidence.start) for one in result.items]


def test_a_mention_that_comes_again_gets_the_next_place() -> None:
    answer = found(*[("person", "Anna")] * 3, ("place", "北京"), ("person", "阿娜"))
    result = scripted(answer).run(Analyse(TEXT, kind="entities"))
    first = TEXT.index("Anna in")
    assert placed(result) == [
        ("person", first),
        ("person", TEXT.index("Anna works")),
        ("person", TEXT.rindex("Anna")),
        ("place", TEXT.index("北京")),
        ("person", TEXT.index("阿娜")),
    ]


def test_more_mentions_than_there_are_are_none() -> None:
    result = scripted(found(*[("place", "Bonn")] * 3)).run(Analyse(TEXT, kind="entities"))
    assert placed(result) == [("place", TEXT.index("Bonn"))]
    assert result.dropped == 0


def test_what_the_text_does_not_name_is_dropped_and_counted() -> None:
    engine = scripted(found(("person", "Anna"), ("person", "Zacharias"), ("place", "Bonn")))
    result = engine.run(Analyse(TEXT, kind="entities"))
    assert [quoted(one) for one in result.items] == ["Anna", "Bonn"]
    assert (result.dropped, result.usage.calls) == (1, 1)
    assert "Zacharias" in result.warnings[0].message


def test_mostly_invented_is_asked_for_again() -> None:
    engine = scripted([found(("person", "Zacharias"), ("person", "Ottokar")), found(("person", "Anna"))])
    result = engine.run(Analyse(TEXT, kind="entities"))
    assert [quoted(one) for one in result.items] == ["Anna"]
    assert "'Zacharias' is not in the text" in str(bodies(engine)[1])


def test_only_the_kinds_that_were_asked_for() -> None:
    answer = found(("person", "Anna"), ("company", "Acme"), ("PERSON ", "Annabel"))
    result = scripted(answer).run(Analyse(TEXT, kind="entities", labels={"person": "a human being"}))
    assert [(one.label, quoted(one)) for one in result.items] == [("person", "Anna"), ("person", "Annabel")]


def test_an_example_that_leaks_is_dropped_and_counted() -> None:
    rows = [{"text": "Bert lives in Rome.", "items": found(("person", "Bert"), ("place", "Rome"))["items"]}]
    Path("few.jsonl").write_text(json.dumps(rows[0]) + "\n")
    engine = scripted(found(("person", "Anna"), ("person", "Bert"), ("place", "Rome")))
    result = engine.run(Analyse(TEXT, kind="entities", examples=Path("few.jsonl")))
    assert [quoted(one) for one in result.items] == ["Anna"]
    assert result.dropped == 2
    assert {one.code: one.message for one in result.warnings}["leaked"].startswith("2 findings came from the examples")
    assert result.usage.calls == 1
    assert "Bert" in bodies(engine)[0]["messages"][1]["content"]


def test_keyphrases_are_words_of_the_text_each_once() -> None:
    text = "Solar power is cheap. " * 3 + "Wind power is not."
    answer = {"items": [{"evidence": one} for one in ("solar  power", "Solar power", "wind power", "tides")]}
    result = scripted(answer).run(Analyse(text))
    assert result.labels == ("Solar power", "Wind power")
    assert str(result) == "Solar power\nWind power"
    assert result.dropped == 1


def test_feelings_about_aspects() -> None:
    said = [("battery", "Negative", "empty by noon"), ("screen", "positive", "lovely"), ("price", "neutral", "cheap!")]
    answer = {"items": [{"aspect": a, "sentiment": s, "evidence": e} for a, s, e in said]}
    text = "Its battery is empty by noon, but the screen is lovely."
    result = scripted(answer).run(Analyse(text, kind="aspects"))
    assert str(result) == 'negative: battery: "empty by noon"\npositive: screen: "lovely"'
    result = scripted(answer).run(Analyse(text, kind="aspects", labels="battery,price"))
    assert [one.value for one in result.items] == ["battery"]


def test_sentiment_of_the_whole() -> None:
    result = scripted({"evidence": "lovely", "label": "POSITIVE"}).run(Analyse("It is lovely.", kind="sentiment"))
    assert str(result) == 'positive: "lovely"'


def test_relations_are_grounded_at_both_ends() -> None:
    def said(subject: str, relation: str, target: str, evidence: str) -> dict[str, str]:
        return {"subject": subject, "relation": relation, "object": target, "evidence": evidence}

    answer = {"items": [said("Anna", "works for", "Acme", "Anna works for Acme"),
                        said("Anna", "married to", "Zacharias", "Anna works for Acme")]}  # fmt: skip
    result = scripted(answer).run(Analyse(TEXT, kind="relations"))
    (one,) = result.items
    assert one.subject is not None
    assert one.object is not None
    assert one.subject.start == TEXT.index("Anna works"), "the Anna of the evidence, not the first of the text"
    assert TEXT[one.object.start : one.object.end] == "Acme"
    assert str(result) == 'Anna – works for – Acme: "Anna works for Acme"'


def test_offsets_are_the_sources_in_a_long_text() -> None:
    text = "".join(f"Paragraph {n} speaks of nothing much at all, and at length.\n\n" for n in range(400)) + TEXT
    result = scripted(lambda body: found(("person", "Anna")) if "Anna" in str(body["messages"]) else found()).run(
        Analyse(text, kind="entities")
    )
    assert placed(result) == [("person", text.index("Anna in"))]


@pytest.mark.parametrize("kind", ["entities", "aspects", "keyphrases", "relations", "pii"])
def test_the_pack_of_wrong_answers(kind: Any) -> None:
    one = {"label": "person", "evidence": "Anna"}
    if kind == "aspects":
        one = {"aspect": "Bonn", "sentiment": "positive", "evidence": "Anna"}
    if kind == "relations":
        one = {"subject": "Anna", "relation": "in", "object": "Bonn", "evidence": "Anna"}
    right = {"items": [one]}
    for name, (wrong, _) in adversarial(right, quote_field="evidence").items():
        for item in scripted(after(wrong, right)).run(Analyse(TEXT, kind=kind)).items:
            assert item.evidence is not None
            assert TEXT[item.evidence.start : item.evidence.end] == item.evidence.quote == "Anna", name


PERSONAL = (
    "Write to anna.b+x@example.co.uk or call +49 (0)30 1234-5678, 020 7946 0958. IBAN DE89 3704 0044 0532 0130 00, "
    "card 4111 1111 1111 1111, from 192.168.0.1 and 2001:db8::1. Not: 2026-11-24, 1.2.3, 4111 1111 1111 1112, "
    "DE88 3704 0044 0532 0130 00, 12:30:45, 1,234,567.89, 999.1.1.1."
)


def test_what_has_a_form_is_found_by_code() -> None:
    found = [(one.label, quoted(one)) for one in by_code(PERSONAL)]
    assert found == [
        ("e-mail", "anna.b+x@example.co.uk"),
        ("phone", "+49 (0)30 1234-5678"),
        ("phone", "020 7946 0958"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("card", "4111 1111 1111 1111"),
        ("ip", "192.168.0.1"),
        ("ip", "2001:db8::1"),
    ]


def test_personal_data_is_masked_wherever_it_stands() -> None:
    text = "Anna Bauer (anna@example.org) wrote. Call Anna Bauer at 030 1234567."
    engine = scripted(found(("person", "Anna Bauer"), ("person", "anna@example.org")))
    result = engine.run(Analyse(text, kind="pii", mask=True))
    assert str(result) == "[person] ([e-mail]) wrote. Call [person] at [phone]."


def test_what_code_finds_is_there_though_the_model_fails() -> None:
    result = scripted(Refuse()).run(Analyse("Mail anna@example.org now.", kind="pii"))
    assert result.labels == ("e-mail",)
    assert result.warnings[0].failure


def test_what_overlaps_is_masked_once() -> None:
    text = "Write to Ann Holm of Bergen today."
    places = {"Ann Holm": "person", "Holm of Bergen": "address", "Holm": "person"}
    items = [
        Item(
            label=label,
            evidence=Evidence(quote=one, start=text.index(one), end=text.index(one) + len(one), status="exact"),
        )
        for one, label in places.items()
    ]
    assert masked(text, items) == "Write to [person] today."


def test_of_rows_too() -> None:
    Path("r.jsonl").write_text('"Mail anna@example.org now."\n"Nothing here."\n')
    result = scripted(Refuse()).run(Analyse(Path("r.jsonl"), kind="pii"))
    assert [(row.labels, bool(row.error)) for row in result.rows] == [(("e-mail",), True), ((), True)]


def test_what_the_model_did_not_read_is_not_given_out_as_masked(reader: Any) -> None:
    rows = [{"text": text} for text in ("Anna Huber is here", "Call Max at max@example.org", "Bert is not")]
    Path("r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = reader(lambda text: found(("person", text.partition(" ")[0])))
    engine = scripted(lambda body: Refuse() if "Max" in str(body["messages"][-1]) else answer(body))
    result = engine.run(Analyse(Path("r.jsonl"), kind="pii", mask=True))
    assert [row.masked for row in result.rows] == ["[person] Huber is here", "", "[person] is not"]
    written = list(csv.DictReader(io.StringIO(str(result.as_file(".csv")))))
    assert [bool(row["error"]) for row in written] == [False, True, False]
    assert [row["masked"] for row in written] == [row.masked for row in result.rows]


def test_no_row_masked_is_a_column_of_empty_cells() -> None:
    Path("r.jsonl").write_text('"Anna is here"\n')
    result = scripted(Fail(400, "no")).run(Analyse(Path("r.jsonl"), kind="pii", mask=True))
    (row,) = csv.DictReader(io.StringIO(str(result.as_file(".csv"))))
    assert (row["masked"], bool(row["error"])) == ("", True)
    assert json.loads(str(result.as_file(".jsonl")))["analysis"]["masked"] == ""


def test_a_text_that_was_read_in_part_is_not_masked_in_part(reader: Any) -> None:
    text = "Max writes to max@example.org. " * 400 + "POISON. " + "Anna writes back. " * 400
    answer = reader(lambda text: found(("person", text.partition(" ")[0])))
    engine = scripted(lambda body: Refuse() if "POISON" in str(body["messages"][-1]) else answer(body))
    with pytest.raises(RefusedError):
        engine.run(Analyse(text, kind="pii", mask=True))
    assert len(bodies(engine)) > 3


def test_a_mask_says_what_the_model_named_and_nobody_finds() -> None:
    result = scripted(found(("person", "Anna"), ("person", "Xaver Quirin"))).run(
        Analyse("Anna is here", kind="pii", mask=True)
    )
    assert str(result) == "[person] is here"
    assert "'Xaver Quirin' is not in the text" in result.warnings[0].message
    assert "may stand there unmasked" in result.warnings[0].message
