"""The sentences of the documents, and which of them are worth a look for a statement: by shared rare words.

A long document's sentences do not fit into a call, and need not: those that share nothing with a statement can not
bear it out in the same language. Nothing is embedded."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from taskkit.source import Text
from taskkit.spans import sentences
from taskkit.tasks.summarise.documents import Document
from taskkit.tasks.summarise.records import Quote

LONGEST = 600  # characters of a sentence; a longer one is cut at spaces
COMMON = 0.2  # of the sentences: a word in more of them tells nothing
_BLOCK = re.compile(
    r"<!--.*?-->|<(script|style|template|svg)\b.*?</\1\s*>|</?(?:address|article|aside|blockquote|body|br|caption|center|"
    r"dd|details|dialog|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|li|link|main|meta|nav|"
    r"ol|option|p|pre|section|select|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul)\b[^<>]*>|<![^<>]*>",
    re.DOTALL | re.IGNORECASE,
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0e7f]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`[start, end)` of the view of the `document`th document."""

    document: int
    start: int
    end: int
    text: str


def numbered(documents: Sequence[Document]) -> list[Sentence]:
    return [
        Sentence(number, start, end, document.view.text[start:end])
        for number, document in enumerate(documents)
        for first, last in _sentences(document.view)
        for start, end in _cut(document.view.text, first, last)
    ]


def _sentences(view: Text) -> Iterator[tuple[int, int]]:
    """Of a page each block has its own, and what is no text has none."""
    if view.format != "html":
        yield from sentences(view.text)
        return
    at = 0
    for gap in (*_BLOCK.finditer(view.text), None):
        end = gap.start() if gap else len(view.text)
        yield from ((at + first, at + last) for first, last in sentences(view.text[at:end]))
        at = gap.end() if gap else end


def quote_of(one: Sentence, documents: Sequence[Document]) -> Quote:
    return documents[one.document].quote(one.start, one.end)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
        stop = start + LONGEST if space < 0 else space
        yield start, stop
        start = stop if space < 0 else space + 1
    yield start, end


def bag(text: str) -> frozenset[str]:
    """Words by their first six letters, so that `closed` and `closure` are one; pairs of characters in scripts that
    write no words."""
    folded = text.casefold()
    words = {word[:6] for word in re.findall(r"\w+", folded) if len(word) > 2 or word.isdigit()}
    if folded.isascii() or not _CJK.search(folded):
        return frozenset(words)
    return frozenset(words | {folded[i : i + 2] for i in range(len(folded) - 1) if _CJK.match(folded, i)})


class Finder:
    """Looks sentences up by the words that they share with a statement."""

    def __init__(self, found: Sequence[Sentence]) -> None:
        self.sentences = found
        self._homes: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(found):
            for word in bag(one.text):
                self._homes[word].append(number)
        self._most = max(3, int(len(found) * COMMON))

    def weight(self, word: str) -> float:
        return math.log(1 + len(self.sentences) / max(1, len(self._homes.get(word, ()))))

    def best(self, statement: str, most: int, *, among: Iterable[int] | None = None) -> list[tuple[float, int]]:
        """The share of the statement's weight that a sentence has, from 0 to 1, and its number: the best first."""
        words = bag(statement)
        total = sum(map(self.weight, words))
        scores: dict[int, float] = defaultdict(float)
        allowed = None if among is None else set(among)
        for word in words:
            homes = self._homes.get(word, ())
            if len(homes) <= self._most or allowed is not None or len(self.sentences) < 50:
                for number in homes:
                    if allowed is None or number in allowed:
                        scores[number] += self.weight(word)
        ranked = sorted(((score / total, -number) for number, score in scores.items()), reverse=True)[:most]
        return [(score, -number) for score, number in ranked]


def listing(found: Sequence[Sentence], documents: Sequence[Document]) -> str:
    """`<C0> …` a line; where there are several documents, under the name of each."""
    lines: list[str] = []
    last = -1
    for number, one in enumerate(found):
        if len(documents) > 1 and one.document != last:
            lines.append(f"From {documents[one.document].name}:")
            last = one.document
        lines.append(f"<C{number}> {' '.join(one.text.split())}")
    return "\n".join(lines)
