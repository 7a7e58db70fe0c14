"""What an extraction asks for: the form of its answer, and its question, no longer than the fields make it.

A text is asked for in the words of the source, which are its evidence themselves; of all else a quote is asked for
first, then the value that it says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)

from taskkit.tasks.analyse.schemas import Group, Leaf, Many, Node

ROOT = "records"  # what a list at the root is asked for under
NOTHING = {
    "", "-", "null", "none", "n/a", "unknown", "not mentioned", "not specified", "not stated", "not given",
    "not provided", "unspecified",
}  # fmt: skip


class Unfit:
    """A value that is not of its field's kind, and why; no dataclass, which a dump would take apart."""

    def __init__(self, said: str, why: str) -> None:
        self.said = said
        self.why = why


def is_words(leaf: Leaf) -> bool:
    """A text without bounds that copied words might not keep to."""
    return leaf.type is str and not leaf.bounds


def says_nothing(text: str) -> bool:
    return text.strip().casefold().rstrip(".") in NOTHING


def leaves(node: Node) -> Iterator[Leaf]:
    """With those of a list as often as it may have entries."""
    if isinstance(node, Group):
        for one in node.fields.values():
            yield from leaves(one)
    elif isinstance(node, Many):
        for _ in range(3):
            yield from leaves(node.item)
    else:
        yield node


def question(root: Group) -> str:
    """In words, since an endpoint may show the model nothing of the schema that it holds it to."""
    kinds = {is_words(leaf) for leaf in leaves(root)}
    lines = list(_listed(_named(root), "", marked=len(kinds) > 1))
    said = ["Extract the fields from the text; never guess."]
    if True in kinds:
        said.append("Copy each exactly as it stands there, empty where the text does not tell it.")
    if False in kinds:
        which = "the fields marked so" if True in kinds else "each"
        said.append(
            f"Of {which} give first a quote, copied from the text exactly, that says it, then the value, dates as "
            "YYYY-MM-DD; where the text does not tell it the quote is empty and the value null."
        )
    if any("(a list" in line for line in lines):
        said.append("A list has an entry for each that the text tells of.")
    return "\n".join([f"{' '.join(said)} The fields:", *lines])


def _named(root: Group) -> Mapping[str, Node]:
    """As the answer names them."""
    return {name or ROOT: node for name, node in root.fields.items()}


def _listed(fields: Mapping[str, Node], indent: str, *, marked: bool) -> Iterator[str]:
    for name, node in fields.items():
        inner = node.item if isinstance(node, Many) else node
        told = "quote and value" if marked and isinstance(inner, Leaf) and not is_words(inner) else ""
        about = ", ".join(filter(None, ("a list" if isinstance(node, Many) else "", told)))
        words = node.description or inner.description
        yield f"{indent}- {name}" + (f" ({about})" if about else "") + (f": {words}" if words else "")
        if isinstance(inner, Group):
            yield from _listed(inner.fields, indent + "  ", marked=marked)


def form_of(root: Group) -> type[BaseModel]:
    return _group(_named(root), "Record")


def _group(fields: Mapping[str, Node], title: str) -> type[BaseModel]:
    """Names of our own, the real ones as aliases: a field may be called `json`, or `model_config`."""
    made: dict[str, Any] = {}
    for number, (name, node) in enumerate(fields.items()):
        words, form = node.description or None, _form(node, name)
        if isinstance(node, Many):
            made[f"f{number}"] = (form, Field(default_factory=list, alias=name, description=words))
        elif isinstance(node, Leaf):  # words first, if none: small models are quick to say null
            made[f"f{number}"] = (form, Field(alias=name, description=words))
        else:
            made[f"f{number}"] = (form | None, Field(None, alias=name, description=words))
    return create_model(title, **made)


def _form(node: Node, name: str) -> Any:
    if isinstance(node, Group):
        return _group(node.fields, _title(name))
    if isinstance(node, Many):
        return list[_form(node.item, name)]  # type: ignore[misc]
    if is_words(node):
        return Annotated[str, BeforeValidator(_as_words)]
    return Annotated[_told(node.type, tuple((node.bounds or {}).items())), BeforeValidator(_as_told)]


@cache
def _told(type_: Any, bounds: Sequence[tuple[str, Any]]) -> type[BaseModel]:
    """One for all fields of a type: a schema says each of its forms once."""
    value: Any = Annotated[type_, Field(**dict(bounds))] if bounds else type_
    optional: Any = Annotated[value | None, WrapValidator(_as_far_as_it_goes)]
    name = getattr(type_, "__name__", str(type_)) if not bounds else f"{type_} {bounds}"
    return create_model(f"Told_{_title(name)}", quote=(str, ...), value=(optional, ...))


def _as_far_as_it_goes(said: Any, validated: ValidatorFunctionWrapHandler) -> Any:
    """One field that is not of its kind does not take the others with it."""
    try:
        return validated(said)
    except ValidationError as error:
        return Unfit(str(said)[:80], error.errors(include_url=False)[0]["msg"])


def _title(name: str) -> str:
    """What a schema may call a form."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name)[:40].strip("_") or "Part"


def _as_words(said: Any) -> Any:
    if isinstance(said, int | float) and not isinstance(said, bool):
        return str(said)
    return "" if said is None else said


def _as_told(said: Any) -> Any:
    if said is None:
        return {"quote": "", "value": None}
    if isinstance(said, dict) and isinstance(said.get("value"), str) and says_nothing(said["value"]):
        return {**said, "value": None}
    return said
