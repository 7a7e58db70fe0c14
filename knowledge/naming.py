"""What files are called in a base: by their path below their folder, and apart where another folder has that name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from taskkit.knowledge.read import Found
from taskkit.knowledge.reading import Source

Kept = Mapping[str, tuple[str, str]]  # digest and origin of each document
TRIED = 100  # files of a folder that may have been moved are read for it


class Names:
    """Those that are given in one intake. A folder that is there no longer holds no name: it was moved, and whoever
    comes with its names is taken for it."""

    def __init__(self, kept: Kept) -> None:
        self._homes = {name: home for name, (_, home) in kept.items()}
        self._given: dict[str, Path] = {}
        self._there: dict[str, bool] = {"": False}

    def of(self, files: Iterable[Source]) -> Iterator[Source]:
        for one in files:
            yield replace(one, name=self._of(one, self._homes)) if isinstance(one, Found) else one

    def _of(self, file: Found, homes: Mapping[str, str]) -> str:
        for name in _names(file):
            home = homes.get(name, "")
            if self._given.get(name, file.path) == file.path and (home == file.origin or not self.there(home)):
                self._given[name] = file.path
                return name
        raise AssertionError  # there is always one more

    def homes(self, names: Iterable[str]) -> dict[str, str]:
        """The folders that the base had these names from when they were given."""
        return {name: self._homes[name] for name in names if name in self._homes}

    def again(self, kept: Kept, name: str, origin: str) -> str:
        """Another name for a file, where the base got one of that name meanwhile."""
        homes = {**self._homes, **{one: home for one, (_, home) in kept.items()}}
        new = self._of(Found(Path(origin) / name, name, origin), homes)
        self._homes[new] = homes.get(new, "")
        return new

    def there(self, folder: str) -> bool:
        if folder not in self._there:
            self._there[folder] = Path(folder).is_dir()
        return self._there[folder]


def _names(file: Found) -> Iterator[str]:
    """The path below its folder, then with that folder's name before it, then with the one above, and so on."""
    name = file.name
    yield name
    for part in reversed(Path(file.origin).parts[1:]):
        name = f"{part}/{name}"
        yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def may_be(file: str, origin: str) -> list[str]:
    """What a file that could not be read may be called in a base."""
    return [*islice(_names(Found(Path(), file, origin)), len(Path(origin).parts))]


def moved_here(
    kept: Kept, files: Iterable[Found], origin: str, unchanged: Callable[[Sequence[Found]], int]
) -> list[str]:
    """What the base has of folders that were moved to this one: that are there no longer, and half of whose documents
    are here under their names, and half of these as they were. `unchanged` counts those; some of them are enough."""
    here, known = {one.name: one for one in files}, Names(kept)
    had: dict[str, list[str]] = {}
    for name, (_, home) in kept.items():
        if home not in {"", origin} and not known.there(home):
            had.setdefault(home, []).append(name)
    moved: list[str] = []
    for names in had.values():
        found = [here[name] for name in names if name in here]
        some = found[:: len(found) // TRIED + 1]
        if found and 2 * len(found) >= len(names) and 2 * unchanged(some) >= len(some):
            moved += names
    return moved
