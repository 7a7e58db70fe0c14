import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskkit.engine.seam import closed, hold, join, loops, open_fence

PROSE = (
    "The harbour was quiet at dawn. Two men loaded crates onto the ferry, and a third one counted them aloud. "
    "Nobody asked what was inside.\n\nBy noon the wind had turned. The captain, who had seen worse, ate an apple "
    "and waited; the crew played cards on an upturned barrel."
)

words = st.text(string.ascii_lowercase, min_size=1, max_size=9)
sentences = st.lists(words, min_size=3, max_size=12, unique=True).map(lambda one: " ".join(one).capitalize() + ".")
texts = st.lists(sentences, min_size=4, max_size=20, unique=True).flatmap(
    lambda some: st.lists(st.sampled_from([" ", "\n", "\n\n"]), min_size=len(some), max_size=len(some)).map(
        lambda gaps: "".join(a + b for a, b in zip(some, gaps, strict=True)).rstrip()
    )
)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, int]:
    text = draw(texts)
    return text, draw(st.integers(1, len(text)))


@given(cuts())
def test_a_true_continuation_is_added_as_it_is(cut: tuple[str, int]) -> None:
    text, at = cut
    held = text[hold(text[:at]) : at]
    assert join(text[:at], text[at:], held=held) == text
    assert join(text[:at], text[at:]) == text


@given(cuts())
def test_a_continuation_that_begins_with_the_held_words_is_joined_without_them(cut: tuple[str, int]) -> None:
    text, at = cut
    start = hold(text[:at])
    assert join(text[:at], text[start:], held=text[start:at]) == text


@given(cuts(), st.integers(20, 200))
def test_a_continuation_that_repeats_the_end_is_joined_without_it(cut: tuple[str, int], back: int) -> None:
    text, at = cut
    start = hold(text[:at])
    if start == at or at < 60:
        return
    assert join(text[:at], text[max(0, start - back) :], held=text[start:at]) == text


@given(st.text(max_size=300), st.text(max_size=300), st.integers(0, 100))
@example("```\n", "```", 0)
@example("a|" * 30, "a|" * 30, 30)
def test_the_text_so_far_is_never_altered(text: str, more: str, back: int) -> None:
    assert join(text, more, held=text[len(text) - min(back, len(text)) :]).startswith(text)
    assert 0 <= hold(text) <= len(text)
    assert closed(text).startswith(text)


@pytest.mark.parametrize(
    "unit",
    ["ha ", "| 0 | 0 |\n", "0, ", "很好", "😂", "        result.append(None)\n", "-", "Row, row, row your boat.\n"],
)
@pytest.mark.parametrize("count", [2, 3, 7, 40, 400])
def test_what_truly_repeats_is_not_eaten(unit: str, count: int) -> None:
    before = "A line that stands before the rest of it.\n"
    text = before + unit * count + "and the end of it."
    for at in range(len(before) + len(unit), len(text), max(1, len(unit) * count // 50)):
        start = hold(text[:at])
        assert join(text[:at], text[at:], held=text[start:at]) == text
        assert join(text[:at], text[start:], held=text[start:at]) == text


def test_rows_that_are_alike_stay() -> None:
    rows = "".join(f"| {n} | yes | no | maybe | {n % 3} |\n" for n in range(60))
    for at in range(40, len(rows), 7):
        start = hold(rows[:at])
        assert join(rows[:at], rows[at:], held=rows[start:at]) == rows
        assert join(rows[:at], rows[start:], held=rows[start:at]) == rows


@pytest.mark.parametrize(
    "remark",
    [
        "Sure, continuing:\n\n",
        "Sure! Here is the rest of the answer:\n",
        "Certainly. I'll pick up where I left off.\n\n",
        "Continuing from where I left off...\n\n",
        "**Continued:**\n\n",
        "(continued)\n",
        "Of course, continuing: ",
        "## Continuation\n\n",
    ],
)
def test_a_remark_in_front_is_dropped(remark: str) -> None:
    for at in range(100, len(PROSE), 9):
        start = hold(PROSE[:at])
        assert join(PROSE[:at], remark + PROSE[start:], held=PROSE[start:at]) == PROSE
        if ":" in remark or "…" in remark:
            assert join(PROSE[:at], remark + PROSE[at:].lstrip(), held=PROSE[start:at]).endswith(PROSE[at:].lstrip())


def test_dialogue_that_looks_like_a_remark_stays() -> None:
    text = "He turned round.\n"
    more = "“Sure,” she said: nothing was further from her mind.\nHere is what happened:\n\nthey left."
    assert join(text, more, held=text) == text + more


def test_markup_that_came_back_differently_is_found_again() -> None:
    text = 'It says "use the red door" and then the gua'
    held = text[8:]
    assert join(text, "“Use the red door” and then the guard laughed.", held=held) == text + "rd laughed."
    code = "def f(x):\n    if x is None:\n        return de"
    assert join(code, "return default", held="        return de") == code + "fault"


CODE = "Look:\n\n```python\ndef area(radius):\n    return 3.14 * radius ** 2\n\n\nprint(area(2))\n```\n\nThat is all."


@pytest.mark.parametrize("opener", ["```python\n", "```\n", "Continuing the code:\n\n```python\n"])
def test_a_fence_that_is_opened_again_is_not_doubled(opener: str) -> None:
    inside = range(CODE.index("def area") + 25, CODE.index("\n```\n\nThat"))
    for at in inside:
        start = hold(CODE[:at], 60)
        if start > CODE.index("def area"):
            assert join(CODE[:at], opener + CODE[start:], held=CODE[start:at]) == CODE


def test_a_fence_around_the_whole_continuation_is_taken_off() -> None:
    for at in range(20, len(CODE)):
        start = hold(CODE[:at], 60)
        for opener in ("```\n", "```markdown\n"):
            if start < at:
                assert join(CODE[:at], opener + CODE[start:] + "\n```", held=CODE[start:at]) == CODE


def test_a_fence_that_closes_is_not_taken_for_one_that_opens() -> None:
    at = CODE.index("```\n\nThat")
    assert join(CODE[:at], CODE[at:], held=CODE[hold(CODE[:at]) : at]) == CODE


def test_an_answer_that_begins_again_gives_only_its_new_part() -> None:
    long = PROSE * 1 + "\n\n" + PROSE.replace("harbour", "market").replace("captain", "baker")
    assert join(long[:400], long, held=long[380:400]) == long
    assert join(long[:400], "Sure, here is the rest:\n\n" + long, held=long[380:400]) == long
    changed = long[:250] + "something else entirely, told in other words than before."
    assert join(long[:400], changed, held=long[380:400]) == long[:400]


def test_open_fence_follows_the_nesting_of_marks() -> None:
    assert open_fence("```python\nx\n") == "```"
    assert open_fence("```python\nx\n```\n") == ""
    assert open_fence("````md\n```python\nx\n```\n") == "````"
    assert open_fence("~~~\n```\n") == "~~~"
    assert open_fence("a ``` b") == ""


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("```python\nx = 1", "```python\nx = 1\n```"),
        ("````md\n```py\n", "````md\n```py\n````"),
        ("| a | b |\n| - | - |\n| 1", "| a | b |\n| - | - |\n| 1 | |"),
        ("| a | b |\n| - | - |\n| 1 | 2 |", "| a | b |\n| - | - |\n| 1 | 2 |"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_what_stays_cut_is_closed(cut: str, whole: str) -> None:
    assert closed(cut) == whole


def test_a_text_that_goes_round_in_circles_is_seen() -> None:
    assert loops(PROSE + "I am here. " * 400)
    assert not loops(PROSE * 2)
    assert not loops("".join(f"| {n} | 0 |\n" for n in range(900)))


def test_hostile_sizes_take_no_time() -> None:
    big = "a" * 200_000
    assert join(big, big + "b", held="") == big + big + "b"
    assert join(big + "b", "a" * 199_999 + "c").endswith("c")
    assert hold(big) == len(big)
    assert join("x" * 50_000, "```\n" * 20_000).startswith("x")
    assert join("[" * 50_000, ": \n" * 20_000).startswith("[")


BEGUN = "The storm lasted for nine days.\n\nOn the tenth day the keeper of the light "


@pytest.mark.parametrize(
    "more",
    [
        "continued his round along the wall until the evening.\nThen he slept.",
        "continuing work at the second mole was given up.\n\nThen he slept.",
        "I continued along the road until night fell.\n\nThen I slept.",
        "here the rest of the ships were waiting for a pilot.\n\nThen they came in.",
        "Continued on page 4.\nSee there.",
    ],
)
def test_a_line_of_the_text_that_speaks_of_continuing_is_no_remark(more: str) -> None:
    held = BEGUN[hold(BEGUN) :]
    assert join(BEGUN, more, held=held) == BEGUN + more


def test_a_remark_takes_no_line_end_of_the_text_along() -> None:
    rows = "| id | name |\n|---|---|\n| 1 | Oslo |"
    assert join(rows, "Sure, continuing:\n\n\n| 2 | Bergen |") == rows + "\n| 2 | Bergen |"


@pytest.mark.parametrize("at", range(120, len(PROSE) - 1, 7))
@pytest.mark.parametrize("back", [r"(\S+\s+){15}\S*\Z", r"[^\n]{3,}\Z", r"[^\W_]{3,}\Z"], ids=["words", "line", "word"])
def test_an_end_that_is_repeated_within_a_sentence_stands_there_once(at: int, back: str) -> None:
    """From a model that takes no notice of the words which it was to begin with."""
    begun = PROSE[:at]
    again = re.search(back, begun)
    if again is None or not PROSE[at].isalpha():
        return
    assert join(begun, PROSE[again.start() :], held=begun[hold(begun) :]) == PROSE
