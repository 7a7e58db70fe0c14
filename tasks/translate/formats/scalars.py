"""Values on one line as YAML and TOML have them: plain, in single quotes, in double quotes."""

import re

from taskkit.tasks.translate.formats.escapes import double, undouble

# A plain value that starts or goes on like this means something else, or would be read as a number, a date, a switch.
NEEDS_QUOTES = re.compile(
    r"""[\s"'\[\]{}>|*&!%#`@,?:-] | .*(?::(?:\s|\Z)|\s\#|["\\\r\n\t]) | .*[\s:]\Z | \Z
    | [-+]?[.\d][-+.\d_:eETZxXo\s]*\Z | [-+]?\.(?:inf|nan)\Z | (?:true|false|null|yes|no|on|off|y|n|~|<<|=)\Z
    | .*[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def value(raw: str) -> str:
    """What a value says that is written so on one line."""
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
