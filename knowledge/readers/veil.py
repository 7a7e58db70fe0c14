"""What a page itself hides from its readers: by `hidden`, or by the style that an element bears."""

import re
from collections.abc import Sequence

_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_CELLS = frozenset(["td", "th", "tr", "tbody", "tfoot"])
# The end of these may be left out: what begins after them says that they have ended.
_ENDED_BY = {
    "p": frozenset(
        ["address", "article", "aside", "blockquote", "div", "dl", "fieldset", "footer", "form", "h1", "h2", "h3", "h4",
         "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul"]
    ),
    "li": frozenset(["li"]), "dt": frozenset(["dt", "dd"]), "dd": frozenset(["dt", "dd"]), "td": _CELLS, "th": _CELLS,
    "tr": frozenset(["tr", "tbody", "tfoot"]), "option": frozenset(["option"]),
}  # fmt: skip
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


def hides(attributes: Sequence[tuple[str, str | None]]) -> bool:
    """A browser's search finds what is hidden until it is found."""
    given = dict(attributes)
    if "hidden" in given and (given["hidden"] or "").strip().lower() != "until-found":
        return True
    return bool(_STYLE.search(given.get("style") or ""))


class Veil:
    """Over one element that is hidden, with all that is in it."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self._inside = 0  # elements that are open in it, of those that are always ended

    def ended_by_start(self, tag: str) -> bool:
        """Whether what begins here is no longer in it."""
        if not self._inside and tag in _ENDED_BY.get(self.tag, ()):
            return True
        self._inside += tag not in VOID and tag not in _ENDED_BY
        return False

    def ended_by_end(self, tag: str) -> bool:
        """Whether it ends here, by its own end or by that of what it is in."""
        if not self._inside:
            return tag == self.tag or (tag not in _ENDED_BY and tag not in VOID)
        self._inside -= tag not in _ENDED_BY and tag not in VOID
        return False
