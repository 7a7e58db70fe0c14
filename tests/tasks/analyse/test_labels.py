"""Labels, each with words that stand in the text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.engine.engine import Engine
from taskkit.errors import InputError, RefusedError
from taskkit.source import Text
from taskkit.tasks.analyse import Analyse, Item
from taskkit.tasks.analyse.labels import Shortlist, labels
from taskkit.testing import Fail, Refuse, ScriptedTransport, adversarial, scripted
from tests.tasks.analyse.conftest import after

TEXT = "The delivery was late and the box was crushed, but the phone itself is “brilliant”."
BOTH = ("praise", "complaint")


def judged(label: str, evidence: str) -> dict[str, str]:
    return {"evidence": evidence, "label": label}


def several(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"labels": [judged(*pair) for pair in pairs]}


def quoted(item: Item) -> str:
    assert item.evidence is not None
    return item.evidence.quote


def bodies(engine: Any) -> list[dict[str, Any]]:
    transport = engine.roads._transport
    assert isinstance(transport, ScriptedTransport)
    return transport.bodies


def test_evidence_is_located_in_the_source() -> None:
    answer = several(("praise", 'the phone itself is "brilliant"'), ("Complaint ", "box was crushed"))
    result = scripted(answer).run(Analyse(Text(TEXT), labels=BOTH, multi=True))
    assert result.labels == BOTH
    for one in result.items:
        assert one.evidence is not None
        assert TEXT[one.evidence.start : one.evidence.end] == one.evidence.quote
    assert [one.evidence.status for one in result.items if one.evidence] == ["normalised", "exact"]


ODD = ("<b>x</b>", "<label>", "{y}", "{{ z }}", "{% if %}", "a/b", "+")
RUNGS = ("json_schema", "json_object", "none")


@pytest.mark.parametrize(("label", "rung"), [*((one, "none") for one in ODD), *((ODD[0], rung) for rung in RUNGS[:2])])
def test_a_label_is_only_a_label(label: str, rung: str, server: Any) -> None:
    """Whatever signs are in it, and whatever the endpoint knows of schemas."""
    asked: list[Any] = []

    def reply(body: Any) -> Any:
        asked.append(body)
        kind = body.get("response_format", {}).get("type", "none")
        if RUNGS.index(kind) < RUNGS.index(rung):
            return Fail(400, f"'response_format' of type {kind} is not supported.", param="response_format")
        return judged(label, "late")

    engine = Engine(model="scripted", base_url=server(reply).base_url, api_key="k", journal=False)
    first = (label, *(one for one in ODD if one != label))  # the first one is in the example of the last rung
    result = engine.run(Analyse(TEXT, labels=first))
    assert result.labels == (label,)
    assert quoted(result.items[0]) == "late"
    assert f"- {label}\n" in str(asked[-1]["messages"][0]["content"])
    assert not result.warnings


def test_one_label_is_given_where_several_are_not_wanted() -> None:
    result = scripted(judged("complaint", "late")).run(Analyse(TEXT, labels=BOTH))
    assert str(result) == 'complaint: "late"'


def test_an_endpoint_with_schemas_is_told_the_labels() -> None:
    engine = scripted(judged("praise", "brilliant"))
    engine.run(Analyse(TEXT, labels=BOTH))
    assert "['praise', 'complaint', 'none of these']" in str(bodies(engine)[0]["response_format"])


@pytest.mark.parametrize(
    "said", ["Card Arrival ", "card-arrival", "CARD_ARRIVAL", "1. card_arrival", "card_arrival: x"]
)
def test_a_label_is_known_however_it_is_spelt(said: str) -> None:
    result = scripted(judged(said, "late")).run(Analyse(TEXT, labels=("card_arrival", "card_lost")))
    assert result.labels == ("card_arrival",)
    assert result.usage.calls == 1


def test_a_label_outside_the_set_is_asked_for_again_then_abstained_from() -> None:
    engine = scripted(judged("rant", "box was crushed"))
    result = engine.run(Analyse(TEXT, labels=BOTH))
    assert result.items == ()
    assert result.dropped == 1
    assert "'rant' is none of the labels" in str(bodies(engine)[1]["messages"])
    assert bodies(engine)[0]["temperature"] < bodies(engine)[1]["temperature"] < 0.5
    assert "none of the labels" in result.warnings[0].message
    result = scripted([judged("rant", "late"), judged("complaint", "late")]).run(Analyse(TEXT, labels=BOTH))
    assert result.labels == ("complaint",)


def test_a_text_may_be_none_of_them() -> None:
    result = scripted(judged("none of these", "")).run(Analyse(TEXT, labels=BOTH))
    assert (result.items, result.warnings, str(result)) == ((), (), "Nothing.")


def test_an_other_of_ones_own_takes_the_place_of_ours() -> None:
    engine = scripted(judged("other", "late"))
    assert engine.run(Analyse(TEXT, labels=(*BOTH, "other"))).labels == ("other",)
    assert "none of these" not in str(bodies(engine))


def test_an_invented_quote_never_appears_as_grounded() -> None:
    result = scripted(several(("praise", "Best shop ever"), ("complaint", "box was crushed"))).run(
        Analyse(TEXT, labels=BOTH, multi=True)
    )
    assert result.labels == ("complaint",)
    assert result.usage.calls == 2
    assert "Best shop ever" in result.warnings[0].message
    result = scripted(judged("praise", "Best shop ever")).run(Analyse(TEXT, labels=BOTH))
    assert [(one.label, one.evidence) for one in result.items] == [("praise", None)]


def test_confidence_is_the_share_of_the_votes() -> None:
    votes = [judged("complaint", "late"), judged("praise", "brilliant"), judged("complaint", "Nowhere at all said")]
    calls = iter([*votes, *votes])
    engine = scripted(lambda body: next(calls))
    result = engine.run(Analyse(TEXT, labels=BOTH, votes=3))
    (one,) = result.items
    assert (one.label, quoted(one), one.confidence) == ("complaint", "late", 0.667)


def test_a_tie_of_votes_is_no_answer() -> None:
    calls = iter(BOTH)
    engine = scripted(lambda body: judged(next(calls), "late"))
    assert engine.run(Analyse(TEXT, labels=BOTH, votes=2)).items == ()


def test_of_many_labels_more_than_half_of_the_votes_are_needed() -> None:
    calls = iter([True, False, False])
    engine = scripted(lambda body: several(("complaint", "late"), *([("praise", "brilliant")] if next(calls) else [])))
    result = engine.run(Analyse(TEXT, labels=BOTH, multi=True, votes=3))
    assert [(one.label, one.confidence) for one in result.items] == [("complaint", 1.0)]


def test_one_vote_gives_no_confidence() -> None:
    assert scripted(judged("praise", "brilliant")).run(Analyse(TEXT, labels=BOTH)).items[0].confidence is None


@pytest.mark.parametrize(
    "given",
    [
        "praise,complaint",
        ("praise", "complaint"),
        {"praise": "says what was good", "complaint": "says what was bad, or broken"},
        ("praise: says what was good", "complaint: says what was bad, or broken"),
        '{"praise": "says what was good", "complaint": "bad"}',
    ],
)
def test_labels_come_in_many_forms(given: Any) -> None:
    engine = scripted(judged("complaint", "late"))
    assert engine.run(Analyse(TEXT, labels=given)).labels == ("complaint",)
    asked = bodies(engine)[0]["messages"][0]["content"]
    assert "- praise" in asked
    assert ("- praise: says what was good" in asked) is ("good" in str(given))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", 'label,definition\npraise,"good, or better"\ncomplaint,bad\n'),
        ("labels.json", json.dumps({"praise": "good, or better", "complaint": "bad"})),
        ("labels.txt", "# ours\n- praise: good, or better\n- complaint: bad\n"),
    ],
)
def test_labels_come_from_files(name: str, text: str) -> None:
    Path(name).write_text(text)
    assert labels((Path(name),)).meanings == {"praise": "good, or better", "complaint": "bad"}


def test_labels_that_are_spelt_alike_are_refused() -> None:
    with pytest.raises(InputError, match="spelt alike"):
        scripted().run(Analyse(TEXT, labels="Card arrival,card_arrival"))


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8), min_size=1, max_size=6))
def test_every_label_is_known_as_itself(names: list[str]) -> None:
    try:
        known = labels(names)
    except InputError:
        return
    assert [known.known(name) for name in known.names] == list(known.names)


BANKING = [
    "activate_my_card",
    "age_limit",
    "apple_pay_or_google_pay",
    "atm_support",
    "automatic_top_up",
    "balance_not_updated",
    "beneficiary",
    "cancel_transfer",
    "card_about_to_expire",
    "card_arrival",
    "card_swallowed",
    "cash_withdrawal_charge",
    "change_pin",
    "compromised_card",
    "country_support",
    "exchange_rate",
    "failed_transfer",
    "fiat_currency_support",
    "lost_or_stolen_card",
    "lost_or_stolen_phone",
    "order_physical_card",
    "passcode_forgotten",
    "pending_top_up",
    "refund_not_showing_up",
    "request_refund",
    "terminate_account",
    "transfer_timing",
    "verify_my_identity",
    "wrong_amount_of_cash_received",
]


def test_of_many_labels_a_text_is_shown_the_nearest(reader: Any) -> None:
    asked = {
        "When will my new card arrive?": "card_arrival",
        "Someone stole my phone yesterday": "lost_or_stolen_phone",
        "I want my money back for this": "request_refund",
        "What is your rate for dollars?": "exchange_rate",
        "How do I close my account?": "terminate_account",
    }
    Path("rows.jsonl").write_text("".join(json.dumps(text) + "\n" for text in asked))
    engine = scripted(reader(lambda text: judged(asked[text], text)))
    result = engine.run(Analyse(Path("rows.jsonl"), labels=BANKING))
    assert [row.labels for row in result.rows] == [(label,) for label in asked.values()]
    (body,) = bodies(engine)
    shown = [line.partition(": ")[2].split(", ") for line in body["messages"][-1]["content"].splitlines()
             if line.startswith("The labels to choose from")]  # fmt: skip
    assert [len(one) for one in shown] == [16] * 5
    assert all(label in one for label, one in zip(asked.values(), shown, strict=True))
    assert "age_limit" not in body["messages"][0]["content"]


def test_examples_of_a_label_draw_texts_like_them() -> None:
    import asyncio

    known = labels([f"label {number}" for number in range(30)])
    near = Shortlist(known, {"label 7": ["the kettle leaks water"]})
    (found,) = asyncio.run(near.of(["My kettle leaks"], 3))
    assert "label 7" in found


def test_a_long_text_is_judged_by_most_of_it() -> None:
    text = "All is well here and nothing hurts at all today.\n\n" * 300 + "It broke. " * 40
    engine = scripted(
        lambda body: judged("complaint", "It broke.") if "It broke" in str(body) else judged("praise", "All is well")
    )
    result = engine.run(Analyse(text, labels=BOTH))
    assert result.usage.calls > 2
    assert result.labels == ("praise",)


def test_one_bad_piece_does_not_lose_the_others() -> None:
    text = "All is well here and nothing hurts at all today.\n\n" * 300 + "It is forbidden. " * 40
    engine = scripted(
        lambda body: Refuse() if "forbidden" in str(body["messages"][-1]) else several(("praise", "All is well"))
    )
    result = engine.run(Analyse(text, labels=BOTH, multi=True))
    assert result.labels == ("praise",)
    assert 0.5 < result.covered < 1
    assert result.warnings[0].failure
    with pytest.raises(RefusedError):
        scripted(Refuse()).run(Analyse(TEXT, labels=BOTH))


def test_examples_are_shown_as_turns_and_are_no_answers() -> None:
    Path("few.csv").write_text("text,label\nIt works,praise\nIt broke,complaint\nIt broke twice over,complaint\n")
    engine = scripted(judged("complaint", "late"))
    result = engine.run(Analyse(TEXT, examples=Path("few.csv")))
    assert result.labels == ("complaint",)
    roles = [one["role"] for one in bodies(engine)[0]["messages"]]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]
    assert json.loads(bodies(engine)[0]["messages"][2]["content"])["label"] == "praise"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, ""),
        ({"kind": "labels"}, "no labels"),
        ({"labels": "a", "kind": "sentiment"}, "--labels can not go with"),
        ({"labels": "a", "schema": {}}, "--labels can not go with"),
        ({"fields": "a", "schema": {"type": "object", "properties": {"a": {}}}}, "say the same"),
        ({"labels": "a", "mask": True}, "--mask can not go"),
        ({"fields": "a", "votes": 3}, "no vote"),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_asked(options: Any, message: str) -> None:
    engine = scripted({"items": []})
    if not message:
        assert engine.run(Analyse(TEXT)).kind == "keyphrases"
        return
    with pytest.raises(InputError, match=message):
        engine.run(Analyse(TEXT, **options))
    assert not bodies(engine)


@pytest.mark.parametrize("multi", [False, True])
def test_the_pack_of_wrong_answers(multi: bool) -> None:
    right = several(("complaint", "late")) if multi else judged("complaint", "late")
    for name, (wrong, _) in adversarial(right, quote_field="evidence").items():
        result = scripted(after(wrong, right)).run(Analyse(TEXT, labels=BOTH, multi=multi))
        assert result.labels == ("complaint",), name
        assert quoted(result.items[0]) == "late", name


def test_the_plain_prompt_asks_the_same() -> None:
    (part, text) = Analyse(TEXT, labels=BOTH).baseline()
    assert "- praise" in part.text
    assert TEXT in text.text
