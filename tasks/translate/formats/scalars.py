"""Values as YAML and TOML have them: plain, in single quotes, in double quotes; and as a YAML block."""

import re
import textwrap

from taskkit.tasks.translate.formats.escapes import double, undouble

# A plain value that starts or goes on like this means something else, or would be read as a number, a date, a switch.
NEEDS_QUOTES = re.compile(
    r"""[\s"'\[\]{}>|*&!%#`@,?:-] | .*(?::(?:\s|\Z)|\s\#|["\\\r\n\t]) | .*[\s:]\Z | \Z
    | [-+]?[.\d][-+.\d_:eETZxXo\s]*\Z | [-+]?\.(?:inf|nan)\Z | (?:true|false|null|yes|no|on|off|y|n|~|<<|=)\Z
    | .*[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

BLOCK = re.compile(r"(?P<head>[|>][^\r\n]*)(?P<line>\r\n?|\n)(?P<blank>(?:[ \t]*(?:\r\n?|\n))*)(?P<indent>[ ]*)")
UNPRINTED = re.compile(r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def value(raw: str) -> str:
    """What a value says that is written so: on one line, or as a block."""
    if raw[:1] in {"|", ">"} and (match := BLOCK.match(raw)):
        lines = [line.removeprefix(match["indent"]).rstrip() for line in raw[match.end("blank") :].splitlines()]
        text = "\n".join(lines)
        return text if raw[0] == "|" else re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("\n\n", "\n")
    if raw[:1] == '"':
        return undouble(raw[1:-1])
    return raw[1:-1].replace("''", "'") if raw[:1] == "'" else raw


def scalar(text: str, like: str, *, also: str = "") -> str:
    """`text` written as `like` is, in double quotes where that can not be. `also` are characters that would end a
    plain value here, such as the comma within brackets."""
    quote = like[:1]
    if quote == "'" and not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", text):
        return "'" + text.replace("'", "''") + "'"
    if quote in {'"', "'"} or NEEDS_QUOTES.match(text) or any(letter in text for letter in also):
        return '"' + double(text, like) + '"'
    return text


def block(text: str, like: str) -> str:
    """With the indent that it had. One that can not stand in a block comes in quotes."""
    match = BLOCK.match(like)
    lines = text.split("\n")
    if (
        match is None
        or UNPRINTED.search(text)
        or any(line[:1] in {" ", "\t"} for line in lines[: 1 if like[0] == "|" else None])
    ):
        end = "" if match and "-" in match["head"].partition("#")[0] else "\n"
        return '"' + double(text + end) + '"'
    if like[0] == ">":
        width = max(map(len, like[match.end() :].split("\n"))) - len(match["indent"])
        folded = (textwrap.wrap(line, max(width, 20), break_long_words=False, break_on_hyphens=False) for line in lines)
        lines = [one for paragraph in folded for one in (*(paragraph or [""]), "")][:-1]
    body = match["line"].join(f"{match['indent']}{line}" if line else "" for line in lines)
    return match["head"] + match["line"] + match["blank"] + body
