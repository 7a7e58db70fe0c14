"""A quote is found where it stands, in the source's own offsets, however it was retyped."""

import random
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.spans import Span, locate

MODEST = settings(deadline=None, max_examples=200)
NOWHERE = Span(0, 0, "none")
# What breaks offsets: marks to be composed, jamo, ligatures, unseen characters, quotes, case that changes length.
AWKWARD = "ab e\u0301\u0300 \u200b\u00ad\u200d\ufe0f\u3000\n\tßİıﬁ½´¨“’—-'\"ㄱㅏﾡￂ\u1100\u1161\u11a8ｶﾞ漢字ไทยกำ👨👩🏽🇩🇪\x00\ud800Σς…"
awkward = st.text(st.sampled_from(AWKWARD), max_size=40)
words = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "zeta", "eta", "theta"]), min_size=1, max_size=30)


def folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ı", "i")
    return "".join(one for one in plain if one.isalnum())


def shown(quote: str, source: str) -> tuple[str, str]:
    span = locate(quote, source)
    return source[span.start : span.end], span.status


@MODEST
@given(awkward, awkward, awkward)
def test_what_stands_there_is_found_as_it_is(before: str, quote: str, after: str) -> None:
    source = before + quote + after
    found, status = shown(quote, source)
    assert (found, status) == ((quote.strip(), "exact") if quote.strip() else ("", "none"))


@MODEST
@given(awkward | st.text(max_size=40), awkward | st.text(max_size=200))
def test_offsets_lie_in_the_source_and_hold_what_was_asked(quote: str, source: str) -> None:
    span = locate(quote, source)
    assert 0 <= span.start <= span.end <= len(source)
    assert (span.start == span.end) == (span.status == "none")
    if span.status == "normalised":
        assert folded(quote) in folded(source[span.start : span.end])


@MODEST
@given(st.lists(words, min_size=1, max_size=60), st.data())
def test_a_retyped_quote_is_found_at_its_own_place(sentences: list[list[str]], data: st.DataObject) -> None:
    texts = [f"{i}th: {' '.join(one)}" for i, one in enumerate(sentences)]
    chosen = data.draw(st.integers(0, len(texts) - 1))
    source = " “quoted”\r\n\u3000".join(texts)
    start = source.index(texts[chosen])
    quote = texts[chosen].upper().replace(" ", "\n  ")
    assert locate(quote, source) == Span(start, start + len(texts[chosen]), "normalised")


@pytest.mark.parametrize(
    ("quote", "source", "found"),
    [
        ('"Hello - world"', "He said: “Hello —\n  World”.", "“Hello —\n  World”"),
        ("it's", "so IT’S true", "IT’S"),
        ("cafe\u0301 noir", "un CAFÉ  noir", "CAFÉ  noir"),
        ("café noir", "un cafe\u0301 noir", "cafe\u0301 noir"),
        ("example text", "an exam\u00adple\u200b text.", "exam\u00adple\u200b text"),
        ("exam\u00adple", "an example.", "example"),
        ("STRASSE", "die Straße hier", "Straße"),
        ("final", "the ﬁnal word", "ﬁnal"),
        ("ABC 123", "全角ＡＢＣ　１２３です", "ＡＢＣ　１２３"),
        ("가나", "그 ㄱㅏ나 다", "ㄱㅏ나"),
        ("istanbul", "Burası İSTANBUL, dedi", "İSTANBUL"),
        ("DIYARBAKIR", "yine Diyarbakır'da", "Diyarbakır"),
        ("I ❤ it", "so I ❤\ufe0f  it all", "I ❤\ufe0f  it"),
    ],
)
def test_form_does_not_matter(quote: str, source: str, found: str) -> None:
    assert shown(quote, source) == (found, "normalised")


@pytest.mark.parametrize(
    ("quote", "source", "found"),
    [
        (
            "the cat sat on the mat today",
            "One. There the black cat sat quietly on the mat, today. It slept in the sun of the end.",
            "the black cat sat quietly on the mat, today",
        ),
        ("这是一个没有空格的句子", "甲乙丙。这是一個没有空格的长句子！丁", "这是一個没有空格的长句子"),
        ("ภาษาไทยมีวรรณยุกต์", "กข ภาษาไทยก็มีวรรณยุกต์ นะ", "ภาษาไทยก็มีวรรณยุกต์"),
        ("한국어 문장은 재미있습니다", "음, 한국어의 문장은 재미있었습니다! 네", "한국어의 문장은 재미있었습니다"),
        ("I love 👨\u200d👩\u200d👧 and 🍕 very much", "We: I love 👨\u200d👩\u200d👧 or 🍕 very much", "I love 👨\u200d👩\u200d👧 or 🍕 very much"),
        ("Profit rose ... to 12 % in May", "Profit rose, as all had hoped, to 12 % in May.", "Profit rose, as all had hoped, to 12 % in May"),
        ("yesterday the cat sat on the mat", "Yesterday it rained, we slept long. The cat sat on the mat.", "The cat sat on the mat"),
        ("one two three four five", "Five one two or three four five.", "one two or three four five"),
        ("the end of the story", "the the the. At last came the very end of the story.", "the very end of the story"),
    ],
)  # fmt: skip
def test_nearly_the_same_words_in_order_are_found(quote: str, source: str, found: str) -> None:
    assert shown(quote, source) == (found, "fuzzy")


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("", "text"),
        ("  \n", "text"),
        ("text", ""),
        ("…!", "no such marks here"),
        ("\u200b\u00ad", "text"),
        ("one two three four", "four three two one"),
        ("one two three four", "one two and nothing more of it"),  # half of it
        ("one two", "one a b c d e f g h two"),  # too thin
        ("We never said that at all", "Nothing of the kind stands in here, not at all."),
    ],
)
def test_what_is_not_there_is_not_found(quote: str, source: str) -> None:
    assert locate(quote, source) == NOWHERE


def test_near_chooses_among_the_same() -> None:
    source = "a b, xx a b, yy a b, zz"
    assert [locate("a b", source, near=at).start for at in (-5, 0, 3, 7, 14, 99)] == [0, 0, 0, 8, 16, 16]
    assert [locate("A  B", source, near=at).start for at in (0, 7, 99)] == [0, 8, 16]
    source = ". ".join(["the cat sat on a big mat"] * 9)
    place = source.index("the", 100)
    assert locate("the cat sat on one big mat", source, near=place) == Span(place, place + 24, "fuzzy")


@pytest.mark.parametrize("gap", [" ", "  \n ", " \u200b ", "\u200b \u200b", "\u3000" * 30])
def test_a_quote_is_found_wherever_it_stands_in_a_long_text(gap: str) -> None:
    for filler in range(980, 1010):
        source = "漢" * filler + f"One{gap}Two, e\u0301t\u00ade\u0301" + "字" * 2000
        assert locate("one two, \u00e9t\u00e9", source) == Span(
            filler, filler + len(f"One{gap}Two, e\u0301t\u00ade\u0301"), "normalised"
        )


def big() -> str:
    chosen = random.Random(1).choices([f"w{i}" for i in range(5_000)], k=170_000)
    return " ".join(chosen)


def test_a_megabyte_is_searched_in_a_moment() -> None:
    source = big()
    quote = source[500_000:500_300]
    tokens = quote.split()[1:-1]
    place = source.index(" ".join(tokens))
    del tokens[5::9]
    for asked, status in ((quote.upper(), "normalised"), (" ".join(tokens), "fuzzy"), (" ".join(tokens[::-1]), "none")):
        began = time.process_time()
        span = locate(asked, source)
        assert time.process_time() - began < 3
        assert span.status == status
        if status == "fuzzy":
            assert abs(span.start - place) < 20


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("the of big and in to " * 30, "the of and to in " * 80_000),
        ("天地玄黄洪宙荒" * 40, "天地玄黄宇宙洪荒日月盈昃" * 35_000),
        ("a" * 300 + "b", "a" * 1_000_000),
        ("E" + "\u0301" * 300, "e" + "\u0301" * 300_000),
        ("😀😁x" * 100, "😁😀" * 100_000),
        ("one two " * 10_000, "two " * 300_000),
    ],
    ids=["common words", "cjk", "one word", "marks", "emoji", "long quote"],
)
def test_what_repeats_without_end_does_not_hang(quote: str, source: str) -> None:
    began = time.process_time()
    locate(quote, source)
    assert time.process_time() - began < 10
