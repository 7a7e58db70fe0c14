"""A Markdown block parser that remembers where in the source each line's content begins and ends.

markdown-it gives blocks as line ranges. While a rule runs, though, its state knows the exact place of each line's
content behind list markers and quote prefixes, so the rules that hold prose are wrapped to write that down.
"""

import re
from collections.abc import MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.parser_block import RuleFuncBlockType
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

# The rules that a block of each kind may cut short, as markdown-it's own table has them.
INTERRUPTS = ["paragraph", "reference", "blockquote", "list"]
PROSE = {
    "table": ["paragraph", "reference"],
    "html_block": ["paragraph", "reference", "blockquote"],
    "heading": ["paragraph", "reference", "blockquote"],
    "lheading": [],
    "paragraph": [],
}
MATH = re.compile(r"\$\$")
NOTE = re.compile(r'(?:(?:!!!|\?\?\?\+?)[ \t]+[A-Za-z][\w -]*+(?:"[^"]*+")?|===[!+]?[ \t]+"[^"]+")[ \t]*$')
FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:[ \t]*")
DIRECTIVE = re.compile(r":{3,}|/{3,}(?=[ \t]|$)|-+8<-+|\{(?P<mark>[%*])(?=.*(?P=mark)\}[ \t]*$)")
FRONT_MATTER = re.compile(r"\ufeff?(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<body>(?:.*\n)*?)(?P=fence)[ \t]*\r?(?:\n|\Z)")
FIRST_KEY = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*+[\"']?[\w-]+[\"']?[ \t]*[:=]")
NESTING = 60


def front_matter(text: str) -> re.Match[str] | None:
    """The block between two fences at the very top (group `body`), if it begins like YAML or TOML."""
    match = FRONT_MATTER.match(text)
    return match if match and (not match["body"].strip() or FIRST_KEY.match(match["body"])) else None


def parse_blocks(text: str) -> tuple[list["Token"], MutableMapping[str, Any]]:
    """Block tokens, and the parser's environment (`references`: normalised label to target).

    The first token of a heading, paragraph, table, HTML block, note or directive has `meta["lines"]`: (start, end) of each of
    its lines' content, as offsets in `text`.
    """
    matter = front_matter(text)
    head = matter.end() if matter else int(text.startswith("\ufeff"))
    # Everything keeps its length, so that offsets hold. A space before the line end means nothing to blocks.
    body = text[head:].replace("\r\n", " \n").replace("\r", "\n").replace("\0", "\ufffd")
    environment: dict[str, Any] = {}
    tokens: list[Token] = []
    md = parser()
    md.block.parse(re.sub(r"[^\n]", " ", text[:head]) + body, md, environment, tokens)
    return tokens, environment


@lru_cache(maxsize=1)
def parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt, rules_block

    md = MarkdownIt("commonmark", {"maxNesting": NESTING}).enable(["table", "strikethrough"])
    rules = md.block.ruler
    for name, alt in PROSE.items():
        # `table` is a module of `rules_block` as well as a function in it: the function has the name.
        rules.at(name, _recording(getattr(rules_block, name)), {"alt": alt})
    for name, rule in {"math": _math, "note": _note, "footnote": _footnote, "directive": _directive}.items():
        rules.before("fence", name, rule, {"alt": INTERRUPTS})
    return md


def _recording(rule: "RuleFuncBlockType") -> "RuleFuncBlockType":
    def record(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
        count = len(state.tokens)
        if not rule(state, start, end, silent):
            return False
        if not silent:
            first = state.tokens[count]
            first.meta["lines"] = [_bounds(state, line) for line in range(*(first.map or (0, 0)))]
        return True

    return record


def _bounds(state: "StateBlock", line: int) -> tuple[int, int]:
    return state.bMarks[line] + state.tShift[line], state.eMarks[line]


def _opening(state: "StateBlock", line: int, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return None if state.is_code_block(line) else pattern.match(state.src, *_bounds(state, line))


def _note(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """`!!! kind "Title"`, `??? kind`, `=== "Tab"`, each with a body indented by four."""
    if not _opening(state, start, NOTE):
        return False
    if not silent:
        token = state.push("note_open", "aside", 1)
        token.meta["lines"] = [_bounds(state, start)]
        token.info = state.src[slice(*_bounds(state, start))].partition('"')[0].strip()
        _contain(state, "note", start + 1, end)
    return True


def _footnote(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """`[^1]: text`, with further paragraphs indented by four."""
    match = _opening(state, start, FOOTNOTE)
    if not match:
        return False
    if not silent:
        state.push("footnote_open", "aside", 1).info = match[0].strip()
        shift, columns = state.tShift[start], state.sCount[start]
        state.tShift[start] = match.end() - state.bMarks[start]
        state.sCount[start] = state.blkIndent + 4
        _contain(state, "footnote", start, end)
        state.tShift[start], state.sCount[start] = shift, columns
    return True


def _contain(state: "StateBlock", name: str, start: int, end: int) -> None:
    indent = state.blkIndent
    state.blkIndent = indent + 4
    state.line = start
    state.md.block.tokenize(state, start, end)
    state.blkIndent = indent
    state.push(f"{name}_close", "aside", -1)


def _directive(state: "StateBlock", start: int, _end: int, silent: bool) -> bool:
    """One line of a site generator's markup: `::: note`, `/// tip | Title`, `{% include … %}`."""
    match = _opening(state, start, DIRECTIVE)
    if not match:
        return False
    if not silent:
        token = state.push("directive", "", 0)
        token.meta["lines"] = [_bounds(state, start)]
        token.info = match[0]
        state.line = start + 1
    return True


def _math(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """`$$` to the next line that ends in `$$`; nothing but that closes it, a blank line means it was none."""
    if not _opening(state, start, MATH):
        return False
    first = state.src[slice(*_bounds(state, start))].rstrip()
    stop = start + 1
    while first.count("$$") == 1:
        if stop >= end or state.isEmpty(stop) or state.sCount[stop] < state.blkIndent:
            return False
        line = state.src[slice(*_bounds(state, stop))].rstrip()
        stop += 1
        if "$$" in line:
            first = line
            break
    if not first.endswith("$$"):
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content = state.getLines(start, stop, state.blkIndent, True)
        state.line = stop
    return True
