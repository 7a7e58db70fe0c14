"""Where a knowledge base is kept: `Store` says what a store does; a path or an address names which one it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from taskkit.knowledge.stores.store import Store


def files_of(place: str | Path) -> list[Path]:
    """Those of the store at a path; none at an address."""
    if "://" in str(place):
        return []
    path = path_of(place)
    return [path, *(path.with_name(f"{path.name}-{what}") for what in ("wal", "shm", "journal", "index"))]


def path_of(place: str | Path) -> Path:
    """Where `~` is the user's home."""
    path = Path(place)
    return path.expanduser() if path.parts[:1] == ("~",) else path


def opened(place: str | Path, *, create: bool = True, index: str = "", wait: float = 30.0) -> "Store":
    """The store at a path or an address. Made when it is missing, unless `create` is False: then `InputError`."""
    if not isinstance(place, str | Path):
        raise InputError(f"A knowledge base is a file or an address, not {place!r}.")
    kind = str(place).partition("://")[0] if "://" in str(place) else ""
    if kind in {"postgresql", "postgres"}:
        from taskkit.knowledge.stores.postgres import Postgres

        return Postgres(str(place), create=create, index=index, wait=wait)
    if kind:
        raise ConfigurationError(
            f"A knowledge base is a file or a PostgreSQL database, not {kind}://…",
            hint="Give postgresql://user@host/db.",
        )
    from taskkit.knowledge.stores.sqlite import SQLite

    return SQLite(path_of(place), create=create, index=index, wait=wait)
