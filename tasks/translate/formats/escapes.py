"""Quoted strings as JSON, YAML and TOML have them: read, and written so that they are valid in all three."""

import re

SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "v": "\v", "e": "\x1b",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
WRITTEN = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(\r?\n[ \t]*)|(.))", re.DOTALL)
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
MUST = re.compile(r'[\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]')
FOREIGN = re.compile(r"[^\x00-\x7f]")


def undouble(inside: str) -> str:
    """What stands between double quotes, read. Raises ValueError for a number that is no character."""
    text = ESCAPE.sub(_read, inside)
    return PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _read(match: re.Match[str]) -> str:
    number = match[1] or match[2] or match[3]
    if number:
        return chr(int(number, 16))
    return "" if match[4] else SIMPLE.get(match[5], match[5])


def double(text: str, like: str = "") -> str:
    """What to put between double quotes. Letters beyond ASCII are escaped where `like`, what stood there, does so."""
    escapes = "\\u" in like and not FOREIGN.search(like)
    written = MUST.sub(lambda one: WRITTEN.get(one[0]) or _number(one[0]), text)
    return FOREIGN.sub(lambda one: _number(one[0]), written) if escapes else written


def _number(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
