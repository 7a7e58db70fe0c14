"""Tiers, fallbacks, retirement, parameter profiles, moderation: which model is asked, and how."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import ConfigurationError, ContextTooLong, UnsafeError
from taskkit.models import lookup
from taskkit.settings import config_dir
from taskkit.testing import Fail, Say, ScriptedServer, echo
from tests.made import Echo

Server = Callable[..., ScriptedServer]


def configured(text: str) -> None:
    config_dir().mkdir(parents=True, exist_ok=True)
    (config_dir() / "config.toml").write_text(text)


def test_a_tier_is_bound_to_a_model_of_another_endpoint_with_its_own_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, other = server("main"), server("other")
    monkeypatch.setenv("OTHER_KEY", "other-key")
    configured(
        f'base_url = "{main.base_url}"\napi_key = "main-key"\n[tiers]\n'
        f'strong = {{ model = "big-one", base_url = "{other.base_url}", api_key_env = "OTHER_KEY" }}\n'
    )
    with taskkit.Engine() as engine:
        assert engine.run(Echo("a")) == "main"
    with taskkit.Engine(tier="strong") as engine:
        assert engine.run(Echo("a")) == "other"
    assert other.requests[-1].headers["authorization"] == "Bearer other-key"
    assert other.bodies[-1]["model"] == "big-one"
    assert all("other-key" not in str(one.headers) for one in main.requests)


@pytest.mark.parametrize(("tier", "model"), [("fast", "gpt-4o-mini"), ("strong", "gpt-4o"), ("long", "gpt-4.1-mini")])
def test_a_task_names_a_tier_and_each_has_its_model_unless_one_is_given(server: Server, tier: str, model: str) -> None:
    there = server("fine", models=(model, "another", "mine"))
    options: dict[str, Any] = {"base_url": there.base_url, "api_key": "k", "tier": tier, "today": date(2026, 6, 1)}
    with taskkit.Engine(**options) as engine:
        engine.run(Echo("a"))
    with taskkit.Engine("mine", **options) as engine:
        engine.run(Echo("a"))
    assert [body["model"] for body in there.bodies] == [model, "mine"]
    with taskkit.Engine(**{**options, "tier": "no-such"}) as engine, pytest.raises(ConfigurationError, match="no-such"):
        engine.run(Echo("a"))


def test_a_replacement_brings_its_own_window_and_parameters(server: Server) -> None:
    there = server("fine")
    options: dict[str, Any] = {"base_url": there.base_url, "api_key": "k"}
    with taskkit.Engine("gpt-4o", today=date(2027, 1, 14), **options) as engine:
        engine.run(Echo("word " * 200_000))  # more than the 128,000 tokens of the one that left
    assert there.bodies[-1]["model"] == "gpt-6-luna"
    assert lookup("gpt-6-luna").output in there.bodies[-1]
    with taskkit.Engine("gpt-4o", today=date(2027, 1, 13), **options) as engine, pytest.raises(ContextTooLong):
        engine.run(Echo("word " * 200_000))


def test_a_fallback_is_asked_when_the_first_fails_for_good_and_it_is_said(server: Server) -> None:
    there = server(lambda body: Fail(429, "No credit.", "insufficient_quota") if body["model"] == "dear" else "fine")
    configured(f'base_url = "{there.base_url}"\n[tiers]\nfast = ["dear", "cheap"]\n')
    seen: list[str] = []
    with taskkit.Engine() as engine, engine.events.listen(lambda event: seen.append(event.message)):
        assert engine.run(Echo("a")) == "fine"
    assert [body["model"] for body in there.bodies] == ["dear", "cheap"]
    assert any("cheap is asked instead" in one for one in seen)


@pytest.mark.parametrize(
    ("today", "asked", "said"),
    [
        (date(2026, 9, 1), "gpt-4o-mini", False),
        (date(2026, 12, 1), "gpt-4o-mini", True),
        (date(2027, 1, 14), "gpt-6-luna", True),
        (date(2028, 1, 1), "gpt-6-luna", True),
    ],
)
def test_from_its_retirement_on_a_model_is_replaced(server: Server, today: date, asked: str, said: bool) -> None:
    there = server("fine")
    seen: list[str] = []
    engine = taskkit.Engine(model="gpt-4o-mini", base_url=there.base_url, api_key="k", today=today)
    with engine, engine.events.listen(lambda event: seen.append(event.message)):
        engine.run(Echo("a"))
    assert there.bodies[-1]["model"] == asked
    assert any("2027-01-14" in one for one in seen) == said


def test_a_reasoning_model_gets_its_own_parameters(server: Server) -> None:
    there = server("fine")
    with taskkit.Engine(model="o4-mini", base_url=there.base_url, api_key="k") as engine:
        engine.run(Echo("a"))
    body = there.bodies[-1]
    assert "temperature" not in body
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] > 4096


@pytest.mark.parametrize(
    ("side", "text", "flagged"), [("input", "harm me", True), ("output", "harm", True), ("input", "ok", False)]
)
def test_moderation_names_the_categories(server: Server, side: str, text: str, flagged: bool) -> None:
    there = server(echo, flagged=lambda said: ["violence"] if "harm" in said else [])
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", moderate=side) as engine:
        if not flagged:
            assert engine.run(Echo(text)) == text
            return
        with pytest.raises(UnsafeError, match="violence") as caught:
            engine.run(Echo(text))
        assert caught.value.categories == ("violence",)
    assert len(there.bodies) == (0 if side == "input" else 1), "what is flagged on its way in is not sent"


def test_ctrl_c_ends_soon(server: Server, tmp_path: Path) -> None:
    there = server(Say("Fine.", delay=60))
    (tmp_path / "a.txt").write_text("The harbour was closed.")
    argv: list[Any] = [Path(sys.executable).parent / "taskkit", "summarise", tmp_path / "a.txt"]
    argv += ["--base-url", there.base_url, "--model", "gpt-4.1-mini"]
    running = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while running.poll() is None and not there.bodies:
        os.sched_yield()
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=50)
    assert time.monotonic() - began < 20  # a second on a quiet machine; the answer would take a minute
    assert running.returncode == 130
    assert "Traceback" not in err
