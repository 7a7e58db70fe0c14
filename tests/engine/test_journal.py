"""Nothing is paid for twice, and a broken journal never stops the work or gives a wrong answer."""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskkit.engine.call import Call, Message, Reply
from taskkit.engine.journal import Journal, call_key
from taskkit.results import Usage


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def journal(tmp_path: Path, warnings: list[str]) -> Iterator[Journal]:
    one = Journal(tmp_path / "folder" / "journal.sqlite", warn=warnings.append)
    yield one
    one.close()


def call(text: str = "hi", *, temperature: float | None = 0.2, sample: int = 0, likely: str | None = None) -> Call:
    return Call("m", (Message("user", text),), temperature=temperature, sample=sample, likely=likely)


def test_what_was_put_comes_back_and_costs_nothing(journal: Journal) -> None:
    key = call_key(call(), "e", lambda: b"run")
    assert journal.get(key) is None
    journal.put(key, Reply("hello", "length", Usage(calls=1, input_tokens=5), "m"))
    found = journal.get(key)
    assert found is not None
    assert (found.text, found.finish, found.usage) == ("hello", "length", Usage(journal_hits=1))


def test_keys_tell_apart_what_matters_and_nothing_else() -> None:
    base = call_key(call(), "e", lambda: b"1")
    assert base == call_key(call(likely="x"), "e", lambda: b"2"), "a cool answer is the same in every run"
    assert base != call_key(call("hi "), "e", lambda: b"1")
    assert base != call_key(call(), "f", lambda: b"1")
    assert base != call_key(call(sample=1), "e", lambda: b"1")
    warm = call_key(call(temperature=0.9), "e", lambda: b"1")
    assert warm != call_key(call(temperature=0.9), "e", lambda: b"2"), "a warm one belongs to its run"


def test_a_job_that_was_broken_off_goes_on_and_a_finished_one_begins_anew(journal: Journal) -> None:
    first = journal.begin(b"job")
    assert journal.begin(b"job") == first
    journal.end(b"job")
    assert journal.begin(b"job") != first
    assert journal.begin(b"other") != first


def test_fresh_asks_anew_and_records(tmp_path: Path, journal: Journal, warnings: list[str]) -> None:
    key = call_key(call(), "e", lambda: b"")
    journal.put(key, Reply("old"))
    assert journal.path is not None
    fresh = Journal(journal.path, warn=warnings.append, fresh=True)
    assert fresh.get(key) is None
    fresh.put(key, Reply("new"))
    fresh.close()
    found = journal.get(key)
    assert found is not None
    assert found.text == "new"


def test_files_are_for_their_owner_alone(journal: Journal) -> None:
    journal.put(b"k", Reply("x"))
    assert journal.path is not None
    for path in journal.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_a_damaged_file_is_set_aside_with_a_warning(tmp_path: Path, warnings: list[str]) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database at all" * 500)
    journal = Journal(path, warn=warnings.append)
    journal.put(b"k", Reply("x"))
    assert journal.get(b"k") is not None
    journal.close()
    assert (tmp_path / "journal.damaged").exists()
    assert len(warnings) == 1
    assert "damaged" in warnings[0]


def test_a_folder_that_can_not_be_written_warns_once_and_the_work_goes_on(tmp_path: Path, warnings: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    journal = Journal(file / "journal.sqlite", warn=warnings.append)
    journal.put(b"k", Reply("x"))
    assert journal.get(b"k") is None
    journal.put(b"k", Reply("x"))
    assert len(warnings) == 1


def test_two_processes_write_at_once(journal: Journal) -> None:
    journal.put(b"0", Reply("mine"))
    child = os.fork()
    if child == 0:
        try:
            for n in range(50):
                journal.put(f"child{n}".encode(), Reply("theirs"))
            os._exit(0)
        finally:
            os._exit(1)
    for n in range(50):
        journal.put(f"parent{n}".encode(), Reply("mine"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journal.stats()["replies"] == 101


def test_old_answers_go(journal: Journal) -> None:
    journal.put(b"old", Reply("x"))
    journal.put(b"new", Reply("y"))
    assert journal.path is not None
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE replies SET at = at - 1e6 WHERE key = ?", (b"old",))
    db.close()
    assert journal.clear(older_than=1e5) == 1
    assert journal.get(b"new") is not None
    assert journal.clear() == 1


def test_what_is_older_than_a_month_goes_when_the_file_is_opened(journal: Journal, warnings: list[str]) -> None:
    journal.put(b"old", Reply("x"))
    journal.put(b"new", Reply("y"))
    journal.close()
    assert journal.path is not None
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE replies SET at = at - 31 * 24 * 3600 WHERE key = ?", (b"old",))
    db.close()
    assert (journal.get(b"old"), journal.get(b"new") is not None) == (None, True)
    assert journal.stats()["replies"] == 1


def test_a_file_over_a_gigabyte_loses_its_older_half(journal: Journal) -> None:
    for n in range(10):
        journal.put(b"%d" % n, Reply(f"answer {n}"))
    journal.close()
    assert journal.path is not None
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE replies SET at = at + CAST(key AS INTEGER) - 100")
    db.close()
    os.truncate(journal.path, 1_100_000_000)  # a hole: it takes no room on the disk
    kept = [n for n in range(10) if journal.get(b"%d" % n)]
    assert kept == [5, 6, 7, 8, 9]
    journal.close()
    assert journal.path.stat().st_size < 1_000_000


DAMAGES = {
    "other words": "UPDATE replies SET text = 'The walrus drowns.'",
    "a number": "UPDATE replies SET text = 5",
    "nothing": "UPDATE replies SET text = NULL",
    "bytes": "UPDATE replies SET text = x'00ff'",
    "another end": "UPDATE replies SET finish = 'stop'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_answer_that_is_not_as_it_was_put_is_none(journal: Journal, warnings: list[str], damage: str) -> None:
    """SQLite has no sums of its own."""
    key = call_key(call(), "e", lambda: b"")
    journal.put(key, Reply("The walrus swims.", "length", model="m"))
    assert journal.path is not None
    with contextlib.closing(sqlite3.connect(journal.path)) as db:
        db.execute(DAMAGES[damage])
        db.commit()
    assert journal.get(key) is None
    assert ["are damaged: they are asked for again" in one for one in warnings] == [True]
    journal.put(key, Reply("The walrus swims.", model="m"))
    found = journal.get(key)
    assert found is not None
    assert found.text == "The walrus swims."
    assert len(warnings) == 1


def test_a_damage_that_is_seen_late_puts_the_journal_aside(journal: Journal, warnings: list[str]) -> None:
    keys = [call_key(call(f"{n}"), "e", lambda: b"") for n in range(300)]
    for key in keys:
        journal.put(key, Reply("The walrus swims. " * 40, model="m"))
    path = journal.path
    assert path is not None
    journal.close()
    data = bytearray(path.read_bytes())
    for at in range(5 * 4096, len(data) - 4096, 4096):  # the first pages are whole, so that it can be opened
        data[at : at + 100] = b"\xff" * 100
    path.write_bytes(data)
    found = [journal.get(key) for key in keys]
    assert None in found
    assert all(one is None or one.text == "The walrus swims. " * 40 for one in found)
    journal.put(keys[0], Reply("Again.", model="m"))
    again = journal.get(keys[0])
    assert again is not None
    assert again.text == "Again."
    assert "a new one begun" in warnings[-1]
    assert path.with_suffix(".damaged").exists()


def test_a_journal_of_before_the_sums_still_serves(journal: Journal, warnings: list[str]) -> None:
    key = call_key(call(), "e", lambda: b"")
    journal.put(key, Reply("The walrus swims.", model="m"))
    journal.close()
    assert journal.path is not None
    with contextlib.closing(sqlite3.connect(journal.path)) as db:
        db.execute("ALTER TABLE replies DROP COLUMN sum")
        db.commit()
    found = journal.get(key)
    assert found is not None
    assert found.text == "The walrus swims."
    assert not warnings
