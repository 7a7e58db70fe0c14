"""The bones of a document: what has to be the same in its translation."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from taskkit.tasks.translate.formats.blocks import front_matter, parse_blocks, parser
from taskkit.tasks.translate.formats.markdown import ATTRIBUTES
from taskkit.tasks.translate.formats.webpage import stretches, unsaid
from taskkit.tasks.translate.mask import mask
from taskkit.tasks.translate.segments import Prose

if TYPE_CHECKING:
    from markdown_it.token import Token

KEY = re.compile(r"^([\w.-]+)[ \t]*[:=]", re.MULTILINE)
VERBATIM = {"fence": "code", "code_block": "code", "math": "math", "html_block": "html"}
INLINE = {"code_inline": "inline code", "html_inline": "tags"}
# Where human translators differ from the source in some of their pages (links in 3 %, code in a tenth), code only warns.
WARNINGS = {"links", "inline code", "tags", "line count"}
UNORDERED = {"links", "inline code", "tags", "kept text"}

Bones = dict[str, list[str]]


def bones(text: str, form: Prose) -> Bones:
    """Aspect to what there is of it, in order; two documents of one structure have equal ones."""
    found: Bones = {"line count": [str(len(text.splitlines()))]}
    pairs = _markdown(text) if form == "markdown" else _plain(text)
    for aspect, value in pairs:
        found.setdefault(aspect, []).append(value)
    for aspect in UNORDERED & found.keys():
        found[aspect].sort()
    return found


def _plain(text: str) -> Iterator[tuple[str, str]]:
    yield from (("paragraphs", "") for _ in re.split(r"\n[ \t\r]*\n", text.strip()))
    yield from (("kept text", token) for token in mask(text, "text").tokens)


def _markdown(text: str) -> Iterator[tuple[str, str]]:
    matter = front_matter(text)
    for key in KEY.findall(matter["body"]) if matter else ():
        yield "front matter", key
    tokens, environment = parse_blocks(text)
    for label, target in environment.get("references", {}).items():
        yield "link definitions", f"{label}: {target['href']}"
    for token, content in zip(tokens, [*tokens[1:], None], strict=True):
        yield from _block(token, content)
        if token.type == "inline":
            children: list[Token] = []
            parser().inline.parse(token.content, parser(), environment, children)
            yield from _inline(children)


def _block(token: "Token", content: "Token | None") -> Iterator[tuple[str, str]]:
    if token.type == "heading_open" and content:
        yield "heading levels", token.tag
        yield from (("anchors", anchor) for anchor in ATTRIBUTES.findall(content.content))
    elif token.type in VERBATIM:
        if token.type == "fence":
            yield "code fences", f"{token.markup}{token.info.strip()}"
        yield VERBATIM[token.type], (_tags(token.content) if token.type == "html_block" else token.content).strip()
    elif token.type.endswith(("list_open", "list_item_open")):
        yield "lists", f"{token.type.removesuffix('_open')} at level {token.level}"
    elif token.type in {"blockquote_open", "note_open", "footnote_open", "directive", "hr"}:
        yield "blocks", f"{token.type.removesuffix('_open')} {token.info}".strip()
    elif token.type in {"tr_open", "th_open", "td_open"}:
        yield "tables", token.tag
    elif token.type == "paragraph_open":
        yield "paragraphs", f"at level {token.level}"


def _tags(html: str) -> str:
    """A block without what it shows; all of it where nobody can tell."""
    parts: list[str] = []
    at = 0
    try:
        shown = [*stretches(html)]
    except ValueError:
        shown = []
    for start, end in shown:
        parts += html[at:start], "…"
        at = end
    return _unsaid("".join([*parts, html[at:]]))


def _unsaid(html: str) -> str:
    try:
        return unsaid(html)
    except ValueError:
        return html


def _inline(children: list["Token"]) -> Iterator[tuple[str, str]]:
    for child in children:
        target = child.attrGet("href") or child.attrGet("src")
        if target:
            yield "links", str(target)
        elif child.type in INLINE:
            yield INLINE[child.type], _unsaid(child.content) if child.type == "html_inline" else child.content
        yield from _inline(child.children or [])


def difference(before: list[str], after: list[str], *, ordered: bool) -> str:
    """What differs, in a few words; "" when nothing does."""
    if before == after:
        return ""
    if not ordered:
        lost, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
        said = [f"{name} {_short(next(iter(side)))}" for name, side in (("lost", lost), ("new", new)) if side]
        return ", ".join(said)
    for number, (was, now) in enumerate(zip(before, after, strict=False), 1):
        if was != now:
            return f"number {number} is {_short(now)} instead of {_short(was)}"
    return f"{len(after)} instead of {len(before)}"


def _short(value: str) -> str:
    line = " ".join(value.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}…")
