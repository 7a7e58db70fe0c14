"""The texts that a summary is made of: each with a name, what the model reads of it, and the way back to the file."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from taskkit.job import Job
from taskkit.source import PAGE, Source, Text
from taskkit.tasks.summarise.captions import Run, is_captions, spoken
from taskkit.tasks.summarise.records import Quote


@dataclass(frozen=True, slots=True)
class Document:
    """`view` is what is read: the source itself, or of subtitles the spoken words, which `runs` lead back from."""

    name: str
    source: Text
    view: Text
    runs: tuple[Run, ...] = ()

    def outside(self, start: int, end: int) -> tuple[int, int]:
        """The place in the source of `[start, end)` of the view."""
        if not self.runs:
            return self.source.start + start, self.source.start + end
        first = self._run(start)
        last = self._run(max(start, end - 1))
        low = first[1] + max(0, min(start - first[0], first[2]))
        high = last[1] + max(0, min(end - last[0], last[2]))
        return self.source.start + low, self.source.start + max(low, high)

    def _run(self, at: int) -> Run:
        return self.runs[max(0, bisect_right(self.runs, at, key=lambda run: run[0]) - 1)]

    def quote(self, start: int, end: int, status: Literal["exact", "normalised", "fuzzy"] = "exact") -> Quote:
        """The characters of the source that `[start, end)` of the view came from."""
        low, high = self.outside(start, end)
        whole, base = self.source.text, self.source.start
        line, page = (0, 0) if base else (1 + whole.count("\n", 0, low), 1 + whole.count(PAGE, 0, low))
        return Quote(
            quote=whole[low - base : high - base],
            start=low,
            end=high,
            line=0 if self.source.extracted else line,
            page=page if PAGE in whole else 0,
            status=status,
            document=self.name,
        )


def documents(job: Job, sources: Sequence[Source]) -> list[Document]:
    """Raises `InputError` for one that can not be read."""
    texts = [job.read(one) for one in sources]
    names = [" ".join(PurePath(text.name).name.split()) if text.name else "" for text in texts]
    if len(texts) > 1:
        names = [_unlike(name or f"text {number}", number, names) for number, name in enumerate(names, 1)]
    return [_document(name, text) for name, text in zip(names, texts, strict=True)]


def _unlike(name: str, number: int, names: Sequence[str]) -> str:
    return f"{name} ({number})" if names.count(name) > 1 else name


def _document(name: str, text: Text) -> Document:
    if is_captions(text.text):
        made = spoken(text.text)
        if made.text.strip():
            return Document(name, text, replace(text, text=made.text, format="text", start=0), made.runs)
    return Document(name, text, replace(text, start=0))
