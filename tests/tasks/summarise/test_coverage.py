"""What was read of a source, by which call, and what happens when calls fail."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit import Text
from taskkit.errors import CostCapError, EndpointError, QuotaError
from taskkit.tasks.summarise import Summarise, Summary
from taskkit.testing import Fail, Refuse, Say, ScriptedServer, scripted

Server = Callable[..., ScriptedServer]
CHUNKS = 40


def section(n: int) -> str:
    lines = (f"On day {day} the keeper of the tower saw {day * n % 97} ships go by." for day in range(120))
    return f"# Tower {n}\n\n{' '.join(lines)}\n\n"


FORTY = "".join(section(n) for n in range(CHUNKS))  # each section is over half of a piece
DOCUMENT = Text(FORTY, format="markdown")
WINDOW = 4096


def of(body: Mapping[str, Any]) -> str:
    return "\n".join(str(one["content"]) for one in body["messages"])


def is_map(body: Mapping[str, Any]) -> bool:
    return "This is piece " in of(body)


def keeper(body: Mapping[str, Any]) -> Any:
    return "The keeper saw many ships go by." if is_map(body) else "The keepers saw ships."


def bodies(engine: taskkit.Engine) -> list[Any]:
    return engine._transport.bodies  # type: ignore[union-attr, no-any-return]


def test_forty_pieces_are_forty_calls_and_one_merge() -> None:
    engine = scripted(keeper, context=WINDOW)
    plan = engine.plan(Summarise(DOCUMENT))
    result = engine.run(Summarise(DOCUMENT))
    asked = bodies(engine)
    assert result.pieces == CHUNKS
    assert sum(map(is_map, asked)) == CHUNKS
    assert len(asked) == CHUNKS + 1, "short notes of forty pieces fit one merge"
    assert plan.calls[0] <= plan.calls[1]


def test_notes_are_merged_in_the_order_of_the_text_whichever_comes_first(server: Server) -> None:
    later = threading.Event()

    def model(body: Mapping[str, Any]) -> Any:
        if not is_map(body):
            return "The keepers saw ships."
        tower = re.findall(r"^# Tower (\d+)", of(body), re.MULTILINE)[-1]
        if tower == "20":
            later.wait(10)
        elif int(tower) > 20:
            later.set()
        return f"The tower {tower} saw ships."

    there = server(model)
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", context=WINDOW, journal=False) as engine:
        engine.run(Summarise(DOCUMENT))
    assert later.is_set()
    (merge,) = [body for body in there.bodies if not is_map(body)]
    assert re.findall(r"The tower (\d+) saw", of(merge)) == [str(n) for n in range(CHUNKS)]


def test_long_notes_are_merged_in_as_many_calls_as_planned() -> None:
    def long(body: Mapping[str, Any]) -> Any:
        if not is_map(body) and "neighbouring" not in of(body):
            return "The keepers saw ships."
        words = int(re.findall(r"in at most (\d+) words", of(body))[-1])
        return "The keeper saw ships. " * (words // 4)

    engine = scripted(long, context=WINDOW)
    plan = engine.plan(Summarise(DOCUMENT))
    engine.run(Summarise(DOCUMENT))
    assert sum(map(is_map, bodies(engine))) == CHUNKS
    assert len(bodies(engine)) > CHUNKS + 1
    assert plan.calls[0] * 0.95 <= len(bodies(engine)) <= plan.calls[1] * 1.05


def test_every_character_is_in_one_reading() -> None:
    result = scripted(keeper, context=WINDOW).run(Summarise(DOCUMENT))
    assert "".join(FORTY[one.start : one.end] for one in result.coverage.readings) == FORTY
    assert {one.status for one in result.coverage.readings} == {"read"}
    assert result.coverage.share == 1.0


def test_a_piece_that_fails_is_read_in_halves_and_takes_nothing_else_with_it(server: Server) -> None:
    def model(body: Mapping[str, Any]) -> Any:
        return Refuse() if "# Tower 7\n" in of(body) else keeper(body)

    there = server(model)
    with taskkit.Engine(model="gpt-4.1-mini", base_url=there.base_url, api_key="k", context=WINDOW) as engine:
        result = engine.run(Summarise(DOCUMENT))
    readings = result.coverage.readings
    (lost,) = [one for one in readings if one.status == "failed"]
    assert section(7).startswith(FORTY[lost.start : lost.end])
    assert 0.3 < (lost.end - lost.start) / len(section(7)) < 0.7, "the other half was read"
    assert "".join(FORTY[one.start : one.end] for one in readings) == FORTY
    assert lost.problem
    assert result.text == "The keepers saw ships."
    assert len(there.bodies) == CHUNKS + 2 + 1
    assert 0.9 < result.coverage.share < 1
    assert [one.code for one in result.warnings if one.failure] == ["not-read"]
    assert f"{lost.start}-{lost.end}" in result.warnings[0].message


@pytest.mark.parametrize("fault", [Refuse(), "", Say("", finish="length")], ids=["refused", "empty", "only thought"])
def test_a_piece_that_is_too_much_for_the_model_is_read_whole_in_halves_as_planned(fault: Any) -> None:
    def model(body: Mapping[str, Any]) -> Any:
        too_much = "the tower saw 14 ships" in of(body) and len(of(body)) > 6000
        return fault if is_map(body) and too_much and "# Tower 7\n" in of(body) else keeper(body)

    engine = scripted(model, context=WINDOW)
    plan = engine.plan(Summarise(DOCUMENT))
    result = engine.run(Summarise(DOCUMENT))
    assert result.coverage.share == 1.0
    assert "".join(FORTY[one.start : one.end] for one in result.coverage.readings) == FORTY
    assert not result.warnings
    assert len(result.coverage.readings) == CHUNKS + 1
    assert CHUNKS + 3 <= result.usage.calls <= CHUNKS + 4  # an answer that is none is asked for once more
    assert plan.calls[1] >= plan.calls[0] + 2 * CHUNKS // 10, "one piece in ten is foreseen to be read in halves"


def test_when_all_fail_there_is_no_summary() -> None:
    with pytest.raises(EndpointError):
        scripted(lambda body: "", context=WINDOW).run(Summarise(DOCUMENT))


@pytest.mark.parametrize(
    ("model", "options", "error"),
    [
        (lambda body: Fail(429, "No credit.", "insufficient_quota"), {}, QuotaError),
        (keeper, {"max_cost": "0.001", "model": "gpt-4.1-mini"}, CostCapError),
    ],
)
def test_what_would_meet_every_piece_ends_it(model: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        scripted(model, context=WINDOW, **options).run(Summarise(DOCUMENT))


def test_a_merge_that_fails_loses_no_notes_silently() -> None:
    def model(body: Mapping[str, Any]) -> Any:
        if is_map(body):
            return "The keeper saw ships go by. " * 40
        return Refuse() if "neighbouring" in of(body) else "The keepers saw ships."

    result = scripted(model, context=WINDOW).run(Summarise(DOCUMENT))
    assert result.text == "The keepers saw ships."
    assert "not-merged" in {one.code for one in result.warnings if one.failure}


def test_a_model_that_does_not_shorten_comes_to_an_end_and_is_told() -> None:
    def parrot(body: Mapping[str, Any]) -> Any:
        if is_map(body):
            return "The keeper of the tower saw a ship go by on that day. " * 30
        if "neighbouring" in of(body):
            return "The keeper of the tower saw a ship go by on that day. " * 300
        return "The keepers saw ships."

    engine = scripted(parrot, context=WINDOW)
    result = engine.run(Summarise(DOCUMENT))
    assert "not-shrinking" in {one.code for one in result.warnings}
    assert len(bodies(engine)) < 3 * CHUNKS


JOB = """
import sys, taskkit
from pathlib import Path
url, journal, text = sys.argv[1:]
with taskkit.Engine(model="gpt-4.1-mini", base_url=url, api_key="k", context=4096, concurrency=1,
                    journal=Path(journal)) as engine:
    print(taskkit.use(engine) and taskkit.summarise(Path(text)).model_dump_json())
"""


def test_killed_after_17_pieces_it_asks_for_23_more(server: Server, tmp_path: Path) -> None:
    (tmp_path / "text.md").write_text(FORTY)
    argv = [sys.executable, "-c", JOB, "", str(tmp_path / "journal.sqlite"), str(tmp_path / "text.md")]
    seen: list[Mapping[str, Any]] = []

    def killing(body: Mapping[str, Any]) -> Any:
        seen.append(body)
        if len(seen) == 18:  # 17 are answered; this one will not be
            os.kill(child.pid, signal.SIGKILL)
        return keeper(body)

    there = server(killing)
    argv[3] = there.base_url
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert sum(map(is_map, there.bodies)) == 18
    ran = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    again = there.bodies[18:]
    assert sum(map(is_map, again)) == CHUNKS - 17
    assert len(again) == CHUNKS - 17 + 1
    assert Summary.model_validate(json.loads(ran.stdout)).coverage.share == 1.0
