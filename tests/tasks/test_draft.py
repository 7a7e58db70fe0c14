"""Drafts of about the length that was asked for, with their gaps named."""

from pathlib import Path

from taskkit.source import Text
from taskkit.tasks.draft import Draft
from taskkit.testing import scripted

BODY = " ".join(["word"] * 90)


def test_headings_and_gaps_are_listed() -> None:
    text = f"# Report\n\n{BODY}\n\n## Next steps\n\nAsk [insert name] and [TODO: a date]."
    result = scripted(text).run(Draft("a report", words=100))
    assert result.outline == ("Report", "Next steps")
    assert result.todo == ("[insert name]", "[TODO: a date]")
    assert str(result) == text
    assert not result.warnings


def test_a_wrong_length_is_worked_over_once_and_then_told() -> None:
    assert scripted(["Too short.", BODY]).run(Draft("a letter", words=100)).text == BODY
    result = scripted("Too short.").run(Draft("a letter", words=100))
    assert result.usage.calls == 2
    assert "2 words" in result.warnings[0].message


def test_sources_and_an_earlier_draft_are_data(tmp_path: Path) -> None:
    source, earlier = tmp_path / "facts.md", tmp_path / "old.md"
    source.write_text("{% raw %} {{ 7 * 7 }} ```")
    earlier.write_text("The old {draft}.")
    engine = scripted(BODY)
    engine.run(Draft("a letter", words=100, sources=(source,), revise=earlier))
    asked = str(engine._transport.bodies[0]["messages"])  # type: ignore[union-attr]
    assert "{{ 7 * 7 }}" in asked
    assert "The old {draft}." in asked


def test_a_picture_may_be_a_source() -> None:
    engine = scripted(BODY)
    engine.run(Draft("an advertisement", words=100, sources=(Text.image("https://images.example/house.png"),)))
    assert "[image " in str(engine._transport.bodies[0]["messages"])  # type: ignore[union-attr]
