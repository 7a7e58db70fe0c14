"""A document that is taken apart: its segments, and how it is written with their translations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from taskkit.tasks.translate.segments import Group, Options, Problem, Prose, Segment
from taskkit.tasks.translate.splice import slots, splice


def nothing(_source: str, _target: str) -> None:
    pass


def plainly(group: Group, _options: Options) -> str:
    return group[0][1]


@dataclass(frozen=True, slots=True)
class Format:
    """`find` gives the segments of a text, `write` what is put in place of a stretch. `check` raises ValueError, with
    one line, when a translated text is not of this format any more. `complete` adds to
    a translated text, of which it is given the source and what was written, what goes with translations. With `reread` every segment must be found again
    with the translation that was written. `named`: a key is the name of a message, whatever stands there. A container has `unpack` (a file to the texts of its members; raises
    InputError) and `pack` (contents and members to new contents)."""

    name: str
    suffixes: tuple[str, ...]
    find: Callable[[str, Options], Sequence[Segment]]
    write: Callable[[Group, Options], str] = plainly
    prose: Prose = "string"
    check: Callable[[str, str], None] = nothing
    complete: Callable[[str, str, Sequence[Group], Options], str] | None = None
    reread: Callable[[str], list[str]] | None = str.split
    unpack: Callable[[Path], dict[str, str]] | None = None
    pack: Callable[[bytes, Mapping[str, str]], bytes] | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """`text` is for reading, `data` the file. `kept`: where a translation would have broken the document, and why;
    the source stands there."""

    text: str
    data: bytes
    kept: Mapping[Segment, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """`parts` are the texts that segments count their offsets in, by name: one called "" but for containers.
    `encoding` and `mark` are how a text lies in its file."""

    format: Format
    name: str
    data: bytes
    parts: Mapping[str, str]
    segments: tuple[Segment, ...]
    options: Options
    encoding: str = "utf-8"
    mark: str = ""

    @property
    def binary(self) -> bool:
        """It can not be shown on a terminal."""
        return self.format.pack is not None

    @property
    def text(self) -> str:
        return self._readable(self.parts)

    def written(self, targets: Mapping[Segment, str]) -> Written:
        """With the translations put in; what has none, or one that does not fit, stays as it is, byte for byte."""
        good: list[Group] = []
        kept: dict[Segment, Problem] = {}
        for part in self.parts:
            mine = slots({segment: target for segment, target in targets.items() if segment.part == part})
            bad = self._bad(part, mine)
            good += [group for group in mine if group not in bad]
            for group in bad:
                problem = Problem("format", self._wrong(part, [group]) or self._wrong(part, mine))
                kept |= {segment: problem for segment, _ in group}
        parts = {
            part: self._spliced(part, [group for group in good if group[0][0].part == part]) for part in self.parts
        }
        return Written(self._readable(parts), self._data(parts), kept)

    def _spliced(self, part: str, groups: Sequence[Group]) -> str:
        text = splice(self.parts[part], groups, lambda group: self.format.write(group, self.options))
        complete = self.format.complete
        return complete(self.parts[part], text, groups, self.options) if complete and groups else text

    def _bad(self, part: str, groups: list[Group]) -> list[Group]:
        """Those that break the document, by halving."""
        if not groups or not self._wrong(part, groups):
            return []
        if len(groups) == 1:
            return groups
        middle = len(groups) // 2
        return [*self._bad(part, groups[:middle]), *self._bad(part, groups[middle:])] or groups

    def _wrong(self, part: str, groups: Sequence[Group]) -> str:
        """What is wrong with the document when `groups` are written into it; "" when nothing is."""
        source, reread = self.parts[part], self.format.reread
        try:
            target = self._spliced(part, groups)
            self.format.check(source, target)
            again = self.format.find(target, self.options) if reread else ()
        except ValueError as error:
            return f"It would leave a file that is no valid {self.format.name}: {error}"
        before = [segment for segment in self.segments if segment.part == part]
        if reread is None:
            return ""
        if len(again) != len(before):
            return f"It would leave {len(again)} texts in the place of {len(before)}."
        wanted = {segment.id: target for group in groups for segment, target in group}
        for segment, found in zip(before, again, strict=True):
            said = wanted.get(segment.id, segment.current)
            if found.key != segment.key or reread(found.current) != reread(said):
                return f"It would be read back as {found.current[:60]!r}."
        return ""

    def _readable(self, parts: Mapping[str, str]) -> str:
        if not self.binary:
            return parts[""]
        found = (one for text in parts.values() for one in self.format.find(text, self.options))
        return "\n\n".join(_without(segment.text, segment.keep) for segment in found) + "\n"

    def _data(self, parts: Mapping[str, str]) -> bytes:
        if self.format.pack is not None:
            changed = {part: text for part, text in parts.items() if text != self.parts[part]}
            return self.format.pack(self.data, changed) if changed else self.data
        return (self.mark + parts[""]).encode(self.encoding)


def _without(text: str, marks: tuple[str, ...]) -> str:
    for mark in marks:
        text = text.replace(mark, " " if mark.endswith("/>") else "")
    return text
