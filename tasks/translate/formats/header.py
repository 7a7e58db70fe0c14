"""The header of a PO file: which language its translations are in, and the rule of their plural forms.

Of a file in another language nothing stands yet for the language that is wanted: both lines are set to that one, and
no translation of before stays. All else of a header stays byte for byte."""

import re

from taskkit.tasks.translate.languages import spelt
from taskkit.tasks.translate.plurals import HEADER, rule_of
from taskkit.tasks.translate.segments import Problem

JOINT = r'"[ \t]*(?:\r\n?|\n)[ \t]*"'  # between two strings of one text
BEGIN = r'(?:(?<=")|(?<=\\n))'
LANGUAGE = re.compile(rf'{BEGIN}Language:(?:[^"\\\r\n]|{JOINT})*')
PLURALS = re.compile(rf'{BEGIN}Plural-Forms:(?:[^"\\\r\n]|{JOINT})*', re.IGNORECASE)
SAID = re.compile(r"^Language:[ \t]*([A-Za-z]+(?:[_-][A-Za-z0-9]+)*)", re.MULTILINE)
OLD = {"iw": "he", "in": "id", "ji": "yi", "no": "nb"}  # tags that stand for others


def said(header: str) -> str:
    """The tag that it names, `pt-br`; "" for none."""
    match = SAID.search(header)
    return match[1].replace("_", "-").lower() if match else ""


def is_foreign(header: str, to: str) -> bool:
    """Whether it names another language, or another variant of it."""
    named = said(header)
    if not named or not to:
        return False
    (base, _, region), (wanted, _, variant) = named.partition("-"), to.lower().partition("-")
    return OLD.get(base, base) != OLD.get(wanted, wanted) or bool(region and variant and region != variant)


def set_to(raw: str, header: str, to: str, *, rule: bool, end: str) -> str:
    """The strings of a header, `raw` as they stand and `header` as they read, for the language `to`, with its plural
    rule where one is wanted and known. `end` is the file's line end."""
    lines: dict[re.Pattern[str], str] = {}
    if to and (is_foreign(header, to) or not said(header)):
        lines[LANGUAGE] = f"Language: {spelt(to).replace('-', '_')}"
    if rule and (found := rule_of(to)):
        lines[PLURALS] = f"Plural-Forms: nplurals={found[0]}; plural={found[1]};"
    for pattern, line in lines.items():
        if pattern.search(raw):
            raw = pattern.sub(lambda _, line=line: line, raw, count=1)  # type: ignore[misc]
        else:
            cut = "" if not header or header.endswith("\n") else "\\n"
            raw, header = f'{raw}{end}"{cut}{line}\\n"', "\n"
    return raw


def problems(before: str, header: str | None, *, plurals: bool) -> list[Problem]:
    """What a translated file's header leaves open; None for no header, `before` is what it said in the source."""
    if header is None:
        return [Problem("header", "The file has no header that says its language and its plural forms.", "warning")]
    stays = said(header) != said(before) and not rule_of(said(header))
    if plurals and (stays or not HEADER.search(header)):
        message = f"The header does not say the plural forms of {said(header) or 'the language'}, which are not known."
        return [Problem("plural-forms", message, "warning")]
    return []
