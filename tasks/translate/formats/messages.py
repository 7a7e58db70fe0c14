"""Messages of a program, kept under keys: what JSON and YAML files have in common."""

from collections.abc import Iterator

from taskkit.tasks.translate.formats import icu
from taskkit.tasks.translate.segments import Group, Segment, trim


def segments(
    start: int, end: int, raw: str, said: str, key: str, to: str, note: str = "", style: str = ""
) -> Iterator[Segment]:
    """The texts of one value: the value itself, or the branches of a message that depends on a number or a case.

    `raw` stands at [start, end) and says `said`; blanks around it stay."""
    found = icu.pieces(said, to)
    for piece in found:
        notes = "\n".join(filter(None, (note, piece.note)))
        yield Segment(
            "", start, end, raw, piece.text, kind="branch", keep=piece.keep,
            key=f"{key}#{piece.path}", note=notes, plural=piece.plural, style=style,
        )  # fmt: skip
    text = said[slice(*trim(said, 0, len(said)))]
    if text and not found:
        yield Segment("", start, end, raw, text, kind="string", key=key, note=note, style=style)


def said(group: Group, was: str, to: str) -> str:
    """What the value that said `was` says with the translations of its texts."""
    if group[0][0].kind == "branch":
        changed = {segment.key.rpartition("#")[2]: target for segment, target in group if target != segment.text}
        return icu.rebuilt(was, changed, to)
    start, end = trim(was, 0, len(was))
    return was[:start] + group[0][1] + was[end:]
