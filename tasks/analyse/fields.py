"""Extraction: each field with words that bear it out, null where the text does not say it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from pydantic import BaseModel

from taskkit.engine.schema import answer_schema, stand_in
from taskkit.errors import InputError
from taskkit.tasks.analyse.borne import borne_out
from taskkit.tasks.analyse.forms import ROOT, Unfit, form_of, is_words, leaves, question, says_nothing
from taskkit.tasks.analyse.found import Evidence, Item
from taskkit.tasks.analyse.kinds import Places, Reading, lost_in
from taskkit.tasks.analyse.schemas import Group, Leaf, Many, Node

ROOM_WORDS, ROOM_TOLD = 32, 48  # tokens that the answer of one field takes


@dataclass(frozen=True, slots=True)
class Got:
    value: Any
    evidence: Evidence


@dataclass(frozen=True)
class Fields:
    """`each` is in tokens. `narrowed` keeps what was made of some of the fields alone."""

    root: Group
    form: type[BaseModel]
    each: int
    question: str
    name: str = "fields"
    narrowed: dict[frozenset[str], "Fields"] = field(default_factory=dict, compare=False, repr=False)

    def usual(self, text: str) -> dict[str, Any]:  # noqa: ARG002 - of the form alone
        return stand_in(answer_schema(self.form))

    def read(self, text: str, answer: Any, start: int) -> Reading:
        places = Places(text, start)
        said = answer.model_dump(by_alias=True, warnings=False)  # of values that are not of their kind
        got: dict[str, Any] = {}
        lost: list[str] = []
        where: list[str] = []
        for name, node in self.root.fields.items():
            got[name] = _read(node, said.get(name or ROOT), name, places, lost)
            where += [name] * (len(lost) - len(where))
        return Reading(tuple(_items(got)), tuple(lost), 0, got, where=tuple(where))

    @property
    def is_list(self) -> bool:
        return "" in self.root.fields

    def again(self, reading: Reading) -> "Fields":
        """Only the fields that were not borne out."""
        names = frozenset(reading.where)
        if not names or names == self.root.fields.keys():
            return self
        if names not in self.narrowed:
            some = {name: node for name, node in self.root.fields.items() if name in names}
            self.narrowed[names] = extractor(Group(some))
        return self.narrowed[names]

    def better(self, known: Reading, reading: Reading) -> Reading:
        """What was borne out stays; of the other fields the answer that has more."""
        chosen = {name: reading for name in known.where if _size(reading, name) > _size(known, name)}
        record = {name: chosen.get(name, known).record[name] for name in self.root.fields}
        pairs = [
            pair for one in (known, reading) for pair in zip(one.where, one.lost, strict=True)
            if chosen.get(pair[0], known) is one
        ]  # fmt: skip
        where, lost = zip(*pairs, strict=True) if pairs else ((), ())
        return Reading(tuple(_items(record)), lost, 0, record, where=where)

    def acceptable(self, reading: Reading) -> bool:
        return not reading.lost

    def voted(self, votes: Sequence[Reading]) -> Reading:
        return self.merged([(vote, 1) for vote in votes])

    def merged(self, parts: Sequence[tuple[Reading, int]]) -> Reading:
        """The first that was found is kept; another value in a later part is told, and lists go on."""
        lost = tuple(one for reading, _ in parts for one in reading.lost)
        notes: list[str] = []
        record: Any = None
        for reading, _ in parts:
            record = _joined(record, reading.record, "", notes)
        return Reading(tuple(_items(record)), lost, 0, record, tuple(dict.fromkeys(notes)))

    def data(self, reading: Reading) -> Any:
        """The plain values, every field there, null where there is none."""
        made = _plain(self.root, reading.record)
        return made[""] if self.is_list else made


def extractor(root: Group) -> Fields:
    try:
        form = form_of(root)
        answer_schema(form)
    except InputError:
        raise
    except Exception as error:  # a pattern that is none, bounds that contradict each other
        raise InputError(f"The schema can not be used: {' '.join(str(error).split())[:160]}.") from error
    sizes = [ROOM_WORDS if is_words(one) else ROOM_TOLD for one in leaves(root)]
    return Fields(root, form, sum(sizes[:24]) + 32, question(root))


def _read(node: Node, said: Any, path: str, places: Places, lost: list[str]) -> Any:
    """The answer without what the text does not bear out; None where nothing is left."""
    if said is None:
        return None
    if isinstance(node, Group):
        under = f"{path}." if path else ""
        found = {name: _read(one, said.get(name), f"{under}{name}", places, lost) for name, one in node.fields.items()}
        return found if any(one is not None for one in found.values()) else None
    if isinstance(node, Many):
        entries = [_read(node.item, one, f"{path}[{number}]", places, lost) for number, one in enumerate(said)]
        return [one for one in entries if one is not None] or None
    return _leaf(node, said, path, places, lost)


def _words(said: str, path: str, places: Places, lost: list[str]) -> Got | None:
    """The value is what stands in the text, whatever the answer made of its spelling."""
    if says_nothing(said):
        return None
    evidence = places.first(said)
    if evidence is None:
        lost.append(f"{path}: {lost_in(said)}")
        return None
    return Got(" ".join(evidence.quote.split()), evidence)


def _leaf(node: Leaf, said: Any, path: str, places: Places, lost: list[str]) -> Got | None:
    if is_words(node):
        return _words(str(said), path, places, lost)
    value = said["value"]
    if value is None:
        return None
    if isinstance(value, Unfit):
        lost.append(f"{path}: {value.said!r} can not be its value: {value.why[:1].lower()}{value.why[1:]}")
        return None
    evidence = places.of(said["quote"])
    if evidence is None:
        lost.append(f"{path}: {lost_in(said['quote'])}")
        return None
    if not node.chosen and not borne_out(value, evidence.quote):
        lost.append(f"{path}: {str(value)[:60]!r} is not what its quote {evidence.quote[:60]!r} says")
        return None
    return Got(value.isoformat() if isinstance(value, date | time) else value, evidence)


def _joined(first: Any, other: Any, path: str, notes: list[str]) -> Any:
    if first is None or other is None:
        return other if first is None else first
    if isinstance(first, dict):
        under = f"{path}." if path else ""
        return {name: _joined(one, other[name], f"{under}{name}", notes) for name, one in first.items()}
    if isinstance(first, list):
        known = [_bare(one) for one in first]
        return [*first, *(one for one in other if _bare(one) not in known)]
    if first.value != other.value:
        notes.append(f"{path}: {first.value!r} was found first and kept, {other.value!r} further on")
    return first


def _bare(got: Any) -> Any:
    if isinstance(got, dict):
        return {name: _bare(one) for name, one in got.items()}
    if isinstance(got, list):
        return [_bare(one) for one in got]
    return got.value if isinstance(got, Got) else None


def _plain(node: Node, got: Any) -> Any:
    if isinstance(node, Group):
        return {name: _plain(one, None if got is None else got.get(name)) for name, one in node.fields.items()}
    if isinstance(node, Many):
        return [_plain(node.item, one) for one in got or ()]
    return got.value if got is not None else None


def _items(got: Any, path: str = "") -> Iterator[Item]:
    if isinstance(got, dict):
        for name, one in got.items():
            yield from _items(one, f"{path}.{name}" if path and name else path or name)
    elif isinstance(got, list):
        for number, one in enumerate(got):
            yield from _items(one, f"{path}[{number}]")
    elif isinstance(got, Got):
        yield Item(label=path, value=got.value, evidence=got.evidence)


def _size(reading: Reading, name: str) -> int:
    """How much was found of a field."""
    return sum(1 for _ in _items(reading.record[name]))
