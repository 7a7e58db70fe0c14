"""Which language a text is in."""

import pytest

from taskkit.knowledge.languages import common_words, guess


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many points did the defence give up?", "en"),
        ("Wie viele Punkte gab die Verteidigung ab?", "de"),
        ("¿Cuántos puntos cedió la defensa de los Panthers?", "es"),
        ("Combien de points la défense a-t-elle cédés ?", "fr"),
        ("黑豹队的防守丢了多少分？", "zh"),
        ("パンサーズの守備は何点を失いましたか", "ja"),
        ("ค่าใช้จ่ายจะจ่ายทุกวันศุกร์", "th"),
        ("42", ""),
        ("", ""),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert guess(text) == language


def test_a_foreign_name_does_not_change_the_language() -> None:
    assert guess("Where is the temple that is called 金閣寺 in Japanese, and who built it?") == "en"


def test_a_language_without_a_list_has_no_common_words() -> None:
    assert common_words("xx") == frozenset()
    assert "the" in common_words("en")
