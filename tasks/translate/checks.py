"""What can be said of a translation without knowing either language."""

import re
from collections import Counter
from collections.abc import Iterator

from taskkit.tasks.translate.formats import catalogue
from taskkit.tasks.translate.formats.blocks import parse_blocks, parser
from taskkit.tasks.translate.formats.subtitles import JOINT, visible
from taskkit.tasks.translate.mask import Masked, mask
from taskkit.tasks.translate.patterns import ACCELERATOR, TAG, placeholders
from taskkit.tasks.translate.scripts import is_wide, script, written_in
from taskkit.tasks.translate.segments import Problem, Prose, Segment
from taskkit.tasks.translate.structure import UNORDERED, WARNINGS, bones, difference

ONE_LINE = {"heading", "table-cell", "title", "front-matter"}
OPENER = re.compile(
    r"\W*(?:sure|certainly|of course|absolutely|okay|ok|here(?:'s|’s| is| are)|below is|the (?:following|translat)"
    r"|(?:\w+ )?translat(?:ion|ed)|i have|i've|voici|bien sûr|traduction|hier ist|natürlich|gerne|übersetzung"
    r"|aquí|por supuesto|claro|traducción|ecco|certo|traduzione|aqui|tradução|hier is|vertaling|вот|конечно|перевод"
    r"|以下|这是|当然|好的|翻译|はい|翻訳|네|다음은|번역)",
    re.IGNORECASE,
)
ABOUT_TRANSLATING = re.compile(
    r"translat|tradu[czi]|übersetz|vertaal|vertaling|перев[оеё]|翻译|翻譯|译文|翻訳|번역", re.IGNORECASE
)
REFUSAL = re.compile(r"\W*(?:as an ai\b|i(?:'m|’m| am) (?:sorry|unable|not able)|i can(?:no|'|’)t\b)", re.IGNORECASE)
LOOP = re.compile(r"(.{2,80}?)\1{5,}", re.DOTALL)
LONGEST_LABEL = 60  # characters of a text in which `&` or `_` marks a shortcut
TAIL = 1500
LONGEST_PARSE = 20_000  # characters; a longer segment is split by the task before it is sent
LINE_END = re.compile(r"[ \t]*(?:\r\n?|\n)[ \t>]*")
WORD = re.compile(r"[^\W\d_]{2,}")
PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")


def check_segment(segment: Segment, target: str, masked: Masked, to: str = "") -> tuple[Problem, ...]:
    """Problems of `target`, which `unmask` gave for `masked`. `to` is a language tag such as `de` or `zh-TW`."""
    source = segment.text
    if not target.strip():
        return (Problem("empty", "The translation is empty."),)
    found = [*_copied(source, target, masked, to), *_talk(source, target), *_size(source, target)]
    found += [*_lines(segment, target), *_placeholders(source, target)]
    if max(len(source), len(target)) <= LONGEST_PARSE:
        found += _tags(segment, target)
        found += _markers(segment, target) if masked.format == "markdown" else ()
    if masked.format == "string":
        found += _accelerator(source, target)
    if segment.kind == "cue":
        found += _cue(segment, target)
    return tuple(found)


def check_document(source: str, target: str, form: str) -> list[Problem]:
    """What differs in structure between a document and its translation, by the name of their format."""
    if form == "po":
        return catalogue.problems(source, target)
    if form not in {"text", "markdown"}:  # a format that looks after itself
        return []
    prose: Prose = "markdown" if form == "markdown" else "text"
    before, after = bones(source, prose), bones(target, prose)
    problems: list[Problem] = []
    for aspect in {**before, **after}:
        text = difference(before.get(aspect, []), after.get(aspect, []), ordered=aspect not in UNORDERED)
        if text:
            code = aspect.replace(" ", "_")
            problems.append(
                Problem(code, f"Not as in the source: {aspect}: {text}.", "warning" if aspect in WARNINGS else "error")
            )
    return problems


def _copied(source: str, target: str, masked: Masked, to: str) -> Iterator[Problem]:
    shown = _letters(masked)
    if is_short(shown):
        return
    if " ".join(source.casefold().split()) == " ".join(target.casefold().split()):
        yield Problem("untranslated", "This is the source text, not a translation.")
        return
    wanted, was, now = written_in(to), script(shown), script(_letters(mask(target, masked.format)))
    if wanted and was not in wanted and now == was:
        yield Problem("script", f"This is still written in {now} letters.")


def is_short(text: str) -> bool:
    """A word or two, or three that look like a name: what may be the same in another language."""
    words = WORD.findall(text)
    if any(map(is_wide, text[:1000])):
        return len(words) + sum(map(is_wide, text[:1000])) < 3
    is_name = len(words) == 3 and all(word[0].isupper() for word in words if len(word) > 3 or word is words[-1])
    return len(words) < 3 or is_name


def _letters(masked: Masked) -> str:
    return re.sub(rf"{re.escape(masked.fence[0])}\d+{re.escape(masked.fence[1])}", " ", masked.text)


def _talk(source: str, target: str) -> Iterator[Problem]:
    head = target[:120]
    if ABOUT_TRANSLATING.search(head) and OPENER.match(target) and not ABOUT_TRANSLATING.search(source):
        yield Problem("preface", "Give the translation alone, without a word about it.")
    elif REFUSAL.match(target) and not REFUSAL.match(source):
        yield Problem("refusal", "This is an excuse, not a translation.")
    elif target.startswith("```") and not source.startswith("```"):
        yield Problem("preface", "Give the translation without a code fence around it.")
    elif len(target) > 1 and target[0] == target[-1] == '"' and not source.startswith(('"', "“", "„", "«", "「")):
        yield Problem("quoted", "Give the translation without quotation marks around it.")


def _size(source: str, target: str) -> Iterator[Problem]:
    was, now = _weight(source), _weight(target)
    if now > 3 * was + 30:  # 30: a word of a heading, or ATM, may take a phrase
        yield Problem("long", "The translation is far longer than the source.")
    elif was > 120 and now < 0.25 * was:
        yield Problem("short", "The translation is far shorter than the source; translate all of it.")
    if LOOP.search(target[-TAIL:].rstrip()) and not LOOP.search(source[-TAIL:].rstrip()):
        yield Problem("loop", "The translation repeats itself.")


def _weight(text: str) -> int:
    return len(text) + 2 * sum(map(is_wide, text))


def _lines(segment: Segment, target: str) -> Iterator[Problem]:
    source = segment.text
    if len(LINE_END.findall(target)) > len(LINE_END.findall(source)):
        yield Problem("newline", "Keep it on one line: no new line ends.")
    if segment.kind == "table-cell" and len(PIPE.findall(target)) > len(PIPE.findall(source)):
        yield Problem("pipe", "A table cell must not contain |.")
    if segment.kind == "title":
        new = [mark for mark in '"]' if target.count(mark) > source.count(mark)]
        if new:
            yield Problem("quote", f"Leave out {' and '.join(new)} in this title.")


def _markers(segment: Segment, target: str) -> Iterator[Problem]:
    if segment.kind not in ONE_LINE and _blocks(segment.text) != _blocks(target):
        yield Problem("block", "The translation turns into another kind of block; begin it like the source.")
    before, after = _inline(segment.text), _inline(target)
    stray = [mark for mark in ("*", "_", "~~") if after[f"stray {mark}"] > before[f"stray {mark}"]]
    if stray:
        yield Problem("emphasis", f"{' and '.join(stray)} must come in pairs that touch the words they mark.")
    elif any(before[name] != after[name] for name in ("em_open", "strong_open", "s_open")):
        yield Problem("emphasis", "Mark the same words with * or ** as the source does.", "warning")
    if any(before[name] != after[name] for name in before | after if name.startswith("to ")):
        yield Problem("link", "Keep every link and image in the form [text](mark).")


def _blocks(text: str) -> list[str]:
    return [token.type for token in parse_blocks(LINE_END.sub("\n", text))[0]]


def _inline(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for token in parser().parseInline(LINE_END.sub("\n", text)):
        for child in token.children or []:
            found[child.type] += 1
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                found[f"to {target}"] += 1
            if child.type == "text":
                for mark in ("*", "_", "~~"):
                    found[f"stray {mark}"] += child.content.count(mark)
    return found


def _placeholders(source: str, target: str) -> Iterator[Problem]:
    """Those of the source can not be lost, since they are marks; but a model may make up another."""
    new = Counter(placeholders(target)) - Counter(placeholders(source))
    if new:
        yield Problem("placeholder", f"Leave out {next(iter(new))}: the source has no such placeholder there.")


def _accelerator(source: str, target: str) -> Iterator[Problem]:
    """The letter after it opens the menu or presses the button: one in, one out, before whatever letter."""
    before = ACCELERATOR.findall(source)
    if len(before) == 1 and len(source) < LONGEST_LABEL and target.count(before[0]) != 1:
        yield Problem("accelerator", f"Keep one {before[0]} before the letter that is the shortcut.")


def _cue(segment: Segment, target: str) -> Iterator[Problem]:
    if JOINT in segment.text and not all(visible(part).strip() for part in target.split(JOINT)):
        yield Problem("cue", "Words are needed before and after each mark that parts two subtitles.")


def _tags(segment: Segment, target: str) -> Iterator[Problem]:
    """Of a format that keeps its tags itself, those count; what else looks like one is text."""
    only = frozenset(one for one in segment.keep if TAG.fullmatch(one))
    if _nested(segment.text, only) and not _nested(target, only):
        yield Problem("tags", "Each opening tag must come before the closing tag that belongs to it.")


def _nested(text: str, only: frozenset[str]) -> bool:
    opened: list[str] = []
    for tag in TAG.finditer(text):
        if only and tag[0] not in only:
            continue
        if tag["slash"]:
            if not opened or opened.pop() != tag["name"].lower():
                return False
        elif not tag["void"] and tag["name"].lower() not in {"br", "img", "hr", "input", "wbr", "area", "col"}:
            opened.append(tag["name"].lower())
    return not opened
