"""Settings: from arguments, else the environment, else the project, else the user's file, else defaults.

The project's `[tool.taskkit]` in `pyproject.toml` can not name an endpoint or a key: a checkout that someone
else wrote must not be able to send the user's key, or text, to a host of its choosing."""

import contextlib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taskkit.errors import ConfigurationError, shortened

OPENAI_URL = "https://api.openai.com/v1"
NOT_FROM_A_PROJECT = frozenset({"base_url", "api_key", "organization", "allow_http"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One model at one endpoint; empty fields take the engine's own. `api_key_env` names a variable."""

    model: str
    base_url: str = field(default="", repr=False)
    api_key_env: str = ""


BOUND = {one.name for one in fields(Binding)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Field names are the keys of the configuration file and, as `TASKKIT_NAME`, of the environment."""

    model: str = ""
    base_url: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    organization: str = ""
    context: int | None = None
    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    max_cost: Decimal | None = None
    timeout: float = 600.0
    allow_http: bool = False
    moderate: str = ""
    knowledge: str = ""
    tasks: tuple[str, ...] = ()
    tiers: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict[str, tuple[Binding, ...]])


def cache_dir() -> Path:
    """Where weights and the journal live; made when missing, for the user alone."""
    return _own_folder("TASKKIT_CACHE", "user_cache_path")


def config_dir() -> Path:
    """Where `config.toml`, `models.toml` and ejected prompts live; made by whoever writes there."""
    return _folder("TASKKIT_CONFIG", "user_config_path")


def _folder(variable: str, kind: str) -> Path:
    if named := os.environ.get(variable):
        return Path(named).expanduser()
    import platformdirs

    return Path(getattr(platformdirs, kind)("taskkit", appauthor=False))


def _own_folder(variable: str, kind: str) -> Path:
    path = _folder(variable, kind)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} can not be made: {error.strerror}.", hint=f"Set {variable} to one that can."
        ) from error
    return path


def project() -> tuple[Path, dict[str, Any]] | None:
    """The nearest `pyproject.toml` with a `[tool.taskkit]`, and that table: from the current folder up to the root of
    its repository, and no further, as what lies above may be anybody's."""
    here = Path.cwd()
    folders = (here, *here.parents)
    root = next((number for number, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    for folder in folders[: root + 1]:
        file = folder / "pyproject.toml"
        try:
            if b"taskkit" not in file.read_bytes():
                continue
        except OSError:
            continue
        table = _table(file, ("tool", "taskkit"))
        if table:
            return file, table
    return None


def load(given: Mapping[str, object] | None = None) -> Settings:
    """`given` are the arguments of a call or a command; None in it means: not given.

    Raises `ConfigurationError` for a file that can not be read, an unknown key or a value of the wrong kind."""
    settings = Settings()
    mine = config_dir() / "config.toml"
    settings = _over(settings, _table(mine, ()), str(mine))
    file, here = project() or (Path(), {})
    for key in NOT_FROM_A_PROJECT & here.keys():
        raise ConfigurationError(
            f"{key} can not be set in a project's pyproject.toml.",
            hint=f"Set it in {mine} or as TASKKIT_{key.upper()}.",
        )
    if any(isinstance(row, dict) for row in _rows(here.get("tiers", {}))):
        raise ConfigurationError(
            "A project's [tool.taskkit.tiers] names models only, no endpoints.", hint="Give each as a string."
        )
    settings = _over(settings, here, str(file))
    if here.get("knowledge") and "://" not in settings.knowledge and file.parent != Path.cwd():
        settings = replace(settings, knowledge=str(file.parent / settings.knowledge))
    settings = _over(settings, _environment(), "the environment")
    return _over(settings, {k: v for k, v in (given or {}).items() if v is not None}, "the call")


def keys() -> list[str]:
    """All keys that are set, to be masked where they may be shown; none where the settings can not be read."""
    try:
        chosen = load()
    except (ConfigurationError, OSError):
        return []
    variables = {one.api_key_env for row in chosen.tiers.values() for one in row}
    return [chosen.api_key, *(os.environ.get(name, "") for name in variables)]


def _rows(tiers: object) -> list[object]:
    if not isinstance(tiers, dict):
        return []
    return [row for value in tiers.values() for row in (value if isinstance(value, list) else [value])]


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    try:
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} can not be read: {error}.", hint="Mend it or move it away.") from error
    for key in keys:
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}


def _environment() -> dict[str, object]:
    found: dict[str, object] = {}
    for one in fields(Settings):
        value = os.environ.get(f"TASKKIT_{one.name.upper()}", "")
        if value and one.name != "tiers":
            found[one.name] = value.split(os.pathsep) if one.name == "tasks" else value
    for name, variable in (
        ("api_key", "OPENAI_API_KEY"),
        ("base_url", "OPENAI_BASE_URL"),
        ("organization", "OPENAI_ORG_ID"),
    ):
        if name not in found and os.environ.get(variable):
            found[name] = os.environ[variable]
    return found


def _over(settings: Settings, table: Mapping[str, object], where: str) -> Settings:
    known = {one.name for one in fields(Settings)}
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigurationError(
                f"{where} sets {key!r}, which is no setting.", hint=f"There are: {', '.join(sorted(known))}."
            )
        try:
            changes[key] = _READ.get(key, str)(value)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{where} sets {key} to {_told(key, value)}, which does not fit: {error}."
            ) from None
    return replace(settings, **changes) if changes else settings


def _told(key: str, value: object) -> str:
    """Never what may hold a key."""
    return "something" if key in {"api_key", "base_url", "organization", "tiers"} else shortened(repr(value))


def shown(url: str) -> str:
    """An address without user, password, query and fragment. Where it can not be told which part of it is the password,
    nothing of it."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port
        if parts.hostname and "@" not in parts.path + parts.query + parts.fragment:
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return "…" if set("@?#") & set(url) else url


def _number(value: Any) -> int:
    with contextlib.suppress(ValueError):
        number = int(value) if isinstance(value, int | str) else 0
        if number >= 1:
            return number
    raise ValueError("it must be a whole number, 1 or more")


def _dollars(value: Any) -> Decimal:
    with contextlib.suppress(InvalidOperation):
        cost = Decimal(str(value))
        if cost.is_finite() and cost >= 0:
            return cost
    raise ValueError("it must be 0 or more dollars")


def _seconds(value: Any) -> float:
    with contextlib.suppress(ValueError, TypeError):
        seconds = float(value)
        if 0 < seconds < float("inf"):
            return seconds
    raise ValueError("it must be more than 0 seconds")


def _yes(value: Any) -> bool:
    said = str(value).lower()
    if said not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ValueError("it is true or false")
    return said in {"1", "true", "yes", "on"}


def _side(value: Any) -> str:
    if value not in {"", "input", "output", "both"}:
        raise ValueError("it is input, output or both")
    return str(value)


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _stripped(value: Any) -> str:
    return str(value).strip()  # as read from a file, with its line end


def _tiers(value: object) -> dict[str, tuple[Binding, ...]]:
    if not isinstance(value, Mapping):
        raise TypeError("it is a table: of each tier its model, or a list of them")
    return {str(tier): tuple(map(_binding, _rows({tier: row}))) for tier, row in value.items()}


def _binding(row: Any) -> Binding:
    if isinstance(row, Binding):
        return row
    if isinstance(row, str):
        return Binding(row)
    if not isinstance(row, Mapping) or not set(row) <= BOUND or not all(isinstance(one, str) for one in row.values()):
        raise ValueError(f"a model is a name, or a table of texts: {', '.join(sorted(BOUND))}")
    return Binding(**dict(row))


_READ: Mapping[str, Callable[[Any], object]] = {
    **dict.fromkeys(("context", "concurrency", "rpm", "tpm"), _number),
    **dict.fromkeys(("base_url", "api_key", "organization", "model"), _stripped),
    "max_cost": _dollars,
    "timeout": _seconds,
    "allow_http": _yes,
    "moderate": _side,
    "tasks": _names,
    "tiers": _tiers,
}
