"""Passages out of a document: the source's own characters, under their headings."""

import hashlib
from dataclasses import dataclass

from taskkit.knowledge.lexical import clean, indexed
from taskkit.knowledge.records import Document, Passage, title_path
from taskkit.source import PAGE, Text
from taskkit.tokens import Counter

SIZE = 400  # tokens
WIDEST = 500  # characters of a table's columns


@dataclass(frozen=True, slots=True)
class Piece:
    """`context` is the title path and the columns of the table, which go before the text for embedding and for words
    only; `words` are both, as the word index reads them."""

    text: str
    start: int
    end: int
    headings: tuple[str, ...]
    context: str
    words: tuple[str, str]
    line: int = 1
    page: int = 0
    table: str = ""

    @property
    def embedded(self) -> str:
        return f"{self.context}\n{self.text}" if self.context else self.text

    def key(self, made: str) -> str:
        """Of what is embedded: the same text under the same headings is embedded once. `made` is how."""
        parts = f"{made}\0{self.context}\0{self.text}"
        return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def pieces(document: Document, size: int = SIZE) -> list[Piece]:
    """In order; blank stretches between them are left out, nothing else."""
    found = list[Piece]()
    paged, at, line, page = PAGE in document.text, 0, 1, 1
    for one in Text(document.text, document.name, document.format).split(size, counter=Counter()):
        text = one.text.strip()
        if not text:
            continue
        start = one.start + one.text.index(text)
        line += document.text.count("\n", at, start)
        page += document.text.count(PAGE, at, start)
        at = start
        table = columns(one.table)
        context = _context(title_path(document.title, one.headings), table)
        words = indexed(clean(context)), indexed(clean(text))
        where = (line, page if paged else 0, table)
        found.append(Piece(text, start, start + len(text), one.headings, context, words, *where))
    return found


def piece_of(passage: Passage) -> Piece:
    """The piece that a passage was made of, as far as it is embedded."""
    context = _context(passage.path, passage.table)
    return Piece(passage.text, passage.start, passage.end, passage.headings, context, ("", ""))


def _context(path: tuple[str, ...], table: str) -> str:
    return "\n".join(filter(None, (" > ".join(path), table)))


def columns(head: str) -> str:
    """Of the head of a table, in one line."""
    return clean(head.strip().partition("\n")[0].strip("|> \t\r")[:WIDEST].replace("\0", " "))


def digest(document: Document) -> str:
    """Of all that a change of the document would show in."""
    parts = (document.text, document.title, document.format, repr(sorted(document.metadata.items())),
             repr(sorted(document.access.items())))  # fmt: skip
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
