"""SRT and WebVTT as a transcript to read: the spoken words in turns, each of them still known by its place in the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# From the first offset in the transcript, at the second in the file, so many characters are the same.
Run = tuple[int, int, int]

_VOICE = re.compile(r"<v(?:\.[\w.]+)?[ \t]+([^>\r\n]{1,60})>")
_NAMED = re.compile(r"\s*(?:[-–][ \t]*)?[^\W\d_][\w .'’-]{0,40}(?::\s|：)")
_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s*\Z")
TURN = 30  # seconds after which, at a sentence's end, a new line begins though nobody else speaks


@dataclass(frozen=True, slots=True)
class Spoken:
    """`runs` are in order and do not overlap; what lies between them (times, spaces) is not in the file."""

    text: str
    runs: tuple[Run, ...]


def is_captions(text: str) -> bool:
    head = text[:1000].lstrip("\ufeff \t\r\n")
    return head.startswith("WEBVTT") or any("-->" in line for line in head.splitlines()[:2])


def spoken(text: str) -> Spoken:
    """Lines of the form `[00:01:02] Ann: …`; cues that go on one sentence are joined."""
    from taskkit.tasks.translate.formats.subtitles import all_cues, visible

    made: list[str] = []
    runs: list[Run] = []
    size, voice, began = 0, "", -1.0

    def put(words: str) -> None:
        nonlocal size
        made.append(words)
        size += len(words)

    for cue in all_cues(text, strict=text.lstrip("\ufeff \t\r\n").startswith("WEBVTT")):
        said, seconds = text[cue.start : cue.end], cue.begin
        found = _VOICE.search(said)
        speaker = " ".join(found[1].split()) if found else ""
        goes_on = began >= 0 and speaker == voice and not _NAMED.match(said)
        if goes_on and _ENDS.search(made[-1]) and seconds - began >= TURN:
            goes_on = False
        pieces = [(start, end) for start, end in _words(text, cue.start, cue.end) if start < end]
        if not pieces:
            continue
        if goes_on:
            put(" ")
        else:
            put(f"{chr(10) if made else ''}[{clock(seconds)}] {f'{speaker}: ' if speaker else ''}")
            voice, began = speaker, seconds
        for number, (start, end) in enumerate(pieces):
            if number and any(map(str.isspace, visible(text[pieces[number - 1][1] : start]))):
                put(" ")
            runs.append((size, start, end - start))
            put(text[start:end])
    return Spoken("".join(made), tuple(runs))


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What stands between the markup and the line ends, without the spaces around it."""
    from taskkit.tasks.translate.formats.subtitles import TAG

    at = start
    marks = re.compile(rf"{TAG.pattern}|[\r\n]+|\A[-–][ \t]+")
    for mark in (*marks.finditer(text[start:end]), None):
        stop = end if mark is None else start + mark.start()
        inner = text[at:stop]
        lead = len(inner) - len(inner.lstrip())
        yield at + lead, max(at + lead, at + len(inner.rstrip()))
        if mark is not None:
            at = start + mark.end()


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
