"""Extraction: each field with a quote that bears it out, null where the text does not say it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, create_model

from taskkit.engine.schema import answer_schema, stand_in
from taskkit.errors import InputError
from taskkit.tasks.analyse.borne import borne_out
from taskkit.tasks.analyse.found import Evidence, Item
from taskkit.tasks.analyse.kinds import Places, Reading, lost_in
from taskkit.tasks.analyse.schemas import Group, Leaf, Many, Node

ROOT = "records"  # what a list at the root is asked for under
QUESTION = (
    "Extract the fields from the text. Give for each a quote, copied from the text exactly, that says it, and then the "
    "value: in the words of the text, but numbers as numbers and dates as YYYY-MM-DD. Of a field that the text does "
    "not tell the quote is empty and the value null; never guess. A list has an entry for each that the text tells of."
)


@dataclass(frozen=True, slots=True)
class Got:
    value: Any
    evidence: Evidence


@dataclass(frozen=True)
class Fields:
    root: Group
    form: type[BaseModel]
    each: int
    name: str = "fields"
    question: str = QUESTION

    def usual(self, text: str) -> dict[str, Any]:  # noqa: ARG002 - of the form alone
        return stand_in(answer_schema(self.form))

    def read(self, text: str, answer: Any, start: int) -> Reading:
        lost: list[str] = []
        places = Places(text, start)
        said = answer.model_dump(by_alias=True)
        got = _read(self.root, {"" if key == ROOT else key: one for key, one in said.items()} if self.is_list else said,
                    "", places, lost)  # fmt: skip
        return Reading(tuple(_items(got)), tuple(lost), 0, got)

    @property
    def is_list(self) -> bool:
        return "" in self.root.fields

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
        form = _group_form(form_fields(root))
        answer_schema(form)
    except InputError:
        raise
    except Exception as error:  # a pattern that is none, bounds that contradict each other
        raise InputError(f"The schema can not be used: {' '.join(str(error).split())[:160]}.") from error
    question = f"{QUESTION} The fields:\n" + "\n".join(_listed(form_fields(root), ""))
    return Fields(root, form, 48 * min(24, sum(1 for _ in _leaves(root))) + 32, question=question)


def form_fields(root: Group) -> Mapping[str, Node]:
    """As the answer names them."""
    return {ROOT if name == "" else name: node for name, node in root.fields.items()}


def _listed(fields: Mapping[str, Node], indent: str) -> Iterator[str]:
    """In words: an endpoint may show the model nothing of the schema that it holds it to."""
    for name, node in fields.items():
        is_list = isinstance(node, Many)
        inner = node.item if isinstance(node, Many) else node
        words = node.description or inner.description
        yield f"{indent}- {name}" + (" (a list)" if is_list else "") + (f": {words}" if words else "")
        if isinstance(inner, Group):
            yield from _listed(inner.fields, indent + "  ")


def _leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Group):
        for one in node.fields.values():
            yield from _leaves(one)
    elif isinstance(node, Many):
        for _ in range(3):  # what a list usually has
            yield from _leaves(node.item)
    else:
        yield node


def _group_form(fields: Mapping[str, Node]) -> type[BaseModel]:
    """Names of our own, the real ones as aliases: a field may be called `json`, or `model_config`."""
    made: dict[str, Any] = {}
    for number, (name, node) in enumerate(fields.items()):
        words = node.description or None
        if isinstance(node, Many):
            made[f"f{number}"] = (
                list[_form(node.item)],  # type: ignore[misc]
                Field(default_factory=list, alias=name, description=words),
            )
        elif isinstance(node, Leaf):  # a quote first, if an empty one: small models are quick to say null
            told: Any = Annotated[_form(node), BeforeValidator(_none)]
            made[f"f{number}"] = (told, Field(alias=name, description=words))
        else:
            made[f"f{number}"] = (_form(node) | None, Field(None, alias=name, description=words))
    return create_model("Record", **made)


def _none(said: Any) -> Any:
    return {"quote": "", "value": None} if said is None else said


def _form(node: Node) -> Any:
    if isinstance(node, Group):
        return _group_form(node.fields)
    if isinstance(node, Many):
        return list[_form(node.item)]  # type: ignore[misc]
    value: Any = Annotated[node.type, Field(**node.bounds)] if node.bounds else node.type
    quote = (str, Field(description="Words of the text, copied exactly; empty where it does not say."))
    optional: Any = value | None
    return create_model("Told", quote=quote, value=(optional, ...))


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


def _leaf(node: Leaf, said: Mapping[str, Any], path: str, places: Places, lost: list[str]) -> Got | None:
    value = said["value"]
    if value is None:
        return None
    if isinstance(value, str) and value.strip().casefold() in {"", "null", "none", "n/a", "unknown", "not mentioned"}:
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
