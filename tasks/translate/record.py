"""What a document has called things so far, shown again where they come up: its first translation of a name stands.

Whatever the languages, no code can tell which word of a translation stands for which of its source; the sentence in
which a name or a word stood first, with its translation, can be shown, and a model reads the rest out of it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from taskkit.knowledge.languages import common_words
from taskkit.sentences import sentences

LONGEST = 480  # characters of a source that is shown
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
OPENS = '.!?:;\n"“„«(|'  # after these, or at the start, a capital tells nothing

Pair = tuple[str, str]


def words_of(text: str) -> frozenset[str]:
    """The words that say what a text is about, in small letters."""
    return frozenset(word for word in map(str.lower, WORD.findall(text)) if len(word) > 3)


def names_of(text: str) -> frozenset[str]:
    """Words with a capital where none is due, in small letters."""
    found = ((match[0], text[: match.start()].rstrip(" ")[-1:]) for match in WORD.finditer(text))
    return frozenset(word.lower() for word, before in found if word[0].isupper() and before and before not in OPENS)


def proper_names(texts: Iterable[str]) -> frozenset[str]:
    """The words, in small letters, that sentences write with a capital and nothing in the texts without one."""
    names: set[str] = set()
    plain: set[str] = set()
    for text in texts:
        words = WORD.findall(text)
        small = {word for word in words if word[0].islower()}
        plain |= small
        if 2 * len(small) > len(words):  # no heading in which each word has one
            names |= names_of(text)
    return frozenset(names - plain)


class Record:
    """`texts` are all of the document: only names, and what comes up more than once in them, are worth a place."""

    def __init__(self, texts: Iterable[str], language: str = "") -> None:
        common = common_words(language)
        names: set[str] = set()
        seen: Counter[str] = Counter()
        for text in texts:
            names |= names_of(text)
            seen.update(words_of(text))
        self._weights = {
            word: 3.0 if word in names else 1.0
            for word, count in seen.items()
            if word in names or (count > 1 and word not in common)
        }
        self._pairs: list[Pair] = []
        self._first: dict[str, int] = {}

    def add(self, source: str, target: str) -> None:
        """The first pair that has a word is the one that is shown for it."""
        for one in _sentences(source, target):
            new = [word for word in words_of(one[0]) if word in self._weights and word not in self._first]
            if new:
                self._first |= dict.fromkeys(new, len(self._pairs))
                self._pairs.append(one)

    def shown(self, texts: Sequence[str], most: int) -> list[Pair]:
        """The fewest pairs that have most of what these texts speak of, the most telling first."""
        open_ = {word for text in texts for word in words_of(text) if word in self._first}
        chosen: list[Pair] = []
        while open_ and len(chosen) < most:
            worth: Counter[int] = Counter()
            for word in sorted(open_):
                worth[self._first[word]] += self._weights[word]  # type: ignore[assignment]
            best = min(worth, key=lambda number: (-worth[number], number))
            pair = self._pairs[best]
            if pair[0] not in texts:
                chosen.append(pair)
            open_ -= {word for word in open_ if self._first[word] == best} | words_of(pair[0])
        return chosen


def _sentences(source: str, target: str) -> list[Pair]:
    """Sentence by sentence where both have as many, else as a whole, unless that is long."""
    parts, others = sentences(source), sentences(target)
    if len(source) > LONGEST / 2 and len(parts) == len(others):
        pairs = [
            (source[slice(*one)].strip(), target[slice(*another)].strip())
            for one, another in zip(parts, others, strict=True)
        ]
    else:
        pairs = [(source, target)]
    return [pair for pair in pairs if pair[0] and pair[1] and len(pair[0]) <= LONGEST and len(pair[1]) <= 2 * LONGEST]
