"""PO and POT, gettext's catalogues: each message's translation goes into its `msgstr`, which keeps its place.

All plural forms of a message are written together, as many as the header declares. A fuzzy translation that is made
anew loses its mark and the older message. Comments, obsolete entries and the header stay."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.plurals import note, of_header, rule_of
from taskkit.tasks.translate.segments import Group, Options, Plural, Segment

STRING = r'"(?:[^"\\\r\n]|\\.)*+"'
LINE = re.compile(
    rf"""[ \t]*(?:(?P<comment>\#[^\r\n]*) | (?P<word>msgctxt|msgid_plural|msgid|msgstr)(?:\[(?P<index>\d+)\])?[ \t]*
    (?P<strings>{STRING}(?:[ \t]*{STRING})*) | (?P<more>{STRING}(?:[ \t]*{STRING})*))?[ \t]*(?P<end>\r\n?|\n|\Z)""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))")
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
WRITTEN = {"\\": "\\\\", '"': '\\"', **{text: f"\\{letter}" for letter, text in SIMPLE.items()}}
FUZZY = re.compile(r",[ \t]*fuzzy\b")
TEMPLATE = re.compile(r'"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;')
WIDTH = 77  # gettext's own, quotes included


@dataclass(slots=True)
class Field:
    """What a keyword says, and where: from the keyword to the end of its last string."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Entry:
    fields: dict[str, Field] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mark: int = -1  # where the line with the mark `fuzzy`, or an older message ahead of it, begins
    fuzzy: bool = False
    done: bool = False  # its last msgstr has come

    def said(self, name: str) -> str:
        return self.fields[name].text if name in self.fields else ""

    def strings(self) -> dict[int, Field]:
        """The fields `msgstr`, by plural index."""
        return {int(name[6:] or 0): one for name, one in self.fields.items() if name.startswith("msgstr")}


def find(text: str, options: Options) -> list[Segment]:
    entries = list(_entries(text))
    header = next((entry.said("msgstr") for entry in entries if entry.said("msgid") == ""), "")
    forms = of_header(header, options.to)
    wraps = "wrap" if _wraps(text) else ""
    return [one for entry in entries if entry.said("msgid") for one in _segments(text, entry, forms, wraps)]


def _segments(text: str, entry: Entry, forms: tuple[Plural, ...], wraps: str) -> Iterator[Segment]:
    strings = entry.strings()
    context, singular = entry.said("msgctxt"), entry.said("msgid")
    start = entry.mark if entry.fuzzy else min(one.start for one in strings.values())
    end = max(one.end for one in strings.values())
    told = [*entry.notes, *([f"Context: {context}"] if context else [])]
    key = f"{context}\x04{singular}" if context else singular
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
            key=f"{key}[{index}]" if form else key,
            note="\n".join(filter(None, (*told, note(form)))),
            target=strings[index].text.strip() if index in strings else "",
            stale=entry.fuzzy, plural=form, style=f"{lead}\0{tail}\0{wraps}",
        )  # fmt: skip


def _is_singular(form: Plural) -> bool:
    return form.examples == (1,) or (form.index == 0 and not form.examples and form.of > 1)


def write(group: Group, _options: Options) -> str:
    first = group[0][0]
    raw = first.raw
    line_end = "\r\n" if "\r\n" in raw else "\n"
    head = "" if re.search(r"^[ \t]*msgid\b", raw, re.MULTILINE) else 'msgid "x"\n'
    (entry,) = _entries(head + raw)
    strings = entry.strings()
    targets = {segment.plural.index if segment.plural else 0: (segment, target) for segment, target in group}
    there = sorted(strings, key=lambda index: strings[index].start)
    at = strings[there[0]].start - len(head)
    parts = list(_unmarked(raw[:at])) if first.stale else [raw[:at]]
    for index in (*there, *sorted(targets.keys() - strings.keys())):
        if index in strings:
            start, end = strings[index].start - len(head), strings[index].end - len(head)
            parts.append(raw[at:start])
            was, at = raw[start:end], end
        else:
            parts.append(line_end)
            was = ""
        segment, target = targets.get(index, (first, None))
        if target is None or (was and not segment.stale and target == segment.target):
            parts.append(was)
        else:
            lead, tail, wraps = segment.style.split("\0")
            word = f"msgstr[{index}]" if segment.plural else "msgstr"
            parts.append(f"{word} {_quoted(lead + target + tail, word, line_end, wraps=bool(wraps))}")
    return "".join(parts)


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


def _read(strings: str) -> str:
    return "".join(ESCAPE.sub(_character, one[1:-1]) for one in re.findall(STRING, strings))


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return SIMPLE.get(match[3], match[3])
    return chr(int(match[1], 8) if match[1] else int(match[2], 16))


def _wraps(text: str) -> bool:
    """Some message goes over several lines that its own line ends do not explain."""
    return bool(re.search(r'^[ \t]*"(?:[^"\\\r\n]|\\.)*[^n"\r\n][ \t]*"[ \t]*\r?\n[ \t]*"', text, re.MULTILINE))


def _entries(text: str) -> Iterator[Entry]:  # noqa: C901 - one line after another
    """Raises ValueError, with its line, for what is no PO."""
    entry, last, at, number = Entry(), "", 0, 0
    while at < len(text):
        number += 1
        match = LINE.match(text, at)
        if not match:
            raise ValueError(f"line {number} is neither a comment nor a quoted string.")
        word = match["word"]
        if entry.done and (match["comment"] or (word and word != "msgstr")):
            yield entry
            entry, last = Entry(), ""
        if word:
            last = f"{word}{match['index'] or ''}"
            if last in entry.fields or (word == "msgstr" and "msgid" not in entry.fields):
                raise ValueError(f"line {number} has a {word} where none belongs.")
            entry.fields[last] = Field(match.start("word"), match.end("strings"), _read(match["strings"]))
            entry.done = word == "msgstr"
        elif match["more"]:
            if not last:
                raise ValueError(f"line {number} goes on where nothing has begun.")
            entry.fields[last].end = match.end("more")
            entry.fields[last].text += _read(match["more"])
        elif match["comment"]:
            _comment(entry, match["comment"], match.start("comment"))
        at = match.end()
    if entry.done:
        yield entry
    elif entry.fields:
        raise ValueError("its last message has no msgstr.")


def _comment(entry: Entry, line: str, start: int) -> None:
    if line.startswith("#~"):  # an obsolete message ends here, and what was said of it
        entry.fuzzy, entry.mark, entry.notes = False, -1, []
    if line.startswith("#,") and FUZZY.search(line):
        entry.fuzzy = True
    if line.startswith(("#,", "#|")) and entry.mark < 0:
        entry.mark = start
    if line.startswith("#."):
        entry.notes.append(line[2:].strip())


def check(_source: str, target: str) -> None:
    for _ in _entries(target):
        pass


def complete(text: str, options: Options) -> str:
    """A template's header says what the language's rule is, once it has plural forms."""
    rule = rule_of(options.to) if TEMPLATE.search(text) else None
    return TEMPLATE.sub(f'"Plural-Forms: nplurals={rule[0]}; plural={rule[1]};', text, count=1) if rule else text


FORMAT = Format("po", (".po", ".pot"), find, write, check=check, complete=complete)
