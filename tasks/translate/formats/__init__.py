"""The formats that can be translated: for each, a function that finds what is to be translated."""

from collections.abc import Callable

from taskkit.errors import InputError
from taskkit.source import Text
from taskkit.tasks.translate.formats import markdown, plain
from taskkit.tasks.translate.segments import Segment

FORMATS: dict[str, Callable[[str], list[Segment]]] = {"text": plain.spans, "markdown": markdown.spans}


def spans(text: Text) -> list[Segment]:
    """Segments in order, apart from each other. Raises InputError for a format that is not in `FORMATS`."""
    find = FORMATS.get(text.format)
    if find is None:
        name = f" ({text.name})" if text.name else ""
        raise InputError(
            f"Translating {text.format}{name} is not possible yet.",
            hint=f"Give one of these formats: {', '.join(FORMATS)}.",
        )
    return find(text.text)
