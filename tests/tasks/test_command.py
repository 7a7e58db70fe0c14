"""A request as a call that is valid, and that nobody has made yet."""

import json
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.tasks.command import Command
from taskkit.testing import scripted

TOOLS: tuple[dict[str, Any], ...] = (
    {
        "name": "light",
        "description": "Switch a light.",
        "parameters": {
            "type": "object",
            "properties": {
                "room": {"type": "string", "enum": ["hall", "kitchen"]},
                "on": {"type": "boolean"},
                "level": {"type": "integer"},
            },
            "required": ["room", "on"],
        },
    },
    {"name": "stop", "description": "Stop everything."},
)


def chosen(tool: str, arguments: object) -> dict[str, Any]:
    return {"call": {"tool": tool, "arguments": arguments}}


def test_a_valid_call_is_given_and_not_made() -> None:
    result = scripted(chosen("light", {"room": "hall", "on": False})).run(Command("light off in the hall", TOOLS))
    assert json.loads(str(result)) == {"tool": "light", "arguments": {"room": "hall", "on": False}}
    assert result.results == ()


def test_a_number_in_quotes_is_a_number() -> None:
    result = scripted(chosen("light", {"room": "hall", "on": True, "level": "5"})).run(Command("x", TOOLS))
    assert result.calls[0].arguments == {"room": "hall", "on": True, "level": 5}


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        ("[" * 100_000, "is no JSON"),
        ('[{"name": "a", "parameters": {"properties": {"p": {"enum": [[1]]}}}}]', "'p' of the tool a has choices"),
        ('[{"name": "a", "parameters": {"properties": {"p": {"enum": {"b": 1}}}}}]', "'p' of the tool a has choices"),
        ('[{"name": "a", "parameters": {"properties": {"p": {"enum": "abc"}}}}]', "'p' of the tool a has choices"),
        ('[{"name": "a", "parameters": {"properties": {"p": {}}, "required": 5}}]', "no JSON schema of an object"),
        ('[{"name": "a", "parameters": {"properties": {"p": {"enum": [1e999]}}}}]', "can not be written as JSON"),
        ('[{"name": "\\ud800"}]', "can not be written as JSON"),
        ('[{"name": "none"}]', "There can not be a tool 'none'"),
        ('[{"name": "a"}, {"name": "a"}]', "a second tool 'a'"),
    ],
)
def test_tools_that_are_none_are_refused_in_one_line(tools: str, words: str) -> None:
    Path("tools.json").write_text(tools)
    with pytest.raises(InputError, match=words) as refused:
        scripted().run(Command("x", Path("tools.json")))
    assert len(str(refused.value)) < 300


def test_an_argument_that_must_be_given_need_not_be_described() -> None:
    tool = {"name": "go", "parameters": {"required": ["to"]}}
    replies = iter([chosen("go", {}), chosen("go", {"to": [1, 2]})])
    result = scripted(lambda _: next(replies)).run(Command("go there", (tool,)))
    assert result.calls[0].arguments == {"to": [1, 2]}


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("lamp", {}, "light"),
        ("light", {"room": "hall"}, "on"),
        ("light", {"room": "attic", "on": True}, "hall"),
        ("light", {"room": "hall", "on": "perhaps"}, "on"),
        ("light", {"room": "hall", "on": True, "level": "five"}, "level"),
        ("light", {"room": "hall", "on": True, "colour": "red"}, "colour"),
        ("light", "room=hall", "arguments"),
        ("light", [1], "arguments"),
    ],
)
def test_a_wrong_call_is_told_to_the_model_and_never_given(tool: str, arguments: object, why: str) -> None:
    right = chosen("light", {"room": "hall", "on": True})
    engine = scripted([chosen(tool, arguments), right])
    assert engine.run(Command("x", TOOLS)).calls[0].arguments == {"room": "hall", "on": True}
    assert why in str(engine._transport.bodies[1]["messages"][-1])  # type: ignore[union-attr]
    result = scripted(chosen(tool, arguments)).run(Command("x", TOOLS))
    assert result.calls == ()
    assert result.warnings[0].failure


def test_no_fitting_tool_is_an_answer() -> None:
    result = scripted({"call": {"tool": "none"}}).run(Command("sing a song", TOOLS))
    assert (result.calls, str(result), result.warnings) == ((), "No tool does what was asked.", ())


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '[{"description": "no name"}]',
        '["light"]',
        "7",
        '[{"name": "a", "parameters": {"properties": [1]}}]',
    ],
)
def test_a_file_that_holds_no_tools(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tools.json"
    file.write_text(text)
    with pytest.raises(InputError):
        scripted().run(Command("x", file))
