"""Numbers and dates of a text in one form each, whatever way they are written: 1,000 and 1.000, five and 5,
1.5 million and 1,500,000, 3 March and 2025-03-03."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_UNITS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept"
    " dix-huit dix-neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    " diecisiete dieciocho diecinueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici"
    " diciassette diciotto diciannove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien"
    " achttien negentien",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezasseis dezassete"
    " dezoito dezanove",
}
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ENGLISH = {word: value for value, word in enumerate(_UNITS["en"].split())} | {
    word: value * 10 for value, word in enumerate(_TENS, 2)
}
_OTHERS = {
    **{word: value for words in _UNITS.values() for value, word in enumerate(words.split())},
    **{word: value for value, word in enumerate(_ORDINALS, 1)},
    "ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "une": 1, "una": 1, "uma": 1, "duas": 2, "both": 2, "twice": 2, "dozen": 12,
    "zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "hundert": 100, "vingt": 20, "trente": 30,
    "quarante": 40, "cinquante": 50, "cent": 100, "veinte": 20, "treinta": 30, "cuarenta": 40, "cien": 100,
    "venti": 20, "trenta": 30, "cento": 100, "twintig": 20, "dertig": 30, "honderd": 100, "vinte": 20,
}  # fmt: skip
_SCALES = {
    "hundred": 100, "thousand": 1000, "k": 1000, "million": 10**6, "m": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12,
    "tausend": 1000, "millionen": 10**6, "mio": 10**6, "milliarden": 10**9, "milliarde": 10**9, "mrd": 10**9, "mille": 1000, "mil": 1000,
    "millions": 10**6, "milliards": 10**9, "milliard": 10**9, "millones": 10**6, "millón": 10**6, "milioni": 10**6, "milione": 10**6, "miliardi": 10**9, "miljoen": 10**6,
    "miljard": 10**9, "duizend": 1000, "milhões": 10**6, "万": 10**4, "億": 10**8, "亿": 10**8,
}  # fmt: skip
_MONTHS = (
    "january jan januar janvier enero ene gennaio januari janeiro",
    "february feb februar février fevrier febrero febbraio februari fevereiro",
    "march mar märz maerz mars marzo maart março",
    "april apr avril abril aprile",
    "may mai mayo maggio mei maio",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug août aout agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre diciembre dicembre dezembro",
)
MONTHS = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}

_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,:])\d+(?:[.,:'’\u00a0\u202f ]\d{3}(?!\d)|[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_SCALE = re.compile(r"[\s\u00a0-]{0,2}([^\W\d_]+|[万億亿])")
_AFTERNOON = re.compile(r"\s?p\.?m\b", re.IGNORECASE)
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})([./])(\d{1,2})\2(?:\d{4}|\d{2})?(?![\d/])")
NEAR = 24  # characters on either side of a month's name in which its days stand


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it stands at `start`; `values` are the ways to read it."""

    text: str
    start: int
    values: frozenset[str]


def figures(text: str) -> Iterator[Figure]:
    """Every number in digits, but for the marks of list items."""
    for found in _NUMBER.finditer(text):
        if not _is_marker(text, found):
            yield Figure(found[0], found.start(), _readings(text, found))


def worded(text: str, *, least: int = 0, language: str = "") -> Iterator[Figure]:
    """Every number in words, of any of the languages known here or of English alone (`en`)."""
    known = ENGLISH if language == "en" else _OTHERS | ENGLISH
    for found in _WORD.finditer(text):
        value = _in_words(found[0].casefold(), known)
        if value is not None and value >= least:
            scale = _scale(text, found.end())
            yield Figure(found[0], found.start(), frozenset((str(value), str(value * scale))))


def _in_words(word: str, known: Mapping[str, int]) -> int | None:
    if word in known:
        return known[word]
    tens, _, unit = word.partition("-")
    if ENGLISH.get(tens, 0) >= 20 and 0 < ENGLISH.get(unit, 0) < 10:
        return ENGLISH[tens] + ENGLISH[unit]
    return None


def _is_marker(text: str, found: re.Match[str]) -> bool:
    """The number of a list item, or of a heading."""
    start = found.start()
    begins = not text[text.rfind("\n", 0, start) + 1 : start].strip(" \t>#")
    return begins and text[found.end() : found.end() + 2] in {". ", ") "}


def _scale(text: str, at: int) -> int:
    found = _SCALE.match(text, at)
    return _SCALES.get(found[1].casefold(), 1) if found else 1


def _readings(text: str, found: re.Match[str]) -> frozenset[str]:
    """`1,000` is 1000 and 1; `10:30` is 1030 and 10.3; `2 pm` is 2 and 14; each, and times its scale."""
    groups = re.split(r"['’\u00a0\u202f ]", found[0])
    values: set[float] = set(map(float, groups)) if len(groups) > 1 and all(map(str.isdigit, groups)) else set()
    parts = re.split(r"[.,:]", "".join(groups))
    if len(parts) == 3 and len(parts[0]) < 3 and _DOTTED.fullmatch(found[0]):
        values |= set(map(float, parts))  # a day, which `dates` looks at as a whole
    if len(parts) == 1 or all(len(part) == 3 for part in parts[1:]):
        values.add(float("".join(parts)))
    if len(parts) > 1:
        values.add(float(f"{''.join(parts[:-1])}.{parts[-1]}"))
        values.add(float(f"{parts[0]}.{parts[1]}"))
    if _AFTERNOON.match(text, found.end()):
        values |= {value + 12 for value in values if value < 12}
    scale = _scale(text, found.end())
    return frozenset(f"{round(value, 6):.15g}" for value in values | {value * scale for value in values})


@dataclass(frozen=True, slots=True)
class Date:
    """A day of a month as it stands at `start`."""

    text: str
    start: int
    month: int
    day: int


def dates(text: str) -> Iterator[Date]:
    """Written out, `2025-03-12`, or `12.3.2025` and `12/3/2025`, which are read both ways."""
    for found in _ISO.finditer(text):
        if int(found[2]) <= 12 and int(found[3]) <= 31:
            yield Date(found[0], found.start(), int(found[2]), int(found[3]))
    for found in _DOTTED.finditer(text):
        one, other = int(found[1]), int(found[3])
        for day, month in {(one, other), (other, one)} if found[2] == "/" else {(one, other)}:
            if 0 < month <= 12 and 0 < day <= 31:
                yield Date(found[0], found.start(), month, day)
    days = [(found.start(), int(found[0])) for found in re.finditer(r"(?<![\d.,:])\d{1,2}(?![\d,:]|\.\d)", text)]
    days = [(at, day) for at, day in days if 0 < day <= 31]
    starts = [at for at, _ in days]
    for at, word, month in months(text):
        first = bisect_left(starts, at - NEAR)
        last = bisect_left(starts, at + len(word) + NEAR)
        for start, day in days[first:last]:
            low, high = min(start, at), max(start + 2, at + len(word))
            yield Date(text[low:high].strip(), low, month, day)


def months(text: str) -> Iterator[tuple[int, str, int]]:
    """Names of months with a capital, or in a language that writes them small."""
    for found in re.finditer(r"[^\W\d_]{3,10}", text):
        month = MONTHS.get(found[0].casefold())
        if (month and found[0].casefold() not in {"may", "mar", "mai"}) or (month and found[0][0].isupper()):
            yield found.start(), found[0], month
