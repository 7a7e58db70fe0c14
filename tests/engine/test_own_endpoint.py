"""An endpoint of one's own: what it serves, and the window that it tells of, are found out, also for a plan."""

import traceback
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

import taskkit
from taskkit.errors import ConfigurationError
from taskkit.tasks.summarise import Summarise
from taskkit.testing import Fail, ScriptedServer

Server = Callable[..., ScriptedServer]

NAMED = {"id": "my-model-7b", "object": "model"}


@taskkit.task
class Room(taskkit.Task[str]):
    """Tell the window."""

    async def run(self, job: taskkit.Job) -> str:
        return f"{job.route.window.context} {job.route.window.max_input}"


def engine(there: ScriptedServer, **options: Any) -> taskkit.Engine:
    return taskkit.Engine(base_url=there.base_url, today=date(2026, 12, 20), **options)


def test_a_plan_is_of_the_model_that_is_served(server: Server) -> None:
    there = server(Fail(500, "nobody may ask"), models=[NAMED])
    said: list[str] = []
    with engine(there) as mine, mine.events.listen(lambda event: said.append(event.message)):
        plan = mine.plan(Summarise("Ships sail the sea."))
    assert (plan.model, plan.cost) == ("my-model-7b", None)
    assert not there.bodies
    assert not [one for one in said if "gpt-4o-mini" in one]


def test_nobody_is_told_of_the_end_of_a_model_that_is_not_used(server: Server) -> None:
    there = server("Fine.", models=[NAMED])
    said: list[str] = []
    with engine(there) as mine, mine.events.listen(lambda event: said.append(event.message)):
        mine.run(Summarise("Ships sail the sea."))
    assert there.bodies[0]["model"] == "my-model-7b"
    assert not [one for one in said if "2027" in one]
    with engine(server("Fine."), model="gpt-4o-mini") as other, other.events.listen(lambda e: said.append(e.message)):
        other.run(Summarise("Ships sail the sea."))
    assert [one for one in said if "2027" in one]


@pytest.mark.parametrize("given", [None, "my-model-7b"])
@pytest.mark.parametrize(
    ("told", "window"),
    [
        ({"max_model_len": 131_072}, 131_072),  # vLLM
        ({"meta": {"n_ctx": 4096, "n_ctx_train": 32_768}}, 4096),  # llama.cpp
        ({"max_model_len": "many", "meta": 7}, 32_768),
        ({"max_model_len": 0}, 32_768),
    ],
)
def test_the_window_that_is_told_is_used(server: Server, told: dict[str, Any], window: int, given: str | None) -> None:
    there = server("Fine.", models=[{**NAMED, **told}, *([{"id": "other"}] if given else [])])
    said: list[str] = []
    with engine(there, model=given) as mine, mine.events.listen(lambda event: said.append(event.message)):
        assert mine.run(Room()) == f"{window} {window}"
    assert any("Nothing is known" in one for one in said) == (window == 32_768)


def test_the_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = server("Said by way of it.")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "")
    with taskkit.Engine(NAMED["id"], base_url="http://llm.example.test/v1", allow_http=True, context=8000) as mine:
        assert mine.run(Summarise("Ships sail the sea.")).text == "Said by way of it."
    assert proxy.requests[-1].path == "http://llm.example.test/v1/chat/completions"


def test_what_is_for_this_machine_goes_through_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, there = server("By way of it."), server("At once.", models=[NAMED])
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "")
    with engine(there) as mine:
        assert mine.run(Summarise("Ships sail the sea.")).text == "At once."
    assert not proxy.requests


def test_a_proxy_of_another_kind_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = server("By way of it.")
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{proxy.port}")
    with (
        taskkit.Engine(NAMED["id"], base_url="https://llm.example.test/v1", context=8000) as mine,
        pytest.raises(ConfigurationError, match="socks5"),
    ):
        mine.run(Summarise("Ships sail the sea."))
    assert not proxy.requests


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    ["http://pu:hunter2#1@127.0.0.1:1", "http://pu:hunter2/1@127.0.0.1:1", "http://pu:hunter2@127.0.0.1:port",
     "ftp://pu:hunter2@127.0.0.1", "http://pu:hunter2\x01@127.0.0.1:1"],
)  # fmt: skip
def test_a_proxy_whose_address_can_not_be_read_is_named_and_not_shown(
    proxy: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy)
    with (
        taskkit.Engine(NAMED["id"], base_url="https://llm.example.test/v1", context=8000, api_key="k") as mine,
        pytest.raises(ConfigurationError, match=variable) as caught,
    ):
        mine.run(Summarise("Ships sail the sea."))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
