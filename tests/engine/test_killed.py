"""A job that is killed with SIGKILL at any moment goes on where it was, and pays nothing twice."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskkit.testing import ScriptedServer, echo

Server = Callable[..., ScriptedServer]
CALLS, KILLS, AT_ONCE = 200, 50, 8

# Imports once, then forks a process for each line on its standard input: the job, or what is left of it. Each
# answer is told as soon as the task's code has it.
NURSERY = f"""
import json, os, sys
import openai, taskkit
from taskkit.job import Job

@taskkit.task
class Echo(taskkit.Task[list]):
    '''Ask many times.'''
    temperature = 0.9
    numbers: int

    async def run(self, job: Job) -> list:
        async def one(number):
            answer = await job.complete(f"Call {{number}}")
            os.write(1, (json.dumps(answer) + "\\n").encode())
            return answer
        return await job.map(one, range(self.numbers))

for line in sys.stdin:
    url, journal = json.loads(line)
    child = os.fork()
    if not child:
        from pathlib import Path
        options = dict(model="gpt-4.1-mini", base_url=url, api_key="k", concurrency={AT_ONCE}, journal=Path(journal))
        with taskkit.Engine(**options) as engine:
            result = engine.run(Echo({CALLS}))
        os.write(1, (json.dumps(["whole", result, engine.usage.journal_hits]) + "\\n").encode())
        os._exit(0)
    os.write(1, (json.dumps(["pid", child]) + "\\n").encode())
    os.waitpid(child, 0)
    os.write(1, b'["ended"]\\n')
"""


@pytest.fixture
def nursery() -> Iterator["subprocess.Popen[str]"]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", NURSERY], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def test_no_answered_call_is_sent_again(server: Server, nursery: "subprocess.Popen[str]", tmp_path: Path) -> None:
    there = server(echo, latency=0.01)
    moment = random.Random(7)
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    answered: set[str] = set()
    kills, jobs, whole = 0, 1, None
    while whole is None:
        journal = str(tmp_path / f"journal-{jobs}.sqlite")
        before = len(there.bodies)
        known = set(answered)
        # A few answers after the start at most, or somewhere between two requests: all stages of a call get their turn.
        limit = moment.randrange(8) if kills < KILLS else CALLS + 1
        nursery.stdin.write(json.dumps([there.base_url, journal]) + "\n")
        nursery.stdin.flush()
        child = 0
        for line in nursery.stdout:
            told = json.loads(line)
            if isinstance(told, str):
                answered.add(told)
                limit -= told not in known
            elif told[0] == "pid":
                child = told[1]
            elif told[0] == "whole":
                whole = told
            elif told[0] == "ended":
                break
            if child and limit <= 0 and whole is None:
                with contextlib.suppress(ProcessLookupError):  # it was quicker
                    os.kill(child, signal.SIGKILL)
                limit = 10**9
        asked_now = {str(body["messages"][-1]["content"]) for body in there.bodies[before:]}
        assert not asked_now & known, "what had been answered was asked again"
        kills += whole is None
        if whole is not None:
            assert whole[1] == [f"Call {number}" for number in range(CALLS)]
            if kills < KILLS:  # so many answers come between two kills on a machine that is busy
                jobs, whole, answered = jobs + 1, None, set()
    assert kills >= KILLS
    assert len(there.bodies) <= jobs * CALLS + kills * AT_ONCE
