"""An earlier translation and the source that it was made from, without a lock: what has not changed is kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.errors import InputError
from taskkit.tasks.translate import Translate, Translation
from taskkit.tasks.translate.formats import opened
from taskkit.tasks.translate.pairing import paired
from taskkit.testing import Fail, ScriptedServer
from tests.tasks.test_translate_memory import german, model, run, texts

OLD = """---
title: Our harbour
---

# The harbour of Lund

The harbour opens at six. See [the plan](plan.md).

- Boats with sails
- Boats with engines

## What it costs

A day costs `12` crowns and a week costs forty crowns.

| Boat | Crowns |
|---|---|
| with sails | 12 |

## Who to ask

Ask the master of the harbour.
"""
HAND = """---
title: Unser Hafen
---

# Der Hafen von Lund

Um sechs macht der Hafen auf. Siehe [Plan](plan.md).

- Segelboote
- Motorboote

## Was es kostet

Ein Tag kostet `12` Kronen, eine Woche vierzig Kronen.

| Boot | Kronen |
|---|---|
| mit Segel | 12 |

## Wen man fragt

Frag den Hafenmeister.
"""


def updated(name: str, old: str, hand: str, new: str, script: Any = model) -> tuple[Translation, list[str], str]:
    """What came, what was asked for, and all that the model was shown."""
    target = Path(f"de.{name}")
    Path(f"old.{name}").write_text(old)
    Path(name).write_text(new)
    target.write_text(hand)
    done, sent = run(Translate(Path(name), to="de", update=target, was=Path(f"old.{name}")), script)
    shown = json.dumps([*sent], ensure_ascii=False)
    return done, [text for body in sent for text in texts(body).values()], shown


def test_what_has_not_changed_is_kept_to_the_byte() -> None:
    done, sent, _ = updated("page.md", OLD, HAND, OLD, Fail(500, "nobody may ask"))
    assert done.text == HAND
    assert not sent
    assert not done.warnings


def test_one_changed_sentence_is_one_changed_line_and_the_model_sees_what_it_was() -> None:
    done, sent, shown = updated("page.md", OLD, HAND, OLD.replace("a week costs forty", "a week costs fifty"))
    (changed,) = [one for one in zip(HAND.splitlines(), done.text.splitlines(), strict=True) if one[0] != one[1]]
    assert changed[0].startswith("Ein Tag")
    assert [one.partition(" ⟦")[0] for one in sent] == ["A day costs"]
    assert "eine Woche vierzig Kronen" in shown
    assert [one.status for one in done.segments if one.status not in {"earlier", "kept"}] == ["translated"]


def test_a_section_cut_otherwise_is_done_anew_and_told() -> None:
    hand = HAND.replace("- Segelboote\n- Motorboote\n", "Segel- und Motorboote.\n")
    done, sent, _ = updated("page.md", OLD, hand, OLD)
    assert sent[0] == "The harbour of Lund"
    assert "Wen man fragt" in done.text
    assert "Was es kostet" in done.text
    assert any(one.code == "unpaired" and "The harbour of Lund" in one.message for one in done.warnings)


def test_another_document_is_not_taken_for_the_translation() -> None:
    done, sent, _ = updated("page.md", OLD, "# Ein anderes Dokument\n\nMit einem Absatz.\n", OLD)
    assert len(sent) == sum(one.status == "translated" for one in done.segments) > 8
    assert any(one.code == "unpaired" for one in done.warnings)


HTML = "<h1>Title of it</h1>\n<p>The first text.</p>\n<p>The second text.</p>\n"
SRT = "1\n00:00:01,000 --> 00:00:04,000\nThe first text.\n\n2\n00:00:05,000 --> 00:00:09,000\nThe second text.\n"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.html", HTML, HTML.replace("<p>The first", "<p>Quite a new text.</p>\n<p>The first")),
        (
            "a.srt", SRT,
            "1\n00:00:00,000 --> 00:00:03,000\nA new one.\n\n"
            + SRT.replace("2\n00", "3\n00").replace("1\n00:00:01", "2\n00:00:03"),
        ),
        ("a.txt", "The first text.\n\nThe second text.\n", "A new one.\n\nThe first text.\n\nThe second text.\n"),
    ],
    ids=["html", "srt", "text"],
)  # fmt: skip
def test_what_comes_new_in_between_moves_no_translation(name: str, old: str, new: str) -> None:
    hand = old.replace("Title of it", "Titel davon").replace("The first text", "Der erste Text")
    hand = hand.replace("The second text", "Der zweite Text")
    done, sent, _ = updated(name, old, hand, new)
    assert len(sent) == 1
    said = {one.source: one.target for one in done.segments}
    assert said["The first text."] == "Der erste Text."
    assert said["The second text."] == "Der zweite Text."
    Path(f"de.{name}").write_text(hand)
    blind, all_ = run(Translate(Path(name), to="de", update=Path(f"de.{name}")))
    assert {one.source: one.target for one in blind.segments}["The first text."] == german("The first text.")
    assert any(one.code == "no-lock" and "--was" in one.message for one in blind.warnings)
    assert all_


def test_a_changed_text_under_an_old_key_is_sent() -> None:
    old, hand = {"a": "The harbour", "b": "The ship"}, {"b": "Das Schiff", "a": "Der Hafen"}
    new = {"a": "The old harbour", "b": "The ship"}
    done, sent, _ = updated("en.json", json.dumps(old), json.dumps(hand), json.dumps(new))
    assert json.loads(done.text) == {"a": german("The old harbour"), "b": "Das Schiff"}
    assert sent == ["The old harbour"]


@given(st.lists(st.text("abc", min_size=3, max_size=6), min_size=2, max_size=8, unique=True), st.data())
def test_whatever_is_gone_no_text_has_the_translation_of_another(words: list[str], data: st.DataObject) -> None:
    def page(form: str, them: list[str]) -> str:
        return "".join(f"{'# ' * (len(one) > 5)}{form.format(one)}\n\n" for one in them)

    def both(kept: list[str]) -> list[tuple[str, str]]:
        old, hand = page("The {} is red.", words), page("Hier ist {} rot.", kept)
        pairs = paired(opened(old, "markdown").segments, opened(hand, "markdown").segments, "markdown")
        return [(one.text.split()[1], other.text.split()[2]) for one, other in pairs]

    assert both(words) == [(one, one) for one in words]
    gone = data.draw(st.sampled_from(words))
    if len(gone) <= 5:
        assert all(one == other for one, other in both([one for one in words if one != gone]))


def test_a_former_source_without_its_translation_is_refused() -> None:
    with pytest.raises(InputError, match="--update"):
        run(Translate("A text.", to="de", was=Path("old.md")))


def test_from_the_command_line(server: Any) -> None:
    from click.testing import CliRunner

    from taskkit.cli.group import cli

    Path("old.md").write_text(OLD)
    Path("page.md").write_text(OLD.replace("at six", "at nine"))
    Path("page.de.md").write_text(HAND)

    there: ScriptedServer = server(model)
    argv = ["translate", "page.md", "--to", "de", "--update", "page.de.md", "--was", "old.md", "-o", "page.de.md"]
    argv += ["--base-url", there.base_url, "--model", "scripted", "--no-journal"]
    done = CliRunner().invoke(cli, argv, env={"OPENAI_API_KEY": "k"})
    assert done.exit_code == 0, done.output
    assert "11 of 13 texts are kept from page.de.md." in done.output
    assert sum(a != b for a, b in zip(HAND.splitlines(), Path("page.de.md").read_text().splitlines(), strict=True)) == 1
