"""Structured answers: every known way to go wrong at each rung of the ladder, and forms of every kind."""

import contextlib
import datetime as dt
import enum
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import taskkit
from taskkit.errors import InvalidOutputError, RefusedError, TaskkitError
from taskkit.testing import Fail, Script, ScriptedServer, adversarial, scripted

Server = Callable[..., ScriptedServer]
RIGHT: dict[str, Any] = {
    "items": [{"id": 1, "name": "Paris", "people": 2}, {"id": 2, "name": "Rome", "people": 3}],
    "total": 5,
}
RUNGS: dict[str, tuple[str, ...]] = {"strict": (), "object": ("json_schema",), "prompt": ("json_schema", "json_object")}


class Town(BaseModel):
    id: int
    name: str
    people: int


class Towns(taskkit.Result):
    items: list[Town]
    total: int


@taskkit.task
class Count(taskkit.Task[Towns]):
    """Count the people of towns."""

    subject: str
    prompt = taskkit.Prompt("How many people live in {{ subject }}?")


def at_rung(rung: str, replies: Any) -> Callable[[Mapping[str, Any]], Any]:
    """An endpoint that knows no higher rung than this one."""
    script = Script(replies)

    def reply(body: Mapping[str, Any]) -> Any:
        wanted = body.get("response_format", {}).get("type")
        if wanted in RUNGS[rung]:
            return Fail(400, f"Invalid parameter: 'response_format' of type '{wanted}' is not supported with this model.",
                        param="response_format")  # fmt: skip
        return script.reply(body)

    return reply


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", [name for name in adversarial(RIGHT) if name != "refusal"])
def test_each_wrong_answer_is_mended_at_each_rung(server: Server, rung: str, name: str) -> None:
    there = server(at_rung(rung, adversarial(RIGHT)[name]))
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        result = engine.run(Count("both"))
        assert [one.people for one in result.items] == [2, 3]
        assert result.usage.calls >= 1
        kinds = [body.get("response_format", {}).get("type") for body in there.bodies]
        there_before = len(there.bodies)
        assert kinds[-1] == {"strict": "json_schema", "object": "json_object", "prompt": None}[rung]
        # What the endpoint refuses was learnt: it is not asked for again.
        with contextlib.suppress(TaskkitError):  # the script has an end
            engine.run(Count("again"))
        assert all(
            body.get("response_format", {}).get("type") not in RUNGS[rung] for body in there.bodies[there_before:]
        )


@pytest.mark.parametrize("rung", RUNGS)
def test_a_refusal_is_one_and_not_repaired(server: Server, rung: str) -> None:
    there = server(at_rung(rung, adversarial(RIGHT)["refusal"]))
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        with pytest.raises(RefusedError):
            engine.run(Count("both"))
        assert len(there.bodies) == 1 + len(RUNGS[rung])


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Card(BaseModel):
    kind: Literal["card"]
    number: Annotated[str, Field(pattern=r"^\d{4}$")]


class Cash(BaseModel):
    kind: Literal["cash"]
    coins: list[int]


class Order(taskkit.Result):
    on: dt.date
    at: dt.datetime | None = None
    colour: Colour
    paid: Card | Cash
    notes: dict[str, str] = Field(default_factory=dict)
    amount: Annotated[float, Field(gt=0, le=100)]
    parent: "Order | None" = None


@taskkit.task
class Read(taskkit.Task[Order]):
    """Read an order."""

    text: str
    prompt = taskkit.Prompt("Read this order: {{ text }}")


GOOD: dict[str, Any] = {
    "on": "2026-01-31",
    "at": None,
    "colour": "blue",
    "paid": {"kind": "cash", "coins": [1, 2]},
    "notes": {},
    "amount": 12.5,
    "parent": None,
}


def test_dates_enums_unions_and_nesting_come_back_as_what_they_are() -> None:
    inner = {**GOOD, "paid": {"kind": "card", "number": "1234"}, "amount": 1}
    result = scripted({**GOOD, "parent": inner}).run(Read("x"))
    assert (result.on, result.colour) == (dt.date(2026, 1, 31), Colour.BLUE)
    assert isinstance(result.paid, Cash)
    assert result.parent is not None
    assert isinstance(result.parent.paid, Card)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"amount": 0}, "greater than 0"),
        ({"amount": 101}, "less than or equal to 100"),
        ({"colour": "green"}, "'red' or 'blue'"),
        ({"on": "31 January"}, "date"),
        ({"paid": {"kind": "card", "number": "12"}}, "number"),
    ],
)
def test_what_does_not_hold_is_told_to_the_model_in_words(wrong: dict[str, Any], words: str) -> None:
    engine = scripted([{**GOOD, **wrong}, GOOD])
    assert engine.run(Read("x")).amount == 12.5
    again = engine._transport.bodies[1]["messages"]  # type: ignore[union-attr]
    assert words in str(again)
    assert len(json.dumps(again)) < 4000, "the shortest excerpt, no growing history"


def test_a_list_of_500_items_comes_whole() -> None:
    rows = [{"id": n, "name": f"Town {n}", "people": n} for n in range(500)]
    result = scripted({"items": rows, "total": 500}).run(Count("all"))
    assert len(result.items) == 500


def test_all_tries_are_counted() -> None:
    engine = scripted('{"items": "none"}')
    with pytest.raises(InvalidOutputError) as caught:
        engine.run(Count("both"))
    assert caught.value.tries == engine.usage.calls == 3
    assert caught.value.usage is not None
    assert caught.value.usage.calls == 3
    assert caught.value.raw == '{"items": "none"}'
