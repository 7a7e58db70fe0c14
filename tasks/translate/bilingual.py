"""Source and translation in one text: each paragraph with its translation below it, short pieces beside each other."""

import re
from collections.abc import Mapping

from taskkit.tasks.translate.formats import Opened
from taskkit.tasks.translate.segments import Segment

BELOW = {"paragraph", "list-item", "quote", "footnote"}  # the others stand on one line
MARKER = re.compile(r"(?:[-*+•]|\d{1,9}[.)]|\[\^[^\]]*\]:)[ \t]*")


def both(source: Opened, targets: Mapping[Segment, str]) -> dict[Segment, str]:
    """What is to stand in the place of each segment."""
    return {
        one: f"{one.text}{_between(source.parts[one.part], one)}{target}"
        for one, target in targets.items()
        if target != one.text and one.kind not in {"front-matter", "attribute"}
    }


def _between(text: str, segment: Segment) -> str:
    """A blank line with whatever a line of this block begins with; a bar in what has but one line."""
    if segment.kind not in BELOW:
        return " / "
    begin = text.rfind("\n", 0, segment.start) + 1
    lead = MARKER.sub(lambda mark: " " * len(mark[0]), text[begin : segment.start])
    if lead.strip(" \t>"):  # something else stands before it on its line
        return " / "
    end = "\r\n" if "\r\n" in text else "\n"
    return f"{end}{lead.rstrip()}{end}{lead}"
