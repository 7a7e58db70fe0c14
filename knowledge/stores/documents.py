"""What both stores ask of their table `documents` in the same words."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from taskkit.knowledge.records import Document
from taskkit.knowledge.stores.coding import Made

OF_DOCUMENTS = "passages JOIN documents ON documents.id = passages.document"


class Documents(ABC):
    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A statement, with a `?` for each value."""

    @abstractmethod
    def change(self) -> AbstractContextManager[Any]:
        """One transaction: all of it or nothing. Another writer is waited for."""

    def setting(self, key: str) -> str:
        found = self.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(found[0][0]) if found else ""

    def folders(self) -> dict[str, dict[str, Any]]:
        rows = self.rows("SELECT key, value FROM settings WHERE key LIKE 'folder:%'")
        return {key.removeprefix("folder:"): json.loads(value) for key, value in rows}

    def tell_folder(self, folder: str, told: Mapping[str, Any]) -> None:
        with self.change():
            self._set({f"folder:{folder}": json.dumps(told, default=list)})

    def _set(self, given: Mapping[str, str]) -> None:
        for row in given.items():
            self.rows("INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", row)

    def _tell(self, made: Made, width: int) -> None:
        """How the vectors are made, and how wide they are."""
        self._set({"embedder": made.embedder, "precision": made.precision, "width": str(width)})

    def digests(self) -> dict[str, tuple[str, str]]:
        return {name: (mark, origin) for name, mark, origin in self.rows("SELECT name, digest, origin FROM documents")}

    def labelled(self) -> dict[str, dict[str, list[str]]]:
        rows = self.rows("SELECT name, access FROM documents WHERE access <> '{}'")
        return {name: json.loads(access) for name, access in rows}

    def document(self, name: str) -> Document | None:
        rows = self.rows("SELECT text, title, metadata, access, format FROM documents WHERE name = ?", (name,))
        for text, title, metadata, access, format_ in rows:
            return Document(name, text, title, json.loads(metadata), json.loads(access), format_)
        return None

    def all_numbers(self) -> list[int]:
        return [number for (number,) in self.rows("SELECT id FROM passages ORDER BY id")]

    def numbers(self, name: str) -> list[int]:
        sql = f"SELECT passages.id FROM {OF_DOCUMENTS} WHERE name = ? ORDER BY start"
        return [number for (number,) in self.rows(sql, (name,))]

    def move(self, old: str, new: str) -> bool:
        sql = (
            "UPDATE documents SET name = ? WHERE name = ? AND NOT EXISTS (SELECT 1 FROM documents WHERE name = ?) "
            "RETURNING id"
        )
        with self.change():
            return bool(self.rows(sql, (new, old, new)))

    def adopt(self, names: Iterable[str], origin: str) -> None:
        if wanted := [(origin, name) for name in names]:
            with self.change():
                for values in wanted:
                    self.rows("UPDATE documents SET origin = ? WHERE name = ?", values)
