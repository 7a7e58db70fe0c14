"""Documents from a brief, of about the length that was asked for."""

import re
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

import taskkit
from taskkit.job import Job
from taskkit.prompt import Part, Prompt
from taskkit.results import Result
from taskkit.source import Text
from taskkit.taskclass import Task

TOKENS_A_WORD = 2.0
TODO = re.compile(r"\[(?:TODO|to be filled in|insert|your|name of)[^\]\n]*\]", re.IGNORECASE)


class Document(Result):
    """`outline` are its headings, `todo` the gaps that it leaves for its author."""

    text: str
    outline: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()


@taskkit.task
class Draft(Task[Document]):
    """Draft a document from a brief."""

    brief: Annotated[str, Field(min_length=1)]
    kind: Annotated[str, Field(description="What it is to be: a letter, a report, a README.")] = "document"
    words: Annotated[int, Field(ge=20, le=20_000, description="About how long.")] = 300
    sources: Annotated[tuple[Path | Text, ...], Field(description="Files that it may rest on.")] = ()
    revise: Annotated[Path | Text | None, Field(description="An earlier draft to work over.")] = None
    language: Annotated[str, Field(description="The language; the brief's when not given.")] = ""

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    tier: ClassVar[str] = "strong"
    temperature: ClassVar[float] = 0.8
    example: ClassVar[str] = 'taskkit draft "A letter of thanks to our first hundred users" --words 150'

    async def run(self, job: Job) -> Document:
        room = int(self.words * TOKENS_A_WORD) + 256
        text = (await job.complete(self.ask(job, ""), max_output=room, show=True)).strip()
        issues = self.issues(job, text)
        if issues:
            again = (await job.complete(self.ask(job, issues[0]), max_output=room)).strip()
            if len(self.problems(again)) < len(issues):
                text, issues = again, self.problems(again)
        for issue in issues:
            job.warn("draft", f"The draft {issue}.")
        return Document(
            text=text,
            outline=tuple(one.strip() for one in re.findall(r"^#{1,6} +(.+)$", text, re.MULTILINE)),
            todo=tuple(dict.fromkeys(TODO.findall(text))),
            issues=tuple(issues),
        )

    def ask(self, job: Job, problem: str) -> list[Part]:
        return type(self).prompt.parts(
            "draft", brief=self.brief, kind=self.kind, words=self.words, language=self.language, problem=problem,
            sources=[job.read(one).text for one in self.sources],
            earlier=job.read(self.revise).text if self.revise is not None else "",
        )  # fmt: skip

    def issues(self, job: Job, text: str) -> list[str]:
        if job.foresees("a length to mend"):
            return self.problems("word")
        return [] if job.engine.rehearses else self.problems(text)

    def problems(self, text: str) -> list[str]:
        if not text:
            return ["is empty"]
        count = len(text.split())
        if text.isascii() and count > self.words * 1.5:
            return [f"has {count} words; about {self.words} were asked for"]
        if text.isascii() and count < self.words * 0.4:
            return [f"has only {count} words; about {self.words} were asked for"]
        return []


draft = taskkit.function(Draft)
