"""Embedders behind an endpoint, and those that other packages bring."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import ConfigurationError, CostCapError, EndpointError, TaskkitError
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.tokens import Counter
from tests.knowledge.made import Endpoint, pages


@pytest.fixture
def endpoint() -> Iterator[Callable[..., Endpoint]]:
    made: list[Endpoint] = []

    def make(**options: Any) -> Endpoint:
        made.append(Endpoint(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@contextlib.contextmanager
def asking(there: Endpoint) -> Iterator[tuple[KnowledgeBase, list[str]]]:
    """A base that embeds there, and what its engine says."""
    said: list[str] = []
    with (
        taskkit.Engine(base_url=there.base_url, api_key="k", allow_http=True) as engine,
        taskkit.use(engine),
        engine.events.listen(lambda event: said.append(event.message)),
        KnowledgeBase("h.kb", embedder="openai") as base,
    ):
        yield base, said


def test_batches_stay_within_the_endpoints_limits_and_go_out_together(endpoint: Callable[..., Endpoint]) -> None:
    there = endpoint(stuck=1, held=3)
    many = [Document(f"d{n}", " ".join(f"word{n}x{i}" for i in range(90))) for n in range(900)]
    with asking(there) as (base, _):
        work = threading.Thread(target=base.add, args=(many,))
        work.start()
        assert there.is_stuck.wait(60)
        there.release()
        work.join(60)
        passages = base.stats().passages
        assert base.verify() == []
    texts = [text for some in there.sent for text in some]
    assert len(texts) == len(set(texts)) == passages
    counter = Counter()
    assert all(len(some) <= 2048 and sum(counter.count_many(some)) <= 300_000 for some in there.sent)
    assert there.most > 1


def test_a_cap_stops_an_add_and_what_was_paid_for_is_kept(endpoint: Callable[..., Endpoint]) -> None:
    there = endpoint()
    many = [Document(f"d{n}", f"Copper and harbour number {n}. " * 20) for n in range(900)]
    priced = "[models.text-embedding-3-small]\nprice = [10.0, 0.0]\n"  # dollars a million tokens
    Path(os.environ["TASKKIT_CONFIG"]).mkdir(exist_ok=True)
    Path(os.environ["TASKKIT_CONFIG"], "models.toml").write_text(priced)
    with (
        taskkit.Engine(base_url=there.base_url, api_key="k", allow_http=True, max_cost="0.6") as engine,
        taskkit.use(engine),
        KnowledgeBase("h.kb", embedder="openai") as base,
    ):
        with pytest.raises(CostCapError):
            base.add(many)
        assert engine.usage.cost is not None
        assert engine.usage.cost <= Decimal("0.6")
        kept = base.stats().vectors
        assert 0 < kept < 900
        assert kept == len([text for some in there.sent for text in some])
        assert base.verify() == []
    with asking(there) as (base, _):
        assert base.add(many).embedded == 900 - kept


def test_shorter_vectors_are_asked_for_and_their_number_belongs_to_the_base(endpoint: Callable[..., Endpoint]) -> None:
    there = endpoint(gives=lambda texts: [[1.0, float(len(text)), 2.0, 3.0] for text in texts])
    with (
        taskkit.Engine(base_url=there.base_url, api_key="k", allow_http=True) as engine,
        taskkit.use(engine),
        KnowledgeBase("h.kb", embedder="openai:text-embedding-3-small@4") as base,
    ):
        base.add(Document("a", "Words."))
        assert base.search("words")[0].passage.document == "a"
        assert (base.stats().width, base.stats().embedder) == (4, "openai:text-embedding-3-small@4")
        assert [(one["model"], one["dimensions"]) for one in there.bodies] == [("text-embedding-3-small", 4)] * 2
        with pytest.raises(ConfigurationError, match="reindex"):
            KnowledgeBase("h.kb", embedder="openai")
        with pytest.raises(EndpointError, match=r"gave vectors of 4 numbers.*leave @5 out"):
            base.reindex(embedder="openai:text-embedding-3-small@5")
        assert base.search("words")
        base.reindex(embedder="openai")
        assert "dimensions" not in there.bodies[-1]
    with pytest.raises(ConfigurationError, match="of no numbers"):
        KnowledgeBase("h.kb", embedder="openai:text-embedding-3-small@0")


def test_an_endpoint_that_knows_of_no_shorter_vectors_is_told(endpoint: Callable[..., Endpoint]) -> None:
    said = {"error": {"message": "This model does not support specifying dimensions.", "type": "invalid_request_error"}}
    there = endpoint(refuses=lambda _: (400, said))
    with (
        taskkit.Engine(base_url=there.base_url, api_key="k", allow_http=True) as engine,
        taskkit.use(engine),
        KnowledgeBase("h.kb", embedder="openai:text-embedding-ada-002@256") as base,
        pytest.raises(TaskkitError, match="does not support specifying dimensions"),
    ):
        base.add(Document("a", "Words."))


def test_a_text_that_is_too_long_is_cut_and_that_is_said(endpoint: Callable[..., Endpoint]) -> None:
    there = endpoint()
    with asking(there) as (base, said):
        base.add(Document("a", "Words."))
        base.search("zq " * 15_000)
    assert max(Counter("cl100k_base").count_many([text for some in there.sent for text in some])) <= 8_192
    assert any("too long" in one for one in said)


@pytest.mark.parametrize(
    ("gives", "told"),
    [
        (lambda texts: [[1.0, float("nan"), 2.0] for _ in texts], "numbers that are none"),
        (lambda texts: [[1.0, float("inf"), 2.0] for _ in texts], "numbers that are none"),
        (lambda texts: [[1.0, None, 2.0] for _ in texts], "numbers that are none"),
        (lambda texts: [[1.0, [2.0], 2.0] for _ in texts], "numbers that are none"),
        (lambda texts: ["AACAPwAAAEA=" for _ in texts], "numbers that are none"),
        (lambda texts: [[] for _ in texts], "vectors of 0 numbers"),
        (lambda texts: [[1.0] * (3 + n) for n, _ in enumerate(texts)], "vectors of 3 and 4 numbers at once"),
        (lambda texts: [[1.0] * 4 for _ in texts], "vectors of 4 numbers now; those of the base have 3"),
        (lambda texts: [[1.0, 2.0, 3.0]], "1 vectors for 2 texts"),
        (lambda texts: [[1.0, 2.0, 3.0]] * 3, "3 vectors for 2 texts"),
    ],
)
def test_vectors_of_an_endpoint_that_are_none_are_refused_and_nothing_is_kept(
    endpoint: Callable[..., Endpoint], gives: Callable[[list[str]], list[Any]], told: str
) -> None:
    there = endpoint()
    with asking(there) as (base, _):
        base.add(Document("a", "Words."))
        there.gives = gives
        with pytest.raises(TaskkitError, match=told):
            base.add([Document("b", "Bees make honey."), Document("c", "Copper is dear.")])
        assert [one.name for one in base.list()] == ["a"]
        assert base.stats().vectors == 1
        assert base.verify() == []


@pytest.mark.parametrize("places", [[0, 0], [1, 2], [0, "1"], [None, None]])
def test_vectors_of_nobody_knows_which_texts_are_refused(endpoint: Callable[..., Endpoint], places: list[Any]) -> None:
    with asking(endpoint(places=places)) as (base, _), pytest.raises(TaskkitError, match="vectors"):
        base.add([Document("a", "Copper."), Document("b", "Tin.")])


def test_a_models_own_limit_cuts_where_it_is_known(
    endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    (tmp_path / "models.toml").write_text('[models.text-embedding-3-small]\ncontext = 300\nencoding = "cl100k_base"\n')
    there = endpoint()
    with asking(there) as (base, said):
        base.add(Document("a", " ".join(f"word{n}" for n in range(120))))
        assert not any("too long" in one for one in said)
        base.search("zq " * 1_000)
    counter = Counter("cl100k_base")
    assert max(counter.count_many([text for some in there.sent for text in some])) == 300
    assert any("first 300 tokens" in one for one in said)


PLUGIN = """
class Letters:
    strength = across = 0.5
    batch = 10

    def __init__(self, model):
        self.name = "letters:" + model if model else "letters"

    async def embed(self, texts):
        import numpy as np
        rows = np.array([[text.lower().count(c) + 0.01 for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

def liar(model):
    made = Letters(model)
    made.name = "wordllama"
    return made

def broken(model):
    raise RuntimeError("no weights")
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with metadata."""
    folder = tmp_path / "plugins"
    info = folder / "letters-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "letters_embedder.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: letters\nVersion: 1.0\n")
    names = {"letters": "Letters", "liar": "liar", "broken": "broken", "wordllama": "liar"}
    points = "".join(f"{name} = letters_embedder:{what}\n" for name, what in names.items())
    (info / "entry_points.txt").write_text(f"[taskkit.embedders]\n{points}")
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_embeds_and_is_found_again_by_its_name() -> None:
    with KnowledgeBase("h.kb", embedder="letters:small") as base:
        base.add([Document("a", "aaaa"), Document("z", "zzzz")])
    with KnowledgeBase("h.kb") as base:
        assert base.embedder == "letters:small"
        assert base.search("zz", k=1)[0].passage.document == "z"
    with KnowledgeBase("w.kb") as base:
        base.add(Document("a", "Words."))
        assert base.stats().width == 256  # nobody takes the place of a built-in one


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("liar", "calls itself wordllama"),
        ("broken", r"broken of letters.*no weights"),
        ("none", r"There are:.*letters"),
    ],
)
def test_a_plug_in_that_can_not_be_used_is_told(name: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        KnowledgeBase("h.kb", embedder=name)
    assert not Path("h.kb").exists()


class Poor:
    """An embedder of somebody's own, with a fault."""

    name = "poor"
    strength = across = 0.5
    batch = 10

    def __init__(self, **faults: Any) -> None:
        for name, fault in faults.items():
            setattr(self, name, fault)

    async def embed(self, texts: Sequence[str]) -> Any:
        return [[1.0, 2.0] for _ in texts]


def test_plain_lists_are_vectors() -> None:
    with KnowledgeBase("h.kb", embedder=Poor()) as base:
        base.add(Document("a", "Words."))
        assert base.stats().width == 2


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"embed": lambda texts: 1 / 0}, "The embedder poor failed: ZeroDivisionError: division by zero."),
        ({"embed": lambda texts: [[1.0] for _ in texts]}, "The embedder poor failed: TypeError: "),
        ({"batch": 0}, "The embedder Poor has no `batch`"),
        ({"batch": None}, "The embedder Poor has no `batch`"),
        ({"strength": 7}, "The embedder Poor has no `strength`"),
        ({"name": ""}, "The embedder Poor has no `name`"),
        ({"embed": None}, "The embedder Poor has no `embed`"),
    ],
)
def test_faults_of_ones_own_embedder_are_told(faults: dict[str, Any], told: str) -> None:
    with (
        pytest.raises(ConfigurationError, match=re.escape(told)),
        KnowledgeBase("h.kb", embedder=Poor(**faults)) as base,
    ):
        base.add(Document("a", "Words."))


def test_a_base_whose_embedder_is_gone_can_still_be_read_and_made_anew(
    plugin: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with KnowledgeBase("h.kb", embedder="letters") as base:
        base.add(Document("a", "Words."))
    (tmp_path / "plugins" / "letters-1.0.dist-info" / "entry_points.txt").write_text("")
    with KnowledgeBase("h.kb") as base:
        assert [row.name for row in base.list()] == ["a"]
        with pytest.raises(ConfigurationError, match="no embedder called letters"):
            base.search("words")
        assert base.reindex(embedder="wordllama") == 1
        assert base.search("words")


def test_ctrl_c_in_the_middle_of_a_sync_says_what_is_kept(endpoint: Callable[..., Endpoint], tmp_path: Path) -> None:
    there, folder = endpoint(stuck=12), pages(tmp_path / "pages", 1700)
    env = {**os.environ, "OPENAI_BASE_URL": there.base_url, "OPENAI_API_KEY": "k", "TASKKIT_ALLOW_HTTP": "1"}
    command = [
        sys.executable,
        "-m",
        "taskkit",
        "kb",
        "sync",
        str(folder),
        "--knowledge",
        "h.kb",
        "--embedder",
        "openai",
    ]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert there.is_stuck.wait(60)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines()[-1] == (
        "taskkit: Interrupted. What was embedded and taken in is kept: the same command goes on from there."
    )
    there.release()
    with KnowledgeBase("h.kb") as base:
        assert base.verify() == []
        kept = base.stats().vectors
    assert kept >= 4 * 128  # eight requests are on their way at once: four of twelve have come back
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, env=env, check=True)
    assert json.loads(again.stdout)["embedded"] == 1700 - kept
