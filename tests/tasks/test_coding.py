"""Code in fenced blocks, as files that stay below their root and that are never run."""

from pathlib import Path

import pytest

from taskkit.errors import InvalidOutputError
from taskkit.tasks.coding import Code
from taskkit.testing import scripted

GOOD = "```python\ndef twice(n):\n    return 2 * n\n```\n"


def test_a_block_is_a_file() -> None:
    result = scripted(f"Here it is:\n\n{GOOD}\nUse it well.").run(Code("double a number"))
    assert result.files == {"main.py": "def twice(n):\n    return 2 * n\n"}
    assert str(result) == "def twice(n):\n    return 2 * n\n"
    assert result.passed is None
    assert result.isolation == "not run"


def test_a_block_without_an_end_reaches_to_the_end() -> None:
    assert scripted(GOOD[:-4]).run(Code("double a number")).files == {"main.py": "def twice(n):\n    return 2 * n\n"}


def test_several_files_go_by_the_names_before_them() -> None:
    result = scripted(f"`lib/twice.py`:\n{GOOD}\n**test_twice.py**\n```python\nassert True\n```\n").run(Code("x"))
    assert list(result.files) == ["lib/twice.py", "test_twice.py"]


@pytest.mark.parametrize("name", ["/etc/cron.d/x.sh", "../../outside.py", "a/../../b.py"])
def test_no_name_leads_out_of_the_root(name: str) -> None:
    result = scripted(f"{name}\n{GOOD}").run(Code("x"))
    assert all(not path.startswith("/") and ".." not in path for path in result.files)


def test_code_that_does_not_parse_is_asked_for_again() -> None:
    engine = scripted(["```python\ndef broken(:\n```", GOOD])
    assert engine.run(Code("x")).files["main.py"].startswith("def twice")
    engine = scripted("```python\ndef broken(:\n```")
    result = engine.run(Code("x"))
    assert result.warnings[0].failure, "what can not run is not called whole"


def test_no_code_at_all_is_an_error_with_what_came() -> None:
    with pytest.raises(InvalidOutputError) as caught:
        scripted("I would rather not.").run(Code("x"))
    assert caught.value.raw == "I would rather not."


def test_a_given_file_comes_back_with_its_difference(tmp_path: Path) -> None:
    file = tmp_path / "sums.py"
    file.write_text("def twice(n):\n    return n + n + n\n")
    result = scripted(GOOD).run(Code("mend it", files=(file,)))
    assert "-    return n + n + n\n+    return 2 * n\n" in result.diff
    assert file.read_text() == "def twice(n):\n    return n + n + n\n", "nothing is written where nobody asked for it"


@pytest.mark.parametrize("text", ["-" * 9_000 + "1", "lambda:" * 5000 + "1", "a" + "()" * 9_000, "(" * 5000])
def test_code_that_breaks_the_parser_is_told(text: str) -> None:
    result = scripted(f"```python\n{text}\n```\n").run(Code("x"))
    assert result.warnings[0].failure
    assert "main.py is n" in result.warnings[0].message


@pytest.mark.parametrize("line", ["a" * 20_000, "a/" * 10_000, "\n".join("`" * count for count in range(4, 200))])
def test_what_is_no_name_takes_no_time(line: str) -> None:
    result = scripted(f"{line}\n\n{GOOD}").run(Code("x"))
    assert [*result.files.values()] == ["def twice(n):\n    return 2 * n\n"]
