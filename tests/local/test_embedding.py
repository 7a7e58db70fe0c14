"""A knowledge base embedded by a model on this machine, with a stand-in for the library."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import local
from taskkit.errors import ConfigurationError
from taskkit.knowledge import Document, KnowledgeBase

DOCUMENTS = [Document("a", "aaaa"), Document("b", "bbbb"), Document("long", "cde " * 700)]


@pytest.fixture(autouse=True)
def engine() -> Iterator[taskkit.Engine]:
    with taskkit.Engine() as made, taskkit.use(made):
        yield made


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A model file that tells the stand-in how to behave; its server is ended."""
    made: list[Path] = []

    def make(**told: Any) -> Path:
        path = tmp_path / "tiny.gguf"
        path.write_text("GGUF\n" + json.dumps(told))
        made.append(path)
        return path

    yield make
    for path in made:
        if path.exists():
            local.serve(str(path), embedding=True).close()


@pytest.mark.parametrize("told", [{}, {"chat": True}])
def test_a_file_embeds_and_is_found_again_by_its_name(model: Any, told: dict[str, Any]) -> None:
    """One for chat does not say how its tokens become one vector."""
    file = model(**told)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    with KnowledgeBase("k.kb", embedder=f"local:{file}") as base:
        base.add(DOCUMENTS)
        assert base.embedder == f"local:{file}@{digest}"
        assert base.stats().width == 5
        for vector in base._store.vectors(base._store.all_numbers()).values():
            assert float(vector @ vector) == pytest.approx(1, abs=1e-2)
    with KnowledgeBase("k.kb") as base:
        assert base.search("bb", k=1)[0].passage.document == "b"
        assert base.add(DOCUMENTS).unchanged == 3


def test_a_text_is_cut_to_the_models_window_and_that_is_said(model: Any, engine: taskkit.Engine) -> None:
    said: list[str] = []
    file = model(trained=50)
    with (
        engine.events.listen(lambda event: said.append(event.message)),
        KnowledgeBase("k.kb", embedder=f"local:{file}") as base,
    ):
        assert base.add([*DOCUMENTS, Document("just", "word " * 50)]).added == 4
    assert f"A text is too long for {file}: its first 50 tokens are embedded." in said
    assert f"Starting the embedded model {file} to embed texts." in said


def test_another_file_of_the_same_name_is_another_embedder(model: Any) -> None:
    file = model()
    with KnowledgeBase("k.kb", embedder=f"local:{file}") as base:
        base.add(DOCUMENTS[:2])
    local.serve(str(file), embedding=True).close()
    model(letters="xyz")
    with pytest.raises(ConfigurationError, match="reindex"):
        KnowledgeBase("k.kb", embedder=f"local:{file}")
    with KnowledgeBase("k.kb") as base:
        assert len(base.list()) == 2
        with pytest.raises(ConfigurationError, match=r"another one than the base was made with\..*reindex"):
            base.search("bb")
        assert base.reindex(embedder=f"local:{file}") == 2
        assert base.stats().width == 3
        assert base.search("bb", k=1)


def test_chat_and_embedding_have_each_their_own_server(model: Any) -> None:
    file = str(model())
    chat, embedding = local.serve(file), local.serve(file, embedding=True)
    assert chat.pid != embedding.pid
    assert local.serve(file, embedding=True) is embedding
    assert embedding.count("three words here") == 3
    chat.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("local:", "wants a model"),
        ("local:smollm2-135m", "taskkit models pull smollm2-135m"),
        ("local:hf:owner/repo/e5.gguf", "taskkit models pull hf:owner/repo/e5.gguf"),
        ("local:none.gguf", "can not be read"),
        ("local:nobody", "no embedded model called"),
    ],
)
def test_weights_that_are_not_there_are_told_before_a_base_is_made(name: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        KnowledgeBase("k.kb", embedder=name)
    assert not Path("k.kb").exists()


def test_a_server_that_died_is_started_again(model: Any) -> None:
    import signal

    file = str(model())
    with KnowledgeBase("k.kb", embedder=f"local:{file}") as base:
        base.add(DOCUMENTS[0])
        first = local.serve(file, embedding=True)
        os.kill(first.pid, signal.SIGKILL)
        first._process.wait()
        base.add(DOCUMENTS[1])
        assert base.search("bb", k=1)[0].passage.document == "b"


def test_no_endpoint_is_no_reason_to_look_for_its_model_here() -> None:
    with KnowledgeBase("k.kb", embedder="openai") as base, pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        base.add(DOCUMENTS)
