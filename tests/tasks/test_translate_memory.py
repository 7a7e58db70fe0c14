"""What was translated before is not paid for again, and is kept as it was."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from taskkit.engine.call import Message
from taskkit.engine.engine import Engine
from taskkit.errors import CostCapError, InputError
from taskkit.tasks.translate import Translate, Translation
from taskkit.tasks.translate.memory import memory
from taskkit.tasks.translate.tmx import added, pairs
from taskkit.testing import Fail, ScriptedTransport, scripted
from taskkit.tokens import count_messages, counter_for


def texts(body: Mapping[str, Any]) -> dict[str, str]:
    """What a request asks to be translated, by id; a text alone has the id "one"."""
    said = "\n".join(str(one["content"]) for one in body["messages"])
    fenced = re.findall(r"<<<texts? (\w+)>>>\n(.*)\n<<<end of texts? \1>>>", said, re.DOTALL)[-1][1]
    if "response_format" not in body:
        return {"one": fenced}
    return dict(re.findall(r"^id (\d+):\n(.*?)(?=\n\nid \d+:\n|\Z)", fenced, re.MULTILINE | re.DOTALL))


def german(text: str) -> str:
    return re.sub(r"[A-Za-z]{2,}", lambda word: f"{word[0]}en", text)


def model(body: Mapping[str, Any]) -> Any:
    asked = {key: german(text) for key, text in texts(body).items()}
    if "one" in asked:
        return asked["one"]
    return {"items": [{"id": key, "translation": text} for key, text in asked.items()]}


def bodies(engine: Engine) -> Sequence[Mapping[str, Any]]:
    assert isinstance(engine._transport, ScriptedTransport)
    return engine._transport.bodies


def run(task: Translate, script: Any = model) -> tuple[Translation, Sequence[Mapping[str, Any]]]:
    engine = scripted(script)
    return engine.run(task), bodies(engine)


WORDS = [
    "red", "green", "blue", "round", "square", "tall", "wide", "deep", "loud", "quiet", "warm", "cold", "dry", "wet", "old", "new", "far", "near", "dark", "light",
]  # fmt: skip
PAGE = "# The page\n\n" + "\n\n".join(
    f"Paragraph of {WORDS[n % 20]} and {WORDS[n // 20]} things, number {n}." for n in range(199)
)


def test_what_the_memory_has_costs_no_call() -> None:
    source, tmx = Path("page.md"), Path("de.tmx")
    source.write_text(PAGE)
    first, sent = run(Translate(source, to="de", memory=tmx))
    assert len(sent) > 3
    assert {one.status for one in first.segments} == {"translated"}
    again, none = run(Translate(source, to="de", memory=tmx), Fail(500, "nobody may ask"))
    assert not none
    assert again.content == first.content
    assert {one.status for one in again.segments} == {"memory"}


def test_a_memory_maps_other_placeholders() -> None:
    Path("de.tmx").write_bytes(
        added(b"", [("Hello %(name)s, good %s day", "Hallo %(name)s, guten %s Tag")], "de", "en")
    )
    done, sent = run(Translate("Hello {user}, good {0} day", to="de", from_="en", memory=Path("de.tmx")))
    assert done.text == "Hallo {user}, guten {0} Tag"
    assert not sent


def test_what_is_nearly_in_the_memory_is_an_example() -> None:
    Path("de.tmx").write_bytes(added(b"", [("The harbour opens at six.", "Der Hafen öffnet um sechs.")], "de", "en"))
    _, sent = run(Translate("The harbour opens at nine.", to="de", from_="en", memory=Path("de.tmx")))
    assert "Der Hafen öffnet um sechs." in json.dumps(sent[0], ensure_ascii=False)
    _, sent = run(Translate("Bees make honey all summer.", to="de", from_="en", memory=Path("de.tmx")))
    assert "Hafen" not in json.dumps(sent[0], ensure_ascii=False)


def test_a_translation_that_does_not_fit_is_not_taken_from_the_memory() -> None:
    Path("de.tmx").write_bytes(added(b"", [("You have {count} new messages", "Neue Nachrichten")], "de", "en"))
    done, sent = run(Translate("You have {count} new messages", to="de", from_="en", memory=Path("de.tmx")))
    assert len(sent) == 1
    assert "{count}" in done.text
    assert dict(pairs(Path("de.tmx"), "de", "en"))["You have {count} new messages"] == done.text


OTHERS = """<?xml version="1.0"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header creationtool="X" srclang="en-US" datatype="xml"><prop type="client">Mine</prop></header>
<body>
  <tu tuid="7" changedate="20200101T000000Z"><note>kept</note>
    <tuv xml:lang="en-US"><seg>Good <ph x="1">{0}</ph> morning &amp; day</seg></tuv>
    <tuv xml:lang="de-DE"><seg>Guten <ph x="1">{0}</ph> Morgen &amp; Tag</seg></tuv>
    <tuv xml:lang="fr"><seg>Bonjour {0}</seg></tuv></tu>
</body>
</tmx>
"""


def test_what_another_tool_wrote_is_read_and_stays_as_it_is() -> None:
    path = Path("theirs.tmx")
    path.write_text(OTHERS)
    assert dict(pairs(path, "de")) == {"Good {0} morning & day": "Guten {0} Morgen & Tag"}
    assert dict(pairs(path, "fr", "en")) == {"Good {0} morning & day": "Bonjour {0}"}
    assert not dict(pairs(path, "es"))
    run(Translate("The <b>old</b> & new harbour.", to="de", memory=path, format="text"))
    whole = path.read_text()
    head, tail = OTHERS.split("</body>")
    assert whole.startswith(head)
    assert whole.endswith(f"</body>{tail}")
    assert "The <b>old</b> & new harbour." in dict(pairs(path, "de"))


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><tmx><body>&b;</body></tmx>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "entities"),
        ("<tmx><body>", "no valid XML"),
        ("<html/>", "no TMX"),
        ("<a>" * 500 + "</a>" * 500, "deep"),
        ("", None),
    ],
    ids=["bomb", "cut", "another kind", "deep", "empty"],
)
def test_a_memory_that_is_none_is_refused_before_anything_is_asked(content: str, words: str | None) -> None:
    Path("de.tmx").write_text(content)
    if words is None:
        assert run(Translate("The harbour.", to="de", memory=Path("de.tmx")))[0].text
        return
    with pytest.raises(InputError, match=words):
        run(Translate("The harbour.", to="de", memory=Path("de.tmx")), Fail(500, "nobody may ask"))
    assert Path("de.tmx").read_text() == content


def test_what_was_done_before_a_stop_is_in_the_memory() -> None:
    asked = 0

    def capped(body: Mapping[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        return model(body) if asked < 4 else Fail(401, "no", "invalid_api_key")

    with pytest.raises(Exception, match="key"):
        run(Translate(PAGE, to="de", memory=Path("de.tmx")), capped)
    kept = dict(pairs(Path("de.tmx"), "de"))
    assert kept
    done, sent = run(Translate(PAGE, to="de", memory=Path("de.tmx")))
    assert not set(kept) & {text for body in sent for text in texts(body).values()}
    assert all(one.status in {"translated", "memory"} for one in done.segments)


def test_one_memory_serves_all_who_have_the_file_open() -> None:
    path = Path("de.tmx")
    one, other = memory(path, "de"), memory(path.absolute(), "de")
    assert one is other
    one.add("a text", "ein Text")
    one.save()
    one.add("a text", "ein Text")
    size = path.stat().st_size
    one.save()
    assert path.stat().st_size == size


FORMS = "\n\n".join(
    f"You have {{{name}}} {one} {other} messages." for name in ("count", "n") for one in WORDS for other in WORDS[:12]
)
LEARNT = {
    "nothing to learn": (PAGE, None),
    "much alike": (PAGE, Path("plan.tmx")),
    "all again with other placeholders": (FORMS, Path("plan.tmx")),
}


@pytest.mark.parametrize("case", LEARNT)
def test_a_plan_reckons_with_what_the_run_will_learn(case: str) -> None:
    """Translations come back as examples of what is like them, and longer or shorter than their source; or they serve
    for what comes later."""
    text, tmx = LEARNT[case]
    task = Translate(text, to="de", format="text", memory=tmx)
    plan = scripted(model).plan(task)
    _, sent = run(task)
    counter = counter_for("gpt-4o-mini")
    given = sum(
        count_messages(
            [Message(one["role"], one["content"]) for one in body["messages"]],
            counter,
            body["response_format"]["json_schema"]["schema"],
        )
        for body in sent
    )
    assert plan.calls[0] == len(sent)
    assert plan.calls[1] <= 1.2 * len(sent), "of ten batches one is asked for again"
    assert plan.input_tokens[0] <= given <= plan.input_tokens[1] <= 1.4 * given


def test_a_plan_writes_no_memory() -> None:
    plan = scripted(Fail(500, "no")).plan(Translate(PAGE, to="de", memory=Path("de.tmx"), update=Path("page.de.md")))
    assert "200 texts" in plan.strategy
    assert not list(Path().iterdir())


# An update -----------------------------------------------------------------------------------------------------------


def updated(source: str, script: Any = model) -> tuple[Translation, Sequence[Mapping[str, Any]]]:
    """As the command line does it: written, then told where."""
    Path("page.md").write_text(source)
    done, sent = run(Translate(Path("page.md"), to="de", update=Path("page.de.md")), script)
    Path("page.de.md").write_bytes(done.content)
    done.saved(Path("page.de.md"))
    return done, sent


def test_one_changed_text_of_200_is_one_that_is_sent() -> None:
    first, _ = updated(PAGE)
    before = Path("page.de.md").read_text().split("\n")
    again, none = updated(PAGE, Fail(500, "nobody may ask"))
    assert not none
    assert again.content == first.content
    _, sent = updated(PAGE.replace("number 77.", "number 770."))
    assert [list(texts(body).values()) for body in sent] == [["Paragraph of near and round things, number 770."]]
    after = Path("page.de.md").read_text().split("\n")
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_what_a_hand_has_mended_stays() -> None:
    updated(PAGE)
    mended = Path("page.de.md").read_text().replace("number", "Nummer", 1).replace("numberen 5.", "Nummer fünf.")
    Path("page.de.md").write_text(mended)
    _, sent = updated(PAGE + "\n\nA new end.\n")
    assert [list(texts(body).values()) for body in sent] == [["A new end."]]
    assert Path("page.de.md").read_text().startswith(mended)


def test_a_link_that_a_hand_has_led_elsewhere_is_told_and_no_failure() -> None:
    updated("See [the page](https://en.example/a) of it.\n\nThe other text.\n")
    mended = Path("page.de.md").read_text().replace("en.example", "de.example")
    Path("page.de.md").write_text(mended)
    done, sent = updated("See [the page](https://en.example/a) of it.\n\nAnother text.\n")
    assert len(sent) == 1
    assert "https://de.example/a" in done.text
    assert [(one.code, one.severity) for one in done.issues] == [("links", "warning")]
    assert not any(one.failure for one in done.warnings)


def test_moved_and_removed_texts_are_not_sent() -> None:
    updated("# Title of it\n\nThe first text.\n\nThe second text.\n\nThe third text.\n")
    done, sent = updated("# Title of it\n\nThe third text.\n\nThe first text.\n")
    assert not sent
    assert done.text == german("# Title of it\n\nThe third text.\n\nThe first text.\n")


def test_without_a_lock_nothing_is_taken_on_trust() -> None:
    updated("The first text.\n\nThe second text.\n")
    Path("page.de.md.lock").unlink()
    done, sent = updated("The first text.\n\nAnother second text.\n")
    assert sorted(text for body in sent for text in texts(body).values()) == ["Another second text.", "The first text."]
    assert any("page.de.md.lock" in notice.message for notice in done.warnings)


def test_a_lock_that_was_not_written_with_its_translation_keeps_nothing_wrong() -> None:
    updated("The first text.\n\nThe second text.\n\nThe third text.\n")
    lock = Path("page.de.md.lock").read_text()
    updated("The second text.\n\nThe third text.\n\nA fourth text.\n")
    Path("page.de.md.lock").write_text(lock)
    source = "The first text.\n\nThe second text.\n\nA fourth text.\n"
    assert updated(source)[0].text == german(source)


def test_what_failed_is_sent_again() -> None:
    source = "The first text of all.\n\nThe second text of all.\n"

    def half(body: Mapping[str, Any]) -> Any:
        if "response_format" not in body:
            return texts(body)["one"]
        return {"items": [{"id": "1", "translation": german(texts(body).get("1", "x"))}]}

    done, _ = updated(source, half)
    assert [one.status for one in done.segments] == ["translated", "failed"]
    done, sent = updated(source, model)
    assert [list(texts(body).values()) for body in sent] == [["The second text of all."]]
    assert [one.status for one in done.segments] == ["earlier", "translated"]


def test_a_reached_cap_keeps_what_was_paid_for() -> None:
    engine = scripted(model, max_cost="0.0006")
    with pytest.raises(CostCapError):
        engine.run(Translate(PAGE, to="de", memory=Path("de.tmx")))
    assert dict(pairs(Path("de.tmx"), "de"))
