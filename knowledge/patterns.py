"""File patterns in the manner of `.gitignore`: `*.md`, `drafts/`, `/only/here`, `**/old/**`, `!but.this`."""

import re
from collections.abc import Iterable

from taskkit.errors import InputError

_RANGE = re.compile(r"(.)-(.)|.", re.DOTALL)  # in brackets


class Patterns:
    """The last pattern that fits decides; `!` turns it round. A path is relative, with `/` between its parts."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for rule in map(_rule, lines) if rule]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def fits(self, path: str, *, folder: bool = False) -> bool:
        for pattern, wants_folder, decides in reversed(self._rules):
            if (folder or not wants_folder) and pattern.fullmatch(path):
                return decides
        return False

    def covers(self, path: str) -> bool:
        """Whether the file, or a folder that it lies in, fits."""
        parts = path.split("/")
        folders = ["/".join(parts[:i]) for i in range(1, len(parts))]
        for pattern, wants_folder, decides in reversed(self._rules):
            if (not wants_folder and pattern.fullmatch(path)) or any(map(pattern.fullmatch, folders)):
                return decides
        return False


def _rule(line: str) -> tuple[re.Pattern[str], bool, bool] | None:
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    decides = not text.startswith("!")
    text = text.removeprefix("!")
    wants_folder = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    body = _translated(text.removeprefix("/"))
    try:
        pattern = re.compile(body if anchored else f"(?:.*/)?{body}", re.DOTALL)
    except re.error as error:
        raise InputError(
            f"{line!r} is no pattern of files: {error}.", hint="As in a .gitignore: *.md, drafts/."
        ) from None
    return pattern, wants_folder, decides


def _translated(text: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(text):
        part = at == 0 or text[at - 1] == "/"  # ** is more than * only where it is a whole part of the path
        if part and text.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif part and text[at:] == "**":
            out.append(".*")
            at += 2
        elif text[at] == "*":
            out.append("[^/]*")
            at += len(text) - at - len(text[at:].lstrip("*"))
        elif text[at] == "?":
            out.append("[^/]")
            at += 1
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            but, inner = ("^", text[at + 2 : end]) if text[at + 1] in "!^" else ("", text[at + 1 : end])
            out.append(f"(?!/)[{but}{_RANGE.sub(_escaped, inner)}]")
            at = end + 1
        else:
            at += text[at] == "\\" and at + 1 < len(text)  # the next one stands for itself
            out.append(re.escape(text[at]))
            at += 1
    return "".join(out)


def _escaped(part: re.Match[str]) -> str:
    first, last = part[1], part[2]
    return f"{re.escape(first)}-{re.escape(last)}" if first else re.escape(part[0])
