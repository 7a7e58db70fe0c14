"""Which files of a folder are taken, as a .gitignore would say it. What is expected here is what git does."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit.errors import InputError
from taskkit.knowledge import KnowledgeBase
from taskkit.knowledge.patterns import Patterns
from tests.knowledge.made import Told

FILES = (
    "a.md", "b.txt", "docs/a.md", "docs/deep/a.md", "docs/deep/b.txt", "drafts/a.md", "old/drafts/c.md", "x/old/y/d.md", "f1.md", "fx.md",
    "#h.md", "!i.md", "f[1].md", ".hidden.md", "node_modules/m.md",
)  # fmt: skip
ALL = {*FILES} - {".hidden.md", "node_modules/m.md"}


def taken(tmp_path: Path, **how: list[str]) -> set[str]:
    for name in FILES:
        path = tmp_path / "f" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"What {name} says.")
    with KnowledgeBase(tmp_path / "h.kb", embedder=Told()) as base:
        base.sync(tmp_path / "f", **how)  # type: ignore[arg-type]
        return {row.name for row in base.list()}


@pytest.mark.parametrize(
    ("exclude", "gone"),
    [
        ([], set()),
        (["*.txt"], {"b.txt", "docs/deep/b.txt"}),
        (["drafts/"], {"drafts/a.md", "old/drafts/c.md"}),
        (["/drafts"], {"drafts/a.md"}),
        (["docs/*"], {"docs/a.md", "docs/deep/a.md", "docs/deep/b.txt"}),
        (["docs/**", "!docs/deep/"], {"docs/a.md", "docs/deep/a.md", "docs/deep/b.txt"}),
        (["docs/*", "!docs/deep/", "# a comment", ""], {"docs/a.md"}),
        (["**/old/**"], {"old/drafts/c.md", "x/old/y/d.md"}),
        (["docs/**/b.txt"], {"docs/deep/b.txt"}),
        (["a.md", "!/a.md"], {"docs/a.md", "docs/deep/a.md", "drafts/a.md"}),
        (["f[0-9].md"], {"f1.md"}),
        (["f[!0-9].md"], {"fx.md"}),
        (["f\\[1\\].md"], {"f[1].md"}),
        (["\\#h.md", "\\!i.md"], {"#h.md", "!i.md"}),
        (["d**s"], {name for name in ALL if "docs/" in name or "drafts/" in name}),
        (["?.md"], {name for name in ALL if name.split("/")[-1] in {"a.md", "c.md", "d.md"}}),
    ],
)  # fmt: skip
def test_what_is_excluded(tmp_path: Path, exclude: list[str], gone: set[str]) -> None:
    assert taken(tmp_path, exclude=exclude) == ALL - gone


@pytest.mark.parametrize(
    ("include", "there"),
    [
        (["*.txt"], {"b.txt", "docs/deep/b.txt"}),
        (["docs/"], {"docs/a.md", "docs/deep/a.md", "docs/deep/b.txt"}),
        (["docs/", "!*.txt"], {"docs/a.md", "docs/deep/a.md"}),
        (["/*.md"], {"a.md", "f1.md", "fx.md", "#h.md", "!i.md", "f[1].md"}),
        ([".hidden.md", "node_modules/"], set()),
    ],
)
def test_what_is_included(tmp_path: Path, include: list[str], there: set[str]) -> None:
    assert taken(tmp_path, include=include) == there


@given(st.lists(st.sampled_from([*"ab*?[]!^-&~|#\\/.", "**", "a-b"]), max_size=8).map("".join))
def test_whatever_is_given_is_a_pattern_or_is_told(pattern: str) -> None:
    with contextlib.suppress(InputError):
        assert Patterns([pattern]).covers("a/b.md") in {True, False}


def test_what_is_excluded_later_goes_and_what_is_no_pattern_is_told(tmp_path: Path) -> None:
    assert taken(tmp_path) == ALL
    assert taken(tmp_path, exclude=["docs/"]) == {name for name in ALL if not name.startswith("docs/")}
    with pytest.raises(InputError, match="is no pattern"):
        taken(tmp_path, exclude=["[z-a].md"])
