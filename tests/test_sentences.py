"""Sentences of any language: nothing lost, and cut where a reader would."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=80) | st.text(st.sampled_from("aB1 .!?…。！」』\n\r\"')-|#:ไทย\u0301\u3000"), max_size=80))
def test_every_character_that_is_not_blank_is_in_one_sentence(text: str) -> None:
    found = sentences(text)
    covered = [at for start, end in found for at in range(start, end)]
    assert covered == sorted(set(covered))
    assert {at for at, one in enumerate(text) if not one.isspace()} <= set(covered)
    for one in cut(text):
        assert one
        assert one == one.strip()


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith paid $3.50 to Mr. Jones.", "He left."],
        ["See fig. 3 for more.", "It is clear, e.g. here.", "He said no.", "Then he left."],
        ["“Is it?” she asked.", "It was!", "Really?!", "Yes…", "So be it."],
        ["Am 3. Mai kam er, d.h. gestern.", "Das war z.B. gut.", "Ende."],
        ["J. R. R. Tolkien wrote it.", "The U.S. Army did not."],
        ["It works.[1]", "(So they say.)", "Fine."],
    ],
)
def test_marks_that_end_no_sentence(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["今日は晴れです。", "明日は雨？", "「行こう。」", "そうだね！"],
        ["这是第一句。", "第二句！", "真的吗？", "是的。"],
        ["价格是３．５元。", "很便宜。"],
    ],
)
def test_scripts_without_spaces(expected: list[str]) -> None:
    assert cut("".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["यह पहला वाक्य है।", "यह दूसरा है।"],
        ["هل هذا سؤال؟", "نعم."],
        ["Это первое.", "Это второе!", "Третье?"],
        ["¿Qué es esto?", "¡Nada!", "Bien."],
    ],
)
def test_marks_of_other_scripts(expected: list[str]) -> None:
    assert cut(" ".join(expected)) == expected


def test_thai_is_cut_at_its_spaces_but_not_into_phrases() -> None:
    long = "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน"
    assert cut(f"{long} {long} สั้น {long}") == [long, long, f"สั้น {long}"]


def test_lines_that_stand_alone() -> None:
    text = "# A title\nSome text that\r\nwraps here\n\n- one\n- two\n| a | b |\n| c | d |\nAnna: Hi\nBob: Hello"
    assert cut(text) == [
        "# A title", "Some text that\r\nwraps here", "- one", "- two", "| a | b |", "| c | d |", "Anna: Hi", "Bob: Hello",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a" * 2_000_000, "." * 500_000, "\n" * 500_000, "a. " * 300_000, " " * 2_000_000, "ก " * 300_000]
)
def test_repetition_does_not_hang(text: str) -> None:
    began = time.process_time()
    sentences(text)
    assert time.process_time() - began < 10
