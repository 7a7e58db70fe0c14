"""Judgements of a text: which label fits it, which labels, or how it feels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, Field, create_model

from taskkit.tasks.analyse.found import Item
from taskkit.tasks.analyse.kinds import Places, Reading, alone, fuller, lost_in, majority, together
from taskkit.tasks.analyse.labels import NONE, Labels

FEELINGS = {
    "positive": "it is pleased, praises, recommends",
    "negative": "it is displeased, complains, warns",
    "neutral": "it tells facts without feeling",
    "mixed": "it is clearly both pleased and displeased",
}


@dataclass(frozen=True)
class Choose:
    """`labels` where one is chosen (`multi` False) or each that fits. A judgement that was not borne out by words of
    the text is kept without evidence where one must be made, and left out where it may."""

    name: str
    labels: Labels
    multi: bool
    form: type[BaseModel]
    question: str
    each: int

    def usual(self, text: str) -> dict[str, Any]:
        one = {"evidence": "".join(text.split()[:1]), "label": self.labels.choices[0]}
        return {"labels": []} if self.multi else one

    def read(self, text: str, answer: Any, start: int) -> Reading:
        places = Places(text, start)
        items: list[Item] = []
        lost: list[str] = []
        for said in answer.labels if self.multi else (answer,):
            label = self.labels.known(said.label)
            evidence = places.of(said.evidence)
            if label is None:
                lost.append(f"{said.label[:80]!r} is none of the labels")
            elif label == NONE:
                continue
            elif evidence is None and self.multi:
                lost.append(lost_in(said.evidence))
            elif label not in {item.label for item in items}:
                lost += [] if evidence else [lost_in(said.evidence)]
                items.append(Item(label=label, evidence=evidence))
        return Reading(tuple(items), tuple(lost))

    def acceptable(self, reading: Reading) -> bool:
        return not reading.lost

    def again(self, reading: Reading) -> "Choose":  # noqa: ARG002 - all of it, whatever was wrong
        return self

    def better(self, known: Reading, reading: Reading) -> Reading:
        return fuller(known, reading)

    def voted(self, votes: Sequence[Reading]) -> Reading:
        """Of one label, the one that has more votes than any other; two with as many are none."""
        if self.multi:
            return together(votes, majority(votes, lambda item: item.label))
        given = Counter(vote.items[0].label if vote.items else NONE for vote in votes)
        (label, count), *others = given.most_common()
        if label == NONE or any(other == count for _, other in others):
            return together(votes, ())
        having = [item for vote in votes for item in vote.items if item.label == label]
        best = next((item for item in having if item.evidence), having[0])
        return together(votes, [best.model_copy(update={"confidence": round(count / len(votes), 3)})])

    def merged(self, parts: Sequence[tuple[Reading, int]]) -> Reading:
        """Each label once; where one is wanted, the one that most of the text was given."""
        if len(parts) == 1:
            return parts[0][0]
        readings = [reading for reading, _ in parts]
        items: dict[str, Item] = {}
        weight: Counter[str] = Counter()
        for reading, size in parts:
            for item in reading.items:
                weight[item.label] += size
                if item.label not in items or items[item.label].evidence is None:
                    items[item.label] = item
        if self.multi or not items:
            return together(readings, list(items.values()))
        return alone(together(readings, ()), [items[weight.most_common(1)[0][0]]])

    def among(self, only: Sequence[str]) -> str:
        """What one text is told of the labels that are nearest to it."""
        return ", ".join((*only, NONE) if self.labels.abstains else only)


def chooser(labels: Labels, *, multi: bool, shortlists: bool) -> Choose:
    """With `shortlists` each text is shown its own labels; the question then does not list them all."""
    if multi:
        what = "Say which of the labels fit the text: each that fits, none when none does."
    else:
        what = "Say which one of the labels fits the text best."
    listed = "The labels are named with each text." if shortlists else f"The labels:\n{labels.listing()}"
    question = f"{what} Give as evidence a short passage of the text, copied exactly, that shows it. {listed}"
    return Choose("labels", labels, multi, _form(labels, multi=multi), question, 96 if multi else 64)


def sentiment() -> Choose:
    feelings = Labels(FEELINGS)
    question = (
        "Say how the text as a whole feels about what it speaks of. Give as evidence a short passage of the text, "
        f"copied exactly, that shows it. The labels:\n{feelings.listing()}"
    )
    return replace(chooser(feelings, multi=False, shortlists=False), name="sentiment", question=question)


def _form(labels: Labels, *, multi: bool) -> type[BaseModel]:
    """The answer's form; its schema knows only these labels, and other spellings of them are still taken."""
    fields: dict[str, Any] = {
        "evidence": (str, Field(description="Words of the text, copied exactly.")),
        "label": (str, Field(json_schema_extra={"enum": list(labels.choices)})),
    }
    one = create_model("Judgement", **fields)
    many: dict[str, Any] = {"labels": (list[one], ...)}  # type: ignore[valid-type]
    return create_model("Judgements", **many) if multi else one
