"""XML from strangers as a tree: entities are refused, nothing is fetched, and one line says what is wrong."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from taskkit.errors import InputError

LANGUAGE = "xml:lang"
DEEPEST = 200  # elements inside each other; no file of terms or translations has more


def tree(path: Path) -> Element:
    """The root element. Names are as they are written, `xml:lang` is an attribute. Raises `InputError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}.") from error
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise InputError(f"{path} is nested more than {DEEPEST} deep: it is not read.")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def entity(*_: object) -> None:
        raise InputError(f"{path} declares entities: it is not read.", hint="Take its <!ENTITY …> lines out.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.data, entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InputError(f"{path} is no valid XML: {error}.") from error
    return builder.close()


def children(parent: Element, *names: str) -> Iterator[Element]:
    """All below `parent` of these names, with or without a prefix, in order."""
    return (one for one in parent.iter() if one.tag.rpartition(":")[2] in names)


def text_of(element: Element) -> str:
    return "".join(element.itertext())


def tag_of(element: Element) -> str:
    """The language that the element says it is in, in lower case: `pt-br`."""
    return (element.get(LANGUAGE) or element.get("lang") or "").lower().replace("_", "-")


def speaks(tag: str, wanted: str) -> bool:
    """`pt` and `pt-br` speak of one language; `pt-br` and `pt-pt` do not, nor do `zh-hans` and `zh-hant`."""
    (base, _, region), (other, _, another) = tag.partition("-"), wanted.partition("-")
    return base == other and (not region or not another or region == another)
