"""What goes into a knowledge base, what comes out, and what a change reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Value: TypeAlias = str | int | float | bool | None
Metadata: TypeAlias = Mapping[str, Value | Sequence[Value]]
Labels: TypeAlias = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is unique in a base. Who may see it: whoever brings, for each key of `access`, one of its values;
    nobody else, and with no `access` everybody. `format` is that of `taskkit.Text`. Each page of `text` (a slide, a
    chapter) ends with a form feed. `lacks` is what its reader could not take of the file: it is told, not kept."""

    name: str
    text: str
    title: str = ""
    metadata: Metadata = field(default_factory=dict[str, Value])
    access: Labels = field(default_factory=dict[str, str])
    format: str = "text"
    lacks: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is the characters `[start, end)` of the document called `document`; `headings` the path down to
    it. `id` is the base's own number for it, of no meaning elsewhere. It begins in line `line` of that text, and on
    page `page` (a slide, a chapter; 0 where there are none); `table` names the columns of the table that it starts
    inside of."""

    text: str
    document: str
    title: str = ""
    headings: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    metadata: Metadata = field(default_factory=dict[str, Value])
    id: int = 0
    line: int = 0
    page: int = 0
    table: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Title and headings, a title that is also the first heading once."""
        return title_path(self.title, self.headings)

    @property
    def shown(self) -> str:
        """The text as a reader needs it: rows under the names of their columns."""
        return f"{self.table}\n{self.text}" if self.table else self.text


def title_path(title: str, headings: "Iterable[str]") -> tuple[str, ...]:
    path = tuple(headings)
    return path if not title or path[:1] == (title,) else (title, *path)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a hit stands where it does: its place in either search (from 1, None: not among the candidates), each
    half's share of the score, the weight of the lexical half, the language taken for the question's.

    `queries` are the forms that were searched for, the question's own first: ranks, language and terms are of that
    one. With diversity: `like` is the highest cosine with a better hit, `duplicates` how many near-duplicates were left
    out for it. `reranked` is the place that the model gave it, None when it named it not."""

    lexical_rank: int | None
    dense_rank: int | None
    lexical_share: float
    dense_share: float
    lexical_weight: float
    language: str
    terms: tuple[str, ...]
    queries: tuple[str, ...] = ()
    like: float | None = None
    duplicates: int = 0
    reranked: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """`score` is what the fusion gave: it orders the hits of one search, unless diversity or the model then did, and
    means nothing across searches. `lexical` is BM25, `dense` the cosine; None where that search did not score the
    passage."""

    passage: Passage
    score: float
    lexical: float | None = None
    dense: float | None = None
    reasons: Reasons | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """`[start, end)` are offsets in the document, `line` and `page` (0: it has none) count from 1; `status` says how
    the quote was found there."""

    quote: str
    document: str
    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy", "none"]
    title: str = ""
    headings: tuple[str, ...] = ()
    line: int = 0
    page: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a change did, in documents; `embedded` is how many texts went to the embedder. The `incomplete` ones were
    taken in, but for what is told of them. `as_before` names folders with the labels and metadata that they were taken
    in with earlier, and which hold for what was given now."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: tuple[Skipped, ...] = ()
    embedded: int = 0
    incomplete: tuple[Skipped, ...] = ()
    as_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as `list()` shows it; `language` is a guess, "" when there is none. `title` is its own, else the one
    among its metadata, else its first heading."""

    name: str
    title: str
    passages: int
    characters: int
    language: str
    metadata: Metadata
    access: Labels
    origin: str


@dataclass(frozen=True, slots=True)
class Stats:
    """`unused` counts vectors that no passage needs; they stay for the next `add` until `compact`. But for those that are
    `awaited`: work that goes on, or that was broken off, made them for passages to come. `index` is the kind that a
    search goes through."""

    documents: int
    passages: int
    characters: int
    vectors: int
    unused: int
    embedder: str
    width: int
    languages: Mapping[str, int]
    bytes: int
    index: str = ""
    awaited: int = 0
