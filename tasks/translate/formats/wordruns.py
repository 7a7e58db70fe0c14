"""Runs of a Word document, made simple before they are read.

What says the same in another way is brought into one: a text in CDATA, a comment within it, and a run that holds a
text beside a text box or the border of a field, which becomes a run for each. Only a part in which a translation is
written comes out so; any other stays byte for byte."""

import re
from itertools import accumulate
from xml.sax.saxutils import escape

TAG = re.compile(
    r"""<!--.*?-->|<(?P<slash>/?)(?P<name>[\w:.-]+)(?:[^<>"']|"[^"]*"|'[^']*')*?(?P<void>/?)>""", re.DOTALL
)
DEEPEST = 30  # text boxes within each other; Word itself makes none in another
LITERAL = re.compile(r"<!\[CDATA\[(.*?)\]\]>|<!--.*?-->", re.DOTALL)
MIXED = re.compile(r"<w:fldChar\b|<w:p[ >]")
LOOKS = re.compile(r"<w:rPr\b[^>]*>.*?</w:rPr>|<w:rPr\s*/>", re.DOTALL)


def simple(text: str) -> str:
    """Raises ValueError for what is never closed, or nested too deeply."""
    if "<!" in text:
        text = LITERAL.sub(lambda one: escape(one[1] or ""), text)
    tags = [*TAG.finditer(text)]
    runs = (-1 if tag["slash"] else 1 for tag in tags if tag["name"] == "w:r" and not tag["void"])
    if max(accumulate(runs), default=0) > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    parts: list[str] = []
    at = number = 0
    while number < len(tags):
        tag = tags[number]
        if tag["name"] == "w:r" and not tag["slash"] and not tag["void"]:
            last = end_of(tags, number)
            whole = text[tag.start() : tags[last].end()]
            if MIXED.search(whole):
                parts += text[at : tag.start()], _parted(whole)
                at, number = tags[last].end(), last
        number += 1
    return "".join([*parts, text[at:]])


def _parted(run: str) -> str:
    """A run for each of its children, where a text is among several."""
    tags = [*TAG.finditer(run)]
    children: list[tuple[str, str]] = []
    at = 1
    while at < len(tags) - 1:
        last = end_of(tags, at)
        if tags[at]["name"]:
            children.append((tags[at]["name"], run[tags[at].start() : tags[last].end()]))
        at = last + 1
    looks = "".join(raw for name, raw in children if name == "w:rPr")
    said = [(name, simple(raw) if re.search(r"<w:p[ >]", raw) else raw) for name, raw in children if name != "w:rPr"]
    if len(said) > 1 and any(name == "w:t" for name, _ in said):
        return "".join(f"{tags[0][0]}{looks}{raw}</w:r>" for _, raw in said)
    for (_, raw), (_, made) in zip([one for one in children if one[0] != "w:rPr"], said, strict=True):
        run = run.replace(raw, made, 1)
    return run


def end_of(tags: list[re.Match[str]], at: int) -> int:
    """Where the element that begins at a tag ends."""
    if tags[at]["void"] or tags[at]["slash"] or not tags[at]["name"]:
        return at
    depth = 0
    for number in range(at, len(tags)):
        if tags[number]["name"] == tags[at]["name"] and not tags[number]["void"]:
            depth += -1 if tags[number]["slash"] else 1
            if not depth:
                return number
    raise ValueError(f"<{tags[at]['name']}> is never closed")
