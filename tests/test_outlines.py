"""Code blocks, list items and rows stay whole where they fit; sections of each format are told."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.source import Text
from taskkit.tokens import Counter

LIMIT = 120


def words(pick: random.Random, count: int) -> str:
    return " ".join(pick.choice(["harbour", "ledger.", "winter", "copper", "signal", "orchard"]) for _ in range(count))


def fence(body: str) -> str:
    return f"```\n{body}\n```"


def units(kind: str, pick: random.Random) -> tuple[str, list[str]]:
    """A text, and the parts of it that are to stay whole where they fit."""
    sizes = [pick.randint(1, 110) for _ in range(pick.randint(2, 12))]
    bodies = [words(pick, size) for size in sizes]
    if kind == "fences":
        made = [fence(one.replace(". ", ".\n")) for one in bodies]
        return "\n\n".join(made), made
    if kind == "items":
        made = [f"- {one}" for one in bodies]
        return "Before.\n\n" + "\n".join(made), made
    if kind == "rows":
        made = [f"| {one} | 1 |" for one in bodies]
        return "| a | b |\n|---|---|\n" + "\n".join(made), made[1:]
    if kind == "table":
        made = [f'"{one}",1' for one in bodies]
        return "a,b\n" + "\n".join(made), made
    if kind == "rst":
        made = ["::\n\n   " + one.replace(". ", ".\n\n   ") for one in bodies]
        return "Title\n=====\n\n" + "\n\nWords.\n\n".join(made), made
    rows = [{"text": one, "n": [1, {"a": 2}]} for one in bodies]
    if kind == "jsonl":
        made = [json.dumps(row) for row in rows]
        return "\n".join(made), made
    indent = pick.choice([None, 2])
    text = json.dumps({"version": 1, "rows": rows}, indent=indent)
    made = [json.dumps(row, indent=indent).replace("\n", "\n    ") for row in rows]
    return text, made


FORMATS = {"fences": "markdown", "items": "markdown", "rows": "markdown", "table": "table", "rst": "rst", "jsonl": "json", "json": "json"}  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(list(FORMATS)), st.randoms(use_true_random=False))
def test_what_fits_stays_whole(kind: str, pick: random.Random) -> None:
    text, parts = units(kind, pick)
    pieces = Text(text, format=FORMATS[kind]).split(LIMIT)
    assert "".join(piece.text for piece in pieces) == text
    for part in parts:
        assert part in text
        if Counter().count(part) <= LIMIT - 10:  # a mark or a space beside it has tokens too
            assert any(part in piece.text for piece in pieces), part


RST = """
=====
Title
=====

Words.

Part one
--------

.. code-block:: python

   x = 1

       y = 2

- item

Deeper
......

More.

Part two
--------

End.
"""


def test_sections_of_restructuredtext_are_the_path() -> None:
    pieces = Text(RST, format="rst").split(24)
    assert "".join(piece.text for piece in pieces) == RST
    path = {line: piece.headings for piece in Text(RST, format="rst").split(10) for line in piece.text.split("\n")}
    assert path["Words."] == ("Title",)
    assert path["- item"] == ("Title", "Part one")
    assert path["More."] == ("Title", "Part one", "Deeper")
    assert path["End."] == ("Title", "Part two")
    assert any("x = 1\n\n       y = 2" in piece.text for piece in pieces)


def test_a_csv_head_goes_with_every_row_below_it_and_data_is_no_head() -> None:
    rows = "".join(f'Oslo {n},{n},"crowns,\nor so"\n' for n in range(60))
    pieces = Text("city,price,unit\n" + rows, format="table").split(40)
    assert [piece.table for piece in pieces] == ["", *["city,price,unit\n"] * (len(pieces) - 1)]
    assert all(piece.text.startswith(("city", "Oslo")) for piece in pieces)
    assert {piece.table for piece in Text(rows, format="table").split(40)} == {""}


def test_of_an_enormous_head_each_piece_has_the_beginning() -> None:
    """Else a file of 50 MB with a thousand columns would take all of the memory."""
    head = ",".join(f"column {n}" for n in range(2_000)) + "\n"
    pieces = Text(head + "".join(f"Oslo {n},{n}\n" for n in range(500)), format="table").split(40)
    inside = [piece.table for piece in pieces if piece.table]
    assert len(inside) > 50
    assert all(head.startswith(one) and len(one) <= 2_000 for one in inside)


def test_the_path_in_json_is_its_outer_keys() -> None:
    text = json.dumps({"people": [{"name": f"Ann {n}", "age": n} for n in range(30)], "prices": {"desk": [1] * 60, "lamp": [2] * 60}})  # fmt: skip
    pieces = Text(text, format="json").split(60)
    assert {piece.headings for piece in pieces if "Ann" in piece.text and piece.start} == {("people",)}
    assert ("prices", "lamp") in {piece.headings for piece in pieces}
    assert all(piece.text.lstrip().startswith(("{", '"')) or "," in piece.text for piece in pieces)


@pytest.mark.parametrize("kind", ["rst", "table", "json"])
def test_one_of_anything_over_and_over_ends_soon(kind: str) -> None:
    for sign in ('"', "=\n", "{", "]", ",", "\\", '"a":', "a\n==\n", "::\n\n "):
        text = sign * 30_000
        assert "".join(piece.text for piece in Text(text, format=kind).split(400)) == text
