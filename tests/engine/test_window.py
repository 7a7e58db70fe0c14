"""A window never promises more than a model has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit import models
from taskkit.errors import ContextTooLong
from taskkit.window import Window


def sizes() -> st.SearchStrategy[Window]:
    return st.integers(100, 2_000_000).flatmap(
        lambda context: st.builds(
            Window, st.just(context), st.integers(1, context), st.integers(1, context), st.integers(0, 50)
        )
    )


@given(sizes(), st.integers(1, 2_000_000))
def test_input_and_reserved_output_stay_within_the_context(window: Window, output: int) -> None:
    try:
        room = window.input_room(output)
    except ContextTooLong as error:
        assert error.over > 0  # noqa: PT017 - one of two right ends
        return
    assert 1 <= room <= window.max_input
    assert room + min(output, window.max_output) + window.reserve <= window.context


@given(sizes(), st.integers(0, 2_000_000))
def test_output_room_is_what_is_left(window: Window, used: int) -> None:
    room = window.output_room(used)
    assert 0 <= room <= window.max_output
    assert room == 0 or used + room + window.reserve <= window.context


@pytest.mark.parametrize("name", sorted(models.catalogue()))
def test_every_row_of_the_catalogue_is_a_window_with_a_source(name: str) -> None:
    model = models.lookup(name)
    assert model.window.input_room(model.max_output // 2) >= 1
    assert model.source
    assert model.checked
    assert model.known
