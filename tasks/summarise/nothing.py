"""When a text has nothing on what it is looked at for, that is said, and no summary is made up."""

import re
from collections.abc import Callable

from taskkit.knowledge.languages import guess

WORD = "NOTHING"  # what the model is to answer
_SAID = {
    "en": "The text says nothing about this: {focus}",
    "de": "Der Text sagt dazu nichts: {focus}",
    "fr": "Le texte ne dit rien à ce sujet : {focus}",
    "es": "El texto no dice nada sobre esto: {focus}",
    "it": "Il testo non dice nulla su questo: {focus}",
    "pt": "O texto não diz nada sobre isto: {focus}",
    "nl": "De tekst zegt hier niets over: {focus}",
}


def is_nothing(text: str) -> bool:
    return re.fullmatch(rf"\W*{WORD}\W*", text, re.IGNORECASE) is not None


class Held:
    """Hands text on to `show` once it can no longer be the word alone, which is no text for a reader."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._waiting: str | None = ""

    def __call__(self, text: str) -> None:
        if self._waiting is None:
            self._show(text)
            return
        self._waiting += text
        begun = re.sub(r"^\W+", "", self._waiting).upper()
        if not WORD.startswith(begun) and not is_nothing(self._waiting):
            self._show(self._waiting)
            self._waiting = None


def nothing_about(focus: str, language: str, source: str) -> str:
    """In the language of the summary, where there are words for it, else in English."""
    code = language.partition("-")[0] or guess(source)
    return _SAID.get(code, _SAID["en"]).format(focus=focus)
