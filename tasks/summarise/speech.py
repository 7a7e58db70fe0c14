"""The language that a summary is to be in, and whether it is."""

import re

from taskkit.errors import InputError
from taskkit.knowledge.languages import common_words, guess

LEAST = 8  # words: fewer tell no language


def language_of(given: str) -> tuple[str, str]:
    """The code, empty where it is not known, and the name that a model is told: `de` is German, and `simple English`
    stays as it is."""
    from taskkit.tasks.translate.languages import language

    if not given:
        return "", ""
    try:
        return language(given)
    except InputError:
        return "", given


def is_other(text: str, code: str) -> bool:
    """Whether a text is surely in another language than this one: by its letters, or by its commonest words."""
    from taskkit.tasks.translate.scripts import script, written_in

    if len(re.findall(r"[^\W\d_]", text)) < 12:
        return False
    wanted, now = written_in(code), script(text)
    if wanted and now and now not in wanted:
        return True
    base = code.partition("-")[0]
    words = re.findall(r"[^\W\d_]+", text.lower())
    if len(words) < LEAST or not common_words(base):
        return False
    looks = guess(text)
    if looks in {"", base}:
        return False
    told = [sum(word in common_words(one) for word in words) for one in (looks, base)]
    return told[0] >= 3 and told[0] > 2 * told[1]
