"""Whether a value is what its evidence says: a real quote beside an invented number is an invention all the same."""

import re
from datetime import date, datetime, time
from typing import Any

from taskkit.spans import locate

NUMBER = re.compile(r"\d(?:[\d.,'’\u00a0\u202f ]*\d)?")
SCALES = (
    (1_000, re.compile(r"(?i)\d\s?k\b|thousand|tausend|\btsd")),
    (1_000_000, re.compile(r"(?i)\d\s?m\b|million|\bmio")),
    (1_000_000_000, re.compile(r"(?i)\d\s?bn\b|billion|milliard|\bmrd")),
)
PERCENT = re.compile(r"(?i)%|per ?cent|prozent")
COUNTED = {
    word: number
    for number, spelt in enumerate(
        ("no zero none kein null", "one a an ein eine", "two zwei", "three drei", "four vier", "five fünf", "six sechs",
         "seven sieben", "eight acht", "nine neun", "ten zehn", "eleven elf", "twelve zwölf")
    )
    for word in spelt.split()
}  # fmt: skip


def borne_out(value: Any, quote: str) -> bool:
    """Numbers and dates by their figures, texts by their words. A yes or a no, and a chosen value, are judgements:
    they are not for this."""
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return _number(float(value), quote)
    if isinstance(value, date | datetime):
        return _date(value, quote)
    if isinstance(value, time):
        return {value.hour, value.hour % 12} & {int(one) for one in re.findall(r"\d+", quote)} != set()
    text = str(value).strip()
    if locate(text, quote).status != "none":
        return True
    if (day := _as_date(text)) is not None:
        return _date(day, quote)
    return bool(re.fullmatch(r"[-+]?\d+(?:\.\d+)?", text)) and _number(float(text), quote)


def _number(value: float, quote: str) -> bool:
    said = {one for found in NUMBER.findall(quote) for one in _readings(found)}
    said |= {float(COUNTED[word]) for word in re.findall(r"\w+", quote.casefold()) if word in COUNTED}
    scales = [1.0, *(scale for scale, word in SCALES if word.search(quote)), *([0.01] if PERCENT.search(quote) else [])]
    wanted = abs(value)
    return any(abs(wanted - one * scale) <= 1e-9 * max(1.0, wanted) for one in said for scale in scales)


def _readings(found: str) -> set[float]:
    """The numbers that figures may mean: the last sign of 1.234,50 as the decimal one, or as none."""
    plain = re.sub(r"\D", "", found)
    readings = {float(plain), *(float(one) for one in re.findall(r"\d+", found))}
    if (cut := re.fullmatch(r"(.*\d)[.,](\d+)", found)) is not None:
        readings.add(float(f"{re.sub(r'[^0-9]', '', cut[1])}.{cut[2]}"))
    return readings


def _as_date(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _date(value: date, quote: str) -> bool:
    """The day's figure; or that of the year, where the quote tells no day. No other year."""
    said = {int(one) for one in re.findall(r"\d+", quote)}
    years = {one for one in said if 1000 <= one <= 9999}
    if years and value.year not in years:
        return False
    tells_a_day = any(one <= 31 and one != value.month for one in said)
    return value.day in said or (value.year in said and not tells_a_day)
