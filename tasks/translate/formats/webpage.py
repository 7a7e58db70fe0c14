"""HTML: what is read on a page, a block at a time, and the attributes that are read out or shown.

Tags within a sentence are marks of it; scripts, styles, code, preformatted text and what says `translate="no"` stay."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape, unescape

from taskkit.tasks.translate.formats.events import Event, events_of
from taskkit.tasks.translate.formats.marks import apart
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.languages import spelt
from taskkit.tasks.translate.segments import Group, Kind, Options, Segment, trim

INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "br",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "mark",
        "math",
        "nobr",
        "output",
        "q",
        "ruby",
        "rb",
        "rp",
        "rt",
        "rtc",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "svg",
        "textpath",
        "time",
        "tspan",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
LEFT = frozenset(["code", "kbd", "math", "pre", "samp", "script", "style", "svg", "tt", "var"])
SHOWN = frozenset(
    ["alt", "title", "placeholder", "aria-label", "aria-description", "aria-placeholder", "aria-roledescription"]
)
LABELLED = frozenset({"option", "optgroup", "track"})
APART = frozenset({"void", "other", "left"})  # nothing in a sentence belongs to it
BUTTONS = frozenset({"button", "submit", "reset"})
DESCRIBED = frozenset(
    [
        "description",
        "og:title",
        "og:description",
        "og:site_name",
        "og:image:alt",
        "twitter:title",
        "twitter:description",
    ]
)
ATTRIBUTE = re.compile(r"""\s([^\s=>"'/]+)\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)""")
TEXT = re.compile(r"<text\b", re.IGNORECASE)
PAGE = re.compile(r"""<html\b(?:\s[^\s=>"'/]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)|[^>"'])*>""", re.IGNORECASE)
SPEAKS = re.compile(r"""(\s(?:xml:)?lang\s*=\s*["']?)[A-Za-z]{2,3}(?:[-_]\w+)*""", re.IGNORECASE)
SPACE = re.compile(r"&(?:nbsp|ensp|emsp|thinsp|#0{0,4}160|#[xX]0{0,4}[aA]0);")
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,32});?")
STAYS = re.compile(r"&(?:lt|gt|#0*6[02]|#[xX]0*3[cCeE]);?|&(?:amp|#0*38);?#?\w{1,32};", re.IGNORECASE)


def find(text: str, _options: Options) -> list[Segment]:
    found: list[Segment] = []
    path: list[tuple[int, str]] = []
    for block, events in _runs(events_of(text), text):
        context = tuple(title for _, title in path)
        segments = list(_run(text, events, block, context)) if events else []
        found += segments
        level = int(block[1]) if re.fullmatch(r"h[1-6]", block) else 0
        if level and segments:
            path = [one for one in path if one[0] < level]
            path.append((level, " ".join(re.sub(r"<[^<>]*>", "", segments[0].text).split())))
    return found


def stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where the texts of its blocks stand, also in a piece of a page: a sentence or so with the tags in it."""
    for _, events in _runs(events_of(text), text):
        inner, _ = _stripped(text, events)
        if inner:
            yield _bare(text, inner[0].start, inner[-1].end)


def said_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the attributes stand, names and all, that people see or hear."""
    for event in events_of(text):
        for start, end in _shown(text, event):
            name = re.search(r"[^\s=]+\s*=\s*\Z", text[event.start : start])
            if name:
                yield event.start + name.start(), end


def unsaid(text: str) -> str:
    """With nothing in the attributes that people see or hear."""
    for start, end in sorted(said_in(text), reverse=True):
        text = f"{text[:start]}{text[start:end].partition('=')[0]}=…{text[end:]}"
    return text


def _run(text: str, events: list[Event], block: str, context: tuple[str, ...]) -> Iterator[Segment]:
    """A sentence or so with the tags in it; those attributes that stand inside are written together with it."""
    events, outside = _stripped(text, events)
    for event in outside:
        yield from (_attribute(text, event, *span, *span, context) for span in _shown(text, event))
    if not events:
        return
    start, end = _bare(text, events[0].start, events[-1].end)
    raw = text[start:end]
    kind: Kind = "heading" if re.fullmatch(r"h[1-6]", block) else "list-item" if block == "li" else "paragraph"
    said, keep = _read(raw)
    yield Segment("", start, end, raw, said, context, kind, keep, key=block)
    for event in events:
        yield from (_attribute(text, event, *span, start, end, context) for span in _shown(text, event))


def _attribute(
    text: str, event: Event, begin: int, finish: int, start: int, end: int, context: tuple[str, ...]
) -> Segment:
    """The value at [begin, finish), quotes included, which is written with the stretch [start, end)."""
    value = text[begin:finish]
    said = unescape(value[1:-1] if value[:1] in {'"', "'"} else value)
    return Segment(
        "", start, end, text[start:end], " ".join(said.split()), context, "attribute",
        key=f"{event.name}@", style=f"{begin - start}:{finish - start}",
    )  # fmt: skip


def write(group: Group, _options: Options) -> str:
    raw = group[0][0].raw
    changes: list[tuple[int, int, str]] = []
    for segment, target in group:
        if segment.kind == "attribute" and target != segment.text:
            begin, finish = map(int, segment.style.split(":"))
            quote = raw[begin] if raw[begin] in {'"', "'"} else '"'
            value = escape(target, quote=False).replace(quote, "&quot;" if quote == '"' else "&#39;")
            changes.append((begin, finish, f"{quote}{value}{quote}"))
    text = next((target for segment, target in group if segment.kind != "attribute" and target != segment.text), None)
    if text is None:
        return _changed(raw, 0, changes)
    marks = _marks(raw)
    written: list[str] = []
    for number, part in enumerate(apart(text, [_mark(raw, event) for event in marks])):
        if number % 2 == 0:
            written.append(_escaped(part, raw))
            continue
        same = [event for event in marks if _mark(raw, event) == part]
        event = same[0]
        if len(same) > 1:
            marks.remove(event)
        inside = [change for change in changes if event.start <= change[0] < event.end]
        written.append(_changed(raw[event.start : event.end], event.start, inside))
    return "".join(written)


def _changed(raw: str, offset: int, changes: list[tuple[int, int, str]]) -> str:
    for begin, finish, value in sorted(changes, reverse=True):
        raw = raw[: begin - offset] + value + raw[finish - offset :]
    return raw


def _escaped(text: str, like: str) -> str:
    safe = escape(text, quote=False)
    return safe.replace("\xa0", "&nbsp;") if "\xa0" not in like else safe


def _read(raw: str) -> tuple[str, tuple[str, ...]]:
    """What a reader sees, with the tags as they stand; and what has to stay of it."""
    parts: list[str] = []
    at = 0
    marks = _marks(raw)
    for event in marks:
        parts += _plain(raw[at : event.start]), _mark(raw, event)
        at = event.end
    said = "".join([*parts, _plain(raw[at:])])
    return said, tuple(dict.fromkeys(_mark(raw, event) for event in marks))


def _mark(raw: str, event: Event) -> str:
    """A tag as it stands in the text: without what is translated of it by itself."""
    return _changed(raw[event.start : event.end], event.start, [(*span, '"…"') for span in _shown(raw, event)])


def _plain(raw: str) -> str:
    return ENTITY.sub(lambda one: unescape(one[0]), raw)


def _marks(raw: str) -> list[Event]:
    """Tags, whole elements that stay, comments, and entities without which a text would look like a tag."""
    marks: list[Event] = []
    skipping: list[str] = []
    for event in events_of(raw):
        left = skipping or (event.kind == "start" and _stays(raw, event))
        if left:
            if not skipping:
                marks.append(event)
            marks[-1] = marks[-1]._replace(end=event.end)
            _count(skipping, event)
        elif event.kind == "text":
            found = STAYS.finditer(raw, event.start, event.end)
            marks += [Event("other", "", *one.span()) for one in found]
        else:
            marks.append(event)
    return marks


def _runs(events: list[Event], text: str) -> Iterator[tuple[str, list[Event]]]:
    """The pieces between the tags of blocks, each with the name of its block; and those tags."""
    run: list[Event] = []
    block, skipping = "", list[str]()
    for event in events:
        if skipping:
            if run and run[-1].kind == "left":
                run[-1] = run[-1]._replace(end=event.end)
            _count(skipping, event)
            continue
        tag = event.kind in {"start", "end", "void"}
        says = event.name == "svg" and (event.kind == "end" or _says(text, event))
        if tag and (event.name not in INLINE or says):
            yield block, run
            run = []
            block = event.name if event.kind == "start" else ""
            if event.kind != "end":
                yield "", [event]
        elif event.kind != "other" or run:
            run.append(event)
        if event.kind == "start" and _stays(text, event):
            _count(skipping, event)
            if event.name in INLINE and event.name not in {"script", "style"}:
                run[-1] = event._replace(kind="left")
    yield block, run


def _says(text: str, event: Event) -> bool:
    """Of a drawing, whether it has texts."""
    end = text.find("</svg", event.end)
    return bool(TEXT.search(text, event.end, end if end >= 0 else len(text)))


def _count(skipping: list[str], event: Event) -> None:
    """Go in and out of an element that stays."""
    if event.kind == "start" and (not skipping or event.name == skipping[0]):
        skipping.append(event.name)
    elif event.kind == "end" and skipping and event.name == skipping[0]:
        skipping.pop()


def _stays(text: str, event: Event) -> bool:
    if event.name in LEFT and not (event.name == "svg" and _says(text, event)):
        return True
    said = dict(_attributes(text, event))
    return said.get("translate", "").lower() == "no" or "notranslate" in said.get("class", "").split()


def _stripped(text: str, events: list[Event]) -> tuple[list[Event], list[Event]]:
    """Without blanks, and without tags and elements at either end that belong to nothing inside; and those."""
    inner, outside = [*events], list[Event]()
    while inner:
        first, last = inner[0], inner[-1]
        if first.kind != "text" and not _words(text, inner):
            return [], [*outside, *inner]
        if (first.kind == "text" and _is_blank(text, first)) or first.kind in APART:
            outside.append(inner.pop(0))
        elif (last.kind == "text" and _is_blank(text, last)) or last.kind in APART:
            outside.append(inner.pop())
        elif first.kind == "start" and _closing(inner) == len(inner) - 1:
            outside += inner.pop(0), inner.pop()
        else:
            break
    return inner, outside


def _is_blank(text: str, event: Event) -> bool:
    return not unescape(text[event.start : event.end]).strip()


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blanks at its ends, however they are written."""
    start, end = trim(text, start, end)
    while found := SPACE.match(text, start, end):
        start, end = trim(text, found.end(), end)
    while (at := text.rfind("&", max(start, end - 12), end)) >= 0 and SPACE.fullmatch(text, at, end):
        start, end = trim(text, start, at)
    return start, end


def _closing(events: list[Event]) -> int:
    """Where the first one's element ends; -1 when it does not."""
    depth = 0
    for number, event in enumerate(events):
        if event.name == events[0].name and event.kind in {"start", "end"}:
            depth += 1 if event.kind == "start" else -1
            if not depth:
                return number
    return -1


def _words(text: str, events: list[Event]) -> bool:
    return any(event.kind == "text" and not _is_blank(text, event) for event in events)


def _shown(text: str, event: Event) -> Iterator[tuple[int, int]]:
    """Where the values of a tag are that people see or hear."""
    if event.kind not in {"start", "void"}:
        return
    said = dict(_attributes(text, event))
    if said.get("translate", "").lower() == "no":
        return
    for match in ATTRIBUTE.finditer(text, event.start, event.end):
        name = match[1].lower()
        shown = name in SHOWN or (name == "label" and event.name in LABELLED)
        shown |= name == "value" and event.name == "input" and said.get("type", "").lower() in BUTTONS
        about = {said.get("name", "").lower(), said.get("property", "").lower()}
        shown |= name == "content" and event.name == "meta" and bool(about & DESCRIBED)
        if shown and match[2].strip("\"' \t\r\n"):
            yield match.span(2)


def _attributes(text: str, event: Event) -> Iterator[tuple[str, str]]:
    for match in ATTRIBUTE.finditer(text, event.start, event.end):
        yield match[1].lower(), unescape(match[2].strip("\"'"))


def _seen(text: str) -> list[str]:
    return unescape(text).split()


def check(source: str, target: str) -> None:
    """The same tags, as often."""
    before, after = (Counter((one.kind, one.name) for one in events_of(text) if one.name) for text in (source, target))
    for kind, name in (before - after) or (after - before):
        raise ValueError(f"it has not as many {'ends of ' if kind == 'end' else ''}<{name}> as before.")


def complete(_source: str, target: str, _groups: Sequence[Group], options: Options) -> str:
    """With the language that the page is in now, where it said one."""
    page = PAGE.search(target) if options.to else None
    return (
        target
        if page is None
        else target[: page.start()] + SPEAKS.sub(rf"\g<1>{spelt(options.to)}", page[0]) + target[page.end() :]
    )


FORMAT = Format(
    "html", (".html", ".htm", ".xhtml"), find, write, prose="text", check=check, complete=complete, reread=_seen
)
