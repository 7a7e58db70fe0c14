"""What is read is what the file holds; what is no text is refused in words."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskkit.errors import InputError
from taskkit.source import Text, format_of, read
from taskkit.tasks.summarise import Summarise
from taskkit.testing import scripted


def test_a_string_is_the_text_itself_even_when_it_looks_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("inside")
    assert read(str(tmp_path / "a.md")).text == str(tmp_path / "a.md")
    assert read(tmp_path / "a.md") == Text("inside", str(tmp_path / "a.md"), "markdown")
    given = Text("x", "name", "code", 7)
    assert read(given) is given


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_nothing_of_a_file_is_changed(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes((".\r\n" + text).encode(encoding))
    assert read(path).text == ".\r\n" + text


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.MD", "markdown"),
        ("a.htm", "html"),
        ("a.py", "code"),
        ("a.yaml", "code"),
        ("a.txt", "text"),
        ("LICENSE", "text"),
    ],
)
def test_the_name_tells_the_format(name: str, format_: str) -> None:
    assert format_of(Path(name)) == format_


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"%PDF-1.7 text", "a PDF"),
        (b"PK\x03\x04rest", "an Office document"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"text\0with NUL", "binary"),
        (b"\0\x01\xff\xfe\x80", "binary"),
        ("café".encode("latin-1"), "byte 3 can not be decoded"),
        (b"\xff\xfea", "not UTF-16"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (Path("missing.txt"), "no file"),
        (Path(), "a folder"),
        (Path("a\0b"), "no file name"),
        (Path("x" * 5000), "can not be read"),
    ],
)
def test_what_can_not_be_opened_is_named(path: Path, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(path)


@pytest.mark.parametrize("text", ["", "  \n", Text("\t", "notes")])
def test_an_empty_text_is_refused(text: str | Text) -> None:
    with pytest.raises(InputError, match="empty"):
        read(text)


def test_the_name_of_a_file_as_a_text_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = scripted("Short.")
    engine.run(Summarise("report.md"))  # there is none
    (tmp_path / "report.md").write_text("Ships sail.")
    with pytest.warns(UserWarning, match=r"Path\('report.md'\) reads the file"):
        engine.run(Summarise("report.md"))
