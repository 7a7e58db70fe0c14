"""Tutor and character: what was said is kept from call to call, in files that are theirs alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.settings import cache_dir
from taskkit.tasks.character import Character
from taskkit.tasks.tutor import Tutor
from taskkit.testing import scripted

HINT = {"move": "hint", "say": "Look at the denominators.", "correct": False}
LINE = {"say": "Who goes there?", "action": "lifts a lantern", "emotion": "wary"}


def asked(engine: Any, call: int = -1) -> str:
    return json.dumps(engine._transport.bodies[call]["messages"], ensure_ascii=False)


def test_a_session_goes_on_in_another_process() -> None:
    scripted(HINT).run(Tutor("3/4 + 1/4 is 4/8", topic="fractions", session="maths"))
    engine = scripted(HINT)
    turn = engine.run(Tutor("Why?", topic="fractions", session="maths"))
    assert "3/4 + 1/4 is 4/8" in asked(engine)
    assert "Look at the denominators." in asked(engine)
    assert (turn.level, turn.correct, str(turn)) == (2, False, "Look at the denominators.")


def test_a_turn_is_never_answered_from_the_journal() -> None:
    engine = scripted(LINE)
    for _ in range(2):
        engine.run(Character("Hello"))
    assert len(engine._transport.bodies) == 2  # type: ignore[union-attr]


def test_sessions_are_the_users_alone_and_stay_in_their_folder() -> None:
    scripted(LINE).run(Character("Hello", session="inn"))
    (file,) = (cache_dir() / "sessions").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    for name in ("../inn", "/etc/passwd", "a/b", "."):
        with pytest.raises(InputError, match="no session name"):
            scripted(LINE).run(Character("Hello", session=name))


def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"my": "notes"}\n')
    with pytest.raises(InputError, match="line 1"):
        scripted(LINE).run(Character("Hello", session=str(file)))
    assert file.read_text() == '{"my": "notes"}\n'


def test_a_line_that_a_crash_broke_off_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    scripted(LINE).run(Character("Good evening", session=str(file)))
    whole = file.read_text()
    file.write_text(whole + whole[: len(whole) // 2])
    engine = scripted(LINE)
    engine.run(Character("And now?", session=str(file)))
    assert asked(engine).count("Good evening") == 1
    assert [json.loads(line)["message"] for line in file.read_text().splitlines()] == ["Good evening", "And now?"]


def test_no_turn_is_lost_when_processes_keep_theirs_at_once() -> None:
    code = """
import sys
import taskkit
from taskkit.tasks.sessions import Exchange, keep
from taskkit.testing import scripted

class Talk(taskkit.Task[str]):
    async def run(self, job):
        for number in range(100):
            keep(job, "talk.jsonl", "tutor", Exchange("Why? " * 200))
        return ""

engine = scripted("")
print("ready", flush=True)
sys.stdin.readline()
engine.run(taskkit.task(Talk)())
"""
    pipe, env = subprocess.PIPE, {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    many = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env)
        for _ in range(4)
    ]
    for one in many:
        assert one.stdout
        assert one.stdin
        assert one.stdout.readline() == "ready\n"
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate()[1] for one in many] == [""] * 4
    assert len(Path("talk.jsonl").read_text().splitlines()) == 400


def test_a_plan_leaves_no_trace() -> None:
    scripted(HINT).plan(Tutor("Why?", session="maths"))
    assert not (cache_dir() / "sessions").exists()


def test_a_long_session_drops_its_oldest_part_and_says_so() -> None:
    for n in range(30):
        scripted(HINT).run(Tutor(f"Message {n}: " + "why is that so, and what for? " * 20, session="long"))
    engine = scripted(HINT, context=4096)
    turn = engine.run(Tutor("And now?", session="long"))
    assert "Message 29:" in asked(engine)
    assert "Message 0:" not in asked(engine)
    assert "oldest" in turn.warnings[0].message


def test_a_character_never_speaks_for_the_player() -> None:
    said = {**LINE, "say": "Good evening.\nTraveller: I am lost.\nThen follow me."}
    line = scripted(said).run(Character("Hello"))
    assert str(line) == "*lifts a lantern* Good evening."


def test_out_of_character_is_asked_for_again() -> None:
    engine = scripted([{**LINE, "say": "As an AI language model, I have no name."}, LINE])
    assert engine.run(Character("Who are you?")).say == "Who goes there?"
    assert scripted({**LINE, "say": "As an AI, no."}).run(Character("Who?")).warnings


@pytest.mark.parametrize("version", [1, 2])
def test_a_card_is_read_in_its_versions(tmp_path: Path, version: int) -> None:
    data = {"name": "Mira", "description": "A keeper {{ of }} lights.", "creator_notes": "SECRET"}
    file = tmp_path / "mira.json"
    file.write_text(json.dumps(data if version == 1 else {"spec": "chara_card_v2", "data": data}))
    engine = scripted(LINE)
    engine.run(Character("Hello", card=str(file)))
    assert "A keeper {{ of }} lights." in asked(engine)
    assert "SECRET" not in asked(engine)


@pytest.mark.parametrize("text", ["{", "[]", '{"data": {}}', "7", "[" * 100_000])
def test_a_card_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "card.json"
    file.write_text(text)
    with pytest.raises(InputError):
        scripted(LINE).run(Character("Hello", card=str(file)))
