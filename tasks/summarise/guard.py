"""Numbers, dates and names of a summary that its source does not have.

It is made for few false alarms: names are looked at where a capital letter means one (not at the start of a
sentence, not in German, not in a title), and a word of the source with the same beginning bears them out."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from taskkit.spans import sentences
from taskkit.tasks.summarise.figures import dates, figures, months, worded

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_OPENS = frozenset(":\"“‘'(«„»[*•—–-|/")
_NO_NAMES = frozenset(
    "i i'm i'll i've i'd mr mrs ms dr prof sir mr. monsieur madame señor señora tldr tl dr q a ok no yes".split()  # noqa: SIM905
)
_OF_LANDS = {
    "norwegian": "norway", "french": "france", "dutch": "netherlands", "danish": "denmark", "swiss": "switzerland",
    "spanish": "spain", "irish": "ireland", "scottish": "scotland", "welsh": "wales", "polish": "poland",
    "finnish": "finland", "german": "germany", "greek": "greece",
}  # fmt: skip
_SMALL = r"(?:\W+(?:of|the|and|for|de|la|le|du|des|der|und|y|e|di|del|van))*\W+"
LEAST_WORD = 4  # smaller numbers in words are as often a count of what was said


@dataclass(frozen=True, slots=True)
class Strange:
    """What `[start, end)` of a summary says and the source does not."""

    kind: Literal["number", "date", "name"]
    text: str
    start: int


class Facts:
    """What a source has of them; each kind is gathered when a summary first asks for it."""

    def __init__(self, source: str) -> None:
        self.source = source

    def strange(self, text: str, *, names: bool) -> list[Strange]:
        """In order; `names` says whether capitals mean anything in it, see `capitals_tell`."""
        found = [*self._numbers(text), *self._dates(text), *(self._names(text) if names else ())]
        return sorted(found, key=lambda one: one.start)

    def _numbers(self, text: str) -> Iterator[Strange]:
        for one in (*figures(text), *worded(text, least=LEAST_WORD, language="en")):
            if not one.values & self._digits and not one.values & self._worded:
                yield Strange("number", one.text, one.start)

    def _dates(self, text: str) -> Iterator[Strange]:
        for one in dates(text):
            if one.month not in self._months:
                continue  # said below
            numbers = {value for figure in figures(one.text) for value in figure.values}
            if (one.month, one.day) not in self._days and numbers & self._digits:
                yield Strange("date", one.text, one.start)
        first = {_WORD.search(text, start, end) for start, end in sentences(text)}
        initial = {found.start() for found in first if found}
        for start, word, month in months(text):
            if month not in self._months and start not in initial:
                yield Strange("date", word, start)

    def _names(self, text: str) -> Iterator[Strange]:
        for word, start in capitals(text):
            if not self.has(word):
                yield Strange("name", word, start)

    def has_number(self, number: str) -> bool:
        return all(one.values & self._digits or one.values & self._worded for one in figures(number))

    def has(self, word: str) -> bool:
        """Whether the source has this name, in another form perhaps."""
        plain = _plain(word)
        if plain in self._words or plain in _NO_NAMES or len(plain) < 2:
            return True
        if {f"{plain}s", plain.removesuffix("s"), _OF_LANDS.get(plain, plain)} & self._words.keys():
            return True
        if len(plain) > 4 and self._begins(plain[: max(4, int(len(plain) * 0.6))]):
            return True
        if word.isupper() and len(word) < 7:
            initials = _SMALL.join(rf"{re.escape(letter)}[^\W\d_]*" for letter in plain)
            return bool(re.search(rf"\b{initials}", self.source, re.IGNORECASE))
        return plain.endswith("day") and bool({plain[:3], plain[:4]} & self._words.keys())

    def _begins(self, start: str) -> bool:
        at = bisect_left(self._sorted, start)
        return at < len(self._sorted) and self._sorted[at].startswith(start)

    @cached_property
    def _digits(self) -> frozenset[str]:
        return frozenset(value for one in figures(self.source) for value in one.values)

    @cached_property
    def _worded(self) -> frozenset[str]:
        return frozenset(value for one in worded(self.source) for value in one.values)

    @cached_property
    def _days(self) -> frozenset[tuple[int, int]]:
        return frozenset((one.month, one.day) for one in dates(self.source))

    @cached_property
    def _months(self) -> frozenset[int]:
        return frozenset((*(month for _, _, month in months(self.source)), *(month for month, _ in self._days)))

    @cached_property
    def _words(self) -> dict[str, None]:
        return dict.fromkeys(_plain(word) for word in set(_WORD.findall(self.source)))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._words)


def _plain(word: str) -> str:
    return re.sub(r"['’]s?\Z", "", word.casefold())


def capitals(text: str) -> Iterator[tuple[str, int]]:
    """Words with a capital letter where no sentence begins, and where it begins those that go on in capitals."""
    for start, end in sentences(text):
        words = list(_WORD.finditer(text, start, end))
        long = [word for word in words if len(word[0]) > 3]
        stops = text[end - 1] in ".!?…"
        if len(long) > 3 and not stops and sum(word[0][0].isupper() for word in long) > 0.6 * len(long):
            continue  # a title
        months_at = {at for at, _, _ in months(text[start:end])}
        for number, word in enumerate(words):
            before = text[start : word.start()].rstrip(" ")[-1:]
            begins = number == 0 or before in _OPENS or before == "\n"
            if word[0][0].isupper() and not begins and word.start() - start not in months_at:
                yield word[0], word.start()


def capitals_tell(text: str, source: str) -> bool:
    """Whether a word with a capital letter is a name: not in German, and not where a summary is in another language
    than its source, which may have other names for the same places."""
    from taskkit.knowledge.languages import guess

    said, have = guess(text), guess(source)
    return said != "de" and have != "de" and (said == have or not said or not have)
