"""What is known of models. The catalogue is `models.toml`; a user's file of that name overrides it."""

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from taskkit.errors import ConfigurationError
from taskkit.settings import config_dir
from taskkit.window import Window

ASSUMED_CONTEXT = 32_768  # of a model that nobody maps: most served today have this or more
LIKENESS = 1.1  # times o200k_base: the count of a model whose encoding nobody tells
WARN_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Model:
    """`ratio` scales counts where `encoding` is only a likeness. `known` is False for assumed rows.
    `price` is dollars a million tokens (in, out), from a user's file only. `image_tokens` are the most that one image
    is charged as."""

    name: str
    context: int = ASSUMED_CONTEXT
    max_input: int = ASSUMED_CONTEXT
    max_output: int = ASSUMED_CONTEXT // 4
    encoding: str = "o200k_base"
    ratio: float = 1.0
    output: str = "max_tokens"
    temperature: bool = True
    json_schema: bool = True
    images: bool = False
    image_tokens: int = 16_384  # the most of any that is served today
    reasoning: bool = False
    retires: date | None = None
    replacement: str = ""
    price: tuple[float, float] | None = None
    source: str = ""
    checked: date | None = None
    known: bool = True

    @property
    def window(self) -> Window:
        return Window(self.context, self.max_input, self.max_output)

    def within(self, context: int) -> Window:
        """The window that a user sets or an endpoint tells. Only what was assumed may turn out to be larger."""
        if self.known or context <= self.context:
            return self.window.narrowed(context)
        return Window(context, context, max(self.max_output, _output(context)))


@dataclass(frozen=True, slots=True)
class Resolved:
    """The model that a name stands for today; `notice` says what its user should know."""

    model: Model
    notice: str = ""


@functools.lru_cache(maxsize=4)
def _catalogue(file: str, _stamp: int) -> tuple[Mapping[str, str], Mapping[str, Model]]:
    table = tomllib.loads(resources.files("taskkit").joinpath("models.toml").read_text("utf-8"))
    tiers, rows = dict(table["tiers"]), {name: dict(row) for name, row in table["models"].items()}
    if file:
        try:
            with open(file, "rb") as opened:  # noqa: PTH123 - the lru_cache key is the str
                mine = tomllib.load(opened)
            tiers.update(mine.get("tiers", {}))
            for name, row in mine.get("models", {}).items():
                rows[name] = {**rows.get(name, {}), **row}
        except (OSError, UnicodeDecodeError, AttributeError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{file} can not be read: {error}.") from error
    return tiers, {name: _model(name, row, file) for name, row in rows.items()}


def _model(name: str, row: Mapping[str, Any], file: str) -> Model:
    allowed = {one.name for one in fields(Model)} - {"name", "known"}
    if strange := sorted(set(row) - allowed):
        raise ConfigurationError(f"{file}: {name} has {', '.join(strange)}; there are {', '.join(sorted(allowed))}.")
    values = dict(row)
    if isinstance(values.get("context"), int):
        values.setdefault("max_input", values["context"])
        values.setdefault("max_output", _output(values["context"]))
    if "encoding" not in values:
        values.setdefault("ratio", LIKENESS)
    try:
        if "price" in values:
            values["price"] = _price(values["price"])
        model = Model(name, **values)
        if not all(isinstance(one, int) for one in (model.context, model.max_input, model.max_output)):
            raise TypeError("context, max_input and max_output are whole numbers of tokens")
        if not (isinstance(model.ratio, int | float) and 0 < model.ratio < math.inf):
            raise TypeError("ratio is a number above 0")
        _ = model.window
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{file}: {name}: {error}.") from error
    return model


def _price(given: Any) -> tuple[float, float]:
    if (
        not isinstance(given, list)
        or len(given) != 2
        or not all(isinstance(one, int | float) and 0 <= one < math.inf for one in given)
    ):
        raise ValueError("price is two numbers, [in, out], of dollars a million tokens, 0 or more")
    return given[0], given[1]


def _output(context: int) -> int:
    """The longest answer of a model of which only the window is known."""
    return min(context // 4, 16_384)


def user_file() -> Path:
    """Where rows of one's own stand, once somebody has written them."""
    return config_dir() / "models.toml"


def catalogue() -> Mapping[str, Model]:
    return _tables()[1]


def tiers() -> Mapping[str, str]:
    return _tables()[0]


def _tables() -> tuple[Mapping[str, str], Mapping[str, Model]]:
    mine = user_file()
    try:
        stamp = mine.stat().st_mtime_ns
    except OSError:
        return _catalogue("", 0)
    return _catalogue(str(mine), stamp)


def resolve(name: str, today: date | None = None) -> Resolved:
    """From its retirement on, a name stands for its replacement; 60 days before, the notice says so."""
    today = today or date.today()  # noqa: DTZ011 - retirement dates are calendar days
    model = lookup(name)
    if model.retires is None or today < model.retires - WARN_BEFORE:
        return Resolved(model)
    if today < model.retires:
        return Resolved(
            model, f"{name} leaves its API on {model.retires}; {model.replacement or 'nothing'} replaces it."
        )
    if not model.replacement:
        return Resolved(model, f"{name} has left its API on {model.retires}.")
    return Resolved(
        lookup(model.replacement),
        f"{name} left its API on {model.retires}; {model.replacement} is used instead.",
    )


def lookup(name: str) -> Model:
    """An exact row, else the row whose name it begins with before a date (`gpt-4o-2024-08-06`), else assumptions."""
    rows = catalogue()
    if name in rows:
        return rows[name]
    base = name.rsplit("/", 1)[-1]
    for row in sorted(rows, key=len, reverse=True):
        rest = base.removeprefix(row)
        if rest != base and (not rest or (rest[0] in "-@:" and rest[1:5].isdigit())):
            return replace(rows[row], name=name)
    return _assumed(name)


def _assumed(name: str) -> Model:
    from tiktoken.model import encoding_name_for_model

    for one in (name, name.rpartition("/")[2]):  # "openai/gpt-4", as gateways write it
        try:
            return Model(name, encoding=encoding_name_for_model(one), source="assumed", known=False)
        except KeyError:
            continue
    return Model(name, ratio=LIKENESS, source="assumed", known=False)
