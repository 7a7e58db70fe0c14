"""Repair, follow-up questions, abstention, and the pack of wrong answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit import Engine
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.source import Text
from taskkit.tasks.ask import UNKNOWN, Ask
from taskkit.testing import Say, adversarial, scripted

HOURS = Text("The harbour opens at six in the morning. It closes at ten in the evening.", "hours")
RIGHT = {
    "quotes": [{"passage": 1, "quote": "The harbour opens at six in the morning."}],
    "answer": "It opens at six in the morning [1].",
}
YES = "Yes."


def prompts(engine: Any) -> list[str]:
    return ["\n".join(str(one["content"]) for one in body["messages"]) for body in engine._transport.bodies]


def test_a_sentence_that_nothing_bears_out_is_repaired() -> None:
    wild = {**RIGHT, "answer": "It opens at six in the morning [1]. Fresh lobster awaits visitors there."}
    engine = scripted([wild, RIGHT, YES])
    answer = engine.run(Ask("When does the harbour open?", HOURS))
    assert answer.text == "It opens at six in the morning [1]."
    assert answer.unproven == ()
    assert "Fresh lobster awaits visitors there" in prompts(engine)[1]


def test_a_sentence_that_stays_so_is_marked_and_told() -> None:
    wild = {**RIGHT, "answer": "It opens at six in the morning [1]. Fresh lobster awaits visitors there."}
    answer = scripted([wild, wild, YES]).run(Ask("When does the harbour open?", HOURS))
    assert answer.text == "It opens at six in the morning [1]. Fresh lobster awaits visitors there [?]."
    assert answer.unproven == ("Fresh lobster awaits visitors there.",)
    assert [notice.code for notice in answer.warnings] == ["unsupported"]
    assert "no quote bears this out" in str(answer)


def test_a_repair_that_is_worse_is_not_taken() -> None:
    good = {**RIGHT, "answer": "It opens at six in the morning [1]. Lobster awaits."}
    worse = {"quotes": [{"passage": 1, "quote": "Nobody ever wrote this sentence."}], "answer": "At nine."}
    answer = scripted([good, worse, YES]).run(Ask("When does the harbour open?", HOURS))
    assert answer.text.startswith("It opens at six in the morning [1].")


def test_a_model_that_thinks_better_of_it_abstains() -> None:
    wild = {"quotes": [{"passage": 1, "quote": "Dogs are welcome."}], "answer": "Yes."}
    answer = scripted([wild, {"quotes": [], "answer": ""}]).run(Ask("Are dogs welcome?", HOURS))
    assert (answer.found, answer.text) == (False, UNKNOWN)
    assert "hours" in str(answer)


def test_a_follow_up_question_is_made_whole_and_looked_up() -> None:
    closes = {
        "quotes": [{"passage": 1, "quote": "It closes at ten in the evening."}],
        "answer": "It closes at ten in the evening [1].",
    }
    engine = scripted([RIGHT, YES, Say("When does the harbour close?"), closes, YES])
    first = engine.run(Ask("When does the harbour open?", HOURS, session="talk.jsonl"))
    second = engine.run(Ask("And when does it close?", HOURS, session="talk.jsonl"))
    assert (first.asked, second.asked) == ("", "When does the harbour close?")
    assert second.text == "It closes at ten in the evening [1]."
    said = prompts(engine)
    assert "When does the harbour open?" in said[2]
    assert "It opens at six" in said[2]
    assert "Question: When does the harbour close?" in said[3]


def test_a_turn_is_shown_to_whoever_brings_the_labels_that_it_was_made_under() -> None:
    """An answer may hold what only they may read; so may a question, and what it was made whole with."""
    hr, both, none = {"team": "hr"}, {"team": ["hr", "board"], "level": "2"}, None
    with KnowledgeBase("h.kb") as base:
        base.add([Document("all", HOURS.text), Document("pay", "The harbour master is paid SWORDFISH.", access=hr)])
        paid = {
            "quotes": [{"passage": 1, "quote": "The harbour master is paid SWORDFISH."}],
            "answer": "SWORDFISH [1].",
        }

        def sent(allow: dict[str, Any] | None, *replies: Any) -> tuple[str, list[str]]:
            engine = scripted([*replies])
            answer = engine.run(Ask("What is the harbour master paid?", base, allow=allow, session="talk.jsonl"))
            return "\n".join(prompts(engine)), [one.message for one in answer.warnings]

        sent(hr, paid, YES)
        lines = Path("talk.jsonl").read_text().splitlines()
        assert json.loads(lines[0])["labels"] == {"team": ["hr"]}
        others: list[dict[str, Any] | None] = [none, {}, {"team": "board"}, {"level": "hr"}, {"team": []}]
        for allow in others:
            text, told = sent(allow, {"quotes": [], "answer": ""}, {"quotes": [], "answer": ""}, YES)
            assert "SWORDFISH" not in text
            assert "access labels" in told[0]
        text, told = sent(both, Say("What is the harbour master paid?"), paid, YES)
        assert "SWORDFISH" in text
        assert ["access labels" in one for one in told] == [True]  # one was made under `{"level": "hr"}`
        assert "SWORDFISH" in sent({"team": {"hr", "it"}}, Say("What?"), paid, YES)[0]
        text, told = sent(none, Say("What?"), {"quotes": [], "answer": ""})
        assert "SWORDFISH" not in text


def test_a_turn_that_does_not_say_its_labels_is_shown_to_nobody() -> None:
    Path("talk.jsonl").write_text(
        '{"task": "ask", "message": "Old?", "answer": {"text": "SWORDFISH", "found": true}}\n'
    )
    engine = scripted([RIGHT, YES])
    assert engine.run(Ask("When does the harbour open?", HOURS, session="talk.jsonl")).found
    assert "SWORDFISH" not in "".join(prompts(engine))


@pytest.mark.parametrize("whole", ["", "word " * 300])
def test_a_question_made_worse_is_asked_as_it_is(whole: str) -> None:
    engine = scripted([RIGHT, YES, Say(whole), *([Say(whole)] if not whole else []), RIGHT, YES])
    engine.run(Ask("When does the harbour open?", HOURS, session="talk.jsonl"))
    if whole:
        assert engine.run(Ask("And then?", HOURS, session="talk.jsonl")).asked == ""


def test_the_pack_of_wrong_answers() -> None:
    def model(script: list[Any]) -> Any:
        replies = iter(script[:1])

        def reply(body: Mapping[str, Any]) -> Any:
            form = json.dumps(body.get("response_format", "")) + str(body["messages"])
            if '"quotes"' not in form and "Give the quotes" not in form and "First give the quotes" not in form:
                return YES
            return next(replies, RIGHT)

        return reply

    for name, script in adversarial(RIGHT, item_field="quotes", quote_field="quote").items():
        if name == "refusal":
            continue  # an error of its own, which is not asked again
        answer = scripted(model(script)).run(Ask("When does the harbour open?", HOURS))
        assert answer.text == "It opens at six in the morning [1].", name
        assert [one.quote for one in answer.citations] == ["The harbour opens at six in the morning."], name


def test_the_model_may_search_in_other_words_and_put_in_order() -> None:
    """Both are calls of this job: they are in its tally, and what they find is what is answered from."""
    pages = tuple(Text(f"The harbour of {name} opens at {hour}.", name) for name, hour in (("Ems", 5), ("Alt", 6)))
    right = {"quotes": [{"passage": 1, "quote": "The harbour of Alt opens at 6."}], "answer": "At 6 [1]."}
    plain = scripted([right, YES]).run(Ask("When does the harbour open?", pages))
    first = plain.passages[0].document
    engine = scripted([{"queries": ["opening hours"]}, {"best": [2, 1]}, right, YES])
    answer = engine.run(Ask("When does the harbour open?", pages, expand="queries", rerank=True))
    assert answer.passages[0].document != first
    assert answer.usage.calls == 4


def test_a_small_window_has_the_best_passages_and_the_others_are_told(server: Any) -> None:
    there = server(lambda body: YES if "quotes" not in json.dumps(body.get("response_format", "")) else RIGHT)
    engine = Engine(model="gpt-4o-mini", base_url=there.base_url, api_key="k", journal=False, context=3_000)
    with engine, KnowledgeBase("h.kb") as base:
        base.add([Document(f"d{n}", f"{HOURS.text} " + f"Copper{n} and tin. " * (40 + 3 * n)) for n in range(12)])
        answer = engine.run(Ask("When does the harbour open?", base, k=12))
        best = [hit.passage.document for hit in base.search("When does the harbour open?", 12)]
    assert answer.text == "It opens at six in the morning [1]."
    sent = str(there.requests[0].body)
    shown = [name for name in best if f"Copper{name[1:]} " in sent]
    assert 2 < len(shown) < 12
    assert shown == best[: len(shown)]
    assert "passage 12" in " ".join(notice.message for notice in answer.warnings)
