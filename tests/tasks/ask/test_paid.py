"""A base whose embedder is behind an endpoint: the question goes where the task's calls go, and is paid for as they are."""

import contextlib
import math
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import taskkit
from taskkit.errors import CostCapError, TaskkitError
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.tasks.ask import Ask
from taskkit.testing import ScriptedServer
from tests.knowledge.made import Endpoint

Server = Callable[..., ScriptedServer]

RULE = "Expenses are paid back on Fridays."
ANSWER = [{"quotes": [{"passage": 1, "quote": RULE}], "answer": "On Fridays [1]."}, "Yes."]
QUESTION = "When are expenses paid back?"


def engine_of(there: ScriptedServer, **options: object) -> taskkit.Engine:
    return taskkit.Engine("gpt-4o-mini", base_url=there.base_url, api_key="k", **options)  # type: ignore[arg-type]


def embedded(there: ScriptedServer) -> int:
    return sum(one.path.endswith("/embeddings") for one in there.requests)


@pytest.fixture
def base(server: Server) -> str:
    with engine_of(server("")) as engine, taskkit.use(engine), KnowledgeBase("oa.kb", embedder="openai") as made:
        made.add(Document("rules", RULE))
    return "oa.kb"


def test_the_question_is_embedded_where_the_task_is_run(base: str, server: Server) -> None:
    there, other = server(ANSWER), server("")
    with engine_of(other) as default, taskkit.use(default), engine_of(there) as engine:
        answer = engine.run(Ask(QUESTION, base))
        assert answer.found
        assert (embedded(there), len(other.requests)) == (1, 0)
        assert answer.usage.calls == engine.usage.calls == 3
        assert answer.usage.cost is not None
        assert default.usage.calls == 0


def test_the_question_is_not_paid_for_twice(base: str, server: Server) -> None:
    """The same again sends nothing at all, and finds the same."""
    there = server(ANSWER)
    with engine_of(there) as engine:
        first = engine.run(Ask(QUESTION, base))
    sent = len(there.requests)
    with engine_of(there) as engine:
        again = engine.run(Ask(QUESTION, base))
    assert len(there.requests) == sent
    assert (again.text, again.citations) == (first.text, first.citations)
    assert (again.usage.calls, again.usage.journal_hits) == (0, 3)
    assert not again.usage.cost
    with engine_of(there, fresh=True) as engine, pytest.raises(taskkit.TaskkitError):  # the script is at its end
        engine.run(Ask(QUESTION, base))
    assert embedded(there) == 2


@pytest.fixture
def priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Dollars a million tokens of the embedder."""
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    rows = tmp_path / "models.toml"

    def write(price: float) -> None:
        rows.write_text(f"[models.text-embedding-3-small]\nprice = [{price}, 0.0]\n")

    return write


def test_a_plan_embeds_nothing(base: str, server: Server) -> None:
    there = server("")
    with engine_of(there) as engine:
        assert engine.plan(Ask(QUESTION, base)).calls == (2, 4)
        with KnowledgeBase(base) as opened:
            assert engine.plan(Ask(QUESTION, opened, expand="hyde")).calls == (3, 5)
    assert there.requests == []


def test_the_cap_holds_for_the_question(base: str, server: Server, priced: Callable[[float], None]) -> None:
    priced(20000.0)
    there = server(ANSWER)
    with engine_of(there, max_cost="0.05") as engine, pytest.raises(CostCapError):
        engine.run(Ask(QUESTION, base))
    assert there.requests == []


def test_who_writes_on_this_machine_embeds_at_the_endpoint_all_the_same(base: str, server: Server) -> None:
    there = server("")
    with taskkit.Engine("local:any", base_url=there.base_url, api_key="k") as engine, KnowledgeBase(base) as opened:
        assert opened.search(QUESTION, by=engine)[0].passage.document == "rules"
    assert embedded(there) == 1


def test_nothing_is_said_of_the_window_of_our_own_choice(base: str, server: Server) -> None:
    said: list[str] = []
    for model in ("openai", "openai:bge-m3"):
        with (
            engine_of(server("")) as engine,
            taskkit.use(engine),
            engine.events.listen(lambda event: said.append(event.message)),
            KnowledgeBase(f"{model}.kb", embedder=model) as made,
        ):
            made.add(Document("rules", RULE))
    assert [one for one in said if "Nothing is known" in one] == []


def test_what_a_plan_says_is_enough_is_enough_for_the_question_too(
    base: str, server: Server, priced: Callable[[float], None]
) -> None:
    priced(2000.0)
    there = server(ANSWER)
    with engine_of(there) as engine:
        plan = engine.plan(Ask(QUESTION, base))
    assert plan.cost is not None
    assert plan.enough is not None
    with engine_of(there, max_cost=plan.enough) as engine:
        took = engine.run(Ask(QUESTION, base)).usage
    assert plan.calls[0] <= took.calls <= plan.calls[1]
    assert took.cost is not None
    assert Decimal("0.01") < took.cost <= plan.enough


def test_what_is_embedded_here_costs_nothing_in_a_plan(server: Server) -> None:
    with engine_of(server("")) as engine, KnowledgeBase("here.kb") as opened:
        opened.add(Document("rules", RULE))
        assert engine.plan(Ask(QUESTION, opened)).calls == (1, 3)


def test_a_damaged_vector_in_the_journal_is_asked_for_again(base: str, server: Server) -> None:
    there = server(ANSWER)
    with engine_of(there) as engine:
        first = engine.run(Ask(QUESTION, base))
        path = engine.journal.path
    assert path is not None
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as journal:
        assert journal.execute("UPDATE replies SET text = '!!!' WHERE model LIKE 'text-emb%'").rowcount == 1
    with engine_of(there) as engine:
        assert engine.run(Ask(QUESTION, base)).text == first.text
    assert embedded(there) == 2


def test_a_search_does_not_pay_twice_for_its_question(base: str, server: Server) -> None:
    there = server("")
    for _ in range(2):
        with engine_of(there) as engine, taskkit.use(engine), KnowledgeBase(base) as made:
            assert [one.passage.text for one in made.search(QUESTION)] == [RULE]
    assert embedded(there) == 1
    with engine_of(there, journal=False) as engine, taskkit.use(engine), KnowledgeBase(base) as made:
        made.search(QUESTION)
    assert embedded(there) == 2


@pytest.mark.parametrize("bad", [[math.nan] * 3, [1.0] * 7, [0.0] * 3, [None] * 3, ["a"] * 3], ids=str)
def test_a_vector_that_is_refused_is_not_kept(bad: list[object]) -> None:
    """One bad answer spoils no question for good."""
    good: list[object] = [1.0, 2.0, 2.0]
    there = Endpoint(gives=lambda texts: [answers[-1] for _ in texts])
    with contextlib.closing(there):
        answers = [good]
        with taskkit.Engine(base_url=there.base_url, api_key="k") as engine, taskkit.use(engine):
            base = KnowledgeBase("bad.kb", embedder="openai:m")
            base.add(Document("rules", RULE))
            answers = [bad]
            with pytest.raises(TaskkitError) as refused:
                base.search(QUESTION)
            assert "failed" not in str(refused.value)
            answers = [good]
            assert base.search(QUESTION)[0].passage.text == RULE
            base.close()
