"""Fluent, the messages of a program as Mozilla's have them: `hello = Hello, { $name }`, with attributes and variants.

What stands in braces comes back as it is; of a choice in braces each variant is a text of its own. A choice by number
gets the plural forms of the language that it is translated to."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from taskkit.tasks.translate.formats.opened import Format
from taskkit.tasks.translate.plurals import ORDER, categories, note
from taskkit.tasks.translate.segments import Group, Options, Plural, Segment, trim

ENTRY = re.compile(r"(?P<name>-?[A-Za-z][\w-]*)[ ]*=[ ]*")
ATTRIBUTE = re.compile(r"(?:[ \t]*\r?\n)*[ ]+\.(?P<name>[A-Za-z][\w-]*)[ ]*=[ ]*")
LINE = re.compile(r"(?:#(?P<comment>[^\r\n]*)|[ \t]*)(?:\r?\n|\Z)")
NEXT = re.compile(r"(?:[ \t]*\r?\n)+(?P<indent>[ ]*)(?P<first>[^\s])")
VARIANT = re.compile(r"\s*(?P<default>\*?)\[\s*(?P<key>[\w.-]+)\s*\][ ]*")
LITERAL = re.compile(r'"(?:[^"\\\r\n]|\\.)*"')
ENDS = ".[*}"  # a line that begins so goes on with no text
DEEP = 20


@dataclass(frozen=True, slots=True)
class Variant:
    """`at` is where its name begins, [start, end) its pattern."""

    key: str
    is_default: bool
    at: int
    pattern: "Pattern"


@dataclass(frozen=True, slots=True)
class Placeable:
    start: int
    end: int
    variants: tuple[Variant, ...] = ()
    is_ordinal: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    start: int
    end: int
    placeables: tuple[Placeable, ...]

    @property
    def choices(self) -> list[Placeable]:
        return [one for one in self.placeables if one.variants]


def find(text: str, options: Options) -> list[Segment]:
    return [one for name, said, pattern in _patterns(text) for one in _texts(text, pattern, name, said, options.to)]


def _patterns(text: str) -> Iterator[tuple[str, str, Pattern]]:
    """Each with its name and what the comment above it says. Raises ValueError for what is no Fluent."""
    at, comments = int(text.startswith("\ufeff")), list[str]()
    while at < len(text):
        if match := ENTRY.match(text, at):
            pattern = _pattern(text, match.end())
            name, said = match["name"], "\n".join(comments)
            if pattern.start < pattern.end:
                yield name, said, pattern
            while attribute := ATTRIBUTE.match(text, pattern.end):
                pattern = _pattern(text, attribute.end())
                if not name.startswith("-"):  # those of a term are for the messages that use it
                    yield f"{name}.{attribute['name']}", said, pattern
            at, comments = pattern.end, []
            rest = re.compile(r"[ \t]*(?:\r?\n|\Z)").match(text, at)
        else:
            rest = LINE.match(text, at)
            comments = [*comments, rest["comment"].lstrip("# ")] if rest and rest["comment"] is not None else []
        if rest is None:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1} is neither a comment nor a message.")
        at = rest.end() if rest.end() > at else len(text)


def _pattern(text: str, at: int, depth: int = 0) -> Pattern:
    """From here to the line that does not go on, without the blanks at both ends."""
    found: list[Placeable] = []
    start = at
    while at < len(text) and text[at] != "}":
        if text[at] == "{":
            found.append(_placeable(text, at, depth))
            at = found[-1].end
        elif text[at] in "\r\n":
            following = NEXT.match(text, at)
            if not following or following["first"] in ENDS or not (following["indent"] or following["first"] == "{"):
                break
            at = following.start("first")
        else:
            at += 1
    return Pattern(*trim(text, start, at), tuple(found))


def _placeable(text: str, start: int, depth: int) -> Placeable:
    if depth > DEEP:
        raise ValueError("it is nested too deeply.")
    at = start + 1
    while at < len(text) and text[at] != "}":
        if text[at] == "{":
            at = _placeable(text, at, depth + 1).end
        elif text[at] == '"':
            literal = LITERAL.match(text, at)
            at = literal.end() if literal else len(text)
        elif text.startswith("->", at):
            variants, end = _variants(text, at + 2, depth + 1)
            return Placeable(start, end, variants, '"ordinal"' in text[start:at])
        else:
            at += 1
    if at >= len(text):
        raise ValueError(f"the brace of line {text.count(chr(10), 0, start) + 1} is never closed.")
    return Placeable(start, at + 1)


def _variants(text: str, at: int, depth: int) -> tuple[tuple[Variant, ...], int]:
    """All of a choice, and the end of its braces."""
    found: list[Variant] = []
    while match := VARIANT.match(text, at):
        pattern = _pattern(text, match.end(), depth)
        found.append(Variant(match["key"], bool(match["default"]), match.start("default"), pattern))
        at = pattern.end
    closed = re.compile(r"\s*\}").match(text, at)
    if closed is None or sum(one.is_default for one in found) != 1:
        raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: a choice has one default, with *, and an end.")
    return tuple(found), closed.end()


def _texts(text: str, pattern: Pattern, name: str, said: str, to: str) -> Iterator[Segment]:
    """The text of a pattern; where it has choices, the texts of their variants and those around them."""
    at = pattern.start
    for number, choice in enumerate(pattern.choices, 1):
        yield from _text(text, pattern, at, choice.start, f"{name}~{number}", said)
        where = name if len(pattern.choices) == 1 else f"{name}~{number}"
        forms = _forms(choice, to)
        if forms:
            yield from _plurals(text, choice, forms, where, said)
        else:
            for one in choice.variants:
                yield from _variant(text, one, f"{where}[{one.key}]", said, to)
        at = choice.end
    last = f"{name}~{len(pattern.choices) + 1}" if pattern.choices else name
    yield from _text(text, pattern, at, pattern.end, last, said)


def _variant(text: str, one: Variant, name: str, said: str, to: str) -> Iterator[Segment]:
    form = Plural(0, 1, one.key) if one.key in ORDER[:-1] else None
    about = "\n".join(filter(None, (said, note(form) or f"For the case {one.key}.")))
    for segment in _texts(text, one.pattern, name, about, to):
        yield segment if form is None else replace(segment, plural=segment.plural or form)


def _text(text: str, pattern: Pattern, start: int, end: int, name: str, said: str) -> Iterator[Segment]:
    start, end = trim(text, start, end)
    raw = text[start:end]
    keep = tuple(dict.fromkeys(text[p.start : p.end] for p in pattern.placeables if start <= p.start and p.end <= end))
    if _has_words(raw, keep):
        yield Segment("", start, end, raw, _read(raw), kind="string", keep=keep, key=name, note=said)


def _has_words(raw: str, keep: tuple[str, ...]) -> bool:
    for one in keep:
        raw = raw.replace(one, "")
    return any(map(str.isalpha, raw))


def _read(raw: str) -> str:
    """Without the indent of its lines."""
    return re.sub(r"[ \t]*\r?\n[ ]*", "\n", raw)


def _forms(choice: Placeable, to: str) -> tuple[Plural, ...]:
    """Those that a choice by number needs; none for any other, or where they are not known."""
    keys = [one.key for one in choice.variants if not one.key.replace(".", "").isdigit()]
    is_plain = all(not one.pattern.choices for one in choice.variants)
    is_plural = (
        is_plain and {*keys} <= {*ORDER} and any(one.is_default and one.key == "other" for one in choice.variants)
    )
    return categories(to, ordinal=choice.is_ordinal) if is_plural and len(keys) > 1 else ()


def _plurals(text: str, choice: Placeable, forms: tuple[Plural, ...], name: str, said: str) -> Iterator[Segment]:
    start, end = choice.variants[0].at, choice.variants[-1].pattern.end
    for key, form, source in _wanted(choice.variants, forms):
        raw = text[source.start : source.end]
        keep = tuple(dict.fromkeys(text[p.start : p.end] for p in source.placeables))
        if _has_words(raw, keep):
            about = "\n".join(filter(None, (said, note(form))))
            yield Segment(
                "", start, end, text[start:end], _read(raw), kind="string", keep=keep, key=f"{name}[{key}]", note=about,
                plural=form, style="ordinal" if choice.is_ordinal else "plural",
            )  # fmt: skip


def _wanted(variants: tuple[Variant, ...], forms: tuple[Plural, ...]) -> Iterator[tuple[str, Plural, Pattern]]:
    """The variants that a translation has, each with the pattern that it is made from."""
    there = {one.key: one.pattern for one in variants}
    for key, pattern in there.items():
        if key not in ORDER:
            yield key, Plural(0, 1, "", (int(float(key)),)), pattern
    for form in forms:
        yield form.category, form, there.get(form.category, there["other"])


def write(group: Group, options: Options) -> str:
    first, target = group[0]
    if not first.style:
        return _written(target, first.raw)
    variants, _ = _variants(f"{first.raw}\n}}", 0, 0)
    said = {segment.key.rpartition("[")[2][:-1]: one for segment, one in group}
    forms = categories(options.to, ordinal=first.style == "ordinal")
    return _chosen(first.raw, variants, forms, said)


def _chosen(raw: str, variants: tuple[Variant, ...], forms: tuple[Plural, ...], said: Mapping[str, str]) -> str:
    """The variants in their order, the new ones before the default, as it is set."""
    heads = {one.key: raw[one.at : one.pattern.start] for one in variants}
    gaps = {other.key: raw[one.pattern.end : other.at] for one, other in itertools.pairwise(variants)}
    usual = next(iter(gaps.values()))
    order = {one.key: number for number, one in enumerate(variants)}
    parts: list[str] = []
    for key, _, pattern in sorted(_wanted(variants, forms), key=lambda one: order.get(one[0], order["other"] - 0.5)):
        was = raw[pattern.start : pattern.end]
        parts += [gaps.get(key, usual)] if parts else []
        parts += heads.get(key, f"[{key}] "), _written(said[key], was) if key in said else was
    return "".join(parts)


def _written(target: str, was: str) -> str:
    """Its lines indented as they were."""
    if _read(was) == target:
        return was
    end = "\r\n" if "\r\n" in was else "\n"
    indent = re.search(r"\n([ ]+)", was)
    lines = [line.strip() for line in target.strip().split("\n")]
    return end.join([lines[0], *((indent[1] if indent else "    ") + line if line else "" for line in lines[1:])])


def check(_source: str, target: str) -> None:
    for _ in _patterns(target):
        pass


FORMAT = Format("fluent", (".ftl",), find, write, check=check, named=True)
