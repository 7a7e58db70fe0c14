"""Joining a text that was cut off to the continuation that a model wrote.

The last words of the text are *held back* from the model, and it is told to begin with them. So the seam is
found, not guessed: what comes back begins with those words, or else goes on right after them. `hold` picks words
that no true continuation begins with by chance: at least `TELLING` visible characters, from the start of a line
where there is one, not a repetition in themselves and not a repetition of what stands before them.

`join` adds the part of the continuation that is new; the text itself is never altered. It drops

1. the held words at the beginning, also when their case, spacing or punctuation came back differently;
2. else what the continuation repeats of the text: all of it, its last `OVERLAP` characters and more, or the line
   or word that was cut. Shorter repeats, repeats within repeats ("ha ha ha", rows that are alike), a repeat of
   what the text has twice in a row and a repeated whole line stay: a line lost is worse than a line too many;
3. a remark in front ("Sure, continuing:") or a fence around it, when 1 or 2 holds for what is inside, when the
   remark says that it continues and stands apart, or when a fence with a language opens inside an open one.

What no rule can tell apart: `OVERLAP` characters and more which truly stand twice in a row, for the first time,
with the cut exactly between, from a model that ignores the held words. Those are lost once.
"""

import re
from collections.abc import Iterator

TELLING = 16
OVERLAP = 20
SURELY = 60  # characters that nobody says twice in a row, also where the seam is within a sentence
AGAIN = 3  # visible characters of a line, or letters of a word, that was cut, for it to be known again
HELD = 400  # characters held back at most
RESTART = 200  # characters that show that a continuation began again from the very beginning
SEARCHED = 30_000

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_OPENER = re.compile(r"\s*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*\n")
_LINE = re.compile(r"\s*([^\n]{1,200})\n(?:[ \t]*\n)?")
_INLINE = re.compile(r"[^\n]{1,100}?[:：][ \t]+")
_CUT_WORD = re.compile(rf"(?<![^\W_])[a-zà-öø-ɏͰ-ԯ]{{{AGAIN},40}}\Z", re.IGNORECASE)
_CONTINUES = re.compile(
    r"\s*[*_(\[]*(?:sure|certainly|of course|okay|ok|absolutely|understood|alright|got it|apologies|sorry|here|i"
    r"|let me)\b[^\n]*?\b(?:continu\w*|resum\w*|pick\w* up|left off|cut off|rest of|remaining|remainder)\b"
    r"|\s*[*_(\[]*continu(?:ing|ed|ation)\b",
    re.IGNORECASE,
)

_TELLS = re.compile(
    r"\s*(?:i (?!am\b|will\b|shall\b)|here (?!is\b|are\b|i\b)|continu(?:ing|ed|ation)\b(?=[^\n]*[.!?。！？]\s*$))",
    re.IGNORECASE,
)


def hold(text: str, most: int = HELD) -> int:
    """The offset from which `text` is held back; `len(text)` when no words are telling."""
    floor = max(0, len(text) - most)
    for start in _boundaries(text, floor):
        if _tells(text, start):
            return start
    whole = 0 < len(text) <= min(most, 48) and not _repeats(text)
    return 0 if whole else len(text)


def _boundaries(text: str, floor: int) -> Iterator[int]:
    """Line starts, those that hold back two lines first; then words; then any character."""
    lines = [0] if floor == 0 else []
    lines += [one.end() for one in re.compile("\n").finditer(text, floor)]
    lines.reverse()
    yield from (start for start in lines if "\n" in text[start:].strip())
    yield from lines
    words = [one.end() for one in re.compile(r"[ \t]+|(?<=[。！？、，；])").finditer(text, floor)]
    yield from reversed(words)
    yield from range(len(text) - TELLING, floor, -TELLING)


def _tells(text: str, start: int) -> bool:
    held = text[start:]
    if not _telling(held) or text.endswith(held, 0, start) or _repeats(held):
        return False
    letters = "".join(_letters(held))
    above = "".join(_letters(text[max(0, start - 2 * len(held)) : start]))
    return not letters or not (above.endswith(letters) or _repeats(letters))


def _telling(words: str) -> bool:
    return len("".join(words.split())) >= TELLING


def _letters(words: str) -> list[str]:
    """The letters and digits, without their case."""
    return [char for char in words.casefold() if char.isalnum()]


def _repeats(words: str) -> bool:
    """Whether it is one shorter piece again and again (twice at least)."""
    half = len(words) // 2
    first, period = words[: len(words) - half], 0
    for _ in range(8):  # a piece that fits and yet does not go through to the end has few others behind it
        period = words.find(first, period + 1, half + len(first))
        if period < 1 or words.startswith(words[period:]):
            return period > 0
    return False


def join(text: str, more: str, *, held: str = "") -> str:
    """`text` (which ends with `held`) and what of `more` is new."""
    if held and more.startswith(held):
        return text + more[len(held) :]
    telling = _telling(held)
    for start, fenced in _readings(more):
        if not fenced and not _is_remark(more[:start], text, telling=telling):
            continue
        reading = more[start:]
        known = _known(text, reading, held)
        if known is None and (not start or _CONTINUES.match(more, 0, start)):
            known = _cut_again(text, reading)
        if known is not None:
            joined = text + reading[known:]
            return _without_spare_fence(text, joined) if fenced else joined
    remark = next((end for end in _remarks(more) if _stands_apart(more[:end])), 0)
    more = more[remark:]
    opener = _OPENER.match(more)
    if opener and opener[2] and open_fence(text)[:3] == opener[1][:3]:
        return _without_spare_fence(text, text + more[opener.end() :])
    return text + more


def _is_remark(words: str, text: str, *, telling: bool) -> bool:
    """Whether they may be left out, as the held words come after them: nothing of a remark stands in the text."""
    if not words or _CONTINUES.match(words):
        return True
    return telling and not any(line.strip() in text for line in words.strip().split("\n"))


def _stands_apart(words: str) -> bool:
    """Whether they say that they continue, and can be no line of the text itself: "continued his round." is one."""
    said = words.strip().strip("*_([])").rstrip()
    apart = said.endswith((":", "：", "…", "...")) or words.endswith("\n\n") or len(said.split()) == 1
    return apart and bool(_CONTINUES.match(words)) and not _TELLS.match(words)


def _readings(more: str) -> Iterator[tuple[int, bool]]:
    """Where the continuation proper may begin, and whether a fence's opening line is left out by that."""
    for start in (0, *_remarks(more)):
        if opener := _OPENER.match(more, start):
            yield opener.end(), True
        yield start, False


def _remarks(more: str) -> Iterator[int]:
    """The ends of what may be a remark in front: the words before a colon, or one or two lines."""
    if inline := _INLINE.match(more):
        yield inline.end()
    end = 0
    for _ in range(2):
        line = _LINE.match(more, end)
        if line is None:
            break
        if line[1].rstrip("*_)] ")[-1:] not in set(":：.!…") and "continu" not in line[1].lower():
            break
        end = line.end()
        yield end


def _known(text: str, more: str, held: str) -> int | None:
    """How much of the beginning of `more` stands in `text` already; None when nothing shows that any does."""
    bare = held.lstrip()
    if bare and (len(bare) >= TELLING // 2 or held == text) and more.lstrip().startswith(bare):
        return len(more) - len(more.lstrip()) + len(bare)
    if held.strip() and (end := _same_words(held, more)):
        return end
    if len(text) >= TELLING and more.startswith(text) and not _repeats(text):
        return len(text)
    return _overlap(text, more, held) or _restarted(text, more)


def _same_words(held: str, more: str) -> int:
    """Where `held` ends at the beginning of `more` when only letters and digits count; 0 when it does not."""
    wanted = _letters(held)
    if len(wanted) < TELLING * 3 // 4 or _repeats("".join(wanted)):
        return 0
    place, end = 0, 0
    for offset, char in enumerate(more[: 2 * len(held) + 200]):
        for one in char.casefold():
            if one.isalnum():
                if place == len(wanted) or one != wanted[place]:
                    return 0 if place < len(wanted) else _after_marks(held, more, end)
                place, end = place + 1, offset + 1
    return _after_marks(held, more, end) if place == len(wanted) else 0


def _after_marks(held: str, more: str, end: int) -> int:
    """Past the marks and blanks which `held` ends with and `more` repeats."""
    marks = re.search(r"[\W_]*\Z", held)
    tail = marks[0] if marks else ""
    return end + next(size for size in range(len(tail), -1, -1) if tail.endswith(more[end : end + size]))


def _overlap(text: str, more: str, held: str) -> int:
    """The shortest telling end of `text` that `more` begins with."""
    tail = text[-SEARCHED:]
    probe = more[:OVERLAP]
    at = len(tail)
    for _ in range(200):
        at = tail.rfind(probe, 0, at + OVERLAP - 1) if len(probe) == OVERLAP else -1
        if at < 0:
            return 0
        shared = tail[at:]
        if more.startswith(shared) and not _may_be_meant(tail[:at], shared, held):
            return len(shared)
    return 0


def _cut_again(text: str, more: str) -> int | None:
    """The length of the line, else of the word, that was cut, where `more` begins with that and goes on."""
    line = text[-HELD:].rpartition("\n")[2]
    whole = len("".join(line.split())) >= AGAIN and any(map(str.isalpha, line)) and not _repeats(line)
    if whole and more.startswith(line):
        return len(line)
    word = _CUT_WORD.search(text)
    goes_on = word is not None and more.startswith(word[0]) and more[len(word[0]) : len(word[0]) + 1].isalpha()
    return len(word[0]) if word and goes_on else None


def _may_be_meant(before: str, shared: str, held: str) -> bool:
    """Whether the text itself may go on with what it has just said."""
    if _repeats(shared) or before.endswith(shared):
        return True
    if held and shared.endswith(held):
        return False
    bare = before.rstrip(" \t")
    if shared.rstrip(" \t").endswith("\n") and bare[-1:] in {"", "\n"}:
        return True
    begins = bare[-1:] in set("\n。！？：；") or (bare != before and bare[-1:] in set(".!?…:;"))
    return len(shared) < min(len(held), SURELY) and not begins


def _restarted(text: str, more: str) -> int | None:
    """For an answer that began again from the start: to where `text` ends in it, or all of it: nothing new."""
    if len(text) < RESTART or not more.startswith(text[:RESTART]) or _repeats(text[:RESTART]):
        return None
    ending = text[-2 * OVERLAP :]
    end = more.find(ending) + len(ending)
    is_same_place = more.count(ending) == 1 and 0.8 * len(text) <= end <= 1.25 * len(text)
    return end if is_same_place else len(more)


def open_fence(text: str) -> str:
    """The mark of the code fence that is open at the end of `text`, or ""."""
    mark = ""
    for one in _FENCE.finditer(text):
        ticks, info = one[1], one[2].strip()
        if not mark:
            mark = "" if ticks[0] == "`" and "`" in info else ticks
        elif ticks[0] == mark[0] and len(ticks) >= len(mark) and not info:
            mark = ""
    return mark


def _without_spare_fence(text: str, joined: str) -> str:
    """Without the closing line of a fence whose opening line was dropped."""
    last = re.search(r"\n?[ \t]*(?:`{3,}|~{3,})\s*\Z", joined)
    if last and last.start() >= len(text) and open_fence(joined) and not open_fence(joined[: last.start()]):
        return joined[: last.start()]
    return joined


def loops(text: str, size: int = 3000) -> bool:
    """Whether the last `size` characters are one piece of up to a tenth of that over and over."""
    tail = text[-size:]
    return len(tail) == size and any(tail.startswith(tail[period:]) for period in range(1, size // 10 + 1))


def closed(text: str) -> str:
    """A text that stays cut, with the fence or the table row that it ends in closed."""
    if mark := open_fence(text):
        return text + ("" if text.endswith("\n") else "\n") + mark
    row, above = ["", "", *text.split("\n")][:-3:-1]
    if not (row.lstrip().startswith("|") and above.lstrip().startswith("|")):
        return text
    return text + " |" * (above.count("|") - row.count("|"))
