"""DOCX: the paragraphs of a Word document, its headers, footers, notes and comments, and what its pictures say.

Word cuts a sentence into runs for reasons of its own. Runs that look alike are one; where a word looks otherwise, it
stands between `<r1>` and `</r1>`, a link, a control or what was inserted between `<a1>` and `</a1>`; tabs, notes, fields,
pictures, formulas and what was deleted are `<x1/>`. A paragraph that is translated gets runs of the same looks, without
the reading aids and break points of its old words; all else in the file stays."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from itertools import accumulate, groupby
from xml.sax.saxutils import escape

from taskkit.tasks.translate.formats.archive import pack, unpack
from taskkit.tasks.translate.formats.marks import apart
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.formats.wordalt import alternatives, said_otherwise
from taskkit.tasks.translate.formats.wordfields import Item, is_said, joined
from taskkit.tasks.translate.formats.wordruns import LOOKS, TAG, end_of
from taskkit.tasks.translate.segments import Group, Kind, Options, Segment

HEADING = re.compile(r'<w:pStyle\s+w:val="(?:(?:[Hh]eading|berschrift|Titre|Titolo|Ttulo|Kop|Rubrik)\s?(\d)|Title)"')
# What two runs may differ in and still look alike.
UNSEEN = re.compile(r'<w:(?:lang|noProof|proofErr|rFonts w:hint="\w+")\b[^>]*/>|\s+w:rsid\w*="[^"]*"')
DROPPED = frozenset({"w:lastRenderedPageBreak", "w:proofErr"})
MARKS = frozenset({
    "w:bookmarkStart", "w:bookmarkEnd", "w:commentRangeStart", "w:commentRangeEnd", "w:permStart", "w:permEnd",
    "w:moveFromRangeStart", "w:moveFromRangeEnd", "w:moveToRangeStart", "w:moveToRangeEnd",
    "w:del", "w:moveFrom", "m:oMath", "m:oMathPara",
})  # fmt: skip
TAKEN = frozenset({"w:pPr", "w:r", *MARKS})  # read as a whole
AROUND = frozenset({
    "w:hyperlink", "w:fldSimple", "w:ins", "w:moveTo", "w:sdt", "w:smartTag", "w:customXml", "w:bdo", "w:dir",
})  # fmt: skip
OF_AROUND = frozenset({"w:sdtPr", "w:sdtEndPr", "w:smartTagPr", "w:customXmlPr"})  # before what stands in it
LETTERS = {"w:noBreakHyphen": "\u2011", "w:softHyphen": ""}
BASE = re.compile(r"<w:rubyBase\b.*</w:rubyBase\s*>", re.DOTALL)
SAID = re.compile(r"<w:t\b[^>]*(?<!/)>([^<]*)")
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NUMBERED = frozenset({"w:p", "w:tbl", "w:hyperlink", "w:drawing", "w:pict", "w:tab", "w:br", "w:fldChar", "w:bookmarkStart",
    "w:bookmarkEnd", "w:instrText", "w:fldSimple", "w:footnoteReference", "w:endnoteReference", "w:commentReference", "w:sectPr", "w:sdt",
    "w:ins", "w:del", "w:moveFrom", "w:moveTo", "w:smartTag", "w:customXml", "m:oMath"})  # fmt: skip


def find(text: str, _options: Options) -> list[Segment]:
    found: list[Segment] = []
    path: list[tuple[int, str]] = []
    for style, items in _paragraphs(text):
        heading = HEADING.search(style)
        level = int(heading[1] or 1) if heading else 0
        context = tuple(title for depth, title in path if not level or depth < level)
        segments = [one for stretch in _stretches(items) for one in _segment(text, stretch, context, bool(level))]
        found += segments
        if level and segments:
            path = [one for one in path if one[0] < level]
            path.append((level, "".join(apart(segments[0].text, segments[0].keep)[::2])))
    return sorted([*found, *alternatives(text, found)], key=lambda one: one.start)


def _segment(text: str, items: list[Item], context: tuple[str, ...], heading: bool) -> Iterator[Segment]:
    start, end = items[0].start, items[-1].end
    said, marks, _ = _said(items)
    body = said.strip()
    if body:
        lead, _, tail = said.partition(body)
        kind: Kind = "heading" if heading else "paragraph"
        yield Segment("", start, end, text[start:end], body, context, kind, tuple(marks), style=f"{lead}\0{tail}")


def write(group: Group, _options: Options) -> str:
    """Raises ValueError where marks do not nest."""
    if any(FORBIDDEN.search(target) for _, target in group):
        raise ValueError("it has a character that no XML may have.")
    made = group[0][0].raw
    for segment, target in group:
        if segment.kind != "attribute" and target != segment.text:
            made = _written(segment, target)
    for segment, target in group:
        if segment.kind == "attribute" and target != segment.text:
            made = said_otherwise(made, segment, target)
    return made


def _written(segment: Segment, target: str) -> str:
    """A paragraph's text in the place of the one that it had."""
    lead, tail = segment.style.split("\0")
    ((_, items),) = _paragraphs(f"<w:p>{segment.raw}</w:p>")
    _, marks, base = _said([item for item in items if item.kind != "end"])
    looks, opened = [base], list[str]()
    written: list[str] = []
    for number, part in enumerate(apart(f"{lead}{target}{tail}", marks)):
        if number % 2 == 0:
            written += _run(part, looks[-1]) if part else ""
        elif part.startswith("</"):
            if not opened or opened.pop() != part[2:-1]:
                raise ValueError(f"{part} closes what is not open.")
            looks.pop()
            written.append(marks[part][0])
        else:
            raw, inside = marks[part]
            written.append(raw)
            if not part.endswith("/>"):
                opened.append(part[1:-1])
                looks.append(inside)
    if opened:
        raise ValueError(f"<{opened[-1]}> is never closed.")
    return "".join(written)


def _run(text: str, looks: str) -> str:
    return f'<w:r>{looks}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _said(items: list[Item]) -> tuple[str, dict[str, tuple[str, str]], str]:
    """What a reader sees, with marks; what each mark is written as, and the looks of the text in it; and the looks of
    the text around them."""
    base = _usual([item for item in items if item.kind == "text"])
    letters = _letters("".join(item.text for item in items if item.kind == "text"))
    marks: dict[str, tuple[str, str]] = {}
    parts: list[str] = []
    looks, opened = [base], list[str]()
    count = Counter[str]()
    for number, item in enumerate(items):
        if item.kind == "text":
            if _alike(item.looks, looks[-1]) or not item.text.strip():
                parts.append(item.text)
                continue
            if (
                parts
                and parts[-1] in marks
                and parts[-1].startswith(f"</{letters[0]}")
                and _alike(marks[parts[-1]][1], item.looks)
            ):
                parts[-1:] = [item.text, parts[-1]]  # it goes on
                continue
            count["r"] += 1
            name = f"{letters[0]}{count['r']}"
            marks |= {f"<{name}>": ("", item.looks), f"</{name}>": ("", item.looks)}
            parts += f"<{name}>", item.text, f"</{name}>"
        elif item.kind == "mark":
            count["x"] += 1
            marks[f"<{letters[1]}{count['x']}/>"] = (item.text, "")
            parts.append(f"<{letters[1]}{count['x']}/>")
        elif item.kind == "open":
            count["a"] += 1
            inside = [one for one in items[number + 1 : _close(items, number)] if one.kind == "text"]
            looks.append(_usual(inside))
            name = f"{letters[2]}{count['a']}"
            marks |= {f"<{name}>": (item.text, looks[-1]), f"</{name}>": (items[_close(items, number)].text, "")}
            opened.append(name)
            parts.append(f"<{name}>")
        elif item.kind == "close":
            looks.pop()
            parts.append(f"</{opened.pop()}>")
    return "".join(parts), marks, base


def _letters(text: str) -> tuple[str, ...]:
    """Names of marks that the text has none of."""
    width = 1
    while any(f"<{letter * width}" in text or f"</{letter * width}" in text for letter in "rxa"):
        width += 1
    return tuple(letter * width for letter in "rxa")


def _usual(texts: list[Item]) -> str:
    """The looks that most of the text has."""
    count = Counter[str]()
    for item in texts:
        count[item.looks] += len(item.text.strip())
    return count.most_common(1)[0][0] if count else ""


def _alike(one: str, other: str) -> bool:
    return _seen(one) == _seen(other)


def _seen(looks: str) -> str:
    left = UNSEEN.sub("", looks)
    return "" if re.fullmatch(r"(?:<w:rPr\b[^>]*>\s*</w:rPr>|<w:rPr\s*/>)?", left) else left


def _close(items: list[Item], at: int) -> int:
    """Where the one that opens there is closed; -1 where it is not."""
    depth = 0
    for number in range(at, len(items)):
        depth += (items[number].kind == "open") - (items[number].kind == "close")
        if not depth:
            return number
    return -1


def _stretches(items: list[Item]) -> Iterator[list[Item]]:
    """What may be one text: from the first to the last that is said, links whole."""
    stretch: list[Item] = []
    for item in [*items, Item("end", 0, 0)]:
        if item.kind != "end":
            stretch.append(item)
            continue
        depths = [*accumulate((one.kind == "open") - (one.kind == "close") for one in stretch)]
        if not stretch or (depths[-1] == 0 and min(depths) == 0):
            yield from _trimmed(stretch)
        else:  # something in a link ends the text
            for is_tag, part in groupby(stretch, key=lambda one: one.kind in {"open", "close"}):
                yield from () if is_tag else _trimmed([*part])
        stretch = []


def _trimmed(stretch: list[Item]) -> Iterator[list[Item]]:
    """Without marks at its ends, unless they are of a run with text, and without what stands around all of it."""
    while stretch:
        if stretch[0].kind == "open":
            closed = _close(stretch, 0)
            if closed == len(stretch) - 1:
                stretch = stretch[1:-1]
                continue
            if all(one.kind != "text" for one in stretch[: closed + 1]):
                stretch = stretch[closed + 1 :]
                continue
        if stretch[0].kind == "mark" and (len(stretch) == 1 or stretch[0].end <= stretch[1].start):
            stretch = stretch[1:]
        elif stretch[-1].kind == "mark" and stretch[-2].end <= stretch[-1].start:
            stretch = stretch[:-1]
        else:
            break
    if any(one.kind == "text" for one in stretch):
        yield stretch


def _paragraphs(text: str) -> Iterator[tuple[str, list[Item]]]:
    """Each with its properties; those of a text box before the one that it hangs on."""
    opened: list[tuple[str, list[Item]]] = []
    tags = [*TAG.finditer(text)]
    at = 0
    while at < len(tags):
        tag = tags[at]
        name, closing, void = tag["name"], bool(tag["slash"]), bool(tag["void"])
        if name == "w:p" and closing:
            style, items = opened.pop()
            yield style, joined(text, items)
        elif name == "w:p" and not void:
            opened.append(("", []))
        elif opened and name:
            at = _inside(text, tags, at, opened)
        at += 1


def _inside(text: str, tags: list[re.Match[str]], at: int, opened: list[tuple[str, list[Item]]]) -> int:
    """Note what a tag in a paragraph begins; gives the last tag that this took."""
    tag, name, (_, items) = tags[at], tags[at]["name"], opened[-1]
    is_field = name == "w:fldSimple" and not tag["slash"] and not is_said(tag[0])
    last = end_of(tags, at) if name in TAKEN or is_field else at
    start, end = tag.start(), tags[last].end()
    whole = text[start:end]
    if name == "w:pPr":
        opened[-1] = (whole, items)
    elif name == "w:r" and "<w:fldChar" in whole and not re.search(r"<w:(?:p|t)[ >]", whole):
        items.append(Item("field", start, end, whole))
    elif name == "w:r" and not tag["slash"] and not re.search(r"<w:p[ >]|<w:fldChar\b", whole):
        items += _contents(start, whole)
    elif name == "w:r" and re.search(r"<w:p[ >]", whole):  # a text box: on to its paragraphs
        items.append(Item("end", start, end))
        return at
    elif name in DROPPED:
        pass
    elif name in MARKS or is_field:
        items.append(Item("mark", start, end, whole))
    elif name in AROUND and not tag["void"] and not tag["slash"]:
        last = _opening(tags, at)
        items.append(Item("open", start, tags[last].end(), text[start : tags[last].end()]))
    elif name in AROUND and tag["slash"]:
        items.append(Item("close", start, end, whole))
    elif name == "w:sdtContent" and tag["slash"]:
        last = at + 1 if at + 1 < len(tags) and tags[at + 1]["name"] == "w:sdt" else at
        items.append(Item("close", start, tags[last].end(), text[start : tags[last].end()]))
    else:
        items.append(Item("end", start, end))
    return last


def _opening(tags: list[re.Match[str]], at: int) -> int:
    """The last tag of what opens there: a control's properties, and where its content begins."""
    last = at
    while (
        last + 1 < len(tags) and tags[last + 1]["name"] in {*OF_AROUND, "w:sdtContent"} and not tags[last + 1]["slash"]
    ):
        is_content = tags[last + 1]["name"] == "w:sdtContent"
        last = last + 1 if is_content else end_of(tags, last + 1)
        if is_content:
            break
    return last


def _contents(offset: int, run: str) -> Iterator[Item]:
    """The texts of a run, and whatever else is in it as a run of its own."""
    looks = LOOKS.search(run)
    style = looks[0] if looks else ""
    start, end = offset, offset + len(run)
    tags = [*TAG.finditer(run)]
    at = 1
    while at < len(tags) - 1:
        last = end_of(tags, at)
        name = tags[at]["name"]
        if name == "w:t":
            yield Item("text", start, end, unescape(run[tags[at].end() : tags[last].start()]), style)
        elif name in LETTERS:
            yield Item("text", start, end, LETTERS[name], style)
        elif name == "w:ruby" and (base := BASE.search(run, tags[at].start(), tags[last].end())):
            yield Item("text", start, end, unescape("".join(SAID.findall(base[0]))), style)
        elif name != "w:rPr" and name not in DROPPED:
            yield Item("mark", start, end, f"<w:r>{style}{run[tags[at].start() : tags[last].end()]}</w:r>")
        at = last + 1


def check(source: str, target: str) -> None:
    """Well formed, and with all that is not text."""
    from xml.etree import ElementTree as ET

    try:
        ET.fromstring(target)  # noqa: S314 - its source had no document type
    except ET.ParseError as error:
        raise ValueError(f"its XML is broken: {error}") from None
    before, after = (
        Counter(one["name"] for one in TAG.finditer(text) if one["name"] in NUMBERED) for text in (source, target)
    )
    for name in (before - after) or (after - before):
        raise ValueError(f"it has {after[name]} of <{name}> instead of {before[name]}.")


FORMAT = Format("docx", (".docx",), find, write, check=check, prose="text", reread=None, unpack=unpack, pack=pack)
