"""PO and POT, gettext's catalogues: each message's translation goes into its `msgstr`, which keeps its place.

All plural forms of a message are written together, as many as the header declares, or as the language has where the
header speaks of another. A fuzzy translation that is made anew loses its mark and the older message. Comments and
obsolete entries stay."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from taskkit.tasks.translate.formats import header, icu
from taskkit.tasks.translate.formats.entries import FUZZY, SIMPLE, Entry, entries_of
from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.plurals import HEADER, note, of_header
from taskkit.tasks.translate.segments import Group, Options, Plural, Problem, Segment

WRITTEN = {"\\": "\\\\", '"': '\\"', **{text: f"\\{letter}" for letter, text in SIMPLE.items()}}
WIDTH = 77  # gettext's own, quotes included


@dataclass(frozen=True, slots=True)
class Head:
    """What a catalogue says of itself. `foreign`: another language than the one that is wanted; `free`: its plural rule
    is not one of that language, or nobody can tell and nothing follows it yet."""

    entry: Entry | None
    foreign: bool
    free: bool
    plurals: bool

    @property
    def text(self) -> str:
        return "" if self.entry is None else self.entry.said("msgstr")


def _head(entries: Sequence[Entry], to: str) -> Head:
    entry = next((one for one in entries if one.said("msgid") == "" and not one.said("msgctxt")), None)
    text = "" if entry is None else entry.said("msgstr")
    forms = [one for each in entries if "msgid_plural" in each.fields for one in each.strings().values()]
    foreign = header.is_foreign(text, to)
    unsure = not header.said(text) and not any(one.text for one in forms)
    return Head(entry, foreign, foreign or unsure or not HEADER.search(text), bool(forms))


def find(text: str, options: Options) -> list[Segment]:
    entries = list(entries_of(text))
    head = _head(entries, options.to)
    forms = of_header("" if head.free else head.text, options.to) or (() if head.foreign else of_header(head.text))
    how = ("wrap" if _wraps(text) else "", "foreign" if head.foreign else "")
    found: list[Segment] = []
    for entry in entries:
        if entry.said("msgid"):
            found += _branches(text, entry, options.to, how) or _segments(text, entry, forms, how)
    return found


def _branches(text: str, entry: Entry, to: str, how: tuple[str, str]) -> list[Segment]:
    """Of an ICU message its texts, where what stands there already is in the same cases, or nothing."""
    message, there = entry.said("msgid"), entry.said("msgstr")
    pieces = icu.pieces(message, to) if "msgid_plural" not in entry.fields and "msgstr" in entry.fields else []
    if not pieces:
        return []
    had = {} if how[1] else {one.path: one.text for one in icu.pieces(there, to)}
    if there.strip() and not how[1] and not entry.fuzzy and had.keys() != {one.path for one in pieces}:
        return []
    start, end = entry.mark if entry.fuzzy else entry.fields["msgstr"].start, entry.fields["msgstr"].end
    return [
        Segment(
            "", start, end, text[start:end], one.text, kind="branch", keep=one.keep, key=f"{entry.key}#{one.path}",
            note="\n".join(filter(None, (*_told(entry), one.note))), target=had.get(one.path, ""), stale=entry.fuzzy,
            plural=one.plural, style="\0".join((message, to, *how)),
        )
        for one in pieces
    ]  # fmt: skip


def _told(entry: Entry) -> list[str]:
    context = entry.said("msgctxt")
    return [*entry.notes, *([f"Context: {context}"] if context else [])]


def _segments(text: str, entry: Entry, forms: tuple[Plural, ...], how: tuple[str, str]) -> Iterator[Segment]:
    strings = entry.strings()
    singular = entry.said("msgid")
    start = entry.mark if entry.fuzzy else min(one.start for one in strings.values())
    end = max(one.end for one in strings.values())
    wanted: tuple[Plural | None, ...] = (None,)
    if "msgid_plural" in entry.fields:
        wanted = forms or tuple(Plural(index, len(strings)) for index in sorted(strings))
    for form in wanted:
        index = form.index if form else 0
        source = singular if form is None or _is_singular(form) else entry.said("msgid_plural")
        body = source.strip()
        if not body:
            continue
        lead, _, tail = source.partition(body)
        yield Segment(
            "", start, end, text[start:end], body, kind="string",
            key=f"{entry.key}[{index}]" if form else entry.key,
            note="\n".join(filter(None, (*_told(entry), note(form)))),
            target=strings[index].text.strip() if index in strings and not how[1] else "",
            stale=entry.fuzzy, plural=form, style="\0".join((lead, tail, *how)),
        )  # fmt: skip


def _is_singular(form: Plural) -> bool:
    return form.examples == (1,) or (form.index == 0 and not form.examples and form.of > 1)


def write(group: Group, _options: Options) -> str:
    first = group[0][0]
    raw = first.raw
    line_end = "\r\n" if "\r\n" in raw else "\n"
    head = "" if re.search(r"^[ \t]*msgid\b", raw, re.MULTILINE) else 'msgid "x"\n'
    (entry,) = entries_of(head + raw)
    strings = entry.strings()
    targets = {segment.plural.index if segment.plural else 0: (segment, target) for segment, target in group}
    if first.kind == "branch":
        targets = {0: _rebuilt(group)}
        first = targets[0][0]
    there = sorted(strings, key=lambda index: strings[index].start)
    at = strings[there[0]].start - len(head)
    parts = list(_unmarked(raw[:at])) if first.stale else [raw[:at]]
    of = first.plural.of if first.plural else 1
    for index in (*there, *sorted(targets.keys() - strings.keys())):
        before, was = line_end, ""
        if index in strings:
            start, end = strings[index].start - len(head), strings[index].end - len(head)
            before, was, at = raw[at:start], raw[start:end], end
        if index < of:  # one form more than the language has goes
            segment, target = targets.get(index, (first, None))
            parts += before, _string(index, segment, target, was, line_end)
    return "".join(parts)


def _rebuilt(group: Group) -> tuple[Segment, str]:
    """An ICU message as a text of one piece."""
    first = group[0][0]
    message, to, *how = first.style.split("\0")
    changed = {one.key.rpartition("#")[2]: target for one, target in group if target != one.text}
    return replace(first, plural=None, style="\0".join(("", "", *how))), icu.rebuilt(message, changed, to)


def _string(index: int, segment: Segment, target: str | None, was: str, line_end: str) -> str:
    """A msgstr with its translation, else as it `was`; of another language nothing is kept."""
    lead, tail, wraps, foreign = segment.style.split("\0")
    if was and (target == segment.target and not segment.stale if target else target is None and not foreign):
        return was
    word = f"msgstr[{index}]" if segment.plural else "msgstr"
    text = lead + target + tail if target else ""
    return f"{word} {_quoted(text, word, line_end, wraps=bool(wraps))}"


def _unmarked(comments: str) -> Iterator[str]:
    """Without the mark and the older message."""
    for line in comments.splitlines(keepends=True):
        if line.lstrip().startswith("#,"):
            left = FUZZY.sub("", line)
            if left.strip() != "#":
                yield left
        elif not line.lstrip().startswith("#|"):
            yield line


def _quoted(text: str, word: str, line_end: str, *, wraps: bool) -> str:
    """Cut after each line end, and as gettext does at `WIDTH` where the file is wrapped."""
    lines = [_escaped(line) for line in re.findall(r"[^\n]*\n|[^\n]+", text)] or [""]
    if len(lines) == 1 and (not wraps or len(word) + len(lines[0]) + 3 <= WIDTH + 1):
        return f'"{lines[0]}"'
    if wraps:
        lines = [piece for line in lines for piece in _cut(line)]
    return line_end.join(f'"{line}"' for line in ("", *lines))


def _cut(line: str) -> Iterator[str]:
    words = re.findall(r"\S*\s+|\S+", line)
    taken = ""
    for word in words:
        if taken and len(taken) + len(word.rstrip()) + 2 > WIDTH:
            yield taken
            taken = ""
        taken += word
    yield taken


def _escaped(text: str) -> str:
    return "".join(WRITTEN.get(letter, letter) for letter in text)


def _wraps(text: str) -> bool:
    """Some message goes over several lines that its own line ends do not explain."""
    return bool(re.search(r'^[ \t]*"(?:[^"\\\r\n]|\\.)*[^n"\r\n][ \t]*"[ \t]*\r?\n[ \t]*"', text, re.MULTILINE))


def check(_source: str, target: str) -> None:
    for _ in entries_of(target):
        pass


def complete(source: str, target: str, groups: Sequence[Group], options: Options) -> str:
    """With a header for the language; what was said in another one and has not been said anew is empty then."""
    head = _head(list(entries_of(source)), options.to)
    if head.entry is None:
        return target
    written = {
        one.key.rpartition("#")[0]
        if one.kind == "branch"
        else one.key.removesuffix(f"[{one.plural.index}]" if one.plural else "")
        for group in groups
        for one, _ in group
    }
    end = "\r\n" if "\r\n" in source else "\n"
    parts: list[str] = []
    at = 0
    for entry in entries_of(target):
        for name, one in sorted(entry.fields.items(), key=lambda pair: pair[1].start):
            raw = target[one.start : one.end]
            if name.startswith("msgstr") and entry.key == "":
                rule = head.free and (head.plurals or bool(HEADER.search(head.text)))
                raw = header.set_to(raw, head.text, options.to, rule=rule, end=end)
            elif name.startswith("msgstr") and head.foreign and entry.key not in written:
                raw = re.sub(r'".*', '""', raw, count=1, flags=re.DOTALL)
            parts += target[at : one.start], raw
            at = one.end
    return "".join([*parts, target[at:]])


def problems(source: str, target: str) -> list[Problem]:
    before, after = _head(list(entries_of(source)), ""), _head(list(entries_of(target)), "")
    return header.problems(before.text, after.text if after.entry else None, plurals=after.plurals)


FORMAT = Format("po", (".po", ".pot"), find, write, check=check, complete=complete)
