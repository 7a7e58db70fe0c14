"""What HTML is made of, by offset: the parser of the standard library says where each piece begins."""

import re
from html.parser import HTMLParser
from itertools import accumulate
from typing import NamedTuple

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)


# Code of a server in the page: for a browser it would end at the first > in it.
CODE = {end: re.compile(rf"<{re.escape(end[0])}(.*?){re.escape(end)}", re.DOTALL) for end in ("?>", "%>")}
OPEN = 500  # tags or comments that may be open at the end; the parser takes time by the square of them


class Event(NamedTuple):
    """`kind` is `start`, `end`, `void`, `text`, or `other` for what is never shown."""

    kind: str
    name: str
    start: int
    end: int


def events_of(text: str) -> list[Event]:
    """Raises ValueError for a text whose tags or comments are begun again and again and never ended."""
    for mark, closing in (("<", ">"), ("<!--", "-->")):
        if text.count(mark, text.rfind(closing) + 1) > OPEN:
            raise ValueError(f"more than {OPEN} times {mark} is never followed by {closing}.")
    reader = _Reader(_simple(text))
    starts = [*reader.begun, len(text)]
    found: list[Event] = []
    for number, (kind, name) in enumerate(reader.kinds):
        start, end = starts[number], starts[number + 1]
        if kind == "text" and found and found[-1].kind == "text":
            found[-1] = found[-1]._replace(end=end)
        elif start < end:
            found.append(Event(kind, name, start, end))
    return found


def _simple(text: str) -> str:
    """With code that is as long as it was and over at its own end."""
    for end, pattern in CODE.items():
        if stop := text.rfind(end) + 1:
            made = pattern.sub(lambda one: f"<?{re.sub('[<>]', ' ', one[1])} >", text[: stop + 1])
            text = made + text[stop + 1 :]
    return text


class _Reader(HTMLParser):
    """Where each tag, text and comment begins."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self.begun: list[int] = []
        self.kinds: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def _note(self, kind: str, name: str = "") -> None:
        line, column = self.getpos()
        at = self.lines[line - 1] + column
        if self.begun and at == self.begun[-1]:  # the rest of what was begun there
            return
        if not self.begun and at:
            self.begun.append(0)
            self.kinds.append(("other", ""))
        self.begun.append(at)
        self.kinds.append((kind, name))

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's signature
        self._note("void" if tag in VOID else "start", tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._note("void", tag)

    def handle_endtag(self, tag: str) -> None:
        self._note("end", tag)

    def handle_data(self, data: str) -> None:  # noqa: ARG002
        self._note("text")

    def handle_entityref(self, name: str) -> None:  # noqa: ARG002
        self._note("text")

    def handle_charref(self, name: str) -> None:  # noqa: ARG002
        self._note("text")

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self._note("other")

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002
        self._note("other")

    def handle_pi(self, data: str) -> None:  # noqa: ARG002
        self._note("other")

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002
        self._note("other")
