"""Meetings, several documents, a focus, updates, density; what a plan tells of each."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import Text
from taskkit.errors import RefusedError
from taskkit.tasks.summarise import Summarise, Summary
from taskkit.tasks.summarise.captions import spoken
from taskkit.tasks.summarise.turns import turns
from taskkit.testing import Say, ScriptedServer, adversarial, scripted

PLAIN = """[00:00:03] Ann: Good morning. The new timetable is late.
[00:00:10] Ben: The printer wants it by Friday. I will send it on Thursday evening.
[00:00:20] Ann: And the price? I propose 14 euros.
[00:00:32] Cleo: I agree.
[00:00:42] Ann: Then it is decided: the day ticket costs 14 euros from the first of May.
[00:00:51] Cleo: Will the east pier be open by then?
[00:01:03] Ben: Nobody has told us.
[00:01:13] Ann: We leave that open. Cleo, please write to the hotels.
"""
VTT = "WEBVTT\n\n" + "\n".join(
    f"{n}\n00:{line[4:9]}.000 --> 00:{line[4:9]}.900\n<v {line[11:].partition(':')[0].strip()}>{line.partition(': ')[2]}</v>\n"
    for n, line in enumerate(PLAIN.splitlines(), 1)
)
SRT = "\r\n".join(
    f"{n}\r\n00:{line[4:9]},000 --> 00:{line[4:9]},900\r\n{line[11:].strip()}\r\n"
    for n, line in enumerate(PLAIN.splitlines(), 1)
)


def bodies(engine: taskkit.Engine) -> list[Any]:
    return engine._transport.bodies  # type: ignore[union-attr, no-any-return]


def of(body: Mapping[str, Any]) -> str:
    return "\n".join(str(one["content"]) for one in body["messages"])


def codes(result: Summary) -> set[str]:
    return {one.code for one in result.warnings}


def action(**changed: Any) -> dict[str, Any]:
    return {
        "what": "Ben sends the timetable to the printer.", "quote": "I will send it on Thursday evening", "owner": "Ben",
        "due": "Thursday evening",
    } | changed  # fmt: skip


MINUTES = {
    "overview": "The meeting set the price of the day ticket.",
    "decisions": [{"what": "The day ticket costs 14 euros.", "quote": "the day ticket costs 14 euros"}],
    "actions": [action()],
    "questions": [{"what": "Will the east pier be open?", "quote": "Will the east pier be open by then?"}],
}

# Meetings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [PLAIN, VTT, SRT], ids=["plain", "vtt", "srt"])
def test_a_meeting_comes_with_its_places_and_times(source: str) -> None:
    engine = scripted([MINUTES])
    result = engine.run(Summarise(source, style="meeting"))
    assert "-->" not in of(bodies(engine)[0]), "of subtitles the spoken words are read"
    (decision,), (task,), (question,) = result.decisions, result.actions, result.questions
    assert (decision.at, task.at, question.at) == ("00:00:42", "00:00:10", "00:00:51")
    assert (decision.speaker, task.speaker, question.speaker) == ("Ann", "Ben", "Cleo")
    assert (task.owner, task.due) == ("Ben", "Thursday evening")
    for one in (decision, task, question):
        assert one.source.quote == source[one.source.start : one.source.end]
        assert one.source.quote
    assert "owner: Ben, due: Thursday evening) [00:00:10]" in str(result)
    assert not result.warnings


@pytest.mark.parametrize(
    ("changed", "owner", "due", "told"),
    [
        ({"owner": "Olaf"}, None, "Thursday evening", 1),
        ({"due": "2025-05-01"}, "Ben", None, 1),
        ({"owner": "Olaf", "due": "next week"}, None, None, 2),
        ({"owner": None, "due": None}, None, None, 0),
        ({"owner": "not specified", "due": "N/A"}, None, None, 0),
        ({"owner": "I"}, "Ben", "Thursday evening", 0),
        ({"due": "on Thursday"}, "Ben", "on Thursday", 0),
    ],
)
def test_owner_and_due_stand_only_where_they_are_said(
    changed: dict[str, Any], owner: str | None, due: str | None, told: int
) -> None:
    result = scripted([MINUTES | {"actions": [action(**changed)]}]).run(Summarise(PLAIN, style="meeting"))
    assert (result.actions[0].owner, result.actions[0].due) == (owner, due)
    assert [one.code for one in result.warnings] == ["unstated"] * told


def test_an_invented_item_is_asked_about_once_then_left_out_and_told() -> None:
    wrong = MINUTES | {"decisions": [{"what": "They buy a ship.", "quote": "Nobody ever wrote this sentence."}]}
    engine = scripted([wrong, wrong])
    result = engine.run(Summarise(PLAIN, style="meeting"))
    assert not result.decisions
    assert result.actions
    assert codes(result) == {"not-in-source"}
    assert "Nobody ever wrote" in of(bodies(engine)[1])


def test_a_number_that_an_item_made_up_is_told() -> None:
    wrong = MINUTES | {
        "decisions": [{"what": "The day ticket costs 17 euros.", "quote": "the day ticket costs 14 euros"}]
    }
    result = scripted([wrong]).run(Summarise(PLAIN, style="meeting"))
    assert [str(one) for one in result.warnings] == ["Not found in the source: 17."]


PACK = adversarial(MINUTES, item_field="decisions", quote_field="quote")


@pytest.mark.parametrize("name", PACK)
def test_minutes_survive_the_pack(name: str) -> None:
    script: list[Any] = [*PACK[name], *[MINUTES] * 3]
    engine = scripted(lambda body: script.pop(0))
    if name == "refusal":
        with pytest.raises(RefusedError):
            engine.run(Summarise(PLAIN, style="meeting"))
        return
    result = engine.run(Summarise(PLAIN, style="meeting"))
    assert result.text
    for one in (*result.decisions, *result.actions, *result.questions):
        assert one.source.quote == PLAIN[one.source.start : one.source.end] != ""


@pytest.mark.parametrize("context", [2048, 4096])
def test_a_long_meeting_goes_through_a_small_window(context: int) -> None:
    """The form of its answers takes room in each call, too."""
    talk = "".join(f"[00:{n // 60:02}:{n % 60:02}] Dora: Remark {n} on the colour of the ferry.\n" for n in range(600))
    nothing = {"overview": "They spoke of colours.", "decisions": [], "actions": [], "questions": []}
    engine = scripted(lambda body: nothing if "response_format" in body else "They spoke.", context=context)
    result = engine.run(Summarise(talk, style="meeting"))
    assert result.coverage.share == 1.0
    assert result.text == "They spoke."


def test_a_long_meeting_loses_neither_half_and_says_nothing_twice() -> None:
    talk = "".join(
        f"[00:{n // 60 + 2:02}:{n % 60:02}] Dora: Remark {n} on the colour of the ferry.\n" for n in range(500)
    )
    last = PLAIN.replace("14 euros", "9 crowns").replace("[00:0", "[00:5")
    long = PLAIN + talk + last

    def model(body: Mapping[str, Any]) -> Any:
        said = of(body)
        if "response_format" not in body:
            return "They met."
        if "14 euros from" in said:
            return MINUTES
        if "9 crowns from" in said:
            return json.loads(json.dumps(MINUTES).replace("14 euros", "9 crowns"))
        return {"overview": "They spoke of colours.", "decisions": [], "actions": [], "questions": []}

    result = scripted(model, context=6_000).run(Summarise(long, style="meeting"))
    assert [one.what for one in result.decisions] == [
        "The day ticket costs 14 euros.",
        "The day ticket costs 9 crowns.",
    ]
    assert len(result.actions) == len(result.questions) == 1
    assert result.decisions[1].at == "00:50:42"
    assert result.pieces > 2
    assert "".join(long[one.start : one.end] for one in result.coverage.readings) == long


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("Ann: Hi.\nBen: Yes.\nAnn: Good.", [("Ann", None), ("Ben", None), ("Ann", None)]),
        ("**Ann (chair):** Hi.\n**Ben:** Yes.", [("Ann", None), ("Ben", None)]),
        ("Ann Holm (1:02): Hi.\nBen [01:00:09]: Yes.", [("Ann Holm", "00:01:02"), ("Ben", "01:00:09")]),
        ("Ann Holm  0:02\nHi.\n\nBen Li  1:12\nYes.", [("Ann Holm", "00:00:02"), ("Ben Li", "00:01:12")]),
        ("00:01:02 Ann we go\n00:02:00 Ann bye now", [("Ann", "00:01:02"), ("Ann", "00:02:00")]),
        ("Speaker 1: Hi.\nSpeaker 2: Yes.", [("Speaker 1", None), ("Speaker 2", None)]),
        ("Speaker 1  00:03\nHi.\nSpeaker 2  01:10\nYes.", [("Speaker 1", "00:00:03"), ("Speaker 2", "00:01:10")]),
        ("田中：おはよう。\n佐藤：はい。", [("田中", None), ("佐藤", None)]),
        (
            "[12/03/2024, 10:02:33] Ann: Hi.\n[12/03/2024, 22:05:00] Ben: Yes.",
            [("Ann", "10:02:33"), ("Ben", "22:05:00")],
        ),
        ("12.03.24, 10:02 - Ann: Hi.\n12.03.24, 10:03 - Ben: Yes.", [("Ann", "10:02:00"), ("Ben", "10:03:00")]),
        ("Ann Holm  [10:02 AM]\nHi.\nBen  [1:03 PM]\nYes.", [("Ann Holm", "10:02:00"), ("Ben", "13:03:00")]),
        (
            "10:02:33 From Ann Holm to Everyone : Hi.\n10:03:00 From Ben to Ann Holm: Yes.",
            [("Ann Holm", "10:02:33"), ("Ben", "10:03:00")],
        ),
        ("A report.\nNote: all is well.\nIt goes on.\nAnd on.", []),
    ],
)
def test_turns_of_plain_transcripts(text: str, heads: list[tuple[str | None, str | None]]) -> None:
    found = turns(text)
    assert [(one.speaker, one.time) for one in found] == heads
    assert "".join(text[one.start : one.end] for one in found) in {text, ""}


def test_the_words_of_subtitles_keep_their_places() -> None:
    made = spoken(SRT)
    assert all(made.text[at : at + size] == SRT[there : there + size] for at, there, size in made.runs)
    assert made.text.count("\n") == 7


# Several documents ----------------------------------------------------------------------------------------------------

MONDAY = Text("The storm hit on Sunday. Four ships were lost in it.", "monday.md")
TUESDAY = Text("The storm hit on Sunday. Five ships were lost in it.", "tuesday.md")
LOST = {"items": [{"matter": "the ships lost", "sentences": [1, 3]}]}


def comparing(found: Any) -> Any:
    return lambda body: found if "response_format" in body else "Ships were lost in the storm on Sunday."


def test_disagreements_are_kept_apart_and_quoted() -> None:
    engine = scripted(comparing(LOST))
    result = engine.run(Summarise(MONDAY, also=(TUESDAY,)))
    (one,) = result.disagreements
    assert [(place.document, place.quote) for place in one.positions] == [
        ("monday.md", "Four ships were lost in it."),
        ("tuesday.md", "Five ships were lost in it."),
    ]
    for place, text in zip(one.positions, (MONDAY, TUESDAY), strict=True):
        assert text.text[place.start : place.end] == place.quote
    assert 'monday.md says "Four ships' in of(bodies(engine)[1]), "the writer is told of it"
    assert 'the ships lost: monday.md: "Four ships were lost in it."; tuesday.md: "Five' in str(result)


@pytest.mark.parametrize("told", [[0, 3], [1, 2]])
def test_a_sentence_that_the_model_counted_wrong_is_found_by_what_it_is_laid_against(told: list[int]) -> None:
    found = {"items": [{"matter": "the ships lost", "sentences": told}]}
    (one,) = scripted(comparing(found)).run(Summarise(MONDAY, also=(TUESDAY,))).disagreements
    assert [place.quote[:4] for place in one.positions] == ["Four", "Five"]


@pytest.mark.parametrize("wrong", [[1], [0, 1], [0, 2], [1, 77], []], ids=["one", "of one", "the same", "none", "no"])
def test_what_is_no_disagreement_of_two_documents_is_left_out(wrong: list[int]) -> None:
    found = {"items": [{"matter": "the ships", "sentences": wrong}]}
    assert not scripted(comparing(found)).run(Summarise(MONDAY, also=(TUESDAY,))).disagreements


def test_long_documents_are_compared_by_their_sentences_that_are_alike() -> None:
    def padded(text: Text, word: str) -> Text:
        filler = " ".join(f"The {word} of page {n} is of no weight here." for n in range(1500))
        return Text(f"{filler} {text.text} {filler}", text.name)

    def model(body: Mapping[str, Any]) -> Any:
        if "response_format" not in body:
            return "Ships were lost."
        lines = [line for line in of(body).splitlines() if line.startswith("<C")]
        lost = [int(line[2 : line.index(">")]) for line in lines if "ships were lost" in line]
        return {"items": [{"matter": "the ships lost", "sentences": lost}] if lost else []}

    result = scripted(model, context=16_000).run(Summarise(padded(MONDAY, "gull"), also=(padded(TUESDAY, "whale"),)))
    assert [place.quote[:4] for place in result.disagreements[0].positions] == ["Four", "Five"]
    assert {one.document for one in result.coverage.readings} == {"monday.md", "tuesday.md"}
    assert result.coverage.share == 1.0


def test_citations_name_the_document() -> None:
    def model(body: Mapping[str, Any]) -> Any:
        if "response_format" not in body:
            return "Five ships were lost."
        return {"items": [{"statement": 1, "sentences": [3]}]} if "statements" in of(body) else {"items": []}

    result = scripted(model).run(Summarise(MONDAY, also=(TUESDAY,), cite=True))
    assert [(one.document, one.quote[:4]) for one in result.citations] == [("tuesday.md", "Five")]
    assert "tuesday.md:1, characters 25-52:" in str(result)


LOST_PACK = adversarial(LOST, item_field="items")


@pytest.mark.parametrize("name", LOST_PACK)
def test_disagreements_survive_the_pack(name: str) -> None:
    script: list[Any] = [*LOST_PACK[name], *[LOST] * 3]

    def model(body: Mapping[str, Any]) -> Any:
        return script.pop(0) if "contradict" in of(body) else "Ships were lost in the storm on Sunday."

    result = scripted(model).run(Summarise(MONDAY, also=(TUESDAY,)))
    assert result.text == "Ships were lost in the storm on Sunday."
    assert len(result.disagreements) == 1 or "not-compared" in codes(result) or name == "item-missing"


def test_the_baseline_is_one_plain_prompt() -> None:
    (part,) = Summarise(MONDAY, also=(TUESDAY,), words=50, focus="ships", language="de").baseline()
    assert part.rule == "cut"
    for words in ("at most 50 words", "ships", "de", MONDAY.text, TUESDAY.text):
        assert words in part.text


# Focus, updates, density ------------------------------------------------------------------------------------------------

LONG = "\n\n".join(f"Mark {n}: the harbour of town {n} was closed on day {n} after a storm." for n in range(2500))


def test_a_text_with_nothing_on_the_focus_says_so() -> None:
    for source, language, words in ((PLAIN, "", "says nothing about this: whales"), (LONG, "de", "sagt dazu nichts")):
        result = scripted("NOTHING.", context=16_000).run(Summarise(source, focus="whales", language=language))
        assert words in result.text
        assert not result.found
        assert codes(result) == {"nothing-found"}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("NOTHING", False), (" *Nothing.*\n", False), ("Nothing was closed but the harbour.", True), ("Not", True),
        ("The harbour was closed.", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [1, 3, 100])
@pytest.mark.parametrize("source", [PLAIN, LONG], ids=["short", "long"])
def test_the_word_for_nothing_is_not_shown_on_the_way(source: str, chunk: int, said: str, shown: bool) -> None:
    stream = scripted(lambda body: Say(said, chunk=chunk), context=16_000).stream(Summarise(source, focus="harbours"))
    text = "".join(stream)
    assert text.startswith(said if shown else "The text says nothing about this: harbours")
    assert "nothing.*" not in text.lower()
    if len(said) > 8 and chunk == 1 and shown:
        assert text.strip() == said.strip()


def test_pieces_with_nothing_on_the_focus_are_left_out_of_the_merge() -> None:
    def model(body: Mapping[str, Any]) -> Any:
        said = of(body)
        if "This is piece" not in said:
            assert "NOTHING" not in said.partition("<<<")[2]
            return "Town 77 was closed."
        assert "Note only what bears on this: town 77" in said
        return "Town 77 was closed." if "town 77 was" in said else "NOTHING"

    result = scripted(model, context=16_000).run(Summarise(LONG, focus="town 77"))
    assert result.text == "Town 77 was closed."
    assert result.found
    assert result.coverage.share == 1.0


@pytest.mark.parametrize("source", [PLAIN, LONG], ids=["short", "long"])
def test_an_earlier_summary_is_brought_up_to_date(source: str) -> None:
    engine = scripted("The harbour is open again.", context=16_000)
    result = engine.run(Summarise(source, earlier="The harbour of Bergen is closed."))
    assert result.text == "The harbour is open again."
    assert "The harbour of Bergen is closed." in of(bodies(engine)[-1])
    assert "Keep what still holds" in of(bodies(engine)[-1])
    assert not result.warnings


def test_what_only_the_earlier_summary_says_is_no_invention() -> None:
    result = scripted("The pier of Bergen has 77 berths.").run(
        Summarise(PLAIN, earlier="The pier of Bergen has 77 berths.")
    )
    assert not result.warnings


def test_an_earlier_summary_has_a_fifth_of_the_window_at_most() -> None:
    engine = scripted("It is open.", context=4_096)
    result = engine.run(Summarise(PLAIN, earlier="The harbour is closed. " * 1000))
    assert "earlier-cut" in codes(result)
    assert len(of(bodies(engine)[0])) < 4 * 4_096 / 3


DENSE = (
    "Bergen spoke to Oslo and Bergen again. Then the men of Oslo and of Bergen met in Oslo with Tromsø and with Tromsø."
)


def test_a_denser_summary_takes_up_what_is_missing() -> None:
    engine = scripted(["The men met with others.", "Men of Oslo met others in Bergen and of Tromsø."])
    result = engine.run(Summarise(DENSE, density=3))
    assert result.text == "Men of Oslo met others in Bergen and of Tromsø."
    assert len(bodies(engine)) == 2, "nothing is missing any more"
    assert "what the source says of: Oslo, Bergen, Tromsø" in of(bodies(engine)[1])


@pytest.mark.parametrize(
    "worse",
    [
        "The men met with others in Stavanger and in Oslo.",
        "The men did meet others.",
        "Men.",
        "The men met with others. The summary does not mention Oslo and Bergen.",
    ],
)
def test_a_round_that_is_no_better_is_not_taken(worse: str) -> None:
    engine = scripted(["The men met with others.", worse])
    result = engine.run(Summarise(DENSE, density=2))
    assert result.text == "The men met with others."
    assert "not-denser" in codes(result), "what was asked for and not done is told"


def test_a_round_that_failed_leaves_the_next_to_what_else_is_missing() -> None:
    cities = ("Oslo", "Bergen", "Alta", "Hamar")
    source = " ".join(f"The man of {one} wrote to {one} and to {one} once more." for one in cities)
    engine = scripted(["A man wrote.", "A man wrote again.", "A man of Hamar wrote."])
    result = engine.run(Summarise(source, density=2))
    assert result.text == "A man of Hamar wrote."
    assert "what the source says of: Hamar." in of(bodies(engine)[2])
    assert "not-denser" not in codes(result)


# Plans ------------------------------------------------------------------------------------------------------------------


def obliging(body: Mapping[str, Any]) -> Any:
    if "response_format" not in body:
        return "The harbour of a town was closed after a storm. A town was closed after the storm on that day."
    wanted = json.dumps(body["response_format"])
    if "overview" in wanted:
        return {"overview": "The harbour was closed.", "decisions": [], "actions": [], "questions": []}
    if "matter" in wanted:
        return {"items": []}
    return {"items": [{"statement": n, "sentences": [0]} for n in range(1, 30) if f"<S{n}>" in of(body)]}


@pytest.mark.parametrize(
    "options",
    [
        {"cite": True}, {"bullets": 3}, {"style": "meeting"}, {"style": "tldr"}, {"focus": "storms"}, {"style": "abstract"},
        {"earlier": "The harbour was open."}, {"density": 2}, {"also": (Text("A storm closed the harbour.", "b.md"),)},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("source", [PLAIN, LONG], ids=["short", "long"])
def test_a_plan_brackets_what_happens(source: str, options: dict[str, Any]) -> None:
    engine = scripted(obliging, context=16_000, model="gpt-4.1-mini")
    task = Summarise(source, **options)
    plan = engine.plan(task)
    assert not bodies(engine)
    usage = engine.run(task).usage
    assert plan.calls[0] <= usage.calls <= plan.calls[1]
    assert usage.output_tokens <= plan.output_tokens[1]


# The command line -----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(server: Callable[..., ScriptedServer], capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> Any:
    def run(reply: Any, *argv: str) -> tuple[int, str, str]:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        from taskkit import cli

        there = server(reply)
        code = cli.outcome(("summarise", *argv, "--base-url", there.base_url, "--model", "gpt-4.1-mini"))
        got = capsys.readouterr()
        return code, got.out, got.err

    return run


def test_several_files_make_one_summary(command: Any) -> None:
    for text in (MONDAY, TUESDAY):
        Path(text.name).write_text(text.text)
    code, out, _ = command(comparing(LOST), "monday.md", "tuesday.md", "--together")
    assert code == 0
    assert out.count("Ships were lost in the storm on Sunday.") == 1
    assert "==>" not in out
    assert "Disagreements:" in out
    assert command(comparing(LOST), "monday.md", "--also", "tuesday.md")[1] == out
    assert command("A ship was lost.", "monday.md", "tuesday.md")[1].count("==>") == 2


def test_a_meeting_on_the_command_line(command: Any) -> None:
    Path("standup.vtt").write_text(VTT)
    code, out, _ = command(MINUTES, "standup.vtt", "--style", "meeting")
    assert code == 0
    for line in ("Decisions:", "Action items:", "Open questions:", "[00:00:42]"):
        assert line in out


@pytest.mark.parametrize(
    "options", [("--bullets", "2", "--sentences", "2"), ("--earlier", "none.md"), ("--also", "none.md")]
)
def test_what_does_not_go_is_one_line(command: Any, options: tuple[str, ...]) -> None:
    Path("a.md").write_text(MONDAY.text)
    code, out, err = command("A ship was lost.", "a.md", *options)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
