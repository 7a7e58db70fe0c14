"""The plural forms of a language: by CLDR (babel has its rules), or by the header of a PO file."""

import re
from collections.abc import Callable
from functools import lru_cache
from gettext import c2py
from importlib.util import find_spec

from taskkit.tasks.translate.segments import Plural

ORDER = ("zero", "one", "two", "few", "many", "other")
TRIED = (*range(201), 1_000, 1_000_000)  # the numbers that examples are taken from
SHOWN = 5
HEADER = re.compile(r"Plural-Forms:\s*nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;]+);?", re.IGNORECASE)
MOST = 10  # forms; no language has more than six


def rules_installed() -> bool:
    return find_spec("babel") is not None


@lru_cache(maxsize=128)
def categories(tag: str, *, ordinal: bool = False) -> tuple[Plural, ...]:
    """The categories that a language tells apart for whole numbers; empty where that is not known."""
    if not tag or not rules_installed():
        return ()
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return ()
    rule = locale.ordinal_form if ordinal else locale.plural_form
    names = [name for name in ORDER if name in rule.tags or name == "other"]
    return tuple(Plural(index, len(names), name, _examples(rule, name)) for index, name in enumerate(names))


def of_header(header: str, tag: str = "") -> tuple[Plural, ...]:
    """The forms that a PO file's header declares, else those that gettext uses for the language.

    Raises ValueError for a rule that is none. Empty where there is neither."""
    match = HEADER.search(header)
    if match:
        return _forms(int(match[1]), match[2])
    rule = rule_of(tag)
    return _forms(*rule) if rule else ()


def rule_of(tag: str) -> tuple[int, str] | None:
    """How many forms gettext has for a language, and its rule; None where that is not known."""
    if not tag or not rules_installed():
        return None
    from babel import Locale, UnknownLocaleError
    from babel.messages.plurals import get_plural

    try:
        found = get_plural(Locale.parse(tag.replace("_", "-"), sep="-"))
    except (UnknownLocaleError, ValueError):
        return None
    return found.num_plurals, str(found.plural_expr)


def note(form: Plural | None) -> str:
    """What a translator is told of it."""
    if form is None or not form.examples:
        return f"This is the plural form {form.category!r}." if form and form.category else ""
    return f"This form is used for numbers such as {', '.join(map(str, form.examples))}."


def _forms(count: int, expression: str) -> tuple[Plural, ...]:
    if not 1 <= count <= MOST:
        raise ValueError(f"its header declares {count} plural forms")
    rule = c2py(expression.strip())  # raises ValueError for anything but arithmetic
    try:
        return tuple(Plural(index, count, "", _examples(rule, index)) for index in range(count))
    except ZeroDivisionError:
        raise ValueError("the plural rule of its header divides by zero") from None


def _examples(rule: Callable[[int], object], wanted: object) -> tuple[int, ...]:
    return tuple(number for number in TRIED if rule(number) == wanted)[:SHOWN]
