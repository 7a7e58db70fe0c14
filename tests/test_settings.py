"""Where settings come from, and what may not come from where."""

from decimal import Decimal
from pathlib import Path

import pytest

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
        "moderate = 'maybe'",
        "tiers = {fast = {modell = 'x'}}",
    ],
)
def test_what_does_not_fit_is_one_clear_error(home: Path, text: str) -> None:
    (home / "config" / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        settings.load()


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
