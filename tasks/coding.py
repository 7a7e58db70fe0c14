"""Code from a description, as files in fenced blocks: models write better code there than inside JSON."""

import ast
import difflib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar

from pydantic import Field

import taskkit
from taskkit.errors import InvalidOutputError
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.source import read
from taskkit.taskclass import Task

ROOM = 4096  # tokens
BLOCK = re.compile(r"^(`{3,}+|~{3,}+)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
UNENDED = re.compile(r"^(`{3,}+|~{3,}+)[ \t]*([\w+#.-]*)[^\n]*\n(.*)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"[\w./-]*\w\.\w{1,8}")
LINE = 300  # characters of a line in which a file's name is looked for
SUFFIX = {"python": "py", "py": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "rust": "rs", "": "txt"}


class CodeResult(Result):
    """`files` by their paths. Nothing is run: `passed` is None and `isolation` says so. `diff` is against the
    files that were given."""

    files: dict[str, str]
    passed: bool | None = None
    isolation: str = "not run"
    diff: str = ""

    def as_files(self) -> dict[str, str]:
        return {
            path.name if (path := PurePosixPath(name)).is_absolute() else name: text
            for name, text in self.files.items()
        }

    def __str__(self) -> str:
        if len(self.files) == 1:
            return next(iter(self.files.values()))
        return "\n".join(f"# {path}\n{text}" for path, text in self.files.items())


@taskkit.task
class Code(Task[CodeResult]):
    """Write code from a description."""

    request: Annotated[str, Field(min_length=1)]
    files: Annotated[tuple[Path, ...], Field(description="Files to change or to build on.")] = ()
    language: Annotated[str, Field(description="The programming language.")] = "Python"

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    tier: ClassVar[str] = "strong"
    rewrites: ClassVar[frozenset[str]] = frozenset({"files"})
    example: ClassVar[str] = 'taskkit code "a function that sorts names by surname"'

    async def run(self, job: Job) -> CodeResult:
        given = {path.as_posix(): read(path).text for path in self.files}
        problem = ""
        answer = ""
        files: dict[str, str] = {}
        for _ in range(2):
            parts = type(self).prompt.parts(
                "write", request=self.request, language=self.language, files=list(given.items()), problem=problem
            )
            answer = await job.complete(parts, max_output=ROOM, show=not problem)
            files = found(answer, given)
            broken = {"main.py": "("} if job.foresees("code to ask for again") else {"plan": ""}
            problem = wrong(broken if job.engine.rehearses else files)
            if not problem:
                return CodeResult(files=files, diff=difference(given, files))
        if not files:
            raise InvalidOutputError(f"The model gave no code: {problem}.", raw=answer, hint="Use a stronger model.")
        job.warn("syntax", problem, failure=True)
        return CodeResult(files=files, diff=difference(given, files))


def found(answer: str, given: Mapping[str, str]) -> dict[str, str]:
    """The files of an answer: a name stands on the line before its block, or in its first comment."""
    files: dict[str, str] = {}
    for block in [*BLOCK.finditer(answer)] or UNENDED.finditer(answer):
        before = answer[: block.start()].rstrip().rpartition("\n")[2]
        first = block[3].partition("\n")[0] if block[3].startswith(("#", "//")) else ""
        names = [*NAME.findall(before[-LINE:]), *NAME.findall(first[:LINE])]
        path = next((name for name in names if safe(name)), "")
        if not path:
            only = next(iter(given), "") if len(given) == 1 and not files else ""
            suffix = SUFFIX.get(block[2].lower(), block[2].lower() or "txt")
            path = only or (f"main.{suffix}" if not files else f"main{len(files) + 1}.{suffix}")
        files[path] = block[3]
    return files


def safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def wrong(files: Mapping[str, str]) -> str:
    if not files:
        return "there was no code in a fenced block"
    for path, text in files.items():
        if path.endswith(".py"):
            try:
                ast.parse(text)
            except (SyntaxError, ValueError) as error:
                return f"{path} is no Python: {error}"
            except (RecursionError, MemoryError):  # the parser's stack, which is small
                return f"{path} is nested too deep to be read"
    return ""


def difference(given: Mapping[str, str], files: Mapping[str, str]) -> str:
    lines: list[str] = []
    for path, text in files.items():
        if path in given:
            old, new = given[path].splitlines(keepends=True), text.splitlines(keepends=True)
            lines += difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(lines)


code = taskkit.function(Code)
