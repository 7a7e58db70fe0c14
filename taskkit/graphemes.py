"""Where a text can not be cut without breaking a character as a reader sees it."""

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"


def joined(text: str, at: int, low: int = 0) -> bool:
    """Whether `text[at - 1]` and `text[at]` belong together (UAX 29, without the rare Prepend class).

    `low` is a known border before `at`: flags are counted from there."""
    if not low < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if after < "\u0300":
        return before == "\r" and after == "\n"
    if unicodedata.category(before) in {"Cc", "Zl", "Zp"}:
        return False
    return _extends(after) or _emoji(text, at, low) or _hangul(before, after)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of flags such as Scotland's
    )


def _emoji(text: str, at: int, low: int) -> bool:
    if text[at - 1] == _ZERO_WIDTH_JOINER:
        return unicodedata.category(text[at]) in {"So", "Sm", "Po", "Cn"}
    if not _regional(text[at]):
        return False
    first = at
    while first > low and _regional(text[first - 1]):
        first -= 1
    return (at - first) % 2 == 1


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _hangul(before: str, after: str) -> bool:
    if "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7ff":
        return "\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7ff"
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    return leading and ("\u1100" <= after <= "\u115f" or "\uac00" <= after <= "\ud7a3")
