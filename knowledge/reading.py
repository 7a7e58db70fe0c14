"""What is to be taken in, read and cut in groups; what has not changed is left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from taskkit.knowledge.folders import Folders
from taskkit.knowledge.lexical import clean
from taskkit.knowledge.marks import Marks
from taskkit.knowledge.pieces import digest, pieces
from taskkit.knowledge.progress import Bar
from taskkit.knowledge.read import EMPTY, Found, documents
from taskkit.knowledge.readers.apart import Apart
from taskkit.knowledge.records import Document, Labels, Report, Skipped
from taskkit.knowledge.stores.store import Incoming, Store

Source: TypeAlias = Document | Found | Skipped

# A group of documents is one transaction, up to so many characters and documents for each batch that is on its way at
# once; one for each document took half as long again.
GROUP, AT_ONCE = 500_000, 500
TRIED = 100  # sets of labels that a file is tried with, which may be one of the labelled ones under another name


class Reading:
    """Of what was read; another thread may `stop` it. `gone` as in `take`."""

    def __init__(
        self, store: Store, todo: Iterable[Source], at_once: int, gone: Mapping[str, str], marks: Marks, bar: Bar
    ) -> None:
        self._store, self._todo, self._at_once, self._bar = store, todo, at_once, bar
        self._marks, self._folders = marks, Folders(store)
        self._as_before: dict[Path, str] = {}  # what holds in a folder without being said now
        self._gone = dict(gone)
        self._labels: Mapping[str, Labels] = {}  # of the documents in the base
        self._left: dict[str, Labels] = {}  # of files that went, by what they held
        self._held: dict[str, Labels] = {}  # of files that are there, by their digests
        self._sets: list[Labels] = []  # that there are among them
        self._apart = Apart()
        self._added = self._changed = self._unchanged = 0
        self._skipped: list[Skipped] = []
        self._incomplete: list[Skipped] = []

    def groups(self) -> Iterator[list[Incoming]]:
        known = {name: mark for name, (mark, _) in self._store.digests().items()}
        group: list[Incoming] = []
        size = 0
        self._labels = self._store.labelled() if self._marks.access is None else {}
        self._held = {known[name]: its for name, its in self._labels.items() if name in known}
        self._sets = [*{repr(its): its for its in self._held.values()}.values()][:TRIED]
        for name in self._gone.values():
            if name in self._labels and (its := self._store.document(name)):
                self._left[_content(its)] = self._labels[name]
        for read, file in documents(self._told(), self._apart):
            text = self._skip(read, file, known) if isinstance(read, Skipped) else read
            if text is None:
                self._bar.done()
                continue
            one, mark = self._marked(text, file, known)
            if one.lacks:
                self._incomplete.append(Skipped(one.name, one.lacks))
            if self._same(one.name, mark, known):
                self._unchanged += 1
                self._bar.done()
            else:
                group.append((one, pieces(one), file.origin if file else ""))
                size += len(one.text)
            if size > GROUP * self._at_once or len(group) == AT_ONCE * self._at_once:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _skip(self, one: Skipped, file: Found | None, known: Mapping[str, str]) -> Document | None:
        """What the base has of such a file stays, and that is told. One that was emptied is empty there, too; its labels
        stay for the text that may come back."""
        if file is None or one.file not in known:
            self._skipped.append(one)
            return None
        kept = "nothing of its text is in the base" if one.reason in EMPTY else "the base keeps what it had of it"
        self._skipped.append(replace(one, reason=f"{one.reason}; {kept}"))
        return Document(one.file, "") if one.reason in EMPTY else None

    def _told(self) -> Iterator[Source]:
        for one in self._todo:
            self._bar.at(one.file if isinstance(one, Skipped) else one.name)
            yield one

    def _marked(self, read: Document, file: Found | None, known: Mapping[str, str]) -> tuple[Document, str]:
        """With what is said of it, and its digest. A file keeps its labels under another name, too, were it one that was
        there, and so does a copy of it."""
        if file is None:
            one = self._marks.on(read, {})
            return one, digest(one)
        folder = self._folders.of(file.folder)
        one = self._marks.on(read, self._labels.get(read.name, {}), folder)
        self._remember(file.folder, folder)
        mark = digest(one)
        if self._left and not read.access and known.get(one.name) != mark:
            kept = self._left.get(_content(read), self._labels.get(read.name, {}))
            one = self._marks.on(read, kept, folder)
            mark = digest(one)
        if self._held and not one.access and known.get(one.name) != mark:
            for labels in self._sets:
                other = self._marks.on(read, labels, folder)
                if self._held.get(its := digest(other)) == labels:
                    return other, its
        return one, mark

    def _remember(self, where: Path, folder: Marks) -> None:
        if where not in self._as_before:
            metadata = folder.metadata if self._marks.metadata is None else None
            access = folder.access if self._marks.access is None else None
            said = Marks(metadata, access).told()
            self._as_before[where] = said and f"{self._folders.teller(where)}: {said}"

    def _same(self, name: str, mark: str, known: dict[str, str]) -> bool:
        """Whether the base has it so already, if under the name of a file that went."""
        before = known.get(name)
        known[name] = mark
        if before is None and (old := self._gone.pop(mark, "")) and self._store.move(old, name):
            return True
        self._changed += before not in {None, mark}
        self._added += before is None
        return before == mark

    def stop(self) -> None:
        """What is at hand is given up, and no more is read."""
        self._apart.stop()

    def report(self, embedded: int) -> Report:
        skipped, incomplete = tuple(self._skipped), tuple(self._incomplete)
        before = tuple(dict.fromkeys(filter(None, self._as_before.values())))
        return Report(self._added, self._changed, self._unchanged, 0, skipped, embedded, incomplete, before)


def unchanged(store: Store, files: Sequence[Found]) -> int:
    """How many of them the base has so already, whatever is said of them."""
    read = (one for one, _ in documents(files) if isinstance(one, Document))
    return sum((kept := store.document(one.name)) is not None and _content(kept) == _content(one) for one in read)


def _content(one: Document) -> str:
    """What a file itself holds, as a base keeps it."""
    return digest(Document("", clean(one.text).replace("\0", "\ufffd"), clean(one.title), format=one.format))
