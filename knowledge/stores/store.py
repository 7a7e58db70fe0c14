"""What a store must do: keep documents, passages and vectors in whole transactions, and score passages."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from taskkit.errors import ConfigurationError
from taskkit.knowledge.pieces import Piece
from taskkit.knowledge.records import Document, Listed, Passage
from taskkit.knowledge.stores.coding import Made

if TYPE_CHECKING:
    import numpy as np

BEGIN = 2_000  # characters that a first heading is looked for in
PATIENCE = 30 * 24 * 3600  # seconds that vectors are kept for a work that was broken off
HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)[ \t#]*$", re.MULTILINE)
Vector: TypeAlias = "np.ndarray[Any, Any]"
Allowed: TypeAlias = Any  # what `allowed` gave, for the store that gave it
Incoming: TypeAlias = tuple[Document, Sequence[Piece], str]  # and where it is from


class Unembedded(Exception):  # noqa: N818 - said to the intake alone
    """Passages that were to be kept have no vector: somebody took it out meanwhile."""

    def __init__(self, keys: Iterable[str]) -> None:
        super().__init__()
        self.keys = frozenset(keys)


class Taken(Exception):  # noqa: N818 - said to the intake alone
    """Names that were free, or of a folder that is there no longer, are another folder's by now."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self.names = frozenset(names)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the whole base, true for one `generation`. `embedder` is empty before the first vector. `languages` counts
    passages by language; `labelled`: whether any document is not for everybody."""

    generation: str
    embedder: str
    languages: Mapping[str, int]
    labelled: bool

    @property
    def passages(self) -> int:
        return sum(self.languages.values())


@dataclass(frozen=True, slots=True)
class Counts:
    """As in `Stats`."""

    documents: int
    passages: int
    characters: int
    vectors: int
    unused: int
    awaited: int
    bytes: int
    index: str


def listed(rows: Iterable[Sequence[Any]]) -> list[Listed]:
    """Of rows with the columns of `Listed`, metadata and access as JSON, the headings of its first passage that has
    some, and where it is Markdown the beginning of its text."""
    found = []
    for name, title, count, size, language, metadata, access, origin, headings, begin in rows:
        given = json.loads(metadata)
        known = title or given.get("title") or _heading(headings, begin)
        shown = known if isinstance(known, str) else ""
        found.append(Listed(name, shown, count, size, language, given, json.loads(access), origin))
    return found


def _heading(headings: str | None, begin: str | None) -> str:
    """A passage that begins before the first heading has it in its text alone."""
    if headings:
        return str(json.loads(headings)[0])
    heading = HEADING.search(begin or "")
    return heading[1] if heading else ""


class Store(Protocol):
    """Numbers of passages are never given twice. Every change is one transaction with a new generation. All of it
    waits, so that an event loop calls it in a thread."""

    @property
    def place(self) -> str:
        """Its path or address, fit to be shown."""
        ...

    def close(self) -> None: ...

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read inside is of one state of the base, whoever writes meanwhile."""
        ...

    def setting(self, key: str) -> str:
        """Empty for one that is not kept. There are: generation, embedder, width, precision, index."""
        ...

    def facts(self) -> Facts: ...

    # Documents in and out

    def folders(self) -> dict[str, dict[str, Any]]:
        """What was said of folders that were taken in: `metadata` or `access`, or both."""
        ...

    def tell_folder(self, folder: str, told: Mapping[str, Any]) -> None: ...

    def digests(self) -> dict[str, tuple[str, str]]:
        """Digest and origin of each document."""
        ...

    def labelled(self) -> dict[str, dict[str, list[str]]]:
        """The access labels of the documents that have some."""
        ...

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those keys that have a vector already."""
        ...

    def keep_vectors(self, keys: Sequence[str], rows: Vector, made: Made) -> None:
        """The first ones tell how those of the base are made. They are awaited until a passage has them."""
        ...

    def put(self, documents: Sequence[Incoming], made: Made, homes: Mapping[str, str] | None = None) -> None:
        """Each in place of the one of its name; `homes` are the folders that these were from when the names were
        given. Raises `Taken`, `Unembedded`, and `ConfigurationError` where the vectors of the base are made in another
        way by now."""
        ...

    def switch(self, keys: Mapping[int, str], made: Made) -> bool:
        """Passages get other keys, the base another embedder, and what is of no use then goes. False, and nothing is
        changed, where there are other passages by now or a vector is missing."""
        ...

    def drop(self, names: Iterable[str]) -> int: ...

    def move(self, old: str, new: str) -> bool:
        """A document's name alone changes: none of its passages does. False, and nothing is changed, where the one is
        there no longer or the other one is by now."""
        ...

    def adopt(self, names: Iterable[str], origin: str) -> None:
        """Documents are of another folder from now on."""
        ...

    def prepare(self) -> None:
        """Makes now what a search would have to make first, where that takes long."""
        ...

    # Finding

    def allowed(self, where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None) -> Allowed | None:
        """The passages that meet both conditions, in the store's own form; None when all do."""
        ...

    def by_words(self, words: tuple[str, ...], k: int, allowed: Allowed | None = None) -> dict[int, float]:
        """BM25 of the best passages, higher is better."""
        ...

    def by_meaning(self, vector: Vector, k: int, allowed: Allowed | None = None) -> dict[int, float]:
        """The cosine of the nearest passages."""
        ...

    def scores(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """The cosine of given passages, those that are there."""
        ...

    def vectors(self, ids: Sequence[int]) -> dict[int, Vector]:
        """Of given passages, those that are there; float32, of length 1."""
        ...

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]: ...

    def document(self, name: str) -> Document | None: ...

    def numbers(self, name: str) -> list[int]:
        """Of a document's passages, in their order."""
        ...

    def all_numbers(self) -> list[int]:
        """Of all passages, upwards."""
        ...

    # Looking after it

    def listed(self) -> list[Listed]: ...

    def counts(self) -> Counts: ...

    def problems(self) -> list[str]: ...

    def compact(self) -> int:
        """Takes out vectors that no passage needs and no work awaits, and gives the room back; how many went."""
        ...


def changed(place: str, now: Made) -> ConfigurationError:
    return ConfigurationError(
        f"{place} has been made anew with the embedder {now} meanwhile.", hint="Open it again, and repeat this."
    )


def widened(made: Made, kept: int, width: int) -> None:
    if width != kept:
        # Under another name: vectors of this one would be taken for made already.
        named = made.embedder.partition("@")[0] if made.embedder.startswith("openai:") else ""
        anew = (
            f"all anew: `taskkit kb reindex --embedder {named}@{width}`"
            if named
            else "the base anew from its documents"
        )
        raise ConfigurationError(
            f"The embedder {made} gives vectors of {width} numbers now; those of the base have {kept}.",
            hint=f"Give the model that they were made with, or make {anew}.",
        )


def several(value: str | Sequence[str]) -> list[str]:
    """The values of a label, as they are kept."""
    return [value] if isinstance(value, str) else [*value]
