"""Extraction: what the text says, each value with its words; null for the rest."""

import datetime as dt
import json
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from taskkit.errors import InputError
from taskkit.tasks.analyse import Analyse
from taskkit.tasks.analyse.borne import borne_out
from taskkit.tasks.analyse.schemas import tree
from taskkit.testing import adversarial, scripted
from tests.tasks.analyse.conftest import after
from tests.tasks.analyse.test_labels import bodies

TEXT = (
    "Invoice 4711 of Müller & Söhne GmbH, 3 May 2026.\nTwo chairs at 120,50 € each.\nOne table: 1.300 €.\n"
    "Please pay by 31.05.2026. Express delivery."
)


class Line(BaseModel):
    what: str
    price: float


class Speed(Enum):
    NORMAL = "normal"
    EXPRESS = "express"


class Invoice(BaseModel):
    supplier: str = Field(description="who sends it")
    due: dt.date | None = None
    lines: list[Line] = []
    speed: Speed = Speed.NORMAL
    discount: Decimal | None = None


def told(quote: str, value: Any) -> dict[str, Any]:
    return {"quote": quote, "value": value}


RIGHT: dict[str, Any] = {
    "supplier": "Müller & Söhne GmbH",
    "due": told("pay by 31.05.2026", "2026-05-31"),
    "lines": [
        {"what": "chairs", "price": told("120,50 €", 120.5)},
        {"what": "table", "price": told("1.300 €", 1300)},
    ],
    "speed": told("Express delivery", "express"),
    "discount": None,
}


def test_a_model_is_filled_with_what_the_text_says() -> None:
    result = scripted(RIGHT).run(Analyse(TEXT, schema=Invoice))
    invoice = result.to(Invoice)
    assert invoice.supplier == "Müller & Söhne GmbH"
    assert invoice.due == dt.date(2026, 5, 31)
    assert [one.price for one in invoice.lines] == [120.5, 1300.0]
    assert invoice.speed is Speed.EXPRESS
    assert [one.label for one in result.items][:4] == ["supplier", "due", "lines[0].what", "lines[0].price"]
    for one in result.items:
        assert one.evidence is not None
        assert TEXT[one.evidence.start : one.evidence.end] == one.evidence.quote
    assert json.loads(str(result))["discount"] is None


def test_the_model_is_told_what_a_field_means() -> None:
    engine = scripted(RIGHT)
    engine.run(Analyse(TEXT, schema=Invoice))
    assert "who sends it" in str(bodies(engine)[0]["response_format"])
    asked = bodies(engine)[0]["messages"][0]["content"]
    assert (
        "- supplier: who sends it\n- due (quote and value)\n- lines (a list)\n  - what\n  - price (quote and value)\n"
        in asked
    )


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("supplier", "Schmidt AG"),
        ("supplier", None),
        ("supplier", ""),
        ("supplier", "Not mentioned."),
        ("due", told("Payment was never made", "2026-05-31")),
        ("due", told("pay by 31.05.2026", "2025-07-30")),
        ("due", None),
        ("due", told("", "null")),
    ],
    ids=["invented", "null", "empty", "in words", "invented quote", "invented value", "no answer", "null as text"],
)
def test_what_is_not_there_is_null(field: str, wrong: Any) -> None:
    result = scripted({**RIGHT, field: wrong}).run(Analyse(TEXT, schema=Invoice))
    other = {"supplier": "due", "due": "supplier"}[field]
    assert result.data[field] is None
    assert result.data[other] == {"due": "2026-05-31", "supplier": "Müller & Söhne GmbH"}[other]
    assert field not in result.labels
    if field == "supplier":
        with pytest.raises(InputError, match="supplier"):
            result.to(Invoice)


def test_a_text_is_in_the_words_of_the_source_whatever_its_spelling() -> None:
    result = scripted({**RIGHT, "supplier": "MÜLLER &  söhne"}).run(Analyse(TEXT, schema=Invoice))
    assert result.data["supplier"] == "Müller & Söhne"
    alone = scripted({"who": "Ann"}).run(Analyse("Annabel wrote to Ann.", fields="who"))
    assert alone.items[0].evidence is not None
    assert alone.items[0].evidence.start == 17


def test_only_what_is_wrong_is_asked_for_again_and_what_was_right_stays() -> None:
    first = {**RIGHT, "supplier": "Muster AG of Bern", "due": told("never", "2026-05-31")}
    engine = scripted([first, {"supplier": RIGHT["supplier"], "due": RIGHT["due"]}])
    result = engine.run(Analyse(TEXT, schema=Invoice))
    assert result.data["supplier"] == "Müller & Söhne GmbH"
    assert result.data["lines"] == [{"what": "chairs", "price": 120.5}, {"what": "table", "price": 1300.0}]
    assert result.warnings == ()
    assert [one.label for one in result.items][:3] == ["supplier", "due", "lines[0].what"]
    again = bodies(engine)[1]
    assert "supplier: 'Muster AG of Bern' is not in the text" in str(again)
    assert list(again["response_format"]["json_schema"]["schema"]["properties"]) == ["supplier", "due"]
    assert "lines" not in again["messages"][0]["content"]


@pytest.mark.parametrize("wrong", ["31 May, or so", -1, [], "x"], ids=str)
def test_a_value_of_another_kind_takes_no_other_field_with_it(wrong: Any) -> None:
    first = {**RIGHT, "due": told("pay by 31.05.2026", wrong)}
    engine = scripted([first, {"due": RIGHT["due"]}])
    assert engine.run(Analyse(TEXT, schema=Invoice)).data["due"] == "2026-05-31"
    assert "can not be its value" in str(bodies(engine)[1])
    engine = scripted(first)
    result = engine.run(Analyse(TEXT, schema=Invoice))
    assert result.data["due"] is None
    assert result.data["supplier"] == "Müller & Söhne GmbH"
    assert [one.code for one in result.warnings] == ["unsupported"]
    assert len(bodies(engine)) == 2


def test_the_second_answer_takes_nothing_away() -> None:
    lines = [RIGHT["lines"][0], {"what": "bench", "price": RIGHT["lines"][1]["price"]}]
    engine = scripted([{**RIGHT, "lines": lines}, {"lines": []}])
    result = engine.run(Analyse(TEXT, schema=Invoice))
    assert result.data["lines"] == [{"what": "chairs", "price": 120.5}, {"what": None, "price": 1300.0}]
    assert result.data["supplier"] == "Müller & Söhne GmbH"
    assert result.dropped == 1
    assert "'bench' is not in the text" in result.warnings[0].message


def test_a_few_fields_cost_little_more_than_a_plain_prompt() -> None:
    """Of texts the answer is as short as a plain one; the prompt says once what holds for all."""
    text = "On 4 March 2025 Ms Ilona Varga ordered twelve oak shelves for 1,480 euros, order number 77-2041."
    answer = {"customer": "Ilona Varga", "date": "4 March 2025", "amount": "1,480 euros", "order_number": "77-2041"}
    engine = scripted(answer)
    task = Analyse(text, fields=tuple(answer))
    result = engine.run(task)
    assert result.data == answer
    (body,) = bodies(engine)
    said = sum(len(one["content"]) for one in body["messages"])
    assert said < 2 * sum(len(part.text) for part in task.baseline())
    assert len(json.dumps(body["response_format"])) < 450


@pytest.mark.parametrize(
    ("value", "quote", "good"),
    [
        (1300, "1.300 €", True),
        (1300.5, "1,300.50", True),
        (1300.5, "1.300,50", True),
        (13, "1.300 €", False),
        (2_500_000, "2.5 million", True),
        (0.15, "15 %", True),
        (3, "three men", True),
        (4, "three men", False),
        (-5, "−5 °C", True),
        (dt.date(2026, 5, 3), "3 May 2026", True),
        (dt.date(2025, 5, 3), "3 May 2026", False),
        (dt.date(2026, 5, 12), "3 May 2026", False),
        (dt.date(2026, 5, 3), "05/03/26", True),
        (dt.date(2026, 5, 1), "05/2026", True),
        (dt.date(2026, 5, 1), "in May 2026", True),
        (dt.date(2026, 5, 3), "next week", False),
        ("2026-05-03", "3 May 2026", True),
        ("1300", "1.300 €", True),
        ("Anna", "Ms Anna Bauer", True),
        ("Berta", "Ms Anna Bauer", False),
        (True, "it is", True),
    ],
)
def test_a_value_must_be_what_its_quote_says(value: Any, quote: str, good: bool) -> None:
    assert borne_out(value, quote) is good


def test_fields_by_their_names() -> None:
    answer = {"number": told("Invoice 4711", 4711), "due": told("31.05.2026", "2026-05-31"), "paid": None, "iban": None}
    result = scripted(answer).run(Analyse(TEXT, fields=("number:integer,due:date", "paid:yes/no", "iban")))
    assert result.data == {"number": 4711, "due": "2026-05-31", "paid": None, "iban": None}
    with pytest.raises(InputError, match="'money' of the field price"):
        scripted().run(Analyse(TEXT, fields="price:money"))
    with pytest.raises(InputError, match="price is named twice"):
        scripted().run(Analyse(TEXT, fields="price:number,price"))


@pytest.mark.parametrize("schema", [list[Line], {"type": "array", "items": Line.model_json_schema()}])
def test_a_list_of_records(schema: Any) -> None:
    result = scripted({"records": RIGHT["lines"]}).run(Analyse(TEXT, schema=schema))
    assert result.data == [{"what": "chairs", "price": 120.5}, {"what": "table", "price": 1300.0}]
    assert result.labels == ("[0].what", "[0].price", "[1].what", "[1].price")


def test_a_schema_from_a_file_with_awkward_names() -> None:
    names = ("json", "model_config", "_x", "a b", "schema", "ключ", "class", "$id2")
    schema = {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in names}}
    Path("s.json").write_text(json.dumps(schema))
    answer: dict[str, Any] = dict.fromkeys(names, "chairs")
    assert scripted(answer).run(Analyse(TEXT, schema=Path("s.json"))).data == dict.fromkeys(names, "chairs")


def test_over_many_pieces_the_first_is_kept_and_the_others_are_told() -> None:
    text = "The price is 5 euros.\n\n" + "Nothing to see here, and at some length.\n\n" * 500 + "The price is 7 euros."

    def model(body: Any) -> Any:
        asked = str(body["messages"][-1]["content"])
        price = next((n for n in (5, 7) if f"price is {n}" in asked), None)
        return {
            "price": None if price is None else told(f"price is {price} euros", price),
            "seen": [f"price is {price}"] if price else [],
        }

    fields = {"price": {"type": "number"}, "seen": {"type": "array", "items": {"type": "string"}}}
    result = scripted(model).run(Analyse(text, schema={"type": "object", "properties": fields}))
    assert result.data == {"price": 5, "seen": ["price is 5", "price is 7"]}
    assert "5.0 was found first and kept, 7.0 further on" in result.warnings[0].message
    assert result.items[-1].evidence is not None
    assert text[result.items[-1].evidence.start :].startswith("price is 7")


LOOP: dict[str, Any] = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
LAUGHS = {f"n{n}": {"type": "object", "properties": {str(k): {"$ref": f"#/$defs/n{n + 1}"} for k in range(9)}} for n in range(6)}  # fmt: skip
DEEP: dict[str, Any] = {"type": "string"}
for _ in range(3000):
    DEEP = {"type": "object", "properties": {"x": DEEP}}


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (LOOP, "refers to itself"),
        (Tree, "refers to itself"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "refers to itself"),
        ({"type": "object", "properties": {"a": {"$ref": "https://evil.example/s.json"}}}, "refers to elsewhere"),
        ({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}, "refers to elsewhere"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}, "has no #/"),
        ({"$defs": {**LAUGHS, "n6": {}}, "$ref": "#/$defs/n0"}, "more than 200 fields"),
        (DEEP, "deeper than 8"),
        ({"type": "string"}, "of one value"),
        ({"type": "object"}, "does not name the fields"),
        ({"type": "object", "properties": {"a": {"not": {}}}}, "uses 'not'"),
        ({"type": "object", "properties": {"a": {"type": "frog"}}}, "the type 'frog'"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, "can not be used"),
        ({"type": "object", "properties": {"a": [1]}}, "is none at a"),
        ({"type": "object", "properties": {"a": {"allOf": [{}, {}]}}}, "uses 'allOf'"),
        ({"type": "object", "properties": {"a": {"anyOf": [{"type": "object", "properties": {"b": {}}}, {"type": "string"}]}}}, "leaves open"),
    ],
)  # fmt: skip
def test_a_hostile_schema_is_refused_in_one_line(schema: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        scripted().run(Analyse(TEXT, schema=schema))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_schema_says_what_the_tree_has() -> None:
    class Both(BaseModel):
        a: int | str
        b: Literal["x", "y"] | None = None

    made = tree(Both, ())
    assert list(made.fields) == ["a", "b"]


def test_the_pack_of_wrong_answers() -> None:
    for name, (wrong, _) in adversarial(RIGHT, quote_field="quote").items():
        result = scripted(after(wrong, RIGHT)).run(Analyse(TEXT, schema=Invoice))
        assert result.data["supplier"] == "Müller & Söhne GmbH", name
        assert len(result.items) == 7, name


def test_the_plain_prompt_names_the_fields() -> None:
    part, _ = Analyse(TEXT, fields="supplier,due:date").baseline()
    assert "supplier, due" in part.text
