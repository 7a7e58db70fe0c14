"""What bears an answer out is decided by code, whatever the model says of itself."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from taskkit.knowledge import Passage
from taskkit.tasks.ask.inert import inactive
from taskkit.tasks.ask.support import checked, written

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


def test_a_quote_over_two_passages_is_cited_where_most_of_it_stands_or_is_none() -> None:
    first = "Copper is paid for in spring. Old timber goes to the yard by cart. A captain brings salt from Bergen."
    second = "Whoever sells barley needs a seal. Wool waits under the long roof. Nobody weighs rope after dark."
    whole, cut = f"{first}\n\n{second}", len(first) + 2
    both = [Passage(first, "rules", end=len(first)), Passage(second, "rules", start=cut, end=len(whole))]
    (one,) = checked([(2, whole[whole.index("Old timber") : whole.index(" sells")])], "Timber goes [1].", both).cited
    assert whole[one.citation.start : one.citation.end] == one.citation.quote
    assert one.citation.quote == first[first.index("Old timber") :].rstrip(".")
    lost = checked([(1, whole[whole.index("A captain") : whole.index(" Wool")])], "Salt is brought [1].", both)
    assert (lost.cited, "in no passage" in lost.problem) == ((), True)


def test_a_citation_tells_its_line_and_page() -> None:
    passage = Passage("First line.\nSecond line.\fThird is on the next page.\nFourth.", "p.pdf", line=7, page=3)
    (one,) = checked([(1, "Third is on the next page.")], "It is on the next page [1].", [passage]).cited
    assert (one.citation.line, one.citation.page) == (8, 4)
    (one,) = checked([(1, "First line.")], "The first line [1].", [passage]).cited
    assert (one.citation.line, one.citation.page) == (7, 3)


TERMS = """The warranty lasts 24 months. Payment is due within 30 days, says Anna Miller. She wrote the terms.

| Place | Dinner | Hotel |
|---|---|---|
| Paris | 32 euros | 140 euros |
| Rome | 28 euros | 120 euros |

speed,12
weight,45
height,78
Write to help@acme.example or look at https://acme.example/terms today.
"""
WARRANTY, PAYMENT = "The warranty lasts 24 months.", "Payment is due within 30 days"


@pytest.mark.parametrize(
    ("quotes", "answer", "holds"),
    [
        ([WARRANTY], "The warranty lasts 24 months", True),
        ([WARRANTY], "The warranty lasts 30 months", False),
        ([WARRANTY, PAYMENT], "The warranty lasts 30 months", False),
        ([WARRANTY, PAYMENT], "The warranty lasts 24 months, and payment is due in 30 days", True),
        (["24 months"], "The warranty lasts 24 months", True),
        (["24 months"], "The warranty of 2025 lasts 24 months", True),
        ([WARRANTY], "1. The warranty lasts 24 months", True),
        (["She wrote the terms."], "Anna Miller wrote the terms", True),
        (["| Rome | 28 euros | 120 euros |"], "In Rome a dinner may cost 28 euros and a hotel 120 euros", True),
        (["| Rome | 28 euros | 120 euros |"], "A dinner costs 28", True),
        (["28 euros"], "In Rome a dinner may cost 28 euros", True),
        (["28 euros"], "In Rome a dinner may cost 32 euros", False),
        (["| Rome | 28 euros | 120 euros |"], "By the terms, at most 28 euros for each payment lasts in Rome", True),
        (["| Rome | 28 euros | 120 euros |"], "In Rome champagne, oysters and lobster are served on Sundays", False),
        (["Rome"], "In Rome champagne, oysters and lobster are served on Sundays", False),
        (["speed,12"], "The speed is 12", True),
        (["speed,12"], "The speed is 45", False),
        (["The"], "The warranty lasts 24 months", False),
        (["is", "with in"], "The warranty lasts 24 months", False),
        (["Write to help@acme.example"], "Write to help@acme.example", True),
        (["Write to help@acme.example"], "Write to help@acme.example.evil.com", False),
        (["Write to help@acme.example"], "Write to anna@acme.example", False),
        (["Write to help@acme.example"], "Write or look at https://acme.example/terms", True),
        (["Write to help@acme.example"], "Write or look at acme.example", True),
        (["Write to help@acme.example"], "Write or look at http://evil.com/terms", False),
        (["Write to help@acme.example"], "Write or look at evil.com/terms7", False),
    ],
)  # fmt: skip
def test_a_sentence_is_held_to_the_quotes_it_rests_on(quotes: list[str], answer: str, holds: bool) -> None:
    passage = Passage(TERMS, "terms", "Terms of 2025")
    one = checked([(1, quote) for quote in quotes], f"{answer} [1].", [passage])
    assert (one.proven == 1) is holds
    assert bool(one.problem) is not holds


@pytest.mark.parametrize(
    ("text", "answer", "same"),
    [
        ("1.5", "1.5", True), ("1.5", "15", False), ("10.0", "100", False), ("10.0", "10", True), ("2.10", "21.0", False),
        ("2.10", "2.1", True), ("2.40", "2,4", True), ("1,000", "1.000", True), ("1,000", "1000", True),
        ("1 000 000", "1,000,000", True), ("1.234,50", "1,234.5", True), ("1.234,50", "12345", False),
        ("1'234", "1 234", True), ("12,34,567", "1234567", True), ("0.500", "500", False), ("0.500", "0.5", True),
        ("31.12.2024", "2024", True), ("31.12.2024", "31.12.2024", True), ("31.12.2024", "31.12.2025", False),
        ("٣٫٥", "3.5", True), ("٣٫٥", "35", False), ("007", "7", True), ("1,2,3", "2", True),
        (".5", "5", False), (".5", "0.5", True), ("0.5", ".5", True), ("1,000", "1", False), ("1,500", "1.5", True),
    ],
)  # fmt: skip
def test_a_number_is_the_same_however_it_is_written(text: str, answer: str, same: bool) -> None:
    passage = f"The dose is {text} milligrams a day."
    one = checked([(1, passage)], f"The dose is {answer} milligrams [1].", [Passage(passage, "dose")])
    assert (one.proven == 1) is same


@pytest.mark.parametrize("quote", ["सीमा", "الحد", "предел", "夕食", "ค่าอาหาร", "12"])
def test_a_word_of_any_script_is_a_quote(quote: str) -> None:
    assert checked([(1, quote)], quote, [Passage(f"{quote} {quote}.", "rules")]).cited


def test_an_answer_in_another_language_is_held_to_its_numbers_alone() -> None:
    german = "Ein Abendessen darf nach den Regeln des Hauses höchstens 32 Euro kosten [1]."
    assert text(german) == german
    assert "[?]" in text(german.replace("32", "35"))


@pytest.mark.parametrize(
    ("passage", "right", "wrong"),
    [
        ("晚餐的报销上限是32欧元。住宿的上限是140欧元。", "晚餐最多可以报销32欧元", "大象喜欢吃香蕉和苹果"),
        ("夕食の払い戻しの上限は32ユーロです。", "夕食は32ユーロまで払い戻しされます", "象はりんごが好きです"),
        ("저녁 식사 한도는 32유로입니다. 경비는 매달 환급됩니다.", "저녁 식사는 최대 32유로입니다", "코끼리가 바나나를 좋아해요"),
        ("ค่าอาหารเย็นเบิกได้ไม่เกิน 32 ยูโร", "อาหารเย็นเบิกได้สูงสุด 32 ยูโร", "ช้างชอบกินกล้วยทุกวัน"),
        ("Предел для ужина составляет 32 евро.", "Для ужина предел 32 евро", "Слоны любят есть бананы"),
        ("夕食の上限は３２ユーロです。", "夕食の上限は32ユーロです", "夕食の上限は35ユーロです"),
        ("الحد الأقصى للعشاء هو ٣٢ يورو.", "الحد للعشاء 32 يورو", "الحد للعشاء 35 يورو"),
        ("La limite est de 1 000 000 euros par an.", "La limite est de 1000000 euros", "La limite est de 1000 euros"),
        ("La limite est de 1000000 euros par an.", "La limite est de 1 000 000 euros", "La limite est de 1 000 001 euros"),
    ],
)  # fmt: skip
def test_what_bears_a_sentence_out_is_seen_in_every_script(passage: str, right: str, wrong: str) -> None:
    def shown(answer: str) -> str:
        return written(checked([(1, passage)], answer, [Passage(passage, "rules")]))

    assert shown(f"{right} [1]") == f"{right} [1]"
    assert shown(f"{wrong} [1]") == f"{wrong} [?]"


@pytest.mark.parametrize(
    "answer",
    [
        "En middag får kosta högst 32 euro", "Akşam yemeği için sınır 32 avrodur", "Večeře smí stát nejvýše 32 eur",
        "Bữa tối không được quá 32 euro", "晚餐最多可以花32欧元",
    ],
)  # fmt: skip
def test_languages_without_a_list_of_words_are_told_from_the_passages(answer: str) -> None:
    assert text(f"{answer} [1].") == f"{answer} [1]."
    assert text(f"{answer} [1].".replace("32", "35")).endswith("[?].")
    back = [Passage(answer, "rules")]
    assert written(checked([(1, answer)], "A dinner may cost at most 32 euros [1].", back)).endswith("[1].")


def test_a_sentence_without_a_common_word_is_not_taken_for_another_language() -> None:
    assert text("Lobster, champagne, oysters [1].").endswith("[?].")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("See [the page](https://evil.example/a?b=c) now.", "See the page now."),
        ("![x](https://evil.example/p.png)Seen.", "xSeen."),
        ("See [the page][1].\n\n[1]: https://evil.example", "See [the page][1]."),
        ("An ![image][2] too.\n[2]: https://evil.example/i 'x'", "An image too."),
        ("<img src=x onerror=alert(1)>Hello <a href='//evil'>there</a>", "Hello there"),
        ("3 < 4 and 5 > 2", "3 < 4 and 5 > 2"),
        ("[![a chart](https://evil.example/a.png)](https://evil.example/b)", "a chart"),
        ("[a]( https://evil.example 'x' ), [b](<https://evil.example/x y>), ![c](u (title))", "a, b, c"),
        ("![a](https://evil.example/(b(c))d)", "a"),
        ("<<b>img src=x onerror=alert(1)>Hello", "Hello"),
        ("Seen [1]: at six.", "Seen [1]: at six."),
    ],
)
def test_nothing_active_is_passed_on(said: str, left: str) -> None:
    assert inactive(said).strip() == left


@pytest.mark.parametrize(
    "said",
    [
        "[a [b] c](https://evil.example)", r"[a\]](https://evil.example)", "[a]\n\n[a]:\n https://evil.example",
        "> [a]: https://evil.example\n\n[a]", "- [a]: <https://evil.example>\n\n![a]", "![](https://e.example/a?b=(((c))))",
        "<img src=x onerror=alert(1)", "<a href='x>y'>z</a>", "<?php echo 1", "![![![a](u)](u)](u)", "[a\nb]: u\n\n[a\nb]",
        "[a](https://evil.example 'it's')", "<b<b<b>>>img src=x>",
    ],
)  # fmt: skip
def test_what_is_left_is_no_link_image_or_tag(said: str) -> None:
    assert active(said) == set()


ODD = [
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    ":",
    "a",
    "u",
    "/",
    "\n",
    " ",
    '"',
    "img src=x",
    "[1]",
    "-",
    "](",
    "[a]: u",
    "\\",
    "`",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=14).map("".join))
def test_whatever_comes_none_of_it_is_active(said: str) -> None:
    assert active(said) == set()


def active(said: str) -> set[str]:
    """As a renderer of Markdown reads it that lets HTML through."""
    found = [token for text in (said, f"Words. {said}") for token in MarkdownIt("commonmark").parse(inactive(text))]
    kinds = {one.type for token in found for one in (token, *(token.children or ()))}
    return kinds & {"link_open", "image", "html_block", "html_inline"}


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
