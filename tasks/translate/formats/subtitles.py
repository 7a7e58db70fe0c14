"""SRT and WebVTT: what is said in each cue. Numbers, times, settings, notes and styles are never touched.

A sentence that goes on in the next cue is one text, with `JOINT` where the cues meet: it comes back with as many
parts, so that no line ever moves to another time."""

import re
import textwrap
from collections.abc import Iterator
from html import escape, unescape
from itertools import pairwise
from typing import NamedTuple

from taskkit.tasks.translate.formats.marks import apart
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.segments import Group, Limit, Segment, trim

JOINT = "\u2028"
WIDTH, LINES = 42, 2
TIME = r"(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}"
TIMING = re.compile(
    rf"^[ \t]*(?P<from>{TIME})[ \t]*-->[ \t]*(?P<to>{TIME})(?P<settings>[^\r\n]*)(?:\r\n?|\n|\Z)", re.MULTILINE
)
BLANK = re.compile(r"(?:\r\n?+|\n)[ \t]*(?=\r|\n|\Z)|\A(?=[ \t]*(?:\r|\n))")
NUMBER = re.compile(r"(?:\A|(?<=[\r\n]))[ \t]*\d+[ \t]*(?:\r\n?|\n)(?:[ \t]*+(?:\r\n?|\n))*+\Z")
SPEECH = re.compile(r"[ \t]*[-–—][ \t]*(?=\S)")
TURN = re.compile(rf"(?:</?[A-Za-z][^<>]*>|\s)*+{SPEECH.pattern}")  # also in italics
LEADING = re.compile(r"(?:\s|\{\\[^{}]*\}|<v(?:[.\s][^<>]*)?>)+")
ENDED = re.compile(r"[.!?…:;。！？♪\"”»)\]](?:</?\w[^<>]*>|\{[^{}]*\})*\Z")
TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\d\d:[\d:.]+>|\{\\[^{}]*\}")
GAP, MOST, LONGEST = 1.0, 3, 240  # seconds between cues of one sentence; its cues; its characters


class Cue(NamedTuple):
    """`[start, end)` is its text, `begin` and `stop` are seconds."""

    number: int
    start: int
    end: int
    begin: float
    stop: float
    settings: str


def find(text: str, entities: bool) -> list[Segment]:
    if not TIMING.search(text):
        raise ValueError("there is no line with the times of a cue.")
    found: list[Segment] = []
    for cues in _sentences(text, list(all_cues(text, strict=entities))):
        first, last = cues[0], cues[-1]
        pieces = [(first.start, last.end)] if len(cues) > 1 else list(_spoken(text, first))
        size = sum(end - start for start, end in pieces)
        for start, end in pieces:
            raw = text[start:end]
            seconds = (last.stop - first.begin) * (end - start) / max(1, size)  # speakers share the time and the lines
            lines = LINES if len(pieces) == 1 else len(raw.splitlines())
            said = f" {JOINT} ".join(_read(part, entities) for part in _parts(raw, strict=entities))
            if said.strip():
                found.append(
                    Segment(
                        "", start, end, raw, said, kind="cue", keep=(JOINT,) if len(cues) > 1 else (),
                        key=str(first.number), limit=Limit(lines, WIDTH, round(seconds, 3)),
                    )
                )  # fmt: skip
    return found


def write(group: Group, entities: bool) -> str:
    """Raises ValueError where the target has not as many parts as the source has cues."""
    ((segment, target),) = group
    pieces = [piece.strip() for piece in target.split(JOINT)]
    cues = _parts(segment.raw, strict=entities)
    if len(pieces) != len(cues) or not all(TAG.sub("", piece).strip() for piece in pieces):
        raise ValueError(f"the sentence stands in {len(cues)} cues, each of which needs a part of it.")
    line_end = "\r\n" if "\r\n" in segment.raw else "\n"
    at, written = 0, list[str]()
    for cue, piece in zip(cues, pieces, strict=True):
        start = segment.raw.index(cue, at)
        lines = line_end.join(fitted(piece))
        written += segment.raw[at:start], _escaped(lines) if entities else lines
        at = start + len(cue)
    return "".join([*written, segment.raw[at:]])


def check(source: str, target: str, strict: bool) -> None:
    before, after = (
        [(cue.start < cue.end, cue.begin, cue.stop, cue.settings) for cue in all_cues(text, strict=strict)]
        for text in (source, target)
    )
    for number, (was, now) in enumerate(zip(before, after, strict=False), 1):
        if was != now:
            raise ValueError(f"cue {number} is not what it was.")
    if len(before) != len(after):
        raise ValueError(f"it has {len(after)} cues instead of {len(before)}.")


def visible(text: str) -> str:
    """As it is shown."""
    return TAG.sub("", text)


def fitted(text: str) -> list[str]:
    """Its lines; broken anew, into as few and as even ones as can be, where one is too wide."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if all(len(visible(line)) <= WIDTH for line in lines) or any(SPEECH.match(line) for line in lines):
        return lines
    whole = " ".join(lines)
    for width in range(max(1, -(-len(visible(whole)) // LINES)), len(whole) + 1):
        broken = textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False)
        if len(broken) <= LINES:
            return broken
    return [whole]


def all_cues(text: str, *, strict: bool) -> Iterator[Cue]:
    """`strict`: a blank line ends a cue, as WebVTT has it; otherwise the next cue's number does."""
    heads = [*TIMING.finditer(text)]
    for number, head in enumerate(heads, 1):
        following = heads[number] if number < len(heads) else None
        start = head.end()
        end = following.start() if following else len(text)
        blank = BLANK.search(text[start:end] if strict else "")
        if blank:
            end = start + blank.start()
        elif following and (count := NUMBER.search(text, start, end)):
            end = count.start()
        yield Cue(
            number, *trim(text, start, end), _seconds(head["from"]), _seconds(head["to"]), head["settings"].strip()
        )


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.replace(",", ".").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _sentences(text: str, cues: list[Cue]) -> Iterator[list[Cue]]:
    """Cues by themselves, or together where a sentence goes on."""
    group: list[Cue] = []
    for cue in cues:
        if group and not _goes_on(text, group, cue):
            yield group
            group = []
        group.append(cue)
    if group:
        yield group


def _goes_on(text: str, group: list[Cue], cue: Cue) -> bool:
    said, follows = text[group[-1].start : group[-1].end], text[cue.start : cue.end]
    return (
        len(group) < MOST
        and cue.end - group[0].start < LONGEST
        and 0 <= cue.begin - group[-1].stop <= GAP
        and cue.settings == group[-1].settings
        and visible(follows)[:1].islower()
        and not LEADING.match(follows)
        and not ENDED.search(said)
        and not any(SPEECH.match(line) for line in said.splitlines())
        and "\n\n" not in said.replace("\r", "")
    )


def _spoken(text: str, cue: Cue) -> Iterator[tuple[int, int]]:
    """The whole cue, or what each speaker says of it and each of its paragraphs; without what only places it."""
    leading = LEADING.match(text, cue.start, cue.end)
    begin = leading.end() if leading else cue.start
    lines = [(begin + one.start(), begin + one.end()) for one in re.finditer(r"[^\r\n]+", text[begin : cue.end])]
    turns = [TURN.match(text, *line) for line in lines]
    if not lines:
        return
    starts = [0]
    for number, turn in enumerate(turns[1:], 1):
        parted = BLANK.match(text, lines[number - 1][1])
        if parted or (turn and (turns[0] or not text[turn.end()].islower())):
            starts.append(number)
    for first, following in pairwise([*starts, len(lines)]):
        turn = turns[first] if len(starts) > 1 else SPEECH.match(text, begin, cue.end)
        yield trim(text, turn.end() if turn else lines[first][0], lines[following - 1][1])


def _parts(raw: str, *, strict: bool) -> list[str]:
    """What is said in each cue of a stretch."""
    head = TIMING.search(raw)
    if not head:
        return [raw]
    first = raw[: head.start()]
    ends = BLANK.search(first) if strict else NUMBER.search(first)
    inner = [raw[cue.start : cue.end] for cue in all_cues(raw, strict=strict)]
    return [(first[: ends.start()] if ends else first).strip(), *inner]


def _read(raw: str, entities: bool) -> str:
    lines = "\n".join(line.strip() for line in raw.splitlines())
    return re.sub(r"&(?!lt;|gt;)[#\w]+;", lambda one: unescape(one[0]), lines) if entities else lines


def _escaped(text: str) -> str:
    parts = apart(text, {*TAG.findall(text), "&lt;", "&gt;"})
    return "".join(part if number % 2 else escape(part, quote=False) for number, part in enumerate(parts))


SRT = Format(
    "srt", (".srt",), lambda text, _: find(text, entities=False), lambda group, _: write(group, entities=False),
    prose="text", check=lambda source, target: check(source, target, strict=False), reread=None,
)  # fmt: skip
VTT = Format(
    "vtt", (".vtt",), lambda text, _: find(text, entities=True), lambda group, _: write(group, entities=True),
    prose="text", check=lambda source, target: check(source, target, strict=True), reread=None,
)  # fmt: skip
