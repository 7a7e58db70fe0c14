"""The knowledge base: what is known, found again by words and by meaning."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskkit.knowledge.base import KnowledgeBase as KnowledgeBase
    from taskkit.knowledge.fetch import fetched as fetched
    from taskkit.knowledge.records import Citation as Citation
    from taskkit.knowledge.records import Document as Document
    from taskkit.knowledge.records import Hit as Hit
    from taskkit.knowledge.records import Passage as Passage

_HOMES = {
    "KnowledgeBase": "base", "Citation": "records", "Document": "records", "Hit": "records", "Passage": "records",
    "fetched": "fetch",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'taskkit.knowledge' has no attribute {name!r}")
    value = getattr(import_module(f"taskkit.knowledge.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
