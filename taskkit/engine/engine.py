"""The engine: runs tasks. Each gets a `Job`, whose calls take the one road (see `calls`)."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from taskkit.engine import loop
from taskkit.engine.calls import Calls
from taskkit.engine.journal import Batch, Run
from taskkit.engine.plan import Plan, planned
from taskkit.engine.stream import Stream
from taskkit.engine.wire import OnText
from taskkit.errors import FATAL, ContextTooLong, TaskkitError
from taskkit.job import Job, gather
from taskkit.results import Result
from taskkit.taskclass import Task

R = TypeVar("R")


CUT_ANEW = 3  # times


class Engine(Calls):
    """Runs tasks. Arguments that are not given come from the settings (environment, project, user's file).

    `max_cost` in dollars is for all that this engine runs. `journal` False turns it off, a path moves it; `fresh`
    asks anew and records. `moderate` is "input", "output" or "both". `temperature` and `tier` replace those of
    the tasks. `transport` is for tests: see `taskkit.testing`."""

    def run(self, task: Task[R]) -> R:
        """Runs a task and waits for it."""
        return loop.run(self.arun(task))

    async def arun(self, task: Task[R], *, on_text: OnText | None = None) -> R:
        return await self._run(task, on_text)

    async def _run(
        self, task: Task[R], on_text: OnText | None, batch: Batch | None = None, number: int | None = None
    ) -> R:
        started = time.monotonic()
        job, result = await self._cut(task, on_text, batch, number)
        if isinstance(result, Result):
            usage = job.usage.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
            return cast(
                "R",
                result.model_copy(update={"usage": usage, "warnings": job.notices, "prompts": job.prompts}),
            )
        return result

    async def _cut(
        self, task: Task[R], on_text: OnText | None, batch: Batch | None, number: int | None
    ) -> tuple[Job, R]:
        """Once more where the server has told its real window, or its own count: what was cut for another is cut
        again."""
        for _ in range(CUT_ANEW):
            news = self.learned.news
            try:
                return await self._worked(task, on_text, batch, number)
            except ContextTooLong as error:
                if error.part != "messages" or self.learned.news == news:
                    raise
                self.events.once("warning", f"{error.message} The text is cut anew for that window.")
        return await self._worked(task, on_text, batch, number)

    async def _worked(
        self, task: Task[R], on_text: OnText | None, batch: Batch | None, number: int | None
    ) -> tuple[Job, R]:
        task.check()
        choice = self.roads.choices(self.tier or task.tier)[0]
        known = self.roads.known(choice)
        route = known if known is not None else await loop.across(self.roads.route(choice))
        job = Job(self, task, route, on_text, number)
        job.run = None if task.conversation or not self.journal.on else Run(self.journal, job.key, batch)
        try:
            result = await task.run(job)
            job.ended()
        except TaskkitError as error:
            error.usage = job.usage
            raise
        finally:
            self.usage += job.usage
        if job.run is not None:
            job.run.end(whole=not any(one.failure for one in job.notices))
        return job, result

    def stream(self, task: Task[R]) -> Stream[R]:
        return Stream(lambda put: self.arun(task, on_text=put))

    def map(
        self, tasks: Sequence[Task[R]], *, each: Callable[[int, R | TaskkitError], None] | None = None
    ) -> list[R | TaskkitError]:
        """All of them, at once and in order; an error of one stands in its place. `each` is told the number and the
        result of a task as soon as it is done, in whatever order that is."""
        return loop.run(self._mapped(tasks, each))

    async def _mapped(
        self, tasks: Sequence[Task[R]], each: Callable[[int, R | TaskkitError], None] | None
    ) -> list[R | TaskkitError]:
        batch = Batch(self.journal)

        async def one(number: int) -> R:
            try:
                done: R | TaskkitError = await self._run(tasks[number], None, batch, number)
            except TaskkitError as error:
                done = error
            self.events.emit("task-done")
            if each is not None and not isinstance(done, FATAL):
                each(number, done)
            if isinstance(done, TaskkitError):
                raise done
            return done

        self.events.emit("tasks", total=len(tasks))
        results: list[R | TaskkitError] = await gather(one, range(len(tasks)), keep_errors=True)
        batch.end()
        return results

    def plan(self, task: Task[Any], foreseen: Counter[str] | None = None) -> Plan:
        """What the task would take. Its own code runs over answers made up on the spot; nothing is sent. `foreseen`, one
        for the plans of several tasks, makes one in ten of all their answers one that has to be put right, and not the
        first of each."""
        return loop.run(planned(self, task, foreseen))
