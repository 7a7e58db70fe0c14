"""A base written out as lines of JSON."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from taskkit.errors import InputError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told, chapter


def test_lines_tell_all_there_is(place: str) -> None:
    long = chapter(1)
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add([Document("b", long, title="Ledgers", metadata={"tags": ["x", "y"], "year": 2024}, format="markdown")])
        base.add(Document("a", "Ünïcode\u2028 報销.", access={"team": "hr"}))
        assert base.export(Path("out.jsonl"), vectors=True) == 2
        first, second = (json.loads(line) for line in Path("out.jsonl").read_text("utf-8").split("\n")[:2])
        assert (first["name"], first["text"], first["access"]) == ("a", "Ünïcode\u2028 報销.", {"team": ["hr"]})
        assert (second["metadata"], second["text"], second["title"]) == (
            {"tags": ["x", "y"], "year": 2024},
            long,
            "Ledgers",
        )
        kept = base.passages("b")
        assert [(one["start"], one["end"], tuple(one["headings"])) for one in second["passages"]] == [
            (one.start, one.end, one.headings) for one in kept
        ]
        assert all(len(one["vector"]) == 16 for one in second["passages"])


def test_a_file_is_whole_or_as_it_was(place: str) -> None:
    with KnowledgeBase(place, embedder=Told()) as base:
        base.add(Document("a", "Words."))
        Path("out.jsonl").write_text("old")
        Path("out.jsonl").chmod(0o640)
        assert base.export(Path("out.jsonl")) == 1
        assert Path("out.jsonl").stat().st_mode & 0o777 == 0o640
        with pytest.raises(InputError, match="can not be written"):
            base.export(Path("nowhere") / "out.jsonl")
        Path("folder").mkdir()
        with pytest.raises(InputError, match="can not be written"):
            base.export(Path("folder"))
        assert not [one for one in Path.cwd().iterdir() if one.name.startswith(".")]


def test_what_is_no_file_is_written_and_a_link_stays_one() -> None:
    Path("real.jsonl").write_text("old")
    Path("link.jsonl").symlink_to("real.jsonl")
    os.mkfifo("pipe")
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        base.add(Document("a", "Words."))
        assert base.export(Path("link.jsonl")) == 1
        reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True)
        assert base.export(Path("pipe")) == 1
    out, _ = reader.communicate(timeout=60)
    assert json.loads(out) == json.loads(Path("real.jsonl").read_text())
    assert Path("link.jsonl").is_symlink()
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
