"""Labels and findings, each with words that stand in the text."""

from typing import Any

import pytest

from taskkit.source import Text
from taskkit.tasks.analyse import Analyse
from taskkit.testing import scripted

TEXT = "The delivery was late and the box was crushed, but the phone itself is “brilliant”."


def found(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"items": [{"label": label, "evidence": evidence} for label, evidence in pairs]}


def test_evidence_is_located_in_the_source() -> None:
    result = scripted(found(("praise", 'the phone itself is "brilliant"'), ("Complaint ", "box was crushed"))).run(
        Analyse(Text(TEXT), labels=("praise", "complaint"))
    )
    assert [one.label for one in result.items] == ["praise", "complaint"]
    for one in result.items:
        assert TEXT[one.evidence.start : one.evidence.end] == one.evidence.quote
    assert result.items[1].evidence.status == "exact"


def test_an_endpoint_with_schemas_is_told_the_labels() -> None:
    engine = scripted(found(("praise", "brilliant")))
    engine.run(Analyse(TEXT, labels=("praise", "complaint")))
    schema = engine._transport.bodies[0]["response_format"]  # type: ignore[union-attr]
    assert "['praise', 'complaint']" in str(schema)


def test_labels_may_come_in_one_with_commas() -> None:
    result = scripted(found(("complaint", "box was crushed"))).run(Analyse(TEXT, labels=("praise, complaint",)))
    assert [one.label for one in result.items] == ["complaint"]


def test_what_the_text_does_not_say_is_asked_for_again_then_left_out() -> None:
    invented = found(("praise", "Best shop ever"), ("complaint", "box was crushed"))
    engine = scripted(invented)
    result = engine.run(Analyse(TEXT, labels=("praise", "complaint")))
    assert [one.label for one in result.items] == ["complaint"]
    assert result.usage.calls == 2
    assert "Best shop ever" in result.warnings[0].message


def test_a_label_outside_the_set_is_never_given() -> None:
    result = scripted(found(("rant", "box was crushed"))).run(Analyse(TEXT, labels=("praise", "complaint")))
    assert result.items == ()
    assert "none of the labels" in result.warnings[0].message


@pytest.mark.parametrize("kind", ["entities", "keyphrases", "sentiment"])
def test_other_kinds_need_no_labels(kind: Any) -> None:
    result = scripted(found(("positive", "brilliant"))).run(Analyse(TEXT, kind=kind))
    assert str(result) == 'positive: "brilliant"'


def test_offsets_are_the_sources_in_a_long_text() -> None:
    text = "".join(f"Paragraph {n} speaks of nothing much at all, and at length.\n\n" for n in range(900)) + TEXT
    result = scripted(lambda body: found(("c", "box was crushed")) if "crushed" in str(body) else found()).run(
        Analyse(text, kind="keyphrases")
    )
    assert [text[one.evidence.start : one.evidence.end] for one in result.items] == ["box was crushed"]
