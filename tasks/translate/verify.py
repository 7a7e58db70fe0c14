"""What must hold of a translation beyond its marks: its language, its terms, its numbers, the room that it has."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from taskkit.knowledge.languages import common_words, guess
from taskkit.tasks.translate.checks import is_short
from taskkit.tasks.translate.conventions import conventions
from taskkit.tasks.translate.formats.subtitles import JOINT, fitted, visible
from taskkit.tasks.translate.glossary import Term, term_problems
from taskkit.tasks.translate.patterns import CHOICE, placeholders
from taskkit.tasks.translate.scripts import is_wide
from taskkit.tasks.translate.segments import Limit, Problem, Segment

# Warnings that are worth another try, and how often; what still holds then is told, and the translation taken.
AGAIN = {"term": 1, "length": 1, "untranslated": 1, "forbidden": 2}
ENOUGH = 8  # words that tell a language
CLEAR = 0.33  # of the words of a text, those that its language is known by
LETTERS_A_SECOND = 21  # that a viewer reads
NUMBER = re.compile(r"\d+(?:[.,'’   \u202f]\d{3})*(?:[.,]\d+)?")
WORD = re.compile(r"[^\W\d_]+")
CODE = re.compile(r"\w[_./\\@:=]\w|^--?\w|\d|[<>{}()\[\]$`⟦]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tags of both languages ("" for an unknown one), the terms, and the names in the document in small letters."""

    to: str
    from_: str = ""
    terms: tuple[Term, ...] = ()
    names: frozenset[str] = frozenset()


def verified(segment: Segment, target: str, wanted: Wanted) -> Iterator[Problem]:
    source = segment.text
    if wanted.from_ and base(wanted.from_) != base(wanted.to) and spoken(target) == base(wanted.from_):
        yield Problem("language", f"This is in the language of the source ({wanted.from_}); translate it.")
    yield from term_problems(wanted.terms, source, target)
    if segment.limit is not None:
        yield from _fits(segment.limit, segment, target)
    if segment.plural is None:
        yield from _numbers(source, target)
    if segment.kind != "branch" and CHOICE.search(source):
        yield Problem(
            "choice", "The words in the cases of this message stay: this format does not take it apart.", "warning"
        )
    yield from conventions(source, target, wanted.to)
    if base(wanted.from_) != base(wanted.to):
        yield from _same(segment, target, wanted)


def base(tag: str) -> str:
    return tag.partition("-")[0]


def spoken(text: str) -> str:
    """The language of a text, "" where that is not clear. Scripts of several languages tell none."""
    found = guess(text)
    if found in {"ja", "ko", "th", "el", "he"}:
        return found
    words = [word.lower() for word in WORD.findall(text[:3000])]
    common = common_words(found)
    clear = len(words) >= ENOUGH and common and sum(word in common for word in words) >= CLEAR * len(words)
    return found if clear else ""


def _fits(limit: Limit, segment: Segment, target: str) -> Iterator[Problem]:
    """Of subtitles, each part; their lines are broken anew when they are written."""
    room = limit.width * max(1, limit.lines)
    parts = [part.strip() for part in target.split(JOINT)]
    lines = max((fitted(part) if segment.kind == "cue" else part.splitlines() for part in parts), key=len)
    size = max(sum(map(_shown, part.splitlines())) for part in parts)
    if limit.width and size > room:
        yield Problem("length", f"Make it shorter: there is room for {room} characters, it has {size}.", "warning")
    elif limit.lines and len(lines) > limit.lines:
        yield Problem("length", f"Give at most {limit.lines} lines.", "warning")
    elif limit.width and (longest := max(map(_shown, lines))) > limit.width:
        yield Problem("length", f"A line has room for {limit.width} characters, one has {longest}.", "warning")
    elif limit.seconds and _shown(target) > max(most := int(limit.seconds * LETTERS_A_SECOND), _shown(segment.text)):
        yield Problem("length", f"Make it shorter, to be read in {limit.seconds:g} s: {most} characters.", "warning")


def _shown(text: str) -> int:
    """The width of what is seen of it; a Chinese character is as wide as two letters."""
    line = " ".join(visible(text.replace(JOINT, " ")).split())
    return len(line) + sum(map(is_wide, line))


def _numbers(source: str, target: str) -> Iterator[Problem]:
    """Numbers of two digits or more that are not in the translation, however they are written there."""
    lost = Counter(map(_digits, NUMBER.findall(source))) - Counter(map(_digits, NUMBER.findall(target)))
    gone = [number for number in lost if len(number) > 1]
    if gone:
        yield Problem("number", f"Not in the translation: the number {gone[0]}.", "warning")


def _same(segment: Segment, target: str, wanted: Wanted) -> Iterator[Problem]:
    """A word or two that came back as they were, unless they are a known name, a sign or code. More is an error."""
    text = segment.text.strip()
    if text.casefold() != target.strip().casefold() or CODE.search(text) or placeholders(text) or not is_short(text):
        return
    known = wanted.names | {word.lower() for term in wanted.terms if term.stays for word in WORD.findall(term.source)}
    words = [word for word in WORD.findall(text) if len(word) > 2]
    if any(word.lower() not in known and word[1:] == word[1:].lower() for word in words):
        yield Problem("untranslated", "This is as in the source: translate it, unless it is a name.", "warning")


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def worth_another_try(problems: Sequence[Problem], tried: int) -> str:
    """What a model is told; empty when it is good enough."""
    told = [one for one in problems if one.severity == "error" or AGAIN.get(one.code, 0) >= tried]
    return " ".join(one.message for one in told)
