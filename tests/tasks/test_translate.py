"""Translation by splice: what is not language comes back byte for byte."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import opened
from taskkit.testing import Say, scripted

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "examples" / "handbook").rglob("*.md")), *sorted(Path(__file__).parent.rglob("*.md"))]
WORDS = {"the": "le", "and": "et", "is": "est", "of": "de", "you": "vous", "page": "feuille", "Good": "Bon"}


def french(text: str) -> str:
    """Every word outside marks changed a little, as a translation would."""
    return re.sub(r"[A-Za-z]{2,}", lambda word: WORDS.get(word[0], word[0] + "é"), text)


def model(body: Mapping[str, Any]) -> str:
    text = str(body["messages"][-1]["content"])
    if "response_format" in body:
        found = re.findall(r"^id (\d+):\n(.*?)(?=\n\nid \d+:\n|\n<<<end)", text, re.MULTILINE | re.DOTALL)
        return json.dumps({"items": [{"id": number, "translation": french(part)} for number, part in found]})
    return french(re.findall(r"<<<text \w+>>>\n(.*)\n<<<end", text, re.DOTALL)[-1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_translating_into_the_same_changes_no_byte(page: Path) -> None:
    source = opened(page)
    assert source.segments
    assert source.written({one: one.text for one in source.segments}).data == page.read_bytes()


def test_markup_code_and_links_stay() -> None:
    page = ROOT / "examples" / "handbook" / "engineering" / "deployment.md"
    source = page.read_text()
    result = scripted(model).run(Translate(page, to="fr"))
    assert [one for one in result.segments if one.status == "failed"] == []
    assert re.findall(r"`[^`\n]+`", source) == re.findall(r"`[^`\n]+`", result.text)
    assert re.findall(r"\]\(([^)]+)\)", source) == re.findall(r"\]\(([^)]+)\)", result.text)
    assert source.count("\n") == result.text.count("\n")
    assert result.text != source


TEXT = "# The page\n\nHello %(name)s, you have {0} new messages of {1}.\n\nThe end of the page.\n"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda items: [{**one, "translation": re.sub("⟦1⟧", "", one["translation"])} for one in items],
        lambda items: items[1:],
        lambda items: [{"id": items[0]["id"], "translation": " ".join(one["translation"] for one in items)}],
        lambda items: [{**one, "translation": f"Sure! Here is the translation: {one['translation']}"} for one in items],
    ],
    ids=["dropped", "omitted", "merged", "chatty"],
)
def test_only_what_failed_is_repaired(wrong: Any) -> None:
    def broken(body: Mapping[str, Any]) -> str:
        if "response_format" not in body:
            return model(body)
        return json.dumps({"items": wrong(json.loads(model(body))["items"])})

    result = scripted(broken).run(Translate(TEXT, to="fr"))
    assert "%(name)s" in result.text
    assert result.text.index("{0}") < result.text.index("{1}")
    assert all(one.status == "translated" for one in result.segments)
    assert result.usage.calls <= 6  # three texts, and whenever there is a batch of them it goes wrong


def test_what_can_not_be_translated_is_kept_and_told() -> None:
    result = scripted("I'm sorry, I can't translate that.").run(Translate("The rain in Spain.", to="fr"))
    assert result.text == "The rain in Spain."
    assert any(notice.failure for notice in result.warnings)


def test_terms_of_the_glossary_are_in_the_prompt() -> None:
    engine = scripted(model)
    engine.run(Translate("The harbour is closed.", to="fr", glossary={"harbour": "rade", "ship": "navire"}))
    prompts = str(engine._transport.bodies)  # type: ignore[union-attr]
    assert "harbour → rade" in prompts
    assert "navire" not in prompts


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="french"):
        scripted().run(Translate("Hello.", to="frensh"))


def test_a_model_that_never_ends_is_not_asked_to_go_on() -> None:
    endless = Say("la " * 400, finish="length")
    engine = scripted(endless)
    result = engine.run(Translate("The harbour was closed.", to="fr", format="text"))
    assert result.text == "The harbour was closed."
    assert result.warnings[0].failure
    assert result.usage.calls <= 3
