"""What bears an answer out, decided by code: quotes are located, and each sentence must rest on them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taskkit.knowledge import Citation, Passage
from taskkit.source import PAGE
from taskkit.spans import Span, locate, sentences
from taskkit.tasks.ask.inert import inactive
from taskkit.tasks.ask.wording import SHARE, Comparable, comparable, says_something, share, strange

MARK = re.compile(r"[ \t]*\[\d+(?:\s*,\s*\d+)*\]")
LONG = 400  # characters of a sentence: a longer one is a table or a program, of which a line is meant
SHORT = 30  # characters of a line: a shorter one inside of a sentence was not broken for its length
HELD = ("exact", "normalised", "fuzzy")  # how truly a quote stands somewhere
UNPROVEN = "[?]"  # the mark of a sentence that nothing bears out


@dataclass(frozen=True, slots=True)
class Cited:
    """`passage` is the number, from 1, under which the model saw it; `said` the sentence or the row that the quote is
    of, under its title path."""

    citation: Citation
    passage: int
    said: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`passages` are those that bear it out; none: it is unproven."""

    text: str
    passages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """`problem` is what to tell the model; empty when all is well, or when it says that nothing answers."""

    cited: tuple[Cited, ...]
    sentences: tuple[Sentence, ...]
    problem: str = ""

    @property
    def unproven(self) -> tuple[str, ...]:
        return tuple(bare(one.text) for one in self.sentences if not one.passages)

    @property
    def proven(self) -> int:
        return sum(bool(one.passages) for one in self.sentences)


def checked(quotes: Sequence[tuple[int, str]], answer: str, passages: Sequence[Passage]) -> Checked:
    """`quotes` are pairs of a passage's number and words of it."""
    answer = once(inactive(answer.strip()))
    cited: list[Cited] = []
    lost: list[str] = []
    for number, quote in quotes:
        located = place(number, quote, passages) if says_something(quote) else None
        if located is None and quote.strip() and not says_something(quote):
            lost.append(f"this quote says too little: {quote[:120]!r}.")
        elif located is None:
            lost.append(f"this quote is in no passage: {quote[:120]!r}.")
        elif all(located.citation != one.citation for one in cited):
            cited.append(located)
    if not cited:
        if answer and not quotes:
            lost.append("it gives an answer without a quote.")
        return Checked((), (), " ".join(lost) if answer else "")
    if not answer:
        return Checked(tuple(cited), (), "it gives quotes but no answer.")
    whole = {one.passage: said_in(passages[one.passage - 1]) for one in cited}
    how = comparable(bare(answer), " ".join(passages[number - 1].text for number in whole))
    found: list[Sentence] = []
    for text in _sentences(answer):
        said = _strange(text, cited, whole, how)
        found.append(Sentence(text, () if said else borne_out(text, cited, whole, how)))
        if not found[-1].passages:
            why = f"these are not in its quotes: {', '.join(said)}" if said else "no quote bears it out"
            lost.append(f"in {bare(text)[:120]!r}: {why}.")
    return Checked(tuple(cited), tuple(found), " ".join(lost))


def place(number: int, quote: str, passages: Sequence[Passage]) -> Cited | None:
    """The quote's place where it stands most truly; of passages in which it does so alike, in the one it names."""
    found: list[tuple[int, int, Span]] = []
    for one in sorted(range(1, len(passages) + 1), key=lambda other: other != number):
        span = locate(quote, passages[one - 1].text)
        if span.status != "none":
            found.append((HELD.index(span.status), one, span))
        if span.status == "exact":
            break
    if not found:
        return None
    _, one, span = min(found, key=lambda place: place[0])
    passage = passages[one - 1]
    return Cited(
        Citation(
            quote=passage.text[span.start : span.end],
            document=passage.document,
            title=passage.title,
            headings=passage.headings,
            start=passage.start + span.start,
            end=passage.start + span.end,
            status=span.status,
            line=passage.line + passage.text.count("\n", 0, span.start),
            page=passage.page and passage.page + passage.text.count(PAGE, 0, span.start),
        ),
        one,
        _around(span, passage),
    )


def borne_out(
    sentence: str, cited: Sequence[Cited], whole: Mapping[int, str], how: Comparable
) -> tuple[int, ...]:  # fmt: skip
    """The passages whose quotes the sentence rests on: those that it names, else the one whose quotes have most of its
    words. None where too many of its words are in no passage's quotes; but a row of a table says little, and the passage
    that it is in the rest: it is enough if the sentence says what the quote does."""
    said = bare(sentence)
    texts: dict[int, str] = {}
    for one in cited:
        texts[one.passage] = f"{texts.get(one.passage, '')} {one.said.casefold()}"
    named = [int(one) for mark in MARK.findall(sentence) for one in re.findall(r"\d+", mark)]
    shares = {number: share(said, text) for number, text in texts.items()}
    short = {
        one.passage for one in cited
        if share(one.citation.quote, said.casefold()) >= 0.5 <= share(said, whole[one.passage].casefold())
    }  # fmt: skip
    good = [number for number in texts if not how.words or shares[number] >= SHARE or number in short]
    if kept := [number for number in dict.fromkeys(named) if number in good]:
        return tuple(kept)
    return (max(good, key=lambda number: shares[number]),) if good else ()


def _strange(sentence: str, cited: Sequence[Cited], whole: Mapping[int, str], how: Comparable) -> list[str]:
    """Numbers that are in no quote which the sentence has a word in common with, names and addresses that are in no
    cited passage: of whom "she" speaks in a quote, the passage tells."""
    said = bare(sentence)
    near = [one.said for one in cited if not how.words or share(said, one.said.casefold()) > 0]
    return strange(said, " ".join(near), " ".join(whole.values()), how)


def said_in(passage: Passage) -> str:
    return " ".join((passage.title, *passage.headings, passage.shown))


def _around(span: Span, passage: Passage) -> str:
    """The sentence that the quote is of, or its line where lines are rows, with what stands above them."""
    text = passage.text
    touched = [(start, end) for start, end in sentences(text) if start < span.end and span.start < end]
    begin, end = (min(span.start, touched[0][0]), max(span.end, touched[-1][1])) if touched else (span.start, span.end)
    rows = any(len(line) < SHORT for line in text[begin:end].splitlines()[:-1])
    if rows or end - begin > LONG:
        begin = max(begin, text.rfind("\n", 0, span.start) + 1)
        end = min(end, span.end + len(text[span.end :].partition("\n")[0]))
    return " ".join((passage.title, *passage.headings, passage.table, _columns(text, begin), text[begin:end]))


def _columns(text: str, at: int) -> str:
    """The first row of the table that a row in Markdown is of."""
    if not text.startswith("|", at):
        return ""
    *_, table = re.split(r"\n(?!\|)", text[: at + 1])
    return next((line for line in table.splitlines() if line.startswith("|")), "")


def _sentences(text: str) -> list[str]:
    """With what stands between them, so that joined they are the text."""
    ends = [end for _, end in sentences(text)]
    if not ends:
        return [text] if text else []
    ends[-1] = len(text)
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def bare(sentence: str) -> str:
    return MARK.sub("", sentence).strip()


def written(one: Checked) -> str:
    """The answer, each sentence with the numbers of the citations that bear it out, in square brackets."""
    numbers: dict[int, list[int]] = {}
    for index, cited in enumerate(one.cited, 1):
        numbers.setdefault(cited.passage, []).append(index)
    out: list[str] = []
    for sentence in one.sentences:
        text = MARK.sub("", sentence.text)
        marks = "".join(f"[{n}]" for passage in sentence.passages for n in numbers[passage]) or UNPROVEN
        lead, body, end = _edges(text)
        out.append(f"{lead}{body} {marks}{end}" if body else text)
    return "".join(out).strip()


def _edges(text: str) -> tuple[str, str, str]:
    """A sentence apart from the space before it, and from its full stop and the space after it."""
    body = text.strip()
    if not body:
        return text, "", ""
    lead, _, rest = text.partition(body)
    inner = body.rstrip(".!?…。！？ ")
    return (lead, inner, body[len(inner) :] + rest) if inner else (lead, body, rest)


def once(text: str) -> str:
    """Without the sentences that were said before: a small model goes in circles."""
    said: set[str] = set()
    kept: list[str] = []
    for sentence in _sentences(text):
        words = re.sub(r"\W", "", bare(sentence)).casefold()
        if not words or words not in said:
            kept.append(sentence)
        said.add(words)
    return "".join(kept).strip()
