"""Items asked for together: whatever the model does, each has one outcome, and little is asked for twice."""

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import taskkit
from taskkit import Job
from taskkit.errors import QuotaError
from taskkit.keyed import Outcome, by_id, keyed
from taskkit.testing import Fail, Refuse, adversarial, scripted


class One(BaseModel):
    id: str
    doubled: int


class Doubled(BaseModel):
    items: list[One]


@taskkit.task
class Double(taskkit.Task[dict[str, Outcome[int]]]):
    """Double numbers."""

    numbers: dict[str, int]

    async def run(self, job: Job) -> dict[str, Outcome[int]]:
        async def ask(items: Mapping[str, int], problems: Mapping[str, str], attempt: int) -> Mapping[str, int]:
            listing = "\n".join(f"id {key}: {number} {problems.get(key, '')}" for key, number in items.items())
            likely = Doubled(items=[One(id=key, doubled=0) for key in items])
            got = await job.complete(f"Double each.\n{listing}", output=Doubled, sample=attempt, likely=likely)
            return by_id((one.id, one.doubled) for one in got.items)

        def check(item: int, answer: int) -> Outcome[int]:
            return Outcome(answer, "" if answer == 2 * item else f"{answer} is not twice {item}")

        return await keyed(job, self.numbers, ask, check)


def asked_for(body: Mapping[str, Any]) -> dict[str, int]:
    found = re.findall(r"^id (\w+): (-?\d+)", str(body["messages"][-1]["content"]), re.MULTILINE)
    return {key: int(number) for key, number in found}


def right(asked: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"id": key, "doubled": 2 * number} for key, number in asked.items()]


def run(model: Any, numbers: Mapping[str, int]) -> tuple[dict[str, Outcome[int]], list[dict[str, int]]]:
    engine = scripted(model)
    done = engine.run(Double(dict(numbers)))
    return done, [asked_for(body) for body in engine._transport.bodies]  # type: ignore[union-attr]


TEN = {f"n{number}": number for number in range(10)}


def test_what_is_right_is_asked_for_once() -> None:
    done, calls = run(lambda body: {"items": right(asked_for(body))}, TEN)
    assert {key: one.value for key, one in done.items()} == {key: 2 * number for key, number in TEN.items()}
    assert len(calls) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda rows: [one for one in rows if one["id"] != "n3"],
        lambda rows: [{**one, "doubled": 7} if one["id"] == "n3" else one for one in rows],
        lambda rows: [{**one, "id": "n4"} if one["id"] == "n3" else one for one in rows],
        lambda rows: [*rows, {"id": "n3", "doubled": 1}],
    ],
    ids=["missing", "wrong", "another's id", "twice"],
)
def test_only_what_failed_is_asked_for_again(wrong: Callable[[list[Any]], list[Any]]) -> None:
    def model(body: Mapping[str, Any]) -> Any:
        asked = asked_for(body)
        return {"items": wrong(right(asked)) if len(asked) == 10 else right(asked)}

    done, calls = run(model, TEN)
    assert all(one.good for one in done.values())
    assert len(calls) == 2
    assert set(calls[1]) <= {"n3", "n4"}


def test_what_stays_wrong_is_failed_and_told_and_the_rest_stands() -> None:
    def model(body: Mapping[str, Any]) -> Any:
        return {"items": [one for one in right(asked_for(body)) if one["id"] != "n3"]}

    done, calls = run(model, TEN)
    assert [key for key, one in done.items() if not one.good] == ["n3"]
    assert done["n3"].problem
    assert calls[1:] == [{"n3": 3}] * 2


def test_what_was_wrong_is_told_to_the_model() -> None:
    engine = scripted([{"items": [{"id": "a", "doubled": 5}]}, {"items": [{"id": "a", "doubled": 2}]}])
    assert engine.run(Double({"a": 1}))["a"].value == 2
    assert "5 is not twice 1" in str(engine._transport.bodies[1])  # type: ignore[union-attr]


def test_a_poisoned_item_does_not_take_the_others_with_it() -> None:
    def model(body: Mapping[str, Any]) -> Any:
        asked = asked_for(body)
        return Refuse() if "n7" in asked else {"items": right(asked)}

    done, _ = run(model, TEN)
    assert [key for key, one in done.items() if not one.good] == ["n7"]


def test_of_a_useless_model_no_more_is_asked_than_the_engine_asks_anyway() -> None:
    done, calls = run("say:ok", {"a": 1})
    assert "no usable answer" in done["a"].problem
    assert len(calls) == 3


def test_where_no_list_comes_each_item_is_asked_for_alone() -> None:
    done, calls = run(lambda body: {"items": right(asked)} if len(asked := asked_for(body)) == 1 else "say:ok", TEN)
    assert all(one.good for one in done.values())
    assert len(calls) == 3 + 10


def test_the_model_is_told_of_its_answer_and_not_of_our_errors() -> None:
    for model in ("say:ok", Refuse(), ""):
        engine = scripted(model)
        engine.run(Double({"a": 1, "b": 2}))
        said = json.dumps(engine._transport.bodies)  # type: ignore[union-attr]
        assert not re.search(r"stronger|Try|tries|declined|Change the|twice\.", said), model


def test_an_endpoint_without_credit_ends_it() -> None:
    with pytest.raises(QuotaError):
        run(Fail(429, "You exceeded your current quota.", "insufficient_quota"), TEN)


def test_the_pack_of_wrong_answers() -> None:
    numbers = {"1": 1, "2": 2, "3": 3, "4": 4}
    answer = {"items": right(numbers)}
    for name, script in adversarial(answer, item_field="items").items():
        first = iter(script[:1])
        done, calls = run(lambda body, first=first: next(first, {"items": right(asked_for(body))}), numbers)
        assert {key: one.value for key, one in done.items()} == {"1": 2, "2": 4, "3": 6, "4": 8}, name
        assert len(calls) <= 5, name


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)), st.integers())
def test_each_item_has_one_outcome_and_the_calls_are_bounded(lost: set[int], wrong: set[int], seed: int) -> None:
    chance = random.Random(seed)
    numbers = {str(number): number for number in range(12)}

    def model(body: Mapping[str, Any]) -> Any:
        rows = [one for one in right(asked_for(body)) if int(one["id"]) not in lost]
        rows = [{**one, "doubled": -1} if int(one["id"]) in wrong else one for one in rows]
        chance.shuffle(rows)
        return json.dumps({"items": rows})

    done, calls = run(model, numbers)
    assert list(done) == list(numbers)
    assert {int(key) for key, one in done.items() if not one.good} == lost | wrong
    assert len(calls) <= 1 + 2 * len(lost | wrong)


def test_a_plan_meets_no_check() -> None:
    assert scripted().plan(Double(TEN)).calls[1] <= 6
