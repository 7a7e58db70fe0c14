"""Summaries of texts of any length."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskkit import Text
from taskkit.tasks.summarise import Summarise
from taskkit.testing import scripted

LONG = "\n\n".join(f"Mark {n}: the harbour of town {n} was closed on day {n} after a storm." for n in range(3000))


def said(body: Mapping[str, Any]) -> str:
    return "\n".join(str(one["content"]) for one in body["messages"])


def test_a_short_text_is_one_call() -> None:
    engine = scripted("A harbour was closed.")
    result = engine.run(Summarise("The harbour was closed after a storm. " * 20))
    assert result.usage.calls == 1
    assert str(result) == "A harbour was closed."


def test_every_part_of_a_long_text_is_read() -> None:
    engine = scripted("A harbour was closed.", context=16_000)
    transport = engine._transport
    result = engine.run(Summarise(LONG))
    read = "\n".join(said(body) for body in transport.bodies)  # type: ignore[union-attr]
    assert {int(n) for n in re.findall(r"Mark (\d+):", read)} == set(range(3000))
    assert result.pieces > 5
    assert result.coverage.share == 1.0


def test_the_plan_is_what_happens() -> None:
    engine = scripted("A note on harbours that were closed.", context=16_000)
    plan = engine.plan(Summarise(LONG))
    result = engine.run(Summarise(LONG))
    assert plan.calls[0] <= result.usage.calls <= plan.calls[1] + 2


def test_a_summary_that_is_too_long_is_shortened() -> None:
    engine = scripted("word " * 500)
    result = engine.run(Summarise("The harbour was closed. " * 50, words=40))
    assert len(result.text.split()) <= 48
    assert result.warnings


def test_citations_point_into_the_source(tmp_path: Path) -> None:
    text = "The harbour was closed in March. Nobody was hurt by the storm. The repairs took two weeks."
    engine = scripted("The harbour was closed in March. The repairs took two weeks.")
    result = engine.run(Summarise(text, cite=True))
    assert [text[one.start : one.end] for one in result.citations] == [
        "The harbour was closed in March.",
        "The repairs took two weeks.",
    ]
    assert "line 1, characters 0-32:" in str(result)


def test_citations_name_the_line_or_the_page(tmp_path: Path) -> None:
    said = "The harbour was closed in March. The repairs took two weeks."
    page = tmp_path / "harbour.md"
    page.write_text("# News\n\nThe harbour was closed in March.\n\nNobody was hurt.\n\nThe repairs took two weeks.\n")
    result = scripted(said).run(Summarise(page, cite=True))
    assert [(one.line, one.page) for one in result.citations] == [(3, 0), (7, 0)]
    assert "harbour.md:3, characters 8-40:" in str(result)

    pages = Text("The harbour was closed in March.\f\fNobody was hurt.\nThe repairs took two weeks.\f", "news.pdf")
    result = scripted(said).run(Summarise(pages, cite=True))
    assert [one.page for one in result.citations] == [1, 3]
    assert "news.pdf p. 3, characters" in str(result)

    taken_out = Text("News\n\nThe harbour was closed in March.\n\nThe repairs took two weeks.\n", "news.docx")
    result = scripted(said).run(Summarise(taken_out, cite=True))
    assert [one.line for one in result.citations] == [0, 0], "a Word file has no lines to look up"
    assert "news.docx, characters 6-38:" in str(result)


def test_citations_of_a_page_are_of_its_sentences() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>News</title><style>p { color: red }</style></head><body>\n"
        "<h1>Harbour</h1><p class='x'>The harbour was <b>closed</b> in March.</p><p>Nobody was hurt.</p>\n"
        "<ul><li>The repairs took two weeks.</ul><script>var said = 'The repairs took two weeks.';</script></body></html>"
    )
    said = "The harbour was closed in March. The repairs took two weeks."
    result = scripted(said).run(Summarise(Text(page, "news.html", "html"), cite=True))
    assert [one.quote for one in result.citations] == [
        "The harbour was <b>closed</b> in March.",
        "The repairs took two weeks.",
    ]
