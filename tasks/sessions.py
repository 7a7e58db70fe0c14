"""What was said in a conversation, kept from call to call: a JSONL file, one line an exchange."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.local.disk import taken
from taskkit.prompt import Part, fence
from taskkit.settings import cache_dir

NAME = re.compile(r"\w[\w .-]{0,60}")
START = b'{"task": "'  # how each line begins, and one that was broken off


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and what was answered; `answer` has the fields of the task's result. `labels` are those of access
    under which it was made, each with its values; None where nothing was kept of that."""

    message: str
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    labels: Mapping[str, Sequence[str]] | None = None

    def may_be_shown(self, brought: Mapping[str, Sequence[str]]) -> bool:
        """To whoever brings all labels under which it was made: any of them may have let its content in."""
        return self.labels is not None and all(
            set(values) <= set(brought.get(key, ())) for key, values in self.labels.items()
        )


def session_file(session: str) -> Path | None:
    """A file where it ends in `.jsonl`, else a name in the user's cache folder; None where nothing is kept."""
    if not session:
        return None
    if session.endswith(".jsonl"):
        return Path(session).expanduser()
    if not NAME.fullmatch(session):
        raise InputError(
            f"{session!r} is no session name.",
            hint="Use up to 61 letters, digits, spaces and . _ - for a name, or give a file that ends in .jsonl.",
        )
    return cache_dir() / "sessions" / f"{session}.jsonl"


def session_files(session: str) -> list[Path]:
    """The one that there is, or none."""
    file = session_file(session)
    return [] if file is None else [file]


def recall(session: str, task: str) -> list[Exchange]:
    """What was said, oldest first. A last line that was broken off is left out.

    Raises `InputError` for a file that holds anything else, so that nothing is ever written into it."""
    file = session_file(session)
    if file is None:
        return []
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"The session {file} can not be read: {error.strerror or error}.") from error
    said = []
    for number, line in enumerate(lines, 1):
        one = _parsed(line)
        if one is None and number == len(lines) and START.startswith(line[: len(START)]):
            continue
        if one is None or one.get("task") != task:
            raise InputError(
                f"{file} is no session of {task}: see its line {number}.", hint="Give another name or file as session."
            )
        said.append(Exchange(one["message"], one["answer"], one.get("labels")))
    return said


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        one = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(one, dict) or not isinstance(one.get("answer"), dict) or not isinstance(one.get("message"), str):
        return None
    labels = one.get("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(some, list) for some in labels.values()):
        return None
    return one if all(isinstance(value, str) for some in labels.values() for value in some) else None


def keep(job: Job, session: str, task: str, exchange: Exchange) -> None:
    """Adds one line, one process after the other; the file is the user's alone. A plan leaves no trace."""
    file = session_file(session)
    if file is None or job.engine.rehearses:
        return
    row: dict[str, Any] = {"task": task, "message": exchange.message, "answer": dict(exchange.answer)}
    if exchange.labels is not None:
        row["labels"] = {key: [*values] for key, values in exchange.labels.items()}
    line = (json.dumps(row) + "\n").encode()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as stream:
            taken(stream, wait=True)  # another process may be adding its own
            kept = stream.read()
            stream.truncate(kept.rfind(b"\n") + 1)  # a line that a crash broke off would spoil this one
            stream.write(line)
    except OSError as error:
        raise InputError(f"The session {file} can not be written: {error.strerror or error}.") from error


def with_history(job: Job, parts: Sequence[Part], said: Sequence[Exchange], *, max_output: int) -> list[Part]:
    """The prompt with as many of the last exchanges as there is room for, told as turns after the system part."""
    turns = [(fence(one.message, "message"), json.dumps(dict(one.answer), ensure_ascii=False)) for one in said]
    counts = job.counter.count_many([text for turn in turns for text in turn])
    room = int(job.room(parts, max_output=max_output) * 0.9)  # a tenth is for the schema of the answer
    first = len(turns)
    while first and (room := room - counts[2 * first - 2] - counts[2 * first - 1] - 16) >= 0:
        first -= 1
    if first:
        job.warn("history", f"There was no room for the oldest {first} exchanges of this session: they were left out.")
    history = []
    for number, (message, answer) in enumerate(turns[first:], first + 1):
        history.append(Part("user", message, "drop", 2 * number, f"message {number}"))
        history.append(Part("assistant", answer, "drop", 2 * number + 1, f"answer {number}"))
    at = next((i for i, part in enumerate(parts) if part.role != "system"), len(parts))
    return [*parts[:at], *history, *parts[at:]]
