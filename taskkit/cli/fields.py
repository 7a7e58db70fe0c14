"""What the command line has to know of a task's fields, and the way from words to their values."""

import contextlib
import dataclasses
import enum
import json
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from taskkit.errors import InputError
from taskkit.images import SUFFIXES, kind_of
from taskkit.source import Text, decoded, format_of, is_pipe, read

SEQUENCES = {list, tuple, set, frozenset, Sequence, Iterable}
MAPPINGS = {dict, Mapping}
PIPED = 500_000_000  # bytes that are read of what may never end


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """`kinds` are the types that its value may have, None apart; `items` those of its members, where it is a list."""

    name: str
    kinds: tuple[Any, ...]
    items: tuple[Any, ...]
    required: bool
    default: Any
    help: str
    bounds: Mapping[str, float] = dataclasses.field(default_factory=dict[str, float])  # of a number: ge, gt, le, lt

    @property
    def word(self) -> str:
        """`from_` is `from`, `must_have` is `must-have`."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def choices(self) -> list[Any]:
        kinds = self.items or self.kinds
        if all(get_origin(kind) is Literal for kind in kinds):
            return [one for kind in kinds for one in get_args(kind)]
        if all(_is_enum(kind) for kind in kinds):
            return [one.value for kind in kinds for one in kind]
        return []

    @property
    def is_source(self) -> bool:
        return is_source(self.items or self.kinds)

    @property
    def several(self) -> tuple[Any, ...]:
        """The types of the members, where it may be one word or a list of sources."""
        listed = [kind for kind in self.kinds if not self.items and get_origin(kind) in SEQUENCES]
        found = tuple(one for kind in listed for arg in get_args(kind) if arg is not ... for one in _kinds(arg))
        return found if is_source(found) else ()

    @property
    def is_typed(self) -> bool:
        """Whether words can say it at all; a function or an open file can only come from code."""
        return any(_is_typed(kind) for kind in self.items or self.kinds)


def fields_of(cls: Any) -> list[Field]:
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for one in dataclasses.fields(cls):
        hint, words = _bare(hints[one.name])
        default: Any = one.default
        if one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
        if type(default).__name__ == "FieldInfo":
            words = words or default.description or ""
            default = dataclasses.MISSING if default.is_required() else default.get_default(call_default_factory=True)
        default = default.value if isinstance(default, enum.Enum) else default
        required = default is dataclasses.MISSING
        kinds = _kinds(hint)
        bounds = _bounds(hints[one.name])
        found.append(Field(one.name, kinds, _items(kinds), required, None if required else default, words, bounds))
    return found


def _bare(hint: Any) -> tuple[Any, str]:
    if get_origin(hint) is not Annotated:
        return hint, ""
    inner, *notes = get_args(hint)
    return inner, next((text for note in notes if (text := getattr(note, "description", None))), "")


def _bounds(hint: Any) -> dict[str, float]:
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    signs = [sign for note in notes for sign in getattr(note, "metadata", ())]
    return {
        name: value
        for sign in signs
        for name in ("ge", "gt", "le", "lt")
        if isinstance(value := getattr(sign, name, None), int | float)
    }


def _kinds(hint: Any) -> tuple[Any, ...]:
    hint, _ = _bare(hint)
    if get_origin(hint) in {Union, types.UnionType}:
        return tuple(dict.fromkeys(kind for one in get_args(hint) for kind in _kinds(one)))
    return () if hint is type(None) else (hint,)


def _items(kinds: Sequence[Any]) -> tuple[Any, ...]:
    """Empty where the field is no list, or may be one word."""
    if {str, Path} & set(kinds):
        return ()
    for kind in kinds:
        if get_origin(kind) in SEQUENCES:
            return tuple(one for arg in get_args(kind) if arg is not ... for one in _kinds(arg))
        if kind in SEQUENCES:
            return (str,)
    return ()


def is_source(kinds: Iterable[Any]) -> bool:
    found = set(kinds)
    return found <= {str, Path, Text, bytes} and Path in found and Text in found


def _is_typed(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    if origin in {str, int, float, bool, Path, Text, Any, Literal, *MAPPINGS, *SEQUENCES}:
        return True
    return isinstance(origin, type) and (
        hasattr(origin, "model_fields") or origin.__module__ == "decimal" or _is_enum(origin)
    )


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def value_of(field: Field, given: Any, stdin: "Stdin") -> Any:
    """What was said, as what the field takes. `stdin` is read for a source that is `-`."""
    kinds = field.items or field.kinds
    if field.several and isinstance(given, tuple):
        if len(given) == 1:
            return _one(field, kinds, given[0], stdin)
        return tuple(_one(field, field.several, one, stdin) for one in given)
    if isinstance(given, tuple):
        return [_one(field, kinds, one, stdin) for one in given]
    return _one(field, kinds, given, stdin)


def _one(field: Field, kinds: Sequence[Any], word: Any, stdin: "Stdin") -> Any:
    if not isinstance(word, str):
        return word
    if field.choices:
        return next((one for one in field.choices if str(one) == word), word)
    if word == "-" and (field.several or is_source(kinds)):
        return stdin.source()
    if field.several and _is_there(word) and is_pipe(Path(word)):
        return read(_of_a_pipe(Path(word), images=False))  # now: it is there once, and a task may run twice
    if is_source(kinds):
        return _source(word)
    if any((get_origin(kind) or kind) in MAPPINGS or hasattr(kind, "model_fields") for kind in kinds):
        return _mapping(field, kinds, word)
    if Path in kinds and (str not in kinds or _is_there(word)):
        return Path(word)
    if Path in kinds and _is_list(word):
        raise InputError(f"There is no file {word}.", hint="Check its name and folder.")
    if not word.isascii() and any("\ud800" <= one <= "\udfff" for one in word):
        raise InputError(
            f"{field.word} is not UTF-8.", hint="Say it in a terminal or a script whose encoding is UTF-8."
        )
    return word


def _is_there(word: str) -> bool:
    """A word too long for a file's name, or with a NUL, is none."""
    with contextlib.suppress(OSError, ValueError):
        return Path(word).exists()
    return False


def _is_list(word: str) -> bool:
    """What looks like the name of a file of lists is one, if one that is not there: never a word of its own."""
    return (
        word.lower().endswith((".txt", ".csv", ".tsv", ".json", ".jsonl", ".toml", ".yaml", ".yml")) and "," not in word
    )


def _source(word: str) -> Path | Text:
    """A file, or an image by its address, which the endpoint fetches. Nothing is fetched here."""
    if not word.startswith(("https://", "http://")):
        path = Path(word)
        return _of_a_pipe(path, images=True) if _is_there(word) and is_pipe(path) else path
    if not urlsplit(word).path.lower().endswith(SUFFIXES):
        raise InputError(
            f"{word} is an address, and only an image ({', '.join(SUFFIXES)}) goes by its address.",
            hint="Save it, and give the file.",
        )
    return Text.image(word)


def _of_a_pipe(path: Path, *, images: bool) -> Text:
    try:
        with path.open("rb") as stream:
            data = stream.read(PIPED + 1)
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}.") from error
    if len(data) > PIPED:
        raise InputError(f"{path} does not come to an end in {PIPED // 10**6} MB.", hint="Give a file.")
    if images and kind_of(data):
        return replace(read(data, images=True), name=str(path))
    return Text(decoded(data, path), str(path), format_of(path))


def _mapping(field: Field, kinds: Sequence[Any], word: str) -> Any:
    if not word.lstrip().startswith("{"):
        if Path in kinds:
            return Path(word)
        if str in kinds:
            return word
        raise InputError(f"--{field.word} takes a JSON object, not {word!r}.")
    return json_of(word, f"--{field.word}")


def json_of(word: str, option: str) -> Any:
    try:
        return json.loads(word)
    except ValueError as error:
        raise InputError(f"{option} is no JSON: {error}.") from error
    except RecursionError as error:
        raise InputError(f"{option} is nested too deeply.") from error


class Stdin:
    """Standard input: read when it is asked for, and once."""

    def __init__(self) -> None:
        self._data: bytes | None = None
        self._taken = False

    def is_empty(self) -> bool:
        """A look, which does not take it."""
        return not self._read().strip()

    def __call__(self) -> str:
        """Raises `InputError` when it is empty, no text, or wanted twice."""
        text = decoded(self._take(), "Standard input")
        if not text.strip():
            raise InputError("Standard input is empty.", hint="Give a file, or pipe a text in.")
        return text

    def source(self) -> Text:
        """A text, or an image."""
        if kind_of(self._read()):
            return replace(read(self._take(), images=True), name="standard input")
        return Text(self(), "standard input")

    def _read(self) -> bytes:
        data = self._data
        if data is None:
            if sys.stdin is None:
                raise InputError("Standard input is closed.", hint="Give a file, or pipe a text in.")
            data = self._data = sys.stdin.buffer.read()
        return data

    def _take(self) -> bytes:
        if self._taken:
            raise InputError("Standard input can be read for one input only.", hint="Give a file for the other.")
        self._taken = True
        return self._read()


def is_piped() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty()
