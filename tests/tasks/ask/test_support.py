"""What bears an answer out is decided by code, whatever the model says of itself."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.knowledge import Passage
from taskkit.tasks.ask.support import checked, inactive, written

RULES = "Expenses are paid back on Fridays. The limit for a dinner is 32 euros, for a hotel 140 euros."
HARBOUR = "The harbour opens at six in the morning. Captain Miller keeps the key."
PASSAGES = [Passage(RULES, "rules"), Passage(HARBOUR, "harbour", "The harbour", ("Hours",), 40, 40 + len(HARBOUR))]
DINNER = (1, "The limit for a dinner is 32 euros")
OPENS = (2, "The harbour opens at six in the morning.")


def text(answer: str, *quotes: tuple[int, str]) -> str:
    return written(checked(quotes or (DINNER,), answer, PASSAGES))


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("A dinner is limited to 32 euros [1].", "A dinner is limited to 32 euros [1]."),
        ("A dinner is limited to 32 euros.", "A dinner is limited to 32 euros [1]."),
        ("A dinner is limited to 32 euros [2].", "A dinner is limited to 32 euros [1]."),
        ("A dinner is limited to 32 euros [1, 7].", "A dinner is limited to 32 euros [1]."),
        ("A dinner is limited to 32 euros [1]. Champagne comes on top [1].",
         "A dinner is limited to 32 euros [1]. Champagne comes on top [?]."),
        ("A dinner is limited to 35 euros [1].", "A dinner is limited to 35 euros [?]."),
        ("The limit for a dinner, says Napoleon, is 32 euros [1].",
         "The limit for a dinner, says Napoleon, is 32 euros [?]."),
    ],
    ids=["cited", "without a mark", "another's mark", "a mark of nothing", "made up", "another number", "a strange name"],
)  # fmt: skip
def test_each_sentence_rests_on_a_passage_or_is_marked(answer: str, shown: str) -> None:
    assert text(answer) == shown


def test_the_numbers_are_those_of_the_citations() -> None:
    assert text("It opens at six in the morning [2]. A dinner may cost 32 euros [1].", OPENS, DINNER) == (
        "It opens at six in the morning [1]. A dinner may cost 32 euros [2]."
    )


def test_a_quote_keeps_its_place_in_the_document() -> None:
    (one,) = checked([(1, "the harbour OPENS at  six")], "It opens at six [1].", PASSAGES).cited
    assert (one.passage, one.citation.status) == (2, "normalised")
    assert HARBOUR[one.citation.start - 40 : one.citation.end - 40] == one.citation.quote == "The harbour opens at six"
    assert one.citation.title == "The harbour"


def test_a_quote_is_where_it_stands_most_truly_whatever_passage_is_named() -> None:
    passages = [Passage("The harbour of Ems opens at 5.", "ems"), Passage("The harbour of Alt opens at 6.", "alt")]
    (one,) = checked([(1, "The harbour of Alt opens at 6.")], "Alt opens at 6 [1].", passages).cited
    assert (one.citation.document, one.citation.status) == ("alt", "exact")


def test_a_citation_tells_its_line_and_page() -> None:
    passage = Passage("First line.\nSecond line.\fThird is on the next page.\nFourth.", "p.pdf", line=7, page=3)
    (one,) = checked([(1, "Third is on the next page.")], "It is on the next page [1].", [passage]).cited
    assert (one.citation.line, one.citation.page) == (8, 4)
    (one,) = checked([(1, "First line.")], "The first line [1].", [passage]).cited
    assert (one.citation.line, one.citation.page) == (7, 3)


def test_an_answer_in_another_language_is_held_to_its_numbers_alone() -> None:
    german = "Ein Abendessen darf nach den Regeln des Hauses höchstens 32 Euro kosten [1]."
    assert text(german) == german
    assert "[?]" in text(german.replace("32", "35"))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("See [the page](https://evil.example/a?b=c) now.", "See the page now."),
        ("![x](https://evil.example/p.png)Seen.", "xSeen."),
        ("See [the page][1].\n\n[1]: https://evil.example", "See [the page][1]."),
        ("An ![image][2] too.\n[2]: https://evil.example/i 'x'", "An image too."),
        ("<img src=x onerror=alert(1)>Hello <a href='//evil'>there</a>", "Hello there"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
    ],
)
def test_nothing_active_is_passed_on(said: str, left: str) -> None:
    assert inactive(said).strip() == left


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, 5), st.text(max_size=40) | st.sampled_from([DINNER[1], OPENS[1]])), max_size=4),
    st.lists(
        st.sampled_from([*RULES.split(". "), *HARBOUR.split(". "), " [1]", ". ", "[9] ", "\n", "🦜", "[?]"]), max_size=8
    ),
)
def test_whatever_comes_each_mark_has_its_citation(quotes: list[tuple[int, str]], words: list[str]) -> None:
    one = checked(quotes, "".join(words), PASSAGES)
    for cited in one.cited:
        passage, citation = PASSAGES[cited.passage - 1], cited.citation
        assert passage.text[citation.start - passage.start : citation.end - passage.start] == citation.quote
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", written(one))}
    assert marks <= set(range(1, len(one.cited) + 1))
