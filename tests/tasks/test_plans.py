"""What a plan tells is what then happens, for every task, where the model does as it is asked."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.engine.call import Message
from taskkit.engine.plan import Plan
from taskkit.results import Usage
from taskkit.taskclass import Task
from taskkit.tasks.analyse import Analyse
from taskkit.tasks.ask import Ask
from taskkit.tasks.character import Character
from taskkit.tasks.coding import Code
from taskkit.tasks.command import Command
from taskkit.tasks.draft import Draft
from taskkit.tasks.summarise import Summarise
from taskkit.tasks.translate import Translate
from taskkit.tasks.tutor import Tutor
from taskkit.testing import ScriptedServer
from taskkit.tokens import count_messages, counter_for
from tests.tasks.analyse.conftest import texts

Server = Callable[..., ScriptedServer]
LONG = "\n\n".join(f"Mark {n}: the harbour of town {n} was closed on day {n} after a storm." for n in range(2500))
FACTS = "# Rules\n\nThe harbour opens at six in the morning.\n\nIt closes at nine in the evening.\n"
FACTS += "".join(
    f"\n## Pier {n}\n\nPier {n} is open for ships with {n} masts. It has {n} lamps.\n" for n in range(2, 9)
)


def translated(body: Mapping[str, Any]) -> Any:
    """Every item, in words that look like another language, its marks kept."""
    text = str(body["messages"][-1]["content"])
    if "response_format" in body:
        rows = re.findall(r"^id (\S+):\n(.*?)(?=\n\nid |\n<<<end)", text, re.MULTILINE | re.DOTALL)
        return {"items": [{"id": key, "translation": french(one)} for key, one in rows]}
    return french(text)


def french(text: str) -> str:
    return text.replace("the harbour of town", "le port de la ville").replace(
        "was closed on day", "était fermé le jour"
    )


def asked(body: Mapping[str, Any]) -> Any:
    if "response_format" not in body:
        return "Yes."
    return {"quotes": [{"passage": 1, "quote": "The harbour opens at six"}], "answer": "At six. [1]"}


def judged(body: Mapping[str, Any]) -> Any:
    return {"items": [{"id": key, "evidence": text, "label": "good"} for key, text in texts(body).items()]}


def cited(body: Mapping[str, Any]) -> Any:
    """Of what it is shown as many whole sentences as it is asked for words, those from all over; denser by what it
    is given besides; for each statement the sentence of its words."""
    text = "\n".join(str(one["content"]) for one in body["messages"][1:])
    if "response_format" in body:
        shown = {said: int(number) for number, said in re.findall(r"^<C(\d+)> (.*)$", text, re.MULTILINE)}
        return {
            "items": [
                {"statement": int(number), "sentences": [at for said, at in shown.items() if said == statement]}
                for number, statement in re.findall(r"^<S(\d+)> (.*)$", text, re.MULTILINE)
            ]
        }
    told = list(dict.fromkeys(re.findall(r"Mark \d+: [^\n]*?\.", text)))
    if "tell in it also" in text:
        told.reverse()  # what the source also says comes last
    wanted = re.search(r"at most (\d+) words", text.rpartition("<<<")[2])
    count = max(1, int(wanted[1]) // 15) if wanted else 1
    return " ".join(told[:: max(1, len(told) // count)][:count])


def of_all(body: Mapping[str, Any]) -> Any:
    """Of several documents many short sentences of each; nothing that they tell differently."""
    if "response_format" in body and "<S" not in str(body["messages"][-1]["content"]):
        return {"items": []}
    if "response_format" in body:
        return cited(body)
    shown = "\n".join(str(one["content"]) for one in body["messages"])
    return " ".join(re.findall(r"Pier \d+ [^.\n]*\d+ lamps\.", shown))


PIERS = [" ".join(f"Pier {n} has {n} lamps." for n in range(first, first + 9)) for first in (2, 12, 22)]

CASES: dict[str, tuple[Callable[[Path], Task[Any]], Any]] = {
    "summarise": (lambda _: Summarise("The harbour was closed. " * 40), "A harbour was closed."),
    "summarise, long": (lambda _: Summarise(LONG), "A note on harbours that were closed after storms."),
    "summarise, cited": (lambda _: Summarise(LONG[:6000], cite=True), cited),
    "summarise, long and cited": (lambda _: Summarise(LONG, words=600, cite=True), cited),
    "summarise, together and cited": (
        lambda _: Summarise(PIERS[0], also=(PIERS[1], PIERS[2]), cite=True),
        of_all,
    ),
    "summarise, denser": (lambda _: Summarise(LONG[:6000], density=3), cited),
    "analyse": (lambda _: Analyse("All is well.", kind="keyphrases"), {"items": [{"label": "a", "evidence": "well"}]}),
    "analyse, labels": (
        lambda _: Analyse("All is well.", labels=("good", "bad"), votes=3),
        {"evidence": "All is", "label": "good"},
    ),
    "analyse, fields": (
        lambda _: Analyse("Pump, 5 euros.", fields="what,price:number"),
        {"what": "Pump", "price": {"quote": "5 euros", "value": 5}},
    ),
    "analyse, table": (lambda folder: Analyse(folder / "rows.jsonl", labels=("good", "bad")), judged),
    "analyse, long": (lambda _: Analyse(LONG, kind="keyphrases"), {"items": []}),
    "ask": (lambda folder: Ask("When does the harbour open?", (folder / "rules.md",)), asked),
    "code": (lambda _: Code("double a number"), "```python\ndef twice(n):\n    return 2 * n\n```"),
    "command": (
        lambda _: Command("stop", ({"name": "stop"},)),
        {"call": {"tool": "stop", "arguments": {}}},
    ),
    "draft": (lambda _: Draft("a letter", words=60), " ".join(["word"] * 60)),
    "character": (lambda _: Character("Hello"), {"say": "Who goes there?", "action": "", "emotion": ""}),
    "tutor": (lambda _: Tutor("Hello"), {"move": "ask", "say": "What do you think?", "correct": None}),
    "translate, long": (lambda _: Translate(LONG[:60_000], to="fr", format="text"), translated),
    "translate": (lambda _: Translate("The harbour is closed.", to="fr", format="text"), "Le port est fermé."),
}


# By how the model sums up, and by whether there is an answer.
RANGES = {"summarise, long", "summarise, long and cited", "summarise, denser", "ask"}


def tokens_of(body: Mapping[str, Any]) -> int:
    """As an endpoint would count them: what goes around the messages and the schema are counted too."""
    messages = [Message(one["role"], one["content"]) for one in body["messages"]]
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return count_messages(messages, counter_for("gpt-4.1-mini"), schema)


def measured(server: Server, folder: Path, make: Callable[[Path], Task[Any]], reply: Any) -> tuple[Plan, Usage, int]:
    """What was planned, what was used, and the tokens that were sent, as an endpoint counts them."""
    (folder / "rules.md").write_text(FACTS)
    (folder / "rows.jsonl").write_text("".join(json.dumps(f"Number {n} is well made.") + "\n" for n in range(95)))
    task = make(folder)
    there = server(reply, count=counter_for("gpt-4.1-mini").count)
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", context=16_000) as engine:
        plan = engine.plan(task)
        assert not there.requests
        engine.run(task)
        return plan, engine.usage, sum(tokens_of(body) for body in there.bodies)


@pytest.mark.parametrize("name", CASES)
def test_the_calls_are_exact_and_the_tokens_in_range(server: Server, tmp_path: Path, name: str) -> None:
    plan, usage, given = measured(server, tmp_path, *CASES[name])
    assert plan.calls[0] <= usage.calls <= plan.calls[1]
    assert usage.calls == plan.calls[0] or name in RANGES
    assert plan.input_tokens[0] <= given <= plan.input_tokens[1]
    assert plan.output_tokens[0] <= usage.output_tokens <= plan.output_tokens[1]


SPOILT: dict[str, Any] = {  # the first answer
    "summarise": " ".join(f"Ship {n} was kept out of the harbour." for n in range(30)),
    "summarise, cited": "The harbour of Zanzibar was closed.",
    "summarise, together and cited": {"items": []},
    "code": "I can not.",
    "draft": "Dear all.",
    "ask": {"quotes": [{"passage": 1, "quote": "It never opens at all"}], "answer": "Never. [1]"},
    "analyse, table": {"items": []},
    "translate, long": {"items": []},
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_answer_that_has_to_be_put_right_is_in_the_upper_end(server: Server, tmp_path: Path, name: str) -> None:
    make, reply = CASES[name]
    seen: list[Any] = []

    def model(body: Mapping[str, Any]) -> Any:
        """Of a task that asks several things the first answer that has the form of the spoilt one."""
        good = reply(body) if callable(reply) else reply
        if not seen and isinstance(good, str) == isinstance(SPOILT[name], str) and good != SPOILT[name]:
            seen.append(body)
            return SPOILT[name]
        return good

    plan, usage, given = measured(server, tmp_path, make, model)
    assert seen
    assert plan.calls[0] < usage.calls <= plan.calls[1]
    assert given <= plan.input_tokens[1]
    assert usage.output_tokens <= plan.output_tokens[1]
