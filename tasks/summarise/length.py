"""How long a summary may be and what it looks like: said to the model, measured, and held to by code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from taskkit.spans import sentences
from taskkit.tasks.summarise.worth import said_once, worthiest

Style = Literal["paragraph", "bullets", "tldr", "abstract", "headline", "meeting"]

HEADLINE = 14  # words
TLDR = 50
ASKED = 0.9  # of the limit is what the model is asked for: it rarely counts well
A_FACT = 10  # words
OF_FACTS = 200  # words: a longer summary is more than a row of facts
LONG_WORD = 16  # characters, more than words have on average
OF_TEXT = 10  # times as long: of a longer text, single facts do not tell what happened

PREFACE = re.compile(
    r"\A\s*(?:[*_#]{1,3}\s?)?(?:here(?:'s| is| are)[^\n:]{0,60}|(?:the )?(?:summary|headline|abstract|overview|notes)|tl;?dr)"
    r"(?:\*\*|__)?(?::(?:\*\*|__)?|\s*\n)\s*",
    re.IGNORECASE,
)
_FENCE = re.compile(r"<<<[^<>\n]{1,80}>>>")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_MARK = re.compile(r"^\s*(?:[-*•‣–]|\d{1,2}[.)])\s+")
_WIDE = "\u3040-\u30ff\u3400-\u9fff"
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"(?:(?![{_WIDE}{_UNSPACED}])\w)+(?:['’.,:-](?:(?![{_WIDE}{_UNSPACED}])\w)+)*")
_END = re.compile(r"[.!?…。！？]['\"”’»)\]]*\Z")


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that there may be of each; `words` always holds."""

    style: Style
    words: int
    sentences: int | None = None
    bullets: int | None = None

    @property
    def shape(self) -> str:
        """In words, for a prompt."""
        words = max(4, int(self.words * ASKED))
        if self.style == "bullets":
            how_many = "" if self.bullets is None else f"at most {self.bullets} "
            bullets = "bullet point" if self.bullets == 1 else "bullet points"
            return (
                f"a list of {how_many}{bullets}, each on its own line beginning with '- ', {words} words at most in all"
            )
        shapes = {
            "tldr": f"one or two plain sentences, at most {words} words",
            "abstract": f"an abstract of at most {words} words: one paragraph on what it is about, what was done and"
            " found, and what follows",
            "headline": f"one headline of at most {words} words, on one line",
            "meeting": f"an overview of the meeting, at most {words} words of running text",
        }
        shape = shapes.get(self.style, f"at most {words} words of running text")
        few = "" if self.sentences is None else "1 sentence" if self.sentences == 1 else f"{self.sentences} sentences"
        return f"{shape}, in at most {few}" if few else shape

    def facts(self, texts: Iterable[str]) -> int:
        """How many the model is asked for, where single ones make a summary of these; else 0. Asked only for a
        summary, a small model tells what a short text is about and not what it says."""
        if self.style not in ("paragraph", "bullets") or self.words > OF_FACTS:
            return 0
        most = OF_TEXT * self.words
        whole = sum(count_words(text[: most * LONG_WORD]) for text in texts)
        return 0 if whole > most else self.bullets or self.sentences or max(2, int(self.words * ASKED / A_FACT))

    def problem(self, text: str) -> str:
        """What is too long about it, in words; empty when nothing is."""
        told = [
            f"{have} {name} long, where {most} are the most"
            for name, have, most in (
                ("words", count_words(text), self.words),
                ("sentences", self._sentences(text), self.sentences),
                ("bullet points", self._bullets(text), self.bullets),
            )
            if most is not None and have > most
        ]
        return " and ".join(told)

    def held(self, text: str) -> str:
        """Cut to the limit: the sentences or bullets that tell least are left out, never the first, of which words
        are cut when it is too long by itself."""
        if self.style == "bullets":
            said = points(text)
            kept = worthiest(said, [count_words(one) for one in said], most=self.bullets, words=self.words)
            return bulleted(cut_words(said[at], self.words) for at in kept)
        spans = sentences(text)
        if spans:
            said = [text[start:end] for start, end in spans]
            kept = worthiest(said, [count_words(one) for one in said], most=self.sentences, words=self.words)
            ends = [start for start, _ in spans[1:]] + [len(text)]
            text = "".join(text[spans[at][0] : ends[at]] for at in kept).rstrip()
        return cut_words(text, self.words)

    def formed(self, text: str) -> str:
        """In the style's own form, whatever marks the model has put: nothing of what it says is changed, but that it
        is said once."""
        text = _numbers_in_lines(tidy(text))
        if self.style == "headline":
            line = next((one for one in text.splitlines() if one.strip()), "")
            return _MARK.sub("", line).strip().strip('#*_"“”„ ').rstrip(".").strip()
        if self.style == "bullets":
            return bulleted(said_once(points(text)))
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if lines and sum(bool(_MARK.match(line)) for line in lines) > len(lines) / 2:
            said = [_BOLD.sub(r"\1", _MARK.sub("", line)).strip() for line in lines]
            text = " ".join(_sentence(one) for one in said if not one.endswith(":"))
        said = [text[start:end] for start, end in sentences(text)]
        once = said_once(said)
        return text if len(once) == len(said) else " ".join(once)

    def _sentences(self, text: str) -> int:
        return 0 if self.sentences is None else len(sentences(text))

    def _bullets(self, text: str) -> int:
        return 0 if self.bullets is None else len(points(text))


def _numbers_in_lines(text: str) -> str:
    """A numbered list that came as running text ("1. One. 2. Two."), a line for each."""
    if not text.startswith("1."):
        return text
    lines, rest = list[str](), text
    while found := re.search(rf"(?<=[.!?;,])\s+(?={len(lines) + 2}\.\s)", rest):
        lines.append(rest[: found.start()])
        rest = rest[found.end() :]
    return "\n".join((*lines, rest))


def _sentence(text: str) -> str:
    return text if _END.search(text) else f"{text}."


def bulleted(found: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in found)


def tidy(text: str) -> str:
    """Without the preface that small models put before what they were asked for, and the fences that they repeat."""
    return PREFACE.sub("", _FENCE.sub("", text).strip(), count=1).strip()


def points(text: str) -> list[str]:
    """The bullets, a line that goes on with its own; the sentences where there are no bullets."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(_MARK.match(line) for line in lines):
        return [" ".join(text[start:end].split()) for start, end in sentences(text)]
    found = list[str]()
    for line in lines:
        words = _MARK.sub("", line).strip()
        if _MARK.match(line):
            found.append(words)
        elif found and line[:1].isspace():
            found[-1] = f"{found[-1]} {words}"
        elif not words.endswith(":") and not words.startswith("#"):
            found.append(words)
    return [one for one in found if one]


def count_words(text: str) -> int:
    """Words; in scripts that write none, characters by twos, and by fives where vowels are characters of their own."""
    return (
        len(_WORD.findall(text))
        + len(re.findall(rf"[{_WIDE}]", text)) // 2
        + len(re.findall(rf"[{_UNSPACED}]", text)) // 5
    )


def cut_words(text: str, words: int) -> str:
    """At most so many: at the end of a sentence, or, when the first is longer by itself, in its middle."""
    if count_words(text) <= words:
        return text
    end = 0
    for _, stop in sentences(text):
        if count_words(text[:stop]) > words:
            break
        end = stop
    if end:
        return text[:end].rstrip()
    low, high = 0, len(text)
    while low < high:  # the longest start with so many words
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_words(text[:middle]) <= words else (low, middle - 1)
    kept = text[:low]
    if low < len(text) and " " in kept and not text[low].isspace():
        kept = kept.rpartition(" ")[0]
    return f"{kept.rstrip(' ,;:–-')}…"
