"""Heads of Markdown files: what is read of them, and what stays a text."""

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskkit.knowledge.frontmatter import front_matter, scalar

HEAD = """---
title: "Leave: how \\"it\\" works" # a comment
year: 2024
share: -1.5e3
draft: False
owner: ~
empty:
version: 1.2.3
zip: 007
when: 2024-05-01
author's: nobody
tags: [hr, "a, b", 'it''s', 3, true]
# a comment
places:
- Bonn
- 7
deep:
  further: in
people:
  - name: Ada
    role: lead
  - name: Bo
text: |
  Many
  lines.
map: {a: 1}
nested: [[1], 2]
last: with # a comment
hash: a#b
---

# Leave
"""


def test_a_head_is_read() -> None:
    assert front_matter(HEAD) == {
        "title": 'Leave: how "it" works', "year": 2024, "share": -1500.0, "draft": False, "owner": None, "empty": None,
        "version": "1.2.3", "zip": "007", "when": "2024-05-01", "tags": ["hr", "a, b", "it's", 3, True],
        "places": ["Bonn", 7], "last": "with", "hash": "a#b",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "# No head\n", "", "---", "---\n", "---\nyear: 2024\n", "----\nyear: 2024\n----\n", "\n---\nyear: 2024\n---\n",
        "---\nA line that divides two texts.\n---\nyear: 2024\n---\n", "---\n---\n", "text\n---\nyear: 2024\n---\n",
    ],
)  # fmt: skip
def test_what_is_no_head(text: str) -> None:
    assert front_matter(text) == {}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_either_kind(end: str) -> None:
    assert front_matter(f"---{end}year: 2024{end}tags: [a]{end}...{end}Text") == {"year": 2024, "tags": ["a"]}


PLAIN = st.one_of(
    st.booleans(), st.none(), st.integers(-(10**17), 10**17),
    st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs"), exclude_characters="eE"), max_size=20),
)  # fmt: skip


@given(
    st.dictionaries(st.from_regex(r"k[a-z0-9_-]{0,8}", fullmatch=True), PLAIN | st.lists(PLAIN, min_size=1, max_size=4))
)
def test_what_yaml_writes_is_read_as_it_was(data: dict[str, Any]) -> None:
    for flow in (False, True):
        lists = {
            key: yaml.safe_dump(some, default_flow_style=True, width=10**6)
            for key, some in data.items()
            if flow and isinstance(some, list)
        }
        rest = {key: some for key, some in data.items() if key not in lists}
        written = "".join(f"{key}: {some}" for key, some in lists.items())
        written += yaml.safe_dump(rest, width=10**6) if rest else ""
        assert front_matter(f"---\n{written}---\nText") == data


@given(st.text())
def test_whatever_stands_there_is_read_without_an_error(text: str) -> None:
    front_matter(text)
    front_matter(f"---\nkey: {text}\n---\n")
    scalar(text)


@pytest.mark.parametrize("line", ["a@", "key: [a@b", "key: [a@b{", "-@-", "a: b@#@c"])
def test_a_head_full_of_blanks_takes_no_longer_than_another(line: str) -> None:
    """What was tried at each of them anew took ten seconds."""

    def seconds(text: str) -> float:
        began = time.process_time()
        for _ in range(3):
            front_matter(text)
        return time.process_time() - began

    words = "".join(f"key {n}: some words\n" for n in range(2_000))
    assert seconds(f"---\n{line.replace('@', ' ' * 40_000)}\n---\n") < 20 * seconds(f"---\n{words}---\n")
