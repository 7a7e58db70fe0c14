"""What bears an answer out, decided by code: quotes are located, and each sentence must rest on a passage."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from taskkit.knowledge import Citation, Passage
from taskkit.knowledge.pieces import PAGE
from taskkit.spans import Span, locate, sentences
from taskkit.tasks.ask.inert import inactive
from taskkit.tasks.ask.wording import SHARE, Comparable, comparable, share, strange

MARK = re.compile(r"[ \t]*\[\d+(?:\s*,\s*\d+)*\]")
SHORTEST = 3  # characters of a quote that says anything
HELD = ("exact", "normalised", "fuzzy")  # how truly a quote stands somewhere
UNPROVEN = "[?]"  # the mark of a sentence that nothing bears out


@dataclass(frozen=True, slots=True)
class Cited:
    """`passage` is the number, from 1, under which the model saw it."""

    citation: Citation
    passage: int


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
        located = place(number, quote, passages)
        if located is None:
            lost.append(f"this quote is in no passage: {quote[:120]!r}.")
        elif all(located.citation != one.citation for one in cited):
            cited.append(located)
    if not cited:
        if answer and not quotes:
            lost.append("it gives an answer without a quote.")
        return Checked((), (), " ".join(lost) if answer else "")
    if not answer:
        return Checked(tuple(cited), (), "it gives quotes but no answer.")
    numbers = tuple(dict.fromkeys(one.passage for one in cited))
    resting = [passages[number - 1] for number in numbers]
    how = comparable(bare(answer), " ".join(one.text for one in resting))
    found = [Sentence(text, borne_out(text, numbers, passages, how)) for text in _sentences(answer)]
    lost += list(_complaints(found, resting, how))
    return Checked(tuple(cited), tuple(found), " ".join(lost))


def place(number: int, quote: str, passages: Sequence[Passage]) -> Cited | None:
    """The quote's place where it stands most truly; of passages in which it does so alike, in the one it names."""
    if len(quote.strip()) < SHORTEST:
        return None
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
    )


def borne_out(sentence: str, numbers: Sequence[int], passages: Sequence[Passage], how: Comparable) -> tuple[int, ...]:
    """Those of the cited passages that the sentence rests on: the ones that it names, else the one that has most of
    its words. None where its numbers, its names or too many of its words are in no cited passage."""
    texts = {number: said_in(passages[number - 1]) for number in numbers}
    if strange(bare(sentence), [*texts.values()], how):
        return ()
    named = [int(one) for mark in MARK.findall(sentence) for one in re.findall(r"\d+", mark)]
    named = [number for number in dict.fromkeys(named) if number in numbers]
    shares = {number: share(bare(sentence), text.casefold()) for number, text in texts.items()}
    good = [number for number in numbers if not how.words or shares[number] >= SHARE]
    if kept := [number for number in named if number in good]:
        return tuple(kept)
    return (max(good, key=lambda number: shares[number]),) if good else ()


def said_in(passage: Passage) -> str:
    return " ".join((passage.title, *passage.headings, passage.shown))


def _complaints(found: Sequence[Sentence], passages: Sequence[Passage], how: Comparable) -> Iterator[str]:
    for one in found:
        if one.passages:
            continue
        said = strange(bare(one.text), [said_in(passage) for passage in passages], how)
        why = f"these are not in the passages it quotes: {', '.join(said)}" if said else "no quote bears it out"
        yield f"in {bare(one.text)[:120]!r}: {why}."


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
