"""What a folder was taken in with: it holds for whatever is found in it from then on, until something else is said."""

from pathlib import Path
from typing import Any

from taskkit.knowledge.marks import Marks
from taskkit.knowledge.stores.store import Store


class Folders:
    """Those of a base that something was said of, metadata or labels. What is said of a folder comes before what is said
    of one that it is in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told = store.folders()
        self._found: dict[Path, Marks] = {}

    def tell(self, folder: Path, marks: Marks) -> None:
        """It is kept before anything is taken in: a file that comes in after an interruption has its labels as well."""
        said = {
            what: value for what, value in (("access", marks.access), ("metadata", marks.metadata)) if value is not None
        }
        if not said:
            return
        root = folder.resolve()
        for one, told in list(self._told.items()):
            if root in Path(one).parents and told.keys() & said.keys():
                self._keep(one, {what: value for what, value in told.items() if what not in said})
        self._keep(str(root), {**self._told.get(str(root), {}), **said})

    def moved(self, old: str, new: str) -> None:
        for one, told in list(self._told.items()):
            if Path(one).is_relative_to(old):
                there = str(Path(new, Path(one).relative_to(old)))
                self._keep(there, {**told, **self._told.get(there, {})})

    def _keep(self, folder: str, told: dict[str, Any]) -> None:
        if told != self._told.get(folder, {}):
            self._store.tell_folder(folder, told)
            self._told[folder] = told
            self._found.clear()

    def of(self, folder: Path) -> Marks:
        """What holds in it."""
        if folder not in self._found:
            above = [self._told.get(str(one), {}) for one in (folder, *folder.parents)]
            metadata, access = (
                next((one[what] for one in above if what in one), None) for what in ("metadata", "access")
            )
            self._found[folder] = Marks(metadata, access)
        return self._found[folder]

    def teller(self, folder: Path) -> str:
        """The nearest that something was said of."""
        return next((str(one) for one in (folder, *folder.parents) if self._told.get(str(one))), "")
