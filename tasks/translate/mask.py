"""Replace what must not be translated by opaque marks, and put it back afterwards.

A model sees a paragraph as one line of prose: marks like `⟦1⟧` for code, targets, tags and placeholders, a space
for each line end that only wraps. `unmask` turns its answer into source text again.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from taskkit.tasks.translate.patterns import IN_ORDER, LABEL, NUMBERED, TARGET, scanner
from taskkit.tasks.translate.segments import Problem, Prose
from taskkit.tasks.translate.wrap import joins_without_space, wrap

FENCES = ("⟦⟧", "⟪⟫", "⦃⦄", "⟬⟭")
TRAILING = ".,;:!?*_~'\")”’»…"


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` is for the model, `tokens[n - 1]` what the mark number n stands for, `source` the text it was.

    `breaks` are the line ends in `source` that only wrap, as spans, with the prefix of the next line."""

    text: str
    tokens: tuple[str, ...]
    source: str
    format: Prose
    fence: tuple[str, str]
    breaks: tuple[tuple[int, int], ...]
    translatable: bool

    def mark(self, number: int) -> str:
        return f"{self.fence[0]}{number}{self.fence[1]}"


def mask(text: str, format: Prose = "markdown", keep: tuple[str, ...] = ()) -> Masked:  # noqa: A002 - as in Masked
    """`keep` are strings that must come back as they are: `Segment.keep`, names that are not translated."""
    spans, softs = _protected(text, format, tuple(keep))
    fence = _fence(text)
    parts: list[str] = []
    tokens: list[str] = []
    at = 0
    for start, end, kept in sorted([*((*span, True) for span in spans), *((*span, False) for span in softs)]):
        parts.append(text[at:start])
        if kept:
            tokens.append(text[start:end])
            parts.append(f"{fence[0]}{len(tokens)}{fence[1]}")
        elif not joins_without_space(text[start - 1 : start], text[end : end + 1]):
            parts.append(" ")
        at = end
    shown = "".join([*parts, text[at:]])
    return Masked(shown, tuple(tokens), text, format, fence, tuple(softs), _has_words(shown))


def unmask(translated: str, masked: Masked) -> tuple[str, tuple[Problem, ...]]:
    """The answer with everything put back in, and what is wrong with its marks.

    Blanks inside a mark and marks in another order are taken as they come; equal tokens stand for each other."""
    parts = _marks(masked.fence).split(_marked(translated.strip(), masked))  # text, number, text, number, …, text
    numbers = [int(number) for number in parts[1::2]]
    problems = tuple(_problems("\0".join(parts[::2]), numbers, masked))
    parts[1::2] = [masked.mark(number) for number in numbers]
    if "".join(parts) == masked.text:
        return masked.source, problems
    for place, number in enumerate(numbers):
        at = 2 * place + 1
        if 1 <= number <= len(masked.tokens):
            parts[at] = masked.tokens[number - 1]
        if {"\n", "\r"} & {*parts[at]}:  # a line break on purpose: blanks around it only show in the source
            parts[at - 1], parts[at + 1] = parts[at - 1].rstrip(" \t"), parts[at + 1].lstrip(" \t")
    return wrap(parts, masked.source, masked.breaks), problems


def _marked(translated: str, masked: Masked) -> str:
    """Where a model wrote out what a mark stands for instead of the mark, the mark."""
    used = {int(number) for number in _marks(masked.fence).findall(translated)}
    for number, token in enumerate(masked.tokens, 1):
        if number in used or len(token) < 2 or token.isspace():
            continue
        start, end = (r"(?<!\w)" if token[0].isalnum() else "", r"(?!\w)" if token[-1].isalnum() else "")
        found = [*re.finditer(f"{start}{re.escape(token)}{end}", translated)]
        if len(found) == 1:
            translated = translated[: found[0].start()] + masked.mark(number) + translated[found[0].end() :]
    return translated


def _marks(fence: tuple[str, str]) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(fence[0])}\s{{0,9}}(\d{{1,6}})\s{{0,9}}{re.escape(fence[1])}")


def _problems(text: str, numbers: list[int], masked: Masked) -> Iterator[Problem]:
    tokens = masked.tokens
    used = Counter(numbers)
    known = [number for number in numbers if 1 <= number <= len(tokens)]
    for number in sorted(used.keys() - {*known}):
        yield Problem("token_invented", f"{masked.mark(number)} is not in the source; leave it out.")
    wanted, got = Counter(tokens), Counter(tokens[number - 1] for number in known)
    for number, token in enumerate(tokens, 1):
        if not used[number] and got[token] < wanted[token]:
            yield Problem("token_missing", f"{masked.mark(number)} is missing; it must occur once.", mark=number)
        if used[number] > 1 and got[token] > wanted[token]:
            yield Problem("token_duplicated", f"{masked.mark(number)} must occur once only.")
    if any(half in text for half in masked.fence):
        yield Problem("token_broken", f"Write marks exactly like {masked.mark(1)}, and only those of the source.")
    before, after = _numbered(tokens), _numbered(tokens[number - 1] for number in known)
    if before != after and Counter(before) == Counter(after):
        yield Problem("token_swapped", f"{', '.join(before)} come in another order.", "warning")
    before, after = _in_order(tokens), _in_order(tokens[number - 1] for number in known)
    if before != after and Counter(before) == Counter(after):
        yield Problem("token_order", f"{', '.join(before)} are filled in by position and must keep their order.")


def _in_order(tokens: Iterable[str]) -> list[str]:
    return [found for token in tokens if not IN_ORDER.sub("", token) for found in IN_ORDER.findall(token)]


def _numbered(tokens: Iterable[str]) -> list[str]:
    return [found for token in tokens for found in NUMBERED.findall(token)]


def _has_words(text: str) -> bool:
    return bool(re.search(r"[A-Za-z]{2}", text)) or any(one.isalpha() and not one.isascii() for one in text)


def _fence(text: str) -> tuple[str, str]:
    for width in count(1):
        for left, right in map(tuple, FENCES):
            if left * width not in text and right * width not in text:
                return left * width, right * width
    raise AssertionError("a text is finite")


def _protected(text: str, form: Prose, keep: tuple[str, ...]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Spans to mask, joined where they touch, and the line ends that only wrap; all apart from each other."""
    spans: list[tuple[int, int]] = []
    softs: list[tuple[int, int]] = []
    opened: list[int] = []
    fences = _Fences(text)
    pattern, at = scanner(form, keep), 0
    while match := pattern.search(text, at):
        start, at = match.span()
        if match["soft"] is not None:
            softs.append((start, at))
        elif form != "markdown":
            at = _address_end(text, match)
            spans.append((start, at))
        elif match["ticks"]:
            closed = fences.close(at, len(match["ticks"]))
            if closed:
                at = closed
                spans.append((start, at))
        elif match["open"]:
            opened.append(start)
        elif match["close"]:
            at = _link(text, opened.pop(), at, spans, softs) if opened else at
        else:
            at = _address_end(text, match)
            spans.append((start, at))
    return _joined(spans), softs


def _link(text: str, opened: int, at: int, spans: list[tuple[int, int]], softs: list[tuple[int, int]]) -> int:
    """Protect the target or label that follows a `]`; the offset to go on from."""
    target = TARGET.match(text, at)
    if target:
        if target["target"]:
            spans.append(target.span("target"))
        return target.end("target")
    label = LABEL.match(text, at)
    if label and label["label"]:
        spans.append(label.span("label"))
    elif label:  # `[text][]`: the text is the label
        for found in (spans, softs):
            while found and found[-1][0] >= opened:
                found.pop()
        spans.append((opened, label.end()))
    return label.end() if label else at


def _address_end(text: str, match: re.Match[str]) -> int:
    """A bare address without the punctuation of the sentence around it."""
    if not match["address"]:
        return match.end()
    start, end = match.span()
    depth = text.count(")", start, end) - text.count("(", start, end)
    while end > start + 1 and text[end - 1] in TRAILING:
        if text[end - 1] == ")":
            if depth <= 0:
                break
            depth -= 1
        end -= 1
    return end


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


class _Fences:
    """Where runs of backticks of each length are, so that a search for the closing one never starts over."""

    def __init__(self, text: str) -> None:
        self.runs: dict[int, list[int]] = {}
        for match in re.finditer(r"`+", text):
            self.runs.setdefault(len(match[0]), []).append(match.start())

    def close(self, at: int, length: int) -> int:
        """The end of the code span whose content begins at `at`; 0 when nothing closes it."""
        runs = self.runs.get(length, [])
        index = bisect_left(runs, at)
        return runs[index] + length if index < len(runs) else 0
