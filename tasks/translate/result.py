"""What a translation gives back: the text, what became of each of its segments, and what to look at."""

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr

from taskkit.results import Result

SHOWN = 100  # characters of a segment in a report

# `memory` and `earlier`: taken over from the translation memory, or from the translation that there was before.
# `kept`: it has no words to translate.
Status = Literal["translated", "memory", "earlier", "kept", "failed"]


class Segment(BaseModel):
    """A stretch of the source by its offsets, and what became of it. `key` is the format's name for it."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    source: str
    target: str
    status: Status
    key: str = ""


class Issue(BaseModel):
    """Something to look at. `segment` is an index in `segments`, None for what concerns the document."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    severity: Literal["error", "warning"]
    segment: int | None = None


class Translation(Result):
    """`content` is the file as it is to be written, `text` what can be read of it; `language` is the target's tag."""

    text: str
    segments: tuple[Segment, ...] = ()
    issues: tuple[Issue, ...] = ()
    language: str = ""
    _data: bytes = PrivateAttr(b"")
    _lock: str = PrivateAttr("")

    @property
    def content(self) -> bytes:
        """The translated file, byte for byte, in the source's encoding: all that there is of a .docx."""
        return self._data or self.text.encode()

    def saved(self, path: Path) -> None:
        """To be told where the translation was written: beside an updated one lies what it was made from."""
        from taskkit.tasks.translate.earlier import lock_of, locked

        if self._lock:
            locked(lock_of(path), self._lock)

    def report(self) -> str:
        """What a reviser wants to see, in Markdown: the figures, then each issue with its source and its target."""
        counts = Counter(one.status for one in self.segments)
        figures = ", ".join(f"{counts[name]} {name}" for name in counts) or "nothing to translate"
        errors = sum(one.severity == "error" for one in self.issues)
        lines = [
            f"{len(self.segments)} segments: {figures}.",
            f"{errors} errors, {len(self.issues) - errors} warnings.",
        ]
        for issue in sorted(self.issues, key=lambda one: (one.severity, -1 if one.segment is None else one.segment)):
            where = "document" if issue.segment is None else _place(self.segments[issue.segment], issue.segment)
            lines += ["", f"- **{issue.severity}** ({issue.code}), {where}: {issue.message}"]
            if issue.segment is not None:
                one = self.segments[issue.segment]
                lines += [f"  - source: {_short(one.source)}", f"  - target: {_short(one.target)}"]
        return "\n".join(lines) + "\n"


def _place(segment: Segment, number: int) -> str:
    return _short(segment.key.replace("\x04", " | ")) or f"segment {number + 1}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
