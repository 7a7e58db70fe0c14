"""Numbers in words: `five` is 5, `two hundred and fifty` 250, `fünfundzwanzig` 25."""

import functools
import re
from collections.abc import Mapping

_UNITS = {  # from 0
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve",
}
_TENS = {  # from 20
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "fr": "vingt trente quarante cinquante soixante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
_LARGE = {
    "en": {"hundred": 100, "thousand": 1000},
    "de": {"hundert": 100, "tausend": 1000},
    "fr": {"cent": 100, "cents": 100, "mille": 1000},
    "es": {"cien": 100, "ciento": 100, "mil": 1000},
}
_AND = {"en": "and", "de": "und", "fr": "et", "es": "y"}
_WORD = re.compile(r"[^\W\d_]+")


def spelled(text: str, language: str) -> list[tuple[str, int]]:
    """The numbers that a text of this language has in words, in order, with the words."""
    table = _table(language)
    found: list[tuple[str, int]] = []
    run: list[int] = []
    start = end = 0
    for word in _WORD.finditer(text):
        value = table.get(word[0].casefold())
        if value is None:
            continue
        if run and not _goes_on(run[-1], value, text[end : word.start()].casefold(), language):
            found.append((text[start:end], _sum(run)))
            run = []
        start, end = (start if run else word.start()), word.end()
        run.append(value)
    return [*found, (text[start:end], _sum(run))] if run else found


def _goes_on(last: int, value: int, gap: str, language: str) -> bool:
    """Whether both are of one number: `twenty-five`, `two hundred`, `two hundred and fifty`, and not `two three`."""
    between = gap.replace("-", " ").split()
    if gap.strip(" -\n") and between != [_AND[language]]:
        return False
    if between:
        return last >= 100 > value or (20 <= last < 100 and value < 10)
    return value >= 100 > last or last >= 100 > value or (20 <= last < 100 and 0 < value < 10)


def _sum(run: list[int]) -> int:
    total = now = 0
    for value in run:
        if value == 1000:
            total, now = total + max(now, 1) * 1000, 0
        else:
            now = max(now, 1) * 100 if value == 100 else now + value
    return total + now


@functools.cache
def _table(language: str) -> Mapping[str, int]:
    if language not in _UNITS:
        return {}
    units = {word: number for number, word in enumerate(_UNITS[language].split())}
    tens = {word: 20 + 10 * number for number, word in enumerate(_TENS[language].split())}
    table = units | tens | _LARGE[language]
    if language == "de":
        table |= {
            f"{unit}und{ten}": one + many for unit, one in units.items() if 0 < one < 10 for ten, many in tens.items()
        }
        table |= dict.fromkeys(("eins", "eine", "einen", "einem", "einer"), 1)
    return table
