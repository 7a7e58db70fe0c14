"""When a text has nothing on what it is looked at for, that is said, and no summary is made up."""

import re

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


def nothing_about(focus: str, language: str, source: str) -> str:
    """In the language of the summary, where there are words for it, else in English."""
    code = language.partition("-")[0] or guess(source)
    return _SAID.get(code, _SAID["en"]).format(focus=focus)
