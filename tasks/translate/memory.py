"""What was translated before, in any document: a file that is read, looked up, and added to."""

import copy
import itertools
import threading
import weakref
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Self

from taskkit import files
from taskkit.errors import InputError
from taskkit.tasks.translate import tmx
from taskkit.tasks.translate.mask import Masked, mask, unmask
from taskkit.tasks.translate.record import words_of
from taskkit.tasks.translate.segments import Problem, Prose

LIKE = 0.7  # how alike two texts are, 0 to 1, for one's translation to help with the other's
TRIED = 12  # texts with the most rare words in common that are compared letter by letter
LATELY = 5000  # pairs that are looked through for what a document speaks of
LONGEST = 600  # characters; what is longer is no example

_open: "weakref.WeakValueDictionary[tuple[Path, str, str], Memory]" = weakref.WeakValueDictionary()
_lock = threading.Lock()


def memory(path: Path | None, to: str, from_: str = "") -> "Memory":
    """One for a file and a pair of languages, while anybody has it: documents done at once learn from each other."""
    if path is None:
        return Memory(None, to, from_)
    key = path.resolve(), to, from_
    with _lock:
        found = _open.get(key)
        if found is None:
            found = _open[key] = Memory(path, to, from_)
        return found


class Memory:
    """Pairs of texts. The last translation of a text is the one that counts."""

    def __init__(self, path: Path | None, to: str, from_: str) -> None:
        self.path = path
        self.to = to
        self.from_ = from_
        self._new: dict[str, str] = {}
        self._saving = threading.Lock()
        self._pairs: dict[str, str] = {}
        self._masked: dict[Prose, dict[str, str]] = {}
        self._index: dict[str, list[str]] | None = None
        if path is not None and path.exists() and path.stat().st_size:
            self._pairs = dict(tmx.pairs(path, to, from_))

    def __len__(self) -> int:
        return len(self._pairs)

    def rehearsal(self) -> Self:
        """Its likeness, which may learn what is made up."""
        other = copy.copy(self)
        other._pairs, other._new, other._masked, other._index = dict(self._pairs), {}, {}, None  # noqa: SLF001 - its own
        return other

    def lately(self) -> list[tuple[str, str]]:
        """The last pairs that came in, oldest first."""
        return list(itertools.islice(reversed(self._pairs.items()), LATELY))[::-1]

    def exact(self, text: str, masked: Masked) -> tuple[str, tuple[Problem, ...]] | None:
        """The translation of this text, or of one that differs from it in its placeholders alone."""
        if (found := self._pairs.get(text)) is not None:
            gone = [number for number, token in enumerate(masked.tokens, 1) if token not in found]
            return found, tuple(Problem("token_missing", f"{masked.mark(number)} is missing.") for number in gone)
        if not self._pairs:
            return None
        if masked.format not in self._masked:
            shown = (_shown(pair, masked.format) for pair in self._pairs.items())
            self._masked[masked.format] = dict(filter(None, shown))
        likeness = self._masked[masked.format].get(masked.text)
        return None if likeness is None else unmask(likeness, masked)

    def like(self, text: str, most: int = 2) -> list[tuple[str, str]]:
        """Pairs whose sources are like the text, the likest first."""
        if not self._pairs or len(text) > LONGEST:
            return []
        if self._index is None:
            self._index = {}
            for source in self._pairs:
                self._indexed(source)
        words = words_of(text)
        index = self._index
        rare = sorted(words & index.keys(), key=lambda word: (len(index[word]), word))[:8]
        shared = Counter(source for word in rare for source in index[word][-200:])
        scored = []
        for source, _ in shared.most_common(TRIED):
            matcher = SequenceMatcher(None, source, text, autojunk=False)
            if source != text and matcher.quick_ratio() >= LIKE and (ratio := matcher.ratio()) >= LIKE:
                scored.append((-ratio, source))
        return [(source, self._pairs[source]) for _, source in sorted(scored)[:most]]

    def _indexed(self, source: str) -> None:
        if self._index is not None and len(source) <= LONGEST:
            for word in words_of(source):
                self._index.setdefault(word, []).append(source)

    def add(self, source: str, target: str) -> None:
        if self.path is None or self._pairs.get(source) == target:
            return
        self._take(source, target)
        self._new[source] = target

    def _take(self, source: str, target: str) -> None:
        if source not in self._pairs:
            self._indexed(source)
        self._pairs[source] = target
        for prose, known in self._masked.items():
            known |= dict(filter(None, [_shown((source, target), prose)]))

    def lend(self, pairs: Iterable[tuple[str, str]]) -> None:
        """To be looked up like its own, which count more, and not written."""
        for source, target in pairs:
            if source not in self._pairs:
                self._take(source, target)

    def save(self) -> None:
        """Adds what is new to the file, in one step. Raises `InputError` where that can not be done."""
        if self.path is None:
            return
        with self._saving:
            new, self._new = self._new, {}
            if not new:
                return
            path = self.path.resolve()
            try:
                data = path.read_bytes() if path.exists() else b""
                files.replace(path, tmx.added(data, new.items(), self.to, self.from_))
            except (OSError, ValueError) as error:
                self._new = new | self._new
                raise InputError(
                    f"The memory {self.path} can not be written: {getattr(error, 'strerror', None) or error}.",
                    hint="The work is in the journal: the same command gives it again at once.",
                ) from error


def _shown(pair: tuple[str, str], prose: Prose) -> tuple[str, str] | None:
    """With marks for its placeholders on both sides; None where the two do not have the same ones."""
    source, target = pair
    masked = mask(source, prose)
    target = " ".join(target.split()) if masked.breaks else target
    for number, token in enumerate(masked.tokens, 1):
        if token not in target:
            return None
        target = target.replace(token, masked.mark(number), 1)
    return masked.text, target
