"""SRT and WebVTT as a transcript to read: the spoken words in turns, each of them still known by its place in the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

Run = tuple[
    int, int, int
]  # so many characters of the transcript, from the first offset, stand at the second in the file

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d\d[.,]\d{1,3}"
_CUE = re.compile(
    rf"^[ \t]*(?P<from>{_TIME})[ \t]+-->[ \t]+{_TIME}[^\r\n]*(?:\r\n|\r|\n|\Z)(?P<text>(?:[^\r\n]*\S[^\r\n]*(?:\r\n|\r|\n|\Z))*)",
    re.MULTILINE,
)
_BEGINS = re.compile(rf"\A\s*(?:WEBVTT\b|(?:\d+[ \t]*(?:\r\n|\r|\n)[ \t]*)?{_TIME}[ \t]+-->)")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?[ \t]+([^>\r\n]{1,60})>")
_TAG = re.compile(r"<[^>\r\n]{0,80}>|\{\\[^}\r\n]{0,80}\}")
_MARKUP = re.compile(rf"{_TAG.pattern}|[\r\n]+|\A[-–][ \t]+")
_NAMED = re.compile(r"\s*(?:[-–][ \t]*)?[^\W\d_][\w .'’-]{0,40}:\s")
_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s*\Z")
TURN = 30  # seconds after which, at a sentence's end, a new line begins though nobody else speaks


@dataclass(frozen=True, slots=True)
class Spoken:
    """`runs` are in order and do not overlap; what lies between them (times, spaces) is not in the file."""

    text: str
    runs: tuple[Run, ...]


def is_captions(text: str) -> bool:
    return bool(_BEGINS.match(text)) and bool(_CUE.search(text))


def spoken(text: str) -> Spoken:
    """Lines of the form `[00:01:02] Ann: …`; cues that go on one sentence are joined."""
    made: list[str] = []
    runs: list[Run] = []
    size, voice, began = 0, "", -1.0

    def put(words: str) -> None:
        nonlocal size
        made.append(words)
        size += len(words)

    for cue in _CUE.finditer(text):
        said = cue["text"]
        seconds = _seconds(cue["from"])
        found = _VOICE.search(said)
        speaker = " ".join(found[1].split()) if found else ""
        goes_on = began >= 0 and speaker == voice and not _NAMED.match(said)
        if goes_on and _ENDS.search(made[-1]) and seconds - began >= TURN:
            goes_on = False
        pieces = [(start, end) for start, end in _words(text, cue.start("text"), cue.end("text")) if start < end]
        if not pieces:
            continue
        if goes_on:
            put(" ")
        else:
            put(f"{chr(10) if made else ''}[{clock(seconds)}] {f'{speaker}: ' if speaker else ''}")
            voice, began = speaker, seconds
        for number, (start, end) in enumerate(pieces):
            if number and any(map(str.isspace, _TAG.sub("", text[pieces[number - 1][1] : start]))):
                put(" ")
            runs.append((size, start, end - start))
            put(text[start:end])
    return Spoken("".join(made), tuple(runs))


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What stands between the markup, without the spaces around it."""
    at = start
    for mark in (*_MARKUP.finditer(text[start:end]), None):
        stop = end if mark is None else start + mark.start()
        inner = text[at:stop]
        lead = len(inner) - len(inner.lstrip())
        yield at + lead, max(at + lead, at + len(inner.rstrip()))
        if mark is not None:
            at = start + mark.end()


def _seconds(time: str) -> float:
    total = 0.0
    for part in time.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
