"""ICU messages: `{count, plural, one {# file} other {# files}}`. Only what stands in the branches is language.

The text around a choice is a text of its own, in which the choice is one opaque stretch; so is each branch, at any
depth. A plural gets the categories of the language that it is translated to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from taskkit.tasks.translate.formats.marks import apart, between
from taskkit.tasks.translate.plurals import categories, note
from taskkit.tasks.translate.segments import Plural, trim

OPENING = re.compile(r"\{\s*([\w.-]+)\s*,\s*(plural|select|selectordinal)\s*,\s*(?:offset:\s*\d+\s*)?")
SELECTOR = re.compile(r"(\s*)(=\d+|[\w-]+)\s*\{")
QUOTED = re.compile(r"''|'[{}#|](?:[^']|'')*(?:'|\Z)")
DEPTH = 8


@dataclass(frozen=True, slots=True)
class Branch:
    """`[start, end)` is what stands in its braces; `before` the blanks ahead of its name, which starts at `at`."""

    name: str
    at: int
    start: int
    end: int
    before: str


@dataclass(frozen=True, slots=True)
class Choice:
    start: int
    end: int
    argument: str
    kind: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of a message. `path` names it; it is "" for what stands around the choices."""

    path: str
    text: str
    keep: tuple[str, ...]
    plural: Plural | None
    note: str


def pieces(message: str, to: str) -> list[Piece]:
    """The texts of a message that has choices; none for one that has not, or is no whole ICU message."""
    if not OPENING.search(message):
        return []
    try:
        return list(_pieces(message, to, "", None, ()))
    except ValueError:
        return []


def rebuilt(message: str, targets: Mapping[str, str], to: str, path: str = "") -> str:
    """The message with the texts of `targets`, by path; where one is missing, with that of the source."""
    start, end = trim(message, 0, len(message))
    found = choices(message)
    marks = _marks(message, found)
    around = targets.get(path)
    if around is None:
        text = _masked(message, found).strip()
    else:  # an apostrophe before a brace would hide it: each is written twice, which is one to a reader
        text = between(around, [*marks, *_literals(message, found)], lambda part: part.replace("'", "''"))
    for choice, mark in zip(found, marks, strict=True):
        text = text.replace(mark, _choice(message, choice, targets, to, path), 1)
    return message[:start] + text + message[end:]


def choices(message: str) -> list[Choice]:
    """Those at the top of a message. Raises ValueError where braces do not match."""
    found: list[Choice] = []
    at = 0
    while at < len(message):
        letter = message[at]
        if letter == "'":
            literal = QUOTED.match(message, at)
            at = literal.end() if literal else at + 1
        elif letter == "{":
            opening = OPENING.match(message, at)
            if opening:
                found.append(_read(message, opening))
                at = found[-1].end
            else:
                at = _closing(message, at) + 1
        elif letter == "}":
            raise ValueError("a brace is closed that was never opened")
        else:
            at += 1
    return found


def _read(message: str, opening: re.Match[str]) -> Choice:
    branches: list[Branch] = []
    at = opening.end()
    while match := SELECTOR.match(message, at):
        end = _closing(message, match.end() - 1)
        branches.append(Branch(match[2], match.start(2), match.end(), end, match[1]))
        at = end + 1
    rest = re.compile(r"\s*\}").match(message, at)
    if not rest or not any(branch.name == "other" for branch in branches):
        raise ValueError("a choice without `other`, or without its end")
    return Choice(opening.start(), rest.end(), opening[1], opening[2], tuple(branches))


def _closing(message: str, at: int) -> int:
    depth = 0
    while at < len(message):
        letter = message[at]
        if letter == "'" and (literal := QUOTED.match(message, at)):
            at = literal.end()
            continue
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return at
        at += 1
    raise ValueError("a brace is never closed")


def _pieces(message: str, to: str, path: str, plural: Plural | None, inherited: tuple[str, ...]) -> Iterator[Piece]:
    if path.count("/") > DEPTH:
        raise ValueError("too deep")
    found = choices(message)
    kept = [*_marks(message, found), *_literals(message, found)]
    around = between(_masked(message, found).strip(), kept, lambda part: part.replace("''", "'"))
    if any(letter.isalpha() for letter in re.sub(r"\{[^{}]*\}", "", "".join(apart(around, kept)[::2]))):
        said = note(plural) or (f"For the case {path.rpartition('/')[2]} of a message." if path else "")
        yield Piece(path, around, (*inherited, *kept), plural, said)
    for choice in found:
        counts = choice.kind != "select"
        for name, body, form in _wanted(message, choice, to):
            inner = f"{path}/{choice.argument}={name}" if path else f"{choice.argument}={name}"
            yield from _pieces(
                body, to, inner, form or (plural if not counts else None), ("#",) if counts else inherited
            )


def _wanted(message: str, choice: Choice, to: str) -> Iterator[tuple[str, str, Plural | None]]:
    """The branches that a translation needs, each with the text it is translated from."""
    bodies = {branch.name: message[branch.start : branch.end] for branch in choice.branches}
    forms = categories(to, ordinal=choice.kind == "selectordinal") if choice.kind != "select" else ()
    for name, body in bodies.items():
        if not forms or name.startswith("="):
            number = (int(name[1:]),) if name.startswith("=") else ()
            yield name, body, Plural(0, 1, name, number) if choice.kind != "select" else None
    for form in forms:
        yield form.category, bodies.get(form.category, bodies["other"]), form


def _choice(message: str, choice: Choice, targets: Mapping[str, str], to: str, path: str) -> str:
    gaps = {branch.name: branch.before for branch in choice.branches}
    head = message[choice.start : choice.branches[0].at - len(choice.branches[0].before)]
    tail = message[choice.branches[-1].end + 1 : choice.end]
    heads = {branch.name: message[branch.at : branch.start] for branch in choice.branches}
    written: list[str] = []
    for name, body, _ in _wanted(message, choice, to):
        inner = f"{path}/{choice.argument}={name}" if path else f"{choice.argument}={name}"
        gap = gaps.get(name) or choice.branches[-1].before if written else choice.branches[0].before
        written.append(f"{gap}{heads.get(name, f'{name} {{')}{rebuilt(body, targets, to, inner)}}}")
    return head + "".join(written) + tail


def _marks(message: str, found: list[Choice]) -> list[str]:
    """What stands for each choice in the text around them."""
    marks: list[str] = []
    for number, choice in enumerate(found):
        mark = f"{{{choice.argument}, {choice.kind}, …}}"
        marks.append(mark if mark not in marks and mark not in message else f"{{{choice.argument}, …{number}}}")
    return marks


def _masked(message: str, found: list[Choice]) -> str:
    """The text around the choices, with their marks."""
    parts, at = list[str](), 0
    for choice, mark in zip(found, _marks(message, found), strict=True):
        parts += message[at : choice.start], mark
        at = choice.end
    return "".join([*parts, message[at:]])


def _literals(message: str, found: list[Choice]) -> list[str]:
    """What its apostrophes make literal."""
    return [literal[0] for literal in QUOTED.finditer(_masked(message, found)) if literal[0] != "''"]
