"""Numbers in words are numbers: right ones are not lost, wrong ones are not borne out."""

import pytest

from taskkit import Text
from taskkit.tasks.ask import Ask
from taskkit.tasks.ask.spelled import spelled
from taskkit.testing import scripted

RULE = "Up to five days of holiday can be carried over, and twenty-five are paid for. They lapse after 250 hours."


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("five and twenty-five, thirty five, two three", "en", [5, 25, 35, 2, 3]),
        ("Two hundred and fifty of three thousand four hundred", "en", [250, 3400]),
        ("two and three; a hundred; someone, often, tenfold", "en", [2, 3, 100]),
        ("Zwei von fünfundzwanzig, zweihundert", "de", [2, 25]),
        ("trois sur vingt et un", "fr", [3, 21]),
        ("treinta y dos de cien", "es", [32, 100]),
        ("五 of viisi", "fi", []),
    ],
)
def test_words_are_read_as_numbers(text: str, language: str, values: list[int]) -> None:
    found = spelled(text, language)
    assert [value for _, value in found] == values
    assert all(words in text for words, _ in found)


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("Up to 5 days can be carried over [1].", True),
        ("Up to five days can be carried over [1].", True),
        ("They lapse after two hundred and fifty hours [1].", True),
        ("25 of the days are paid for [1].", True),
        ("Up to nine days can be carried over [1].", False),
        ("Up to fifty days can be carried over [1].", False),
        ("Up to twenty days can be carried over [1].", False),
        ("They lapse after two hundred hours [1].", False),
    ],
)
def test_an_answer_is_held_to_them(answer: str, held: bool) -> None:
    said = {"quotes": [{"passage": 1, "quote": RULE}], "answer": answer}
    result = scripted([said, said, "Yes."] if not held else [said, "Yes."]).run(
        Ask("How many days?", Text(RULE, "rules"))
    )
    assert result.found is held
