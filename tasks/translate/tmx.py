"""Translation memories in TMX: pairs read, and pairs added without touching what stands there already."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from taskkit.errors import InputError
from taskkit.tasks.translate.xmltree import children, speaks, tag_of, text_of, tree

Pair = tuple[str, str]

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4">
<header creationtool="taskkit" creationtoolversion="1" segtype="block" o-tmf="taskkit" adminlang="en" srclang={}
 datatype="plaintext"/>
<body>
"""
FOOT = "</body>\n</tmx>\n"
END = re.compile(rb"[ \t]*</body\s*>\s*</tmx\s*>\s*\Z")
IMPOSSIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no XML can hold it
ANY = {"", "*all*", "und"}


def pairs(path: Path, to: str, from_: str = "") -> Iterator[Pair]:
    """Those from `from_` ("": whatever the file says) to `to`. Raises `InputError` for what is no TMX."""
    root = tree(path)
    if root.tag.rpartition(":")[2] != "tmx":
        raise InputError(f"{path} is no TMX: it is a <{root.tag}>.", hint="Give a translation memory in TMX.")
    header = next(children(root, "header"), None)
    usual = (header.get("srclang") or "").lower() if header is not None else ""
    for unit in children(root, "tu"):
        wanted = from_ or (unit.get("srclang") or usual).lower().replace("_", "-")
        source = target = None
        for variant in children(unit, "tuv"):
            text = next((text_of(one) for one in children(variant, "seg")), "")
            tag = tag_of(variant)
            if speaks(tag, to) and not (wanted == tag != to and source is None and speaks(wanted, to)):
                target = text
            elif source is None and (wanted in ANY or speaks(tag, wanted) or tag in ANY):
                source = text
        if source and target and source.strip() and target.strip():
            yield source, target


def added(data: bytes, new: Iterable[Pair], to: str, from_: str) -> bytes:
    """The file with the pairs at its end; a new one where `data` is empty. Raises ValueError where it has no end."""
    spoken = from_ or "und"
    rows = "".join(_unit(pair, to, spoken) for pair in new if not IMPOSSIBLE.search("".join(pair)))
    if not data.strip():
        return (HEAD.format(quoteattr(spoken)) + rows + FOOT).encode()
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    plain = data.decode(encoding).encode() if encoding != "utf-8" else data
    end = END.search(plain)
    if end is None:
        raise ValueError("it does not end in </body></tmx>")
    if re.match(
        rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding=[\"'](?!utf-?8[\"']|utf-?16[\"']|us-ascii[\"'])", plain, re.IGNORECASE
    ):
        rows = rows.encode("ascii", "xmlcharrefreplace").decode()
    whole = plain[: end.start()] + rows.encode() + plain[end.start() :]
    return whole.decode().encode(encoding) if encoding != "utf-8" else whole


def _unit(pair: Pair, to: str, from_: str) -> str:
    variants = "".join(
        f"<tuv xml:lang={quoteattr(tag)}><seg>{escape(text, {chr(13): '&#13;'})}</seg></tuv>"
        for tag, text in zip((from_, to), pair, strict=True)
    )
    return f"<tu>{variants}</tu>\n"
