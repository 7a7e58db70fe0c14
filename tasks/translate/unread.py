"""A net under the formats: how much of a text nothing was found in, although it is neither code nor markup.

It is a rough count, for one warning where a format has lost its way: too deep a nesting, markup that nobody knows."""

import re

from taskkit.job import Job
from taskkit.tasks.translate.formats import Opened, webpage
from taskkit.tasks.translate.formats.archive import left_out
from taskkit.tasks.translate.formats.blocks import front_matter

LEFT = re.compile(
    rf"""<({"|".join(sorted(webpage.LEFT))})\b[^<>]*+>.*?(?:</\1\s*>|\Z) | <!--.*?(?:-->|\Z) | </?[A-Za-z!][^<>]*+>
    | https?://\S+""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
FENCED = re.compile(
    r"^[ \t>]*+(?:[-*+]|\d+[.)])?[ \t]*+(`{3,}|~{3,}|\$\$|:{3,}).*?(?:^[ \t>]*+\1|\Z)", re.MULTILINE | re.DOTALL
)
LINE = re.compile(  # indented code, a link's or an abbreviation's definition, a directive, an import of MDX
    r"^(?:(?: {4}|\t).*|[ >]*+\*?\[[^\]\n]*+\]:.*|[ \t]*+\{[%{*].*|(?:import|export)[ ].*)$", re.MULTILINE
)
INLINE = re.compile(r"`[^`\n]*+`|\{\{[^{}]*+\}\}|\{%[^%]*+%\}")


def letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def unread(source: Opened) -> tuple[int, int]:
    """The letters that are neither in a segment nor, as far as one can tell, in code or markup; and those of the
    segments. Of formats that name what is to be translated only whether they found nothing at all."""
    found = sum(letters(one.text) for one in source.segments)
    if source.format.name not in {"text", "markdown", "html"}:
        return (0 if found else letters("".join(source.parts.values()))), found
    text = source.parts[""]
    rest: list[str] = []
    at = 0
    for one in source.segments:
        rest += text[at : one.start], "\0"
        at = max(at, one.end)
    left = "".join([*rest, text[at:]])
    if source.format.name == "markdown":
        matter = front_matter(text)
        left = left if matter is None else left[left.find(matter["fence"], 3) :]
        left = INLINE.sub("", LINE.sub("", FENCED.sub("", left)))
    return letters(left if source.format.name == "text" else LEFT.sub("", left)), found


def told(job: Job, source: Opened) -> None:
    for kind, count in (left_out(source.data) if source.format.unpack else {}).items():
        many = f"{count} {kind}s" if count > 1 else f"a {kind}"
        job.warn("unread", f"The words of {many} in {source.name} are not read: they stay as they are.")
    left, found = unread(source)
    name = source.name or "the text"
    if left and not found:
        job.warn("unread", f"Nothing to translate was found in {name}: it stays as it is.")
    elif left > found:
        job.warn(
            "unread",
            f"Less than half of {name} was found to be text: {found} of {found + left} letters outside of code and "
            "markup. The rest stays as it is.",
        )
