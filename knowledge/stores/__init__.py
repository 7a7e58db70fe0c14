"""Where a knowledge base is kept: `Store` says what a store does; a path or an address names which one it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.errors import ConfigurationError

if TYPE_CHECKING:
    from taskkit.knowledge.stores.store import Store


def opened(place: str | Path, *, create: bool = True, index: str = "") -> "Store":
    """The store at a path. Made when it is missing, unless `create` is False: then `InputError`."""
    if "://" in str(place):
        raise ConfigurationError(f"{place} is no file: only knowledge bases in a file are known so far.")
    from taskkit.knowledge.stores.sqlite import SQLite

    return SQLite(Path(place), create=create, index=index)
