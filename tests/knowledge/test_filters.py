"""Conditions mean the same in either store."""

import contextlib
import math
import sqlite3
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told

KEPT: dict[str, dict[str, Any]] = {
    "number": {"x": 3}, "real": {"x": 3.5}, "text": {"x": "3"}, "true": {"x": True}, "null": {"x": None},
    "list": {"x": [1, "b", 7]}, "none": {}, "odd": {"a.b $c'": 3},
    "kim": {"by": {"name": "Kim", "born": {"year": 1970}, "tags": ["x", 2], "0": "zero"}}, "lee": {"by": {"name": "Lee", "born": None}},
    "dot": {"by.name": "Kim"}, "both": {"by.name": "Lee", "by": {"name": "Kim"}}, "several": {"by": [{"name": "Kim"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"x": 3}, {"number"}),
        ({"x": "3"}, {"text"}),
        ({"x": True}, {"true"}),
        ({"x": None}, set(KEPT) - {"number", "real", "text", "true", "list"}),
        ({"x": 7}, {"list"}),
        ({"x": {"$gte": 3}}, {"number", "real", "list"}),
        ({"x": {"$gt": 3, "$lt": 4}}, {"real", "list"}),
        ({"x": {"$lt": "c"}}, {"text", "list"}),
        ({"x": {"$ne": 3}}, set(KEPT) - {"number"}),
        ({"x": {"$in": [3, "b", None]}}, set(KEPT) - {"real", "text", "true"}),
        ({"x": {"$nin": [3, "3", None]}}, {"real", "true", "list"}),
        ({"x": {"$in": []}}, set()),
        ({"x": {"$in": [*map(str, range(100, 5000)), *range(100, 5000), 3, "3"]}}, {"number", "text"}),
        ({"x": {"$lt": 10**30}}, {"number", "real", "list"}),
        ({"x": {"$ne": 10**30}}, set(KEPT)),
        ({"a.b $c'": 3}, {"odd"}),
        ({"x": 3, "a.b $c'": 3}, set()),
        ({"by.name": "Kim"}, {"kim", "dot"}),
        ({"by.name": {"$in": ["Kim", "Lee"]}}, {"kim", "lee", "dot", "both"}),
        ({"by.name": {"$gt": "L"}}, {"lee", "both"}),
        ({"by.name": {"$ne": "Kim"}}, set(KEPT) - {"kim", "dot"}),
        ({"by.name": None}, set(KEPT) - {"kim", "lee", "dot", "both"}),
        ({"by.born.year": {"$lt": 1980}, "by.name": "Kim"}, {"kim"}),
        ({"by.born.year": {"$ne": None}}, {"kim"}),
        ({"by.tags": 2}, {"kim"}),
        ({"by.0": "zero"}, {"kim"}),
        ({"by.": "zero"}, set()),
        ({".": 1, "..": 1}, set()),
    ],
)
def test_conditions(place: str, where: dict[str, Any], names: set[str]) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add([Document(name, f"Copper {name}.", metadata=some) for name, some in KEPT.items()])
        assert {hit.passage.document for hit in base.search("copper", k=20, where=where)} == names


@pytest.mark.parametrize(
    "how",
    [
        {"where": {"x": {"$like": "a"}}}, {"where": {"x": {"name": "a"}}}, {"where": {"x": {"$in": "ab"}}}, {"where": {"x": [1]}}, {"where": {"x": {"$gt": None}}},
        {"where": {'x"': 1}}, {"where": {"x\0": 1}}, {"where": {"x": {}}}, {"where": {5: 1}}, {"where": {"x": math.nan}},
        {"where": {"x": {"$lt": 10**400}}}, {"where": {"x": "\ud800"}}, {"where": 5}, {"where": []},
        {"allow": {"team": 5}}, {"allow": {"team": None}}, {"allow": {"team": [5]}}, {"allow": {"team": "\ud800"}}, {"allow": "hr"},
        {"allow": {5: "hr"}}, {"wher": {"x": 1}}, {"k": "5"}, {"k": True}, {"diversity": "much"}, {"neighbours": 1.5},
    ],
)  # fmt: skip
def test_what_is_no_condition_finds_nothing(place: str, how: dict[str, Any]) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Document("a", "Copper."))
        with pytest.raises(InputError):
            base.search("copper", **how)


def test_labels_by_the_thousand(place: str) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Document("a", "Copper.", access={"team": "t7"}))
        assert base.search("copper", allow={"team": [f"t{n}" for n in range(40_000)]})
        assert not base.search("copper", allow={f"t{n}": "t7" for n in range(2_000)})


@pytest.mark.parametrize(
    "value", [math.nan, [1, -math.inf], {1, 2}, object(), 10**5000], ids=["nan", "inf", "set", "object", "digits"]
)
def test_metadata_that_no_condition_could_meet_are_refused(place: str, value: Any) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        with pytest.raises(InputError, match=r"'bad' has .* under 'x'"):
            base.add([Document("good", "Copper."), Document("bad", "Copper.", metadata={"x": value})])
        assert base.list() == []


def test_a_base_that_holds_such_metadata_is_searched_all_the_same() -> None:
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add([Document("old", "Copper."), Document("new", "Copper.", metadata={"x": 3})])
        with contextlib.closing(sqlite3.connect("h.kb")) as db:
            db.execute("UPDATE documents SET metadata = '{\"x\": NaN}' WHERE name = 'old'")
            db.commit()
        assert [hit.passage.document for hit in base.search("copper", where={"x": 3})] == ["new"]
        assert [hit.passage.document for hit in base.search("copper", where={"x": None})] == ["old"]
        assert [hit.passage.document for hit in base.search("copper", where={"x": {"$gt": 1}})] == ["new"]
        assert base.verify() == ["1 documents have metadata that are no JSON: take them in again"]


@pytest.mark.parametrize(
    "given", [{"access": {"team": 5}}, {"access": "hr"}, {"text": 5}, {"title": None}, {"name": ""}, {"metadata": 5}]
)
def test_a_document_that_is_none_is_refused(place: str, given: dict[str, Any]) -> None:
    with KnowledgeBase(place, embedder=Told()) as base, pytest.raises(InputError):
        base.add(Document(**{"name": "a", "text": "Copper.", **given}))


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
