"""Structured answers: every known way to go wrong at each rung of the ladder, and forms of every kind."""

import contextlib
import datetime as dt
import enum
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator

import taskkit
from taskkit.engine.call import Message
from taskkit.errors import ContextTooLong, InvalidOutputError, RefusedError, TaskkitError
from taskkit.testing import Fail, Script, ScriptedServer, adversarial, scripted
from taskkit.tokens import count_messages, counter_for

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


@pytest.mark.parametrize("rung", RUNGS)
def test_a_list_of_500_items_comes_whole_and_one_bad_row_is_named(server: Server, rung: str) -> None:
    rows: list[dict[str, Any]] = [{"id": n, "name": f"Town {n}", "people": n} for n in range(500)]
    bad = [*rows[:321], {**rows[321], "people": "many"}, *rows[322:]]
    there = server(at_rung(rung, [{"items": bad, "total": 500}, {"items": rows, "total": 500}]))
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        result = engine.run(Count("all"))
    assert [one.people for one in result.items] == list(range(500))
    *_, shown, asked = there.bodies[-1]["messages"]
    assert "items[321].people: " in asked["content"]
    assert "valid integer" in asked["content"]
    assert "Town 321" in shown["content"]
    assert len(shown["content"]) < 1000, "not the 500 rows again"


class Pet(BaseModel):
    kind: Literal["cat", "dog"]
    name: str


class Bird(BaseModel):
    kind: Literal["bird"]
    can_fly: bool


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Everything(taskkit.Result):
    """Forms of every kind, each with a bound that the strict dialect has no word for."""

    code: Annotated[str, Field(min_length=3, max_length=5)]
    even: Annotated[int, Field(multiple_of=2, ge=0)]
    tags: Annotated[list[str], Field(min_length=1, max_length=3)]
    pet: Annotated[Pet | Bird, Field(discriminator="kind")]
    size: Size
    price: Decimal
    pair: tuple[int, str]
    day: dt.date
    length: dt.timedelta | None = None
    note: str = "none"
    rate: float | None = None
    kinds: set[Literal["a", "b"]] = Field(default_factory=set)
    tree: "list[Everything] | None" = None

    @field_validator("code")
    @classmethod
    def _no_o(cls, code: str) -> str:
        if "O" in code:
            raise ValueError("no letter O, which looks like a zero")
        return code


@taskkit.task
class Fill(taskkit.Task[Everything]):
    """Fill in a form."""

    text: str
    prompt = taskkit.Prompt("Fill in the form: {{ text }}")


FULL: dict[str, Any] = {
    "code": "ABC", "even": 4, "tags": ["x"], "pet": {"kind": "bird", "can_fly": True}, "size": 2, "price": "12.50",
    "pair": [1, "one"], "day": "2026-01-31", "length": None, "note": "", "rate": None, "kinds": ["a"], "tree": None,
}  # fmt: skip


def test_every_kind_of_field_comes_back_as_what_it_is() -> None:
    result = scripted({**FULL, "length": "PT90M", "rate": 0.5, "tree": [{**FULL, "size": 1}]}).run(Fill("x"))
    assert (result.size, result.price, result.pair) == (Size.LARGE, Decimal("12.50"), (1, "one"))
    assert isinstance(result.pet, Bird)
    assert (result.length, result.kinds) == (dt.timedelta(minutes=90), {"a"})
    assert result.tree is not None
    assert result.tree[0].size is Size.SMALL


def test_an_optional_field_that_is_null_or_left_out_has_its_default() -> None:
    for answer in (
        {**FULL, "note": None},
        {k: v for k, v in FULL.items() if k not in {"note", "rate", "kinds", "tree"}},
    ):
        result = scripted(answer).run(Fill("x"))
        assert (result.note, result.rate) == ("none", None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"code": "AB"}, "code: string should have at least 3 characters"),
        ({"code": "ABCDEF"}, "code: string should have at most 5 characters"),
        ({"code": "FOO"}, "code: no letter O, which looks like a zero"),
        ({"even": 3}, "even: input should be a multiple of 2"),
        ({"even": -2}, "even: input should be greater than or equal to 0"),
        ({"tags": []}, "tags: list should have at least 1 item"),
        ({"tags": ["x"] * 4}, "tags: list should have at most 3 items"),
        ({"pet": {"kind": "fish", "name": "Wanda"}}, "pet: "),
        ({"pet": {"kind": "cat"}}, "name: field required"),
        ({"size": 3}, "size: input should be 1 or 2"),
        ({"price": "dear"}, "price: input should be a valid decimal"),
        ({"pair": [1]}, "pair[1]: field required"),
        ({"day": "2026-02-30"}, "day: "),
        ({"tree": [FULL, {**FULL, "even": 5}]}, "tree[1].even: input should be a multiple of 2"),
    ],
)
def test_each_bound_that_does_not_hold_is_told_in_words(wrong: dict[str, Any], words: str) -> None:
    engine = scripted([{**FULL, **wrong}, FULL])
    assert engine.run(Fill("x")).even == 4
    assert words in engine._transport.bodies[1]["messages"][-1]["content"]  # type: ignore[union-attr]


def test_bounds_are_told_before_they_are_broken() -> None:
    """In the schema's descriptions, or in the prompt: the strict dialect has no word for them."""
    engine = scripted([FULL, {**GOOD, "parent": None}])
    engine.run(Fill("x"))
    engine.run(Read("x"))
    full, order = (json.dumps(body) for body in engine._transport.bodies)  # type: ignore[union-attr]
    for words in ("3 to 5 characters", "a multiple of 2", "1 to 3 items", "YYYY-MM-DD", "exactly 2 items"):
        assert words in full
    assert "journal_hits" not in full, "what the engine fills is nothing for the model, at no depth"
    for words in ("more than 0", "at most 100"):
        assert words in order
    for word in ("minLength", "maxItems", "multipleOf", '"default"', "discriminator", "exclusiveMinimum"):
        assert word not in full + order


def test_all_tries_are_counted() -> None:
    engine = scripted('{"items": "none"}')
    with pytest.raises(InvalidOutputError) as caught:
        engine.run(Count("both"))
    assert caught.value.tries == engine.usage.calls == 3
    assert caught.value.usage is not None
    assert caught.value.usage.calls == 3
    assert caught.value.raw == '{"items": "none"}'


@taskkit.task
class Note(taskkit.Task[Towns]):
    """Note what towns a text has."""

    source: str

    async def run(self, job: taskkit.Job) -> Towns:
        return await job.complete(self.source, output=Towns, max_output=100)


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("words", [2000, 3600, 3750, 3820])
def test_what_a_rung_or_a_repair_adds_stays_within_the_window(server: Server, rung: str, words: int) -> None:
    """The first two answers are a thousand characters that are none: the prompt nearly fills the window."""
    count = counter_for("gpt-4.1-mini").count
    there = server(at_rung(rung, ["I would say it in words. " * 40, "Once more in words. " * 50, RIGHT]), count=count)
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", context=4096) as engine:
        with contextlib.suppress(InvalidOutputError, ContextTooLong):
            assert engine.run(Note("ship " * words)).total == 5
        assert words > 3700 or engine.usage.calls == 3
    assert there.bodies
    for body in there.bodies:
        messages = [Message(one["role"], one["content"]) for one in body["messages"]]
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        assert count_messages(messages, counter_for("gpt-4.1-mini"), schema) + body["max_tokens"] <= 4096


@pytest.mark.parametrize("cut", ['{"value": "The harbour was clo', '{"n": 1', '```json\n{"value": "The har'])
@pytest.mark.parametrize("kind", [str | None, str | int])
def test_half_an_object_is_no_text(cut: str, kind: Any) -> None:
    @taskkit.task
    class Say(taskkit.Task[str]):
        """Say it."""

        async def run(self, job: taskkit.Job) -> str:
            return str(await job.complete("Say it.", output=kind))

    assert scripted([cut, {"value": "The harbour was closed."}]).run(Say()) == "The harbour was closed."
