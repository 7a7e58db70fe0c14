"""Where settings come from, and what may not come from where."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import settings
from taskkit.errors import ConfigurationError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TASKKIT_MODEL", "TASKKIT_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("TASKKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_arguments_come_before_environment_project_and_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config" / "config.toml").write_text('model = "user"\nrpm = 5\nbase_url = "https://user/v1"\n')
    assert settings.load().model == "user"
    (home / "pyproject.toml").write_text('[tool.taskkit]\nmodel = "project"\n')
    assert settings.load().model == "project"
    monkeypatch.setenv("TASKKIT_MODEL", "environment")
    assert settings.load().model == "environment"
    found = settings.load({"model": "argument", "rpm": None})
    assert (found.model, found.rpm, found.base_url) == ("argument", 5, "https://user/v1")


def test_the_usual_openai_variables_count(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    assert settings.load().api_key == "sk-one"
    monkeypatch.setenv("TASKKIT_API_KEY", "sk-two")
    assert settings.load().api_key == "sk-two"
    assert "sk-two" not in repr(settings.load())


@pytest.mark.parametrize(
    "line",
    [
        'base_url = "https://evil/v1"',
        'api_key = "x"',
        "allow_http = true",
        'tiers = {fast = {model = "m", base_url = "https://evil/v1"}}',
    ],
)
def test_a_project_can_not_say_where_keys_and_texts_go(home: Path, line: str) -> None:
    (home / "pyproject.toml").write_text(f"[tool.taskkit]\n{line}\n")
    with pytest.raises(ConfigurationError, match="project"):
        settings.load()


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "modle = 'x'",
        "rpm = 0",
        "rpm = 'many'",
        "max_cost = 'nan'",
        "max_cost = -1",
        "timeout = 0",
        "timeout = 'long'",
        "max_cost = 'much'",
        "allow_http = 'perhaps'",
        "tiers = 5",
        "moderate = 'maybe'",
        "tiers = {fast = {modell = 'x'}}",
    ],
)
def test_what_does_not_fit_is_one_clear_error(home: Path, text: str) -> None:
    (home / "config" / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.toml") as told:
        settings.load()
    assert not re.search("class|object|literal|convert", str(told.value)), "what Python says of it"


def test_tiers_may_bind_models_of_other_endpoints_and_fallbacks(home: Path) -> None:
    (home / "config" / "config.toml").write_text(
        'max_cost = 1.5\n[tiers]\nstrong = ["a", {model = "b", base_url = "http://127.0.0.1:1", api_key_env = "K"}]\n'
    )
    found = settings.load()
    assert found.max_cost == Decimal("1.5")
    assert [one.model for one in found.tiers["strong"]] == ["a", "b"]
    assert found.tiers["strong"][1].api_key_env == "K"


def test_an_unreadable_file_is_told(home: Path) -> None:
    (home / "config" / "config.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"config\.toml can not be read"):
        settings.load()


@pytest.mark.parametrize(
    "line",
    [
        '[tiers]\nfast = {model = "m", api_key = "sk-hidden"}',
        '[tiers]\nfast = {model = "m", base_url = "https://a:sk-hidden@b", api_key_env = 7}',
        'api_key = ["sk-hidden"]\nmodel = "m"\nrpm = "many"',
        '[tiers]\nfast = ["m", {api_key = "sk-hidden"}]',
        'tiers = "sk-hidden"',
    ],
)
def test_no_error_shows_what_may_be_a_key(home: Path, line: str) -> None:
    (home / "config" / "config.toml").write_text(line)
    with pytest.raises(ConfigurationError) as caught:
        settings.load()
    assert str(home / "config" / "config.toml") in str(caught.value)
    told = caught.value.__cause__ or caught.value.__context__
    assert "sk-hidden" not in f"{caught.value} {told}"


@pytest.mark.parametrize(
    "options",
    [{"context": float("inf")}, {"context": "x"}, {"temperature": "hot"}, {"temperature": float("nan")}, {"rpm": 0.5}],
)
def test_an_engine_of_impossible_settings_is_one_clear_error(home: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        taskkit.Engine(**options)


def test_the_project_is_looked_for_up_to_the_root_of_its_repository(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = home / "repository" / "docs" / "deep"
    deep.mkdir(parents=True)
    (home / "pyproject.toml").write_text('[tool.taskkit]\nmodel = "of nobody"\n')
    (home / "repository" / "pyproject.toml").write_text('[tool.taskkit]\nmodel = "mine"\nknowledge = "k.kb"\n')
    (home / "repository" / "docs" / "pyproject.toml").write_text('[project]\nname = "taskkit-docs"\n')
    monkeypatch.chdir(deep)
    assert settings.load().model == ""  # no repository: what lies above may be anybody's
    (home / "repository" / ".git").mkdir()
    found = settings.load()
    assert (found.model, found.knowledge) == ("mine", str(home / "repository" / "k.kb"))
    monkeypatch.chdir(home / "repository")
    assert settings.load().knowledge == "k.kb"
