"""Things found in a text, each at its place: entities, feelings about aspects, keyphrases, relations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from taskkit.tasks.analyse.choose import FEELINGS
from taskkit.tasks.analyse.found import Item
from taskkit.tasks.analyse.kinds import Places, Reading, alone, fuller, lost_in, majority, together
from taskkit.tasks.analyse.labels import Labels

ENTITIES = {
    "person": "a named human being",
    "organisation": "a company, authority, team or club",
    "place": "a country, town, building or landscape",
    "date": "a date, a time or a span of time",
    "amount": "a number with what it counts, a price, a percentage",
    "product": "something that is made or sold, by its name",
    "event": "something that happens, by its name",
}
EXACT = "Copy each from the text exactly as it is spelt there, in the order in which they come."
Read = Callable[["Find", Any, Places], tuple[Item | None, str]]


@dataclass(frozen=True)
class Find:
    """`labels` are the only ones where they were given (`closed`), else those that are asked for first."""

    name: str
    labels: Labels
    closed: bool
    form: type[BaseModel]
    question: str
    one: Read
    each: int
    example: Mapping[str, str]
    foreign: tuple[str, ...] = field(default=())  # the examples' texts: what only they have is theirs

    def usual(self, text: str) -> dict[str, Any]:  # noqa: ARG002 - often there is nothing
        return {"items": []}

    def read(self, text: str, answer: Any, start: int) -> Reading:
        places = Places(text, start)
        items: list[Item] = []
        lost: list[str] = []
        leaked = 0
        for said in answer.items:
            item, problem = self.one(self, said, places)
            if item is not None and item not in items:
                items.append(item)
            if problem:
                lost.append(problem)
                quote = getattr(said, "evidence", "")
                leaked += bool(quote.strip()) and any(quote in other for other in self.foreign)
        return Reading(tuple(items), tuple(lost), leaked)

    def acceptable(self, reading: Reading) -> bool:
        """A few lost ones are not worth a second answer; they are dropped, counted and told."""
        return len(reading.lost) - reading.leaked <= len(reading.items)

    def again(self, reading: Reading) -> "Find":  # noqa: ARG002 - all of it, whatever was wrong
        return self

    def better(self, known: Reading, reading: Reading) -> Reading:
        return fuller(known, reading)

    def voted(self, votes: Sequence[Reading]) -> Reading:
        return together(votes, majority(votes, place_of))

    def merged(self, parts: Sequence[tuple[Reading, int]]) -> Reading:
        """In the order of the text; a keyphrase once."""
        readings = [reading for reading, _ in parts]
        found: dict[Any, Item] = {}
        for item in (item for reading in readings for item in reading.items):
            key = item.label.casefold() if self.name == "keyphrases" else place_of(item)
            found.setdefault(key, item)
        return alone(together(readings, ()), list(found.values()))

    def label(self, said: str) -> str | None:
        """As it is among the labels; another where there may be others."""
        return self.labels.known(said) or (None if self.closed else " ".join(said.split()).lower() or None)


def place_of(item: Item) -> tuple[object, ...]:
    ends = [one and (one.start, one.end) for one in (item.evidence, item.subject, item.object)]
    return item.label, str(item.value), *ends


def _entity(kind: Find, said: Any, places: Places) -> tuple[Item | None, str]:
    label = kind.label(said.label)
    if label is None:
        return None, f"{said.label[:80]!r} is none of the kinds"
    was_found = places.of(said.evidence) is not None
    evidence = places.following(said.evidence) if was_found else None
    if evidence is None:  # named more often than it stands there
        return None, "" if was_found else lost_in(said.evidence)
    return Item(label=label, evidence=evidence), ""


def _phrase(_kind: Find, said: Any, places: Places) -> tuple[Item | None, str]:
    evidence = places.following(said.evidence)
    if evidence is None:
        return None, "" if places.of(said.evidence) else lost_in(said.evidence)
    return Item(label=" ".join(evidence.quote.split()), evidence=evidence), ""


def _aspect(kind: Find, said: Any, places: Places) -> tuple[Item | None, str]:
    aspect = kind.label(said.aspect)
    feeling = Labels(FEELINGS).known(said.sentiment)
    evidence = places.of(said.evidence)
    if aspect is None:
        return None, f"{said.aspect[:80]!r} is none of the aspects"
    if feeling is None or evidence is None:
        return None, lost_in(said.evidence) if feeling else f"{said.sentiment[:80]!r} is no feeling"
    return Item(label=feeling, value=aspect, evidence=evidence), ""


def _relation(kind: Find, said: Any, places: Places) -> tuple[Item | None, str]:
    label = kind.label(said.relation)
    evidence = places.of(said.evidence)
    subject, target = places.of(said.subject, near=evidence), places.of(said.object, near=evidence)
    if label is None:
        return None, f"{said.relation[:80]!r} is none of the relations"
    for quote, place in ((said.evidence, evidence), (said.subject, subject), (said.object, target)):
        if place is None:
            return None, lost_in(quote)
    return Item(label=label, evidence=evidence, subject=subject, object=target), ""


FindKind = Literal["entities", "aspects", "keyphrases", "relations"]


def finder(name: FindKind, labels: Labels, foreign: Sequence[str] = ()) -> Find:
    """`labels` are the kinds of entities, the aspects or the relations to look for; without any, all that there are.
    `foreign` are the texts of the examples."""
    closed = bool(labels.meanings)
    if name == "entities" and not closed:
        labels = Labels(ENTITIES)
    listed = f"\n{labels.listing()}" if labels.meanings else ""
    question, one, each, example = {
        "entities": (
            f"Find every mention of these kinds in the text: its kind as label, itself as evidence. {EXACT}{listed}",
            _entity, 320, {"label": next(iter(labels.meanings), "person"), "evidence": ""},
        ),
        "aspects": (
            "Find what the text has an opinion on, and how it feels about each: the aspect in a word or two, the "
            "sentiment (positive, negative, neutral or mixed), and as evidence a short passage, copied exactly."
            + (f" Only these aspects, each only where the text speaks of it:{listed}" if closed else ""),
            _aspect, 240, {"aspect": next(iter(labels.meanings), "price"), "sentiment": "positive", "evidence": ""},
        ),
        "keyphrases": (
            ("Find the three to ten phrases that say best what the text is about, the most telling first. Each is one "
            "to five words, copied from the text exactly."),
            _phrase, 160, {"evidence": ""},
        ),
        "relations": (
            "Find who or what stands in which relation to whom or what: subject and object as the text names them, "
            "the relation in a few words such as works for, and as evidence the passage that says so, copied exactly."
            + (f" Only these relations:{listed}" if closed else ""),
            _relation, 400,
            {"subject": "", "relation": next(iter(labels.meanings), "works for"), "object": "", "evidence": ""},
        ),
    }[name]  # fmt: skip
    return Find(name, labels, closed, _form(name, example, labels, closed=closed), question, one, each, example,
                tuple(foreign))  # fmt: skip


NAMED = {"entities": "label", "aspects": "aspect", "relations": "relation"}  # the field that the labels are for


def _form(name: str, example: Mapping[str, str], labels: Labels, *, closed: bool) -> type[BaseModel]:
    fields: dict[str, Any] = dict.fromkeys(example, (str, ...))
    if "sentiment" in fields:
        fields["sentiment"] = (str, Field(json_schema_extra={"enum": list(FEELINGS)}))
    if name in NAMED and closed:
        fields[NAMED[name]] = (str, Field(json_schema_extra={"enum": list(labels.choices)}))
    one = create_model("Found", **fields)
    many: dict[str, Any] = {"items": (list[one], ...)}  # type: ignore[valid-type]
    return create_model("AllFound", **many)
