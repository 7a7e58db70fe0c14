"""A prompt's parts laid into the window: what stays, what goes, what is said of it; for every model there is."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import taskkit
from taskkit import models
from taskkit.engine.call import Message
from taskkit.engine.fit import fit, messages_of
from taskkit.errors import ContextTooLong
from taskkit.prompt import Part
from taskkit.testing import ScriptedServer
from taskkit.tokens import Counter, count_messages

Server = Callable[..., ScriptedServer]
ROWS = [models.lookup(name) for name in sorted(models.catalogue())]
ALPHABET = "ab Z1.\n\té\u0301漢字ไทย한👩\u200d👧🇩🇪\ud800\0"
words = st.sampled_from(
    ["word ", "ship\n", "漢字。", "ภาษาไทย", "👨\u200d👩\u200d👧", "\r\n", "\0", "\ud800", "x" * 40, "  "]
)
texts = st.lists(words, max_size=80).map("".join) | st.text(ALPHABET, max_size=60)
images = st.sampled_from([(), (), (), ("https://a.test/b.png",)])
parts = st.lists(
    st.builds(
        Part, st.sampled_from(["system", "user", "assistant"]), texts, st.sampled_from(["keep", "drop", "cut"]),
        st.integers(-3, 3), st.sampled_from(["", "history", "passage"]), images,
    ),
    min_size=1, max_size=8,
)  # fmt: skip
counters = st.sampled_from([Counter(), Counter("cl100k_base"), Counter(ratio=1.1), Counter(ratio=2.0)])
SCHEMA = {"type": "object", "properties": {"größe": {"type": "integer"}}}


@settings(deadline=None, max_examples=300)
@given(parts, st.integers(1, 900), counters, st.sampled_from([None, SCHEMA]))
def test_what_is_laid_in_never_passes_the_room_and_what_is_missing_is_told(
    given_parts: list[Part], room: int, counter: Counter, schema: Any
) -> None:
    try:
        fitted = fit(given_parts, room, counter, schema=schema)
    except ContextTooLong as error:
        left = [part for part in given_parts if part.rule == "keep"]
        assert error.part in {part.name or part.role for part in given_parts}  # noqa: PT017 - one of two right ends
        assert error.over > 0  # noqa: PT017
        assert not left or count_messages(messages_of(left), counter, schema) + 8 * len(left) > room
        return
    assert fitted.messages
    assert count_messages(fitted.messages, counter, schema) <= room
    text = "\n".join(one.content for one in fitted.messages)
    for part in given_parts:
        assert part.rule != "keep" or part.text in text
    whole = messages_of(given_parts)
    assert fitted.messages == whole or fitted.dropped, "nothing goes without a word"
    if count_messages(whole, counter, schema) + 8 * len(given_parts) <= room:
        assert (fitted.messages, fitted.dropped) == (whole, ()), "nothing goes where all has room"


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(ROWS), st.data())
def test_no_model_of_the_catalogue_gets_more_than_its_window(model: models.Model, data: st.DataObject) -> None:
    """Prompts of up to more than the whole window, beside any wish for an answer."""
    window, counter = model.window, Counter(model.encoding, model.ratio)
    answer = data.draw(st.integers(1, 2 * model.max_output))
    size = data.draw(st.integers(1, model.context // 3))  # words of 1 to 4 tokens each
    word = data.draw(st.sampled_from(["ship ", "漢字。", "👩\u200d👧 "]))
    given_parts = [
        Part("system", "You are brief.", name="instructions"),
        *(Part("user", word * (size // 4), "drop", -n, f"passage {n}") for n in range(data.draw(st.integers(0, 3)))),
        Part("user", word * size, data.draw(st.sampled_from(["keep", "cut"])), name="text"),
    ]
    try:
        room = window.input_room(answer)
        fitted = fit(given_parts, room, counter)
    except ContextTooLong as error:
        assert error.part in {"answer", "text"}  # noqa: PT017 - one of two right ends
        return
    used = count_messages(fitted.messages, counter)
    assert used <= model.max_input
    assert used + min(answer, model.max_output) + window.reserve <= model.context


def test_what_may_go_goes_least_important_first_and_only_as_much_as_must() -> None:
    text = "ship " * 50
    given_parts = [Part("user", text, "drop", -n, f"passage {n}") for n in range(1, 6)]
    counter = Counter()
    for kept in range(6):
        room = count_messages([Message("user", "Ask."), *(Message("user", text) for _ in range(kept))], counter)
        fitted = fit([Part("user", "Ask."), *given_parts], room, counter)
        assert sorted(fitted.dropped) == [f"passage {n}" for n in range(kept + 1, 6)]


def test_of_alike_passages_the_last_goes_first_and_what_is_cut_comes_after_what_is_dropped() -> None:
    text = "ship " * 50
    given_parts = [
        Part("user", text, "drop", name="one"),
        Part("user", text, "drop", name="two"),
        Part("user", text, "cut", name="rest"),
    ]
    assert fit(given_parts, 120, Counter()).dropped == ("two",)
    gone = fit(given_parts, 40, Counter()).dropped
    assert gone[:2] == ("two", "one")
    assert re.fullmatch(r"\d+ characters of rest", gone[2])
    assert fit([Part("user", "Ask."), *given_parts], 10, Counter()).dropped == ("two", "one", "rest")


@settings(deadline=None, max_examples=100)
@given(texts.filter(str.strip), st.integers(0, 200))
def test_what_is_cut_is_a_start_of_whole_characters(text: str, room: int) -> None:
    text = text.replace("\ud800", "?") * 5
    try:
        fitted = fit([Part("user", "Ask.", name="ask"), Part("assistant", text, "cut")], room, Counter())
    except ContextTooLong:
        return
    kept = "".join(one.content for one in fitted.messages if one.role == "assistant")
    assert text.startswith(kept)
    kept.encode()


def test_keeps_that_do_not_fit_name_the_part_that_ate_the_room_and_by_how_much() -> None:
    given_parts = [Part("system", "Be brief.", name="rules"), Part("user", "ship " * 500, name="the book")]
    counter = Counter()
    needed = count_messages(messages_of(given_parts), counter)
    with pytest.raises(ContextTooLong, match=r"its part 'the book' has \d+ tokens, there is room for 300") as caught:
        fit(given_parts, 300, counter)
    assert (caught.value.part, caught.value.over) == ("the book", needed - 300)
    assert fit(given_parts, needed, counter).dropped == ()


@taskkit.task
class Recall(taskkit.Task[str]):
    """Answer from a long history."""

    question: str
    turns: int = 400

    async def run(self, job: taskkit.Job) -> str:
        rules = Part("system", "You remember.", name="rules")
        past = [
            Part("user", f"Turn {n}: " + "the ship came in. " * 5, "drop", n, f"turn {n}") for n in range(self.turns)
        ]
        return await job.complete([rules, *past, Part("user", self.question)])


@taskkit.task
class RecallWithWarnings(taskkit.Task[taskkit.Result]):
    """The same, with a result that can tell."""

    question: str

    async def run(self, job: taskkit.Job) -> taskkit.Result:
        await Recall.run(Recall(self.question), job)
        return taskkit.Result()


def test_what_was_dropped_is_in_the_warnings_of_the_result_and_no_request_is_over(server: Server) -> None:
    there = server("Yes.")
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", context=4096) as engine:
        result = engine.run(RecallWithWarnings("Did it?"))
    (body,) = there.bodies
    sent = str(body["messages"])
    gone = [n for n in range(400) if f"Turn {n}:" not in sent]
    assert gone == list(range(len(gone)))
    assert len(gone) > 100, "the oldest went"
    assert [one.message for one in result.warnings] == [f"No room for turn {n}: it was left out." for n in gone]
    messages = [Message(one["role"], one["content"]) for one in body["messages"]]
    assert count_messages(messages, Counter()) + body["max_tokens"] <= 4096


@pytest.mark.parametrize("task", ["summarise", "translate", "ask", "analyse"])
def test_of_one_task_for_two_texts_the_prompts_begin_alike(server: Server, task: str) -> None:
    """So that a provider's prompt cache can serve: instructions before what varies, and no time of day in them."""
    from taskkit import registry
    from taskkit.taskclass import make

    there = server(lambda body: "x")
    cls = registry.resolve(task)
    options: dict[str, dict[str, Any]] = {
        "translate": {"to": "fr"},
        "analyse": {"labels": ("good", "bad")},
        "ask": {"knowledge": ("The harbour is open.",)},
    }
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        for text in ("The harbour was closed in March.", "Bees make honey."):
            try:
                engine.run(make(cls, text, **options.get(task, {})))
            except taskkit.TaskkitError:
                continue  # an answer of one letter is no use; the prompt is what is looked at
    firsts = [body["messages"][0] for body in there.bodies]
    assert all(one["role"] == "system" for one in firsts)
    for one, other in pairwise(firsts):
        assert one == other
