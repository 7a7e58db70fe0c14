"""A long answer that is cut anywhere comes out whole, whatever the manner in which a model goes on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import TruncatedError
from taskkit.testing import Cut, Fail, Say, scripted


@taskkit.task
class Write(taskkit.Task[str]):
    """Write at length."""

    subject: str
    prompt = taskkit.Prompt("Write at length about {{ subject }}.")


def long_answer() -> str:
    """About 3,000 tokens with all that is hard to join: code, a table, lists, other scripts, emoji, repeats."""
    code = "\n".join(
        f"    total_{n} = sum(values[{n}:]) / {n + 1}\n    print('step {n}', total_{n})" for n in range(24)
    )
    table = "\n".join(f"| {n} | town {n % 7} | {n * 37 % 101} | {'yes' if n % 3 else 'no'} |" for n in range(40))
    prose = "\n\n".join(
        f"In year {n} the harbour of town {n * n % 89} was closed for {n + 2} days, and {n * 13 % 47} ships waited "
        f"outside. “Nobody had seen such a thing,” said the keeper of light {n}; the storm had come from the "
        f"{'north' if n % 2 else 'south'}, with hail."
        for n in range(22)
    )
    cjk = "".join(f"第{n}天港口关闭了，{n * 3}艘船在外面等待。😂👩‍👩‍👧 " for n in range(25))
    items = "\n".join(f"{n}. Check pump {n * 7 % 31}, then valve {n}." for n in range(1, 30))
    return (
        f"# The harbours\n\n{prose}\n\n```python\ndef report(values):\n{code}\n```\n\n## The table\n\n"
        f"| n | town | ships | open |\n|---|---|---|---|\n{table}\n\n{cjk}\n\n{items}\n\nThat is all there is to say.\n"
    )


WHOLE = long_answer()


def place_of(body: Mapping[str, Any]) -> tuple[int, str]:
    """Where the text so far ends in the whole one, and the words to begin with; as a model would read it."""
    messages = body["messages"]
    words = messages[-1]["content"]
    held = words.split("The words to begin with:\n\n", 1)[1] if "The words to begin with:" in words else ""
    shown = messages[-2]["content"] if messages[-2]["role"] == "assistant" else ""
    return WHOLE.index(shown + held) + len(shown) + len(held), held


def obedient(body: Mapping[str, Any]) -> str:
    end, held = place_of(body)
    return WHOLE[end - len(held) :]


def heedless(body: Mapping[str, Any]) -> str:
    return WHOLE[place_of(body)[0] :]


def repeating(body: Mapping[str, Any]) -> str:
    """Goes back to the line before the last one that is cut."""
    end, held = place_of(body)
    start = WHOLE.rfind("\n", 0, max(0, end - len(held) - 60)) + 1
    return WHOLE[start:]


def chatty(body: Mapping[str, Any]) -> str:
    end, held = place_of(body)
    return f"Sure, here is the rest of the answer:\n\n{WHOLE[end - len(held) :]}"


def cut_at(at: int, manner: Callable[[Mapping[str, Any]], str]) -> Callable[[Mapping[str, Any]], Any]:
    def reply(body: Mapping[str, Any]) -> Any:
        return Cut(WHOLE, at) if len(body["messages"]) == 1 else manner(body)

    return reply


@pytest.mark.parametrize(("manner", "offsets"), [(obedient, 500), (heedless, 500), (repeating, 500), (chatty, 500)])
def test_a_text_cut_at_any_offset_comes_out_whole(manner: Callable[[Mapping[str, Any]], str], offsets: int) -> None:
    wrong = []
    for number in range(offsets):
        at = 40 + number * (len(WHOLE) - 60) // offsets
        result = scripted(cut_at(at, manner)).run(Write("harbours"))
        if result.rstrip() != WHOLE.rstrip():
            wrong.append((at, WHOLE[at - 30 : at], WHOLE[at : at + 30]))
    assert not wrong, f"{len(wrong)} of {offsets}: {wrong[:3]}"


def test_a_server_that_cuts_again_and_again() -> None:
    def reply(body: Mapping[str, Any]) -> Any:
        rest = WHOLE if len(body["messages"]) == 1 else obedient(body)
        return Cut(rest, 1500) if len(rest) > 1500 else rest

    result = scripted(reply).run(Write("harbours"))
    assert result.rstrip() == WHOLE.rstrip()


def cut_before_anything_new(body: Mapping[str, Any]) -> Cut:
    return Cut(obedient(body), max(1, len(place_of(body)[1]) - 3))


def starts_over(body: Mapping[str, Any]) -> Cut:
    return Cut(WHOLE, 400)


@pytest.mark.parametrize("fault", [lambda _: "", lambda _: " \n", cut_before_anything_new, starts_over])
@pytest.mark.parametrize("end", ["with hail.", "print('step 7'", "| 9 | town"])
def test_a_continuation_that_is_empty_or_cut_itself_is_asked_for_once_more(
    fault: Callable[[Mapping[str, Any]], Any], end: str
) -> None:
    """Also where the text so far ends like one that is whole."""
    turn = iter((cut_at(WHOLE.index(end, 500) + len(end), obedient), fault))

    def model(body: Mapping[str, Any]) -> Any:
        return next(turn, obedient)(body)

    assert scripted(model).run(Write("harbours")).rstrip() == WHOLE.rstrip()


def test_a_model_that_does_not_go_on_says_nothing_of_the_end() -> None:
    """Also where the text so far ends like one that is whole."""
    at = WHOLE.index(".", 500) + 1

    def model(body: Mapping[str, Any]) -> Any:
        return cut_at(at, obedient)(body) if len(body["messages"]) == 1 else ""

    engine = scripted(model)
    notices: list[str] = []
    with engine.events.listen(lambda event: notices.append(event.message)):
        assert engine.run(Write("harbours")) == WHOLE[:at]
    assert any("did not go on with it" in one for one in notices)


def test_what_stays_cut_is_marked() -> None:
    pages = iter(range(10_000))

    def reply(_: Mapping[str, Any]) -> Say:
        return Say("".join(f"Page {next(pages)} of a book without an end. " for _ in range(40)), finish="length")

    engine = scripted(reply)
    seen: list[str] = []
    with engine.events.listen(lambda event: seen.append(event.message)):
        text = engine.run(Write("everything"))
    assert text.startswith("Page 0 ")
    assert any("cut off" in one for one in seen)


class Place(taskkit.Result):
    name: str
    people: int = 0
    tags: tuple[str, ...] = ()


@taskkit.task
class Where(taskkit.Task[Place]):
    """Say where."""

    subject: str
    prompt = taskkit.Prompt("Where is {{ subject }}?")


@taskkit.task
class Rivers(taskkit.Task[list[str]]):
    """Name rivers."""

    subject: str
    prompt = taskkit.Prompt("Name rivers of {{ subject }}.")


@taskkit.task
class Many(taskkit.Task[int]):
    """Say how many."""

    subject: str
    prompt = taskkit.Prompt("How many are {{ subject }}?")


JSON: dict[str, tuple[Any, str, Any]] = {
    "object": (Where("it"), '{"name": "Rome", "people": 2748109, "tags": ["a", "b{}]"]}', ["a", "b{}]"]),
    "fenced": (Where("it"), 'Here it is:\n```json\n{"name": "Rome", "tags": ["x"]}\n```\nThat is all.', ["x"]),
    "two": (Where("it"), '{"name": "A", "tags": ["x"]} or {"name": "Rome"}', ["x"]),
    "list": (Rivers("it"), '["Tiber", "Aniene"]', ["Tiber", "Aniene"]),
    "bare": (Many("they"), "12345", 12345),
}
RUNGS: dict[str, tuple[str, ...]] = {"strict": (), "object": ("json_schema",), "prompt": ("json_schema", "json_object")}


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("name", JSON)
def test_cut_json_is_never_taken_for_whole(rung: str, name: str) -> None:
    """Not at any rung, at any offset, blocking or as a stream, however whole what came looks; nor is it shown."""
    task, whole, wanted = JSON[name]

    def model(*replies: Any) -> Callable[[Mapping[str, Any]], Any]:
        script = iter(replies)

        def reply(body: Mapping[str, Any]) -> Any:
            if body.get("response_format", {}).get("type") in RUNGS[rung]:
                return Fail(400, "Invalid parameter: 'response_format'.", param="response_format")
            return next(script)

        return reply

    for at in range(1, len(whole) + 1):
        cut = Cut(whole, at)
        with pytest.raises(TruncatedError) as caught:
            scripted(model(cut, cut)).run(task)
        assert caught.value.text == whole[:at], "what came is in the error, for whoever wants to look"
        shown: list[str] = []
        with pytest.raises(TruncatedError):
            shown.extend(scripted(model(cut, cut)).stream(task))
        assert shown == []
    for at in range(1, len(whole) + 1, 5):
        made = scripted(model(Cut(whole, at), whole)).run(task)
        assert (list(made.tags) if isinstance(made, Place) else made) == wanted


@pytest.mark.parametrize("rung", RUNGS)
def test_cut_json_is_not_kept_for_the_next_run(tmp_path: Path, rung: str) -> None:
    """What was paid for and is of no use is not in the journal; the answer to the second try is."""
    task, whole, _ = JSON["object"]
    asked = 0

    def model(body: Mapping[str, Any]) -> Any:
        nonlocal asked
        if body.get("response_format", {}).get("type") in RUNGS[rung]:
            return Fail(400, "Invalid parameter: 'response_format'.", param="response_format")
        asked += 1
        return Cut(whole, len(whole) - 1) if asked <= 2 else whole

    path = tmp_path / "journal.sqlite"
    options: dict[str, Any] = {"journal": path, "temperature": 0.0}
    with pytest.raises(TruncatedError):
        scripted(model, **options).run(task)
    assert scripted(model, **options).run(task).name == "Rome"
    assert asked == 3
    assert scripted(model, **options).run(task).name == "Rome"
    assert asked == 3
