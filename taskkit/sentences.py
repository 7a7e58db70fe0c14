"""Sentences of any language, by their marks: offsets only, nothing lost."""

import re
from collections.abc import Iterator

# Before a full stop that ends no sentence, whatever comes next.
_NEVER = frozenset(
    [
        "adm",
        "approx",
        "bzgl",
        "bzw",
        "capt",
        "cf",
        "col",
        "cpl",
        "d.h",
        "dr",
        "drs",
        "e.g",
        "eg",
        "esp",
        "evtl",
        "figs",
        "ggf",
        "gen",
        "gov",
        "hon",
        "i.e",
        "ie",
        "inkl",
        "lt",
        "m.e",
        "maj",
        "messrs",
        "mlle",
        "mme",
        "mr",
        "mrs",
        "ms",
        "o.ä",
        "pp",
        "pres",
        "prof",
        "pvt",
        "rep",
        "resp",
        "rev",
        "sen",
        "sgt",
        "sra",
        "srta",
        "u.a",
        "vgl",
        "viz",
        "vs",
        "z.b",
    ]
)
# The same before a number only: "no. 5", but "He said no."
_NUMBERED = frozenset(
    [
        "apr",
        "art",
        "aug",
        "bd",
        "ca",
        "ch",
        "dec",
        "eq",
        "eqs",
        "feb",
        "fig",
        "jan",
        "jul",
        "jun",
        "kap",
        "mar",
        "no",
        "nos",
        "nov",
        "nr",
        "oct",
        "op",
        "p",
        "par",
        "s",
        "sec",
        "sect",
        "sep",
        "sept",
        "tab",
        "tel",
        "vol",
    ]
)
# Before a full stop that ends one when the next word often begins one.
_PERHAPS = frozenset(
    [
        "al",
        "ave",
        "blvd",
        "bros",
        "co",
        "corp",
        "dept",
        "ed",
        "eds",
        "est",
        "etc",
        "ft",
        "inc",
        "jr",
        "ltd",
        "mt",
        "st",
        "sr",
        "univ",
        "usw",
    ]
)
_STARTERS = frozenset(
    [
        "a",
        "after",
        "all",
        "although",
        "an",
        "and",
        "as",
        "at",
        "because",
        "before",
        "but",
        "by",
        "did",
        "do",
        "does",
        "during",
        "each",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "however",
        "i",
        "if",
        "in",
        "is",
        "it",
        "its",
        "many",
        "may",
        "more",
        "most",
        "my",
        "now",
        "of",
        "on",
        "once",
        "one",
        "only",
        "our",
        "she",
        "since",
        "so",
        "some",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "though",
        "to",
        "under",
        "until",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "why",
        "with",
        "would",
        "you",
        "your",
    ]
)
_AFTER_ORDINAL = frozenset(  # German writes "3. Mai"
    [
        "januar",
        "februar",
        "märz",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "dezember",
        "jahrhundert",
    ]
)

_WIDE = "。！？｡．"  # these need no space after them
_STOP = re.compile(
    r"[.!?…‥。！？｡．؟۔।॥։።፧។៕။‼⁇⁈⁉\n]"
    r"(?:(?<!\n)[.!?…‥。！？｡．؟۔।॥։።፧។៕။‼⁇⁈⁉]*+[\"'”’»›)\]}」』】〉》）］｝*_`~]*+(?:\[\d{1,3}\])*+)?+"
    r"(?P<space>\s*+)"
)
_LINE_START = re.compile(
    r"[-*+•‣◦–—][ \t]|\(?\w{1,3}[.)][ \t]|\#{1,6}[ \t]|\||>|`{3}|~{3}|[\[(]?\d{1,2}:\d\d"
    r"|[^\W\da-z_][\w.'’-]{0,30}(?: [^\W\da-z_][\w.'’-]{0,30}){0,3}:(?:\s|\Z)"
)
_OWN_LINE = re.compile(r"\#{1,6}[ \t]|\|")
_LONGEST = 7  # characters before a full stop that are looked at; no abbreviation above has as many letters
_NEXT_WORD = re.compile(r"[\s\"'“‘«‹(\[{*_`¿¡]*+(\w*)")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,3}")
_QUOTING_GOES_ON = re.compile(r"[」』）】][とのにはがをもでへやっだ]")
_UNMARKED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Burmese, Khmer
_UNMARKED_GAP = re.compile(rf"(?<={_UNMARKED.pattern})\s+(?={_UNMARKED.pattern})")
_SHORT = 30  # characters: shorter parts between the spaces of such a script are phrases


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets of the sentences in order; every character that is not blank is in exactly one.

    An empty line ends a sentence; a heading, a list item, a table row and a speaker's turn are their own.
    Scripts without sentence marks (Thai) are cut at their spaces."""
    found = _marked(text)
    if text.isascii() or not _UNMARKED.search(text):
        return list(found)
    return [part for start, end in found for part in _at_spaces(text, start, end)]


def _marked(text: str) -> Iterator[tuple[int, int]]:
    start = len(text) - len(text.lstrip())
    for stop in _STOP.finditer(text, start):
        if stop.end() < len(text) and _ends(text, start, stop):
            end = stop.start("space") if text[stop.start()] != "\n" else _rstripped(text, start, stop.start())
            yield start, end
            start = stop.end()
    end = _rstripped(text, start, len(text))
    if end > start:
        yield start, end


def _rstripped(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1].isspace():
        end -= 1
    return end


def _at_spaces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for gap in _UNMARKED_GAP.finditer(text, start, end):
        if gap.start() - start >= _SHORT:
            yield start, gap.start()
            start = gap.end()
    yield start, end


def _ends(text: str, start: int, stop: re.Match[str]) -> bool:
    space = stop["space"]
    mark = text[stop.start()]
    breaks = space.count("\n") + (mark == "\n")
    if breaks and (breaks > 1 or _OWN_LINE.match(text, start) or _LINE_START.match(text, stop.end())):
        return True
    if mark == "\n":
        return False
    last = stop.start("space")
    if text[last - 1] in _WIDE or mark in _WIDE:
        following = text[stop.end()]
        decimal = mark == "．" and following.isdigit()
        return bool(space) or not (decimal or _QUOTING_GOES_ON.match(text, last - 1))
    return bool(space) and _begins(text, start, stop)


def _begins(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether what comes after a mark and a space is a new sentence."""
    at, after = stop.start(), stop.end()
    first = text[after]
    if not first.isalnum():
        first = _next_word(text, after)[:1]
    if first.islower():
        return text[at] in "!?" and stop.start("space") - at == 1
    if text[at] != "." or text[at + 1] == ".":
        return True
    tail = text[max(start, at - _LONGEST) : at]
    if len(tail) == _LONGEST and tail.isalpha():
        return True
    last = (tail.split() or [""])[-1].lstrip("\"'“‘«‹([{*_")
    return not _abbreviates(last.lower(), _next_word(text, after), first=len(last) == at - start)


def _next_word(text: str, at: int) -> str:
    found = _NEXT_WORD.match(text, at, at + 40)
    return found[1] if found else ""


def _abbreviates(last: str, word: str, *, first: bool) -> bool:
    if last in _NEVER:
        return True
    if last in _NUMBERED and word[:1].isdigit():
        return True
    if last.isdigit():
        return first or (len(last) < 3 and word.lower() in _AFTER_ORDINAL)
    if len(last) == 1 and first:
        return True  # "a. the first", a list
    if len(last) == 1 or last in _PERHAPS or _DOTTED.fullmatch(last):
        return word.lower() not in _STARTERS
    return False
