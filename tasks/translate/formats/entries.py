"""The entries of a PO file: what each of their keywords says, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from taskkit.tasks.translate.segments import MAX_LENGTH

STRING = r'"(?:[^"\\\r\n]|\\.)*+"'
LINE = re.compile(
    rf"""[ \t]*(?:(?P<comment>\#[^\r\n]*) | (?P<word>msgctxt|msgid_plural|msgid|msgstr)(?:\[(?P<index>\d+)\])?[ \t]*
    (?P<strings>{STRING}(?:[ \t]*{STRING})*) | (?P<more>{STRING}(?:[ \t]*{STRING})*))?[ \t]*(?P<end>\r\n?|\n|\Z)""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))")
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
FUZZY = re.compile(r",[ \t]*fuzzy\b")


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

    @property
    def key(self) -> str:
        context = self.said("msgctxt")
        return f"{context}\x04{self.said('msgid')}" if context else self.said("msgid")

    def said(self, name: str) -> str:
        return self.fields[name].text if name in self.fields else ""

    def strings(self) -> dict[int, Field]:
        """The fields `msgstr`, by plural index."""
        return {int(name[6:] or 0): one for name, one in self.fields.items() if name.startswith("msgstr")}


def entries_of(text: str) -> Iterator[Entry]:  # noqa: C901 - one line after another
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
    if line.startswith("#,") and (room := MAX_LENGTH.search(line)):
        entry.notes.append(room[0])
    if line.startswith("#."):
        entry.notes.append(line[2:].strip())


def _read(strings: str) -> str:
    return "".join(ESCAPE.sub(_character, one[1:-1]) for one in re.findall(STRING, strings))


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return SIMPLE.get(match[3], match[3])
    return chr(int(match[1], 8) if match[1] else int(match[2], 16))
