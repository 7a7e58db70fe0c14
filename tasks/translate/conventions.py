"""How the target language writes numbers and quotations, where a translation has kept the source's way.

Only what can hardly be meant is told: a quantity (no version, no chapter) with the other decimal sign, and a pair of quotation marks that the language does not know at all."""

import re
from collections.abc import Iterator

from taskkit.tasks.translate.languages import MANNERS, manner
from taskkit.tasks.translate.segments import Problem

# What makes a number with a point or a comma in it a quantity.
UNITS = (
    r"%|‰|°|(?:km|cm|mm|kg|mg|µg|ml|cl|dl|kB|MB|GB|TB|kHz|MHz|GHz|Hz|kW|kWh|MW|mph|km/h|ms|kcal|kJ|mAh|dpi|fps"
    r"|millions?|billions?|Millionen|Milliarden|m|g|h|€|£|¥|USD|EUR|GBP|CHF)(?!\w)"
)
QUANTITY = re.compile(
    rf"(?<![\w.,])(?:(?P<money>[$€£¥]\s?))?(?P<number>\d+(?P<sign>[.,])\d{{1,2}})(?![\d.,]*\d)(?P<unit>[\s-]?(?:{UNITS}))?"
)
PAIRS = {"“": re.compile("“[^“”„«»]+”"), "„": re.compile("„[^“”„«»]+[“”]"), "«": re.compile("«[^“”„«»]+»")}
ENGLISH = "“…”; 1,234.5"


def conventions(source: str, target: str, to: str) -> Iterator[Problem]:
    """`to` is the target's tag; nothing is told of languages whose ways are not known here."""
    base, _, region = to.partition("-")
    quotes, _, number = (manner(to) or (ENGLISH if base == "en" else "")).rpartition("; ")
    if quotes and (to in MANNERS or region not in {"ch", "li", "za"}):
        yield from _decimals(source, target, number[-2])
        yield from _quotes(source, target, quotes)


def _decimals(source: str, target: str, sign: str) -> Iterator[Problem]:
    for match in QUANTITY.finditer(source):
        said = match["number"]
        right = said.replace(match["sign"], sign)
        if said != right and (match["unit"] or match["money"]) and _has(said, target) and not _has(right, target):
            yield Problem("locale", f"Write the number {said} as {right}.", "warning")
            return


def _has(number: str, text: str) -> bool:
    return bool(re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d.,]*\d)", text))


def _quotes(source: str, target: str, quotes: str) -> Iterator[Problem]:
    """A pair that the source has too; within the language's own quotations others may be right."""
    own = re.findall(r"(\S)\s?…", quotes)
    for mark, pair in PAIRS.items():
        if mark in own or not (pair.search(source) and pair.search(target)):
            continue
        if not any(each in pair.sub("", target) for each in own):
            yield Problem("locale", f"Write quotations as {quotes}, not with {mark}.", "warning")
            return
