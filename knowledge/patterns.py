"""File patterns in the manner of `.gitignore`: `*.md`, `drafts/`, `/only/here`, `**/old/**`, `!but.this`."""

import re
from collections.abc import Iterable


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
        folders = ("/".join(parts[:i]) for i in range(1, len(parts)))
        return self.fits(path) or any(self.fits(above, folder=True) for above in folders)


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
    return re.compile(body if anchored else f"(?:.*/)?{body}", re.DOTALL), wants_folder, decides


def _translated(text: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif text.startswith("**", at):
            out.append(".*")
            at += 2
        elif text[at] == "*":
            out.append("[^/]*")
            at += 1
        elif text[at] == "?":
            out.append("[^/]")
            at += 1
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
            at = end + 1
        else:
            out.append(re.escape(text[at]))
            at += 1
    return "".join(out)
