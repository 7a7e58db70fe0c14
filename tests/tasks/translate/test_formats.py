"""Every format: what is not language comes back byte for byte, and what is written says what was meant."""

import re
from pathlib import Path

import pytest

from taskkit.tasks.translate.formats import Opened, Options, opened
from taskkit.tasks.translate.mask import mask, unmask
from taskkit.tasks.translate.segments import Segment

FIXTURES = sorted(path for path in (Path(__file__).parent / "fixtures").iterdir() if path.is_file())
OPTIONS = Options(to="pl", from_="en")


def shouted(source: Opened) -> dict[Segment, str]:
    """Each text in capitals, but for what is masked."""
    found: dict[Segment, str] = {}
    for segment in source.segments:
        masked = mask(segment.text, source.format.prose, segment.keep)
        left, right = map(re.escape, masked.fence)
        parts = re.split(rf"({left}\d+{right})", masked.text)
        said = "".join(part if number % 2 else part.upper() for number, part in enumerate(parts))
        found[segment], problems = unmask(said, masked)
        assert not problems
    return found


def words(text: str) -> list[str]:
    return re.sub(r"<v [^<>]*>|\u2028", " ", text).split()


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_translation_that_says_the_same_changes_no_byte(path: Path) -> None:
    source = opened(path, options=OPTIONS)
    assert source.segments
    assert source.written({}).data == path.read_bytes()
    fresh = [one for one in source.segments if not one.stale]
    assert source.written({one: one.current for one in fresh}).data == path.read_bytes()


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_translation_changes_its_places_only_and_is_read_back(path: Path, tmp_path: Path) -> None:
    source = opened(path, options=OPTIONS)
    targets = shouted(source)
    written = source.written(targets)
    assert not written.kept
    copy = tmp_path / path.name
    copy.write_bytes(written.data)
    again = opened(copy, options=OPTIONS)
    said, meant = [one.current for one in again.segments], [targets[one] for one in source.segments]
    if not source.format.reread:  # where a sentence ends depends on what is said
        said, meant = [" ".join(said)], [" ".join(meant)]
    assert [words(one) for one in said] == [words(one) for one in meant]
    assert again.written({}).data == written.data
