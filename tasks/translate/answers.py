"""What a model answers with, and what is taken off or left aside before it counts."""

import itertools
import re
import statistics
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from taskkit.tasks.translate.units import Unit

# The marks that a text was shown between, said again, if in another language; what follows the second is about the answer.
FENCED = re.compile(r"(?:<<<[^<>\n]{1,80}>{2,3})?(.*?)(?:<<<[^<>\n]{1,80}>{2,3}.*)?", re.DOTALL)
MERGED = 1.3  # times as long as the others of a batch: two in one


class Item(BaseModel):
    id: str
    translation: str


class Answers(BaseModel):
    items: list[Item]


def apart(asked: Sequence[Unit], answers: Mapping[str, str]) -> Mapping[str, str]:
    """Without those that seem to hold the answer of a neighbour, too, which is missing: they are unusually long."""
    ratios = {unit.id: len(answers[unit.id]) / len(unit.masked.text) for unit in asked if unit.id in answers}
    usual = 1.5 if len(ratios) < 2 else statistics.median_low(ratios.values())
    beside = {
        unit.id
        for one, other in itertools.pairwise(asked)
        for unit, another in ((one, other), (other, one))
        if another.id not in answers
    }
    return {key: text for key, text in answers.items() if key not in beside or ratios[key] <= MERGED * usual}


def bare(answer: str, source: str) -> str:
    """Without the quotation marks or the fence that models like to put around an answer."""
    text = answer.strip()
    lines = text.splitlines()
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1] == "```" and "```" not in source:
        text = "\n".join(lines[1:-1]).strip()
    if "<<<" not in source and (fenced := FENCED.fullmatch(text)):
        text = fenced[1].strip()
    for start, end in (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“")):
        if len(text) > 2 and text[0] == start and text[-1] == end and source.strip()[:1] not in {start, '"', "“"}:
            text = text[1:-1].strip()
    return text
