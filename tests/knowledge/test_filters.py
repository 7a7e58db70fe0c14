"""Conditions mean the same in either store."""

from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told

KEPT: dict[str, dict[str, Any]] = {
    "number": {"x": 3}, "real": {"x": 3.5}, "text": {"x": "3"}, "true": {"x": True}, "null": {"x": None},
    "list": {"x": [1, "b", 7]}, "none": {}, "odd": {"a.b $c'": 3},
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"x": 3}, {"number"}),
        ({"x": "3"}, {"text"}),
        ({"x": True}, {"true"}),
        ({"x": None}, {"null", "none", "odd"}),
        ({"x": 7}, {"list"}),
        ({"x": {"$gte": 3}}, {"number", "real", "list"}),
        ({"x": {"$gt": 3, "$lt": 4}}, {"real", "list"}),
        ({"x": {"$lt": "c"}}, {"text", "list"}),
        ({"x": {"$ne": 3}}, set(KEPT) - {"number"}),
        ({"x": {"$in": [3, "b", None]}}, {"number", "list", "null", "none", "odd"}),
        ({"x": {"$nin": [3, "3", None]}}, {"real", "true", "list"}),
        ({"x": {"$in": []}}, set()),
        ({"a.b $c'": 3}, {"odd"}),
        ({"x": 3, "a.b $c'": 3}, set()),
    ],
)
def test_conditions(place: str, where: dict[str, Any], names: set[str]) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add([Document(name, f"Copper {name}.", metadata=some) for name, some in KEPT.items()])
        assert {hit.passage.document for hit in base.search("copper", k=20, where=where)} == names


@pytest.mark.parametrize(
    "where", [{"x": {"$like": "a"}}, {"x": {"$in": "ab"}}, {"x": [1]}, {"x": {"$gt": None}}, {'x"': 1}, {"x\0": 1}]
)
def test_what_is_no_condition(place: str, where: dict[str, Any]) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Document("a", "Copper."))
        with pytest.raises(InputError):
            base.search("copper", where=where)


def test_labels_keep_out_whoever_lacks_one(place: str) -> None:
    labels: dict[str, dict[str, Any]] = {
        "all": {}, "hr": {"team": "hr"}, "both": {"team": ["hr", "it"]}, "level": {"team": "hr", "level": "2"},
        "nobody": {"team": []},
    }  # fmt: skip
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add([Document(name, f"Copper {name}.", access=some) for name, some in labels.items()])

        def seen(**allow: Any) -> set[str]:
            return {hit.passage.document for hit in base.search("copper", k=20, allow=allow)}

        assert seen() == {"all"}
        assert seen(team="hr") == {"all", "hr", "both"}
        assert seen(team="it") == {"all", "both"}
        assert seen(team=["it", "hr"], level="2") == {"all", "hr", "both", "level"}
        assert seen(level="2") == {"all"}
        assert seen(team="' OR 1 = 1 --") == {"all"}
