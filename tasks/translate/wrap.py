"""Put line ends back into a translation: as many as the source had, about where it had them."""

import re
import unicodedata
from bisect import bisect_left

# A line may begin with this without turning into a list, a quote, a heading or the like.
HARMLESS = re.compile(r"[*_]{0,3}[\"'“«„‘(\[¿¡`]?(?!\d{1,9}[.)](?:\s|\Z))\w")
GAP = re.compile(r"(?<!\s)[ \t]+")
PAUSE = tuple(".,;:!?…。，；：！？、")
CLOSING = "\"'”’»)]*_"


def joins_without_space(left: str, right: str) -> bool:
    """Between two Chinese or Japanese characters a line end is not a space."""
    return bool(left and right) and all(
        unicodedata.east_asian_width(character) in "WF" and not "\uac00" <= character <= "\ud7a3"
        for character in left + right
    )


def wrap(parts: list[str], source: str, breaks: tuple[tuple[int, int], ...]) -> str:
    """Join `parts`, the translation of `source`, with the source's line ends at `breaks` put into it.

    Only blanks of the even parts become line ends, the odd ones stay whole; where that leaves too few places, lines
    grow longer instead."""
    text = "".join(parts)
    gaps = _gaps(parts, text) if breaks else []
    starts = [start for start, _ in gaps]
    scale = len(text) / max(1, len(source))
    pieces: list[str] = []
    at = first = 0
    for number, (begin, end) in enumerate(breaks):
        if first >= len(gaps):
            break
        following = breaks[number + 1][0] if number + 1 < len(breaks) else len(source)
        room = (following - begin) * scale / 2 if _pauses(source, begin) else 0
        chosen = _nearest(text, starts, first, begin * scale, room)
        pieces += text[at : starts[chosen]], source[begin:end]
        at, first = gaps[chosen][1], chosen + 1
    return "".join([*pieces, text[at:]])


def _gaps(parts: list[str], text: str) -> list[tuple[int, int]]:
    gaps: list[tuple[int, int]] = []
    at = 0
    for number, part in enumerate(parts):
        if number % 2 == 0:
            found = (match.span() for match in GAP.finditer(text, at, at + len(part)))
            gaps += [span for span in found if HARMLESS.match(text, span[1])]
        at += len(part)
    return gaps


def _pauses(text: str, at: int) -> bool:
    return text[max(0, at - 4) : at].rstrip(CLOSING).endswith(PAUSE)


def _nearest(text: str, starts: list[int], first: int, ideal: float, room: float) -> int:
    """Which of `starts[first:]` is the closest to `ideal`; rather one after a pause, if there is one within `room`."""
    right = bisect_left(starts, ideal, first)
    near = [index for index in (right - 1, right) if first <= index < len(starts)]
    low, high = bisect_left(starts, ideal - room, first), bisect_left(starts, ideal + room, first)
    pauses = [index for index in range(low, high) if _pauses(text, starts[index])]
    return min(pauses or near, key=lambda index: abs(starts[index] - ideal))
