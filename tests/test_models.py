"""What is known of models, and what happens when one is retired."""

from datetime import date
from pathlib import Path

import pytest

from taskkit import models
from taskkit.errors import ConfigurationError


def test_a_retirement_is_announced_60_days_before_and_then_takes_effect() -> None:
    assert models.resolve("gpt-4o-mini", date(2026, 11, 1)).notice == ""
    soon = models.resolve("gpt-4o-mini", date(2026, 12, 1))
    assert soon.model.name == "gpt-4o-mini"
    assert "2027-01-14" in soon.notice
    after = models.resolve("gpt-4o-mini", date(2027, 1, 14))
    assert after.model.name == "gpt-6-luna"
    assert after.model.max_input == 922_000


def test_a_dated_name_has_the_row_of_its_model() -> None:
    assert models.lookup("gpt-4o-2024-08-06").context == 128_000
    assert models.lookup("openai/gpt-4o-mini").context == 128_000
    assert not models.lookup("gpt-4o-something-else").known


def test_an_unknown_name_works_with_stated_assumptions() -> None:
    model = models.lookup("my-own-finetune")
    assert (model.known, model.ratio, model.source) == (False, 1.1, "assumed")


def test_a_users_file_overrides_fields_and_adds_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    (tmp_path / "models.toml").write_text(
        '[tiers]\nfast = "mine"\n[models.mine]\ncontext = 4096\n[models.gpt-4o]\nmax_output = 1000\n'
    )
    assert models.tiers()["fast"] == "mine"
    assert models.lookup("mine").window.max_input == 4096
    assert models.lookup("gpt-4o").max_output == 1000
    assert models.lookup("gpt-4o").context == 128_000


@pytest.mark.parametrize("text", ["[models.x]\nwindow = 3\n", "[models.x]\ncontext = 0\n", "not toml", "models = 3"])
def test_a_bad_file_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(ConfigurationError):
        models.lookup("gpt-4o")


@pytest.mark.parametrize(
    "row",
    [
        "price = [-1, 2]",
        "price = [nan, 1]",
        'price = ["x", 1]',
        "price = 3",
        "price = [1]",
        "context = inf",
        "context = 4096.5",
        'max_output = "x"',
        "ratio = -1",
    ],
)
def test_a_row_that_can_not_be_counted_with_is_told_with_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: str
) -> None:
    monkeypatch.setenv("TASKKIT_CONFIG", str(tmp_path))
    (tmp_path / "models.toml").write_text(f"[models.mine]\n{row}\n")
    with pytest.raises(ConfigurationError, match=r"/models\.toml: mine: "):
        models.lookup("mine")
