"""What tells who somebody is: by code where it has a form that can be checked, by the model where it has not."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from taskkit.tasks.analyse.find import Find, finder
from taskkit.tasks.analyse.found import Evidence, Item
from taskkit.tasks.analyse.kinds import Reading, alone, fuller
from taskkit.tasks.analyse.labels import Labels

ASKED = {
    "person": "the name of a human being",
    "address": "where somebody lives or works: street, number, town",
}


def is_card(found: str) -> bool:
    """By Luhn's sum; 13 to 19 figures."""
    figures = [int(one) for one in found if one.isdigit()]
    if not 13 <= len(figures) <= 19 or len(set(figures)) == 1:
        return False
    doubled = [sum(divmod(2 * one, 10)) for one in figures[-2::-2]]
    return (sum(figures[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(found: str) -> bool:
    """By the remainder of ISO 7064, 97-10."""
    plain = re.sub(r"\s", "", found).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", plain):
        return False
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def is_ip(found: str) -> bool:
    try:
        ipaddress.ip_address(found)
    except ValueError:
        return False
    return True


def is_phone(found: str) -> bool:
    """Figures enough and no date, no version, no sum of money."""
    figures = re.sub(r"\D", "", found)
    parts = re.split(r"[ ./()-]+", found.strip())
    is_date = bool(re.fullmatch(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}", found.strip()))
    is_marked = found.startswith(("+", "0", "("))
    return 7 <= len(figures) <= 15 and not is_date and (is_marked or len(parts) >= 3)


# In this order: what an earlier one has found is no other's.
FORMS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("e-mail", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w-])"), lambda _: True),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), is_iban),
    ("card", re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.]?\d)"), is_card),
    ("ip", re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w:]|\.\d)"), is_ip),
    ("phone", re.compile(r"(?<![\w.+])(?:\+|\(?0|\(?\d)[\d ()/.-]{5,22}\d(?!\w|[.,]\d)"), is_phone),
)  # fmt: skip


def by_code(text: str) -> list[Item]:
    """Addresses and numbers of a known form, with offsets in the text."""
    found: list[Item] = []
    for label, pattern, holds in FORMS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if holds(match[0]) and not any(_overlap(item, start, end) for item in found):
                evidence = Evidence(quote=match[0], start=start, end=end, status="exact")
                found.append(Item(label=label, evidence=evidence))
    return sorted(found, key=_place)


def _place(item: Item) -> tuple[int, int]:
    return (item.evidence.start, item.evidence.end) if item.evidence else (0, 0)


def _overlap(item: Item, start: int, end: int) -> bool:
    place = _place(item)
    return place[0] < end and start < place[1]


@dataclass(frozen=True)
class Pii:
    """The model is asked for names and addresses; the rest is added by `completed`, also where the model failed."""

    find: Find
    name: str = "pii"

    @property
    def question(self) -> str:
        return self.find.question

    @property
    def form(self) -> type[BaseModel]:
        return self.find.form

    @property
    def each(self) -> int:
        return self.find.each

    def usual(self, text: str) -> dict[str, Any]:
        return self.find.usual(text)

    def read(self, text: str, answer: Any, start: int) -> Reading:
        return self.find.read(text, answer, start)

    def acceptable(self, reading: Reading) -> bool:
        return self.find.acceptable(reading)

    def again(self, reading: Reading) -> "Pii":  # noqa: ARG002 - all of it, whatever was wrong
        return self

    def better(self, known: Reading, reading: Reading) -> Reading:
        return fuller(known, reading)

    def voted(self, votes: Sequence[Reading]) -> Reading:
        return self.find.voted(votes)

    def merged(self, parts: Sequence[tuple[Reading, int]]) -> Reading:
        return self.find.merged(parts)

    @staticmethod
    def completed(reading: Reading, text: str) -> Reading:
        """With what code finds in the whole text, in order. A name within an e-mail address is no name of its own."""
        sure = by_code(text)
        more = [item for item in reading.items if not any(_overlap(one, *_place(item)) for one in sure)]
        more += everywhere(more, [*sure, *more], text)
        return alone(reading, sorted([*sure, *more], key=_place))


def everywhere(items: Sequence[Item], taken: Sequence[Item], text: str) -> list[Item]:
    """The other places of what was found once: to mask one of two is to mask nothing."""
    found: list[Item] = []
    for label, quote in dict.fromkeys((item.label, item.evidence.quote) for item in items if item.evidence):
        for match in re.finditer(rf"(?<!\w){re.escape(quote)}(?!\w)", text):
            if not any(_overlap(one, *match.span()) for one in (*taken, *found)):
                start, end = match.span()
                found.append(Item(label=label, evidence=Evidence(quote=quote, start=start, end=end, status="exact")))
    return found


def masked(text: str, items: Sequence[Item]) -> str:
    """The text with the kind of what was found in its place: `[e-mail]`."""
    made: list[str] = []
    end = 0
    for item in sorted((item for item in items if item.evidence), key=_place):
        start, stop = _place(item)
        if start >= end:
            made += [text[end:start], f"[{item.label}]"]
        end = max(end, stop)
    return "".join((*made, text[end:]))


def pii(foreign: Sequence[str] = ()) -> Pii:
    return Pii(finder("entities", Labels(ASKED), foreign))
