"""Where the passages of an answer come from: a knowledge base, or texts that are made one for the question alone."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from taskkit import settings
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.progress import Progress
from taskkit.knowledge.stores import files_of, path_of
from taskkit.source import Text

Knowledge: TypeAlias = KnowledgeBase | str | Path | Text | tuple[Path | Text, ...]

SHOWN = 5  # reasons why nothing could be read
BASE = b"SQLite format 3\0"  # what the file of a knowledge base begins with


@contextlib.asynccontextmanager
async def base_of(job: Job, knowledge: Knowledge | None) -> AsyncIterator[KnowledgeBase]:
    """Raises `InputError` when nothing was given, neither here nor in the settings."""
    given = knowledge if knowledge not in (None, "") else job.engine.settings.knowledge
    if not given:
        raise InputError("There is no knowledge base to ask.", hint="Give one: --knowledge FILE, or TASKKIT_KNOWLEDGE.")
    if isinstance(given, KnowledgeBase):
        yield given
        return
    texts = given if isinstance(given, tuple) else (given,)
    if len(texts) == 1 and isinstance(texts[0], str | Path) and _is_base(texts[0]):
        with KnowledgeBase(str(texts[0]), create=False) as base:
            yield base
        return
    if bases := [one for one in texts if not isinstance(one, Text) and _is_base(one, missing=False)]:
        raise InputError(
            f"{bases[0]} is a knowledge base, which is asked alone.", hint="Take its texts in with `kb add`."
        )
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase(Path(folder) / "texts.kb") as base:
        report = await base.aadd(list(documents(texts)), progress=_told_by(job))
        if not report.added:
            named = ", ".join(str(one.name if isinstance(one, Text) else one) for one in texts)
            why = (
                "; ".join(
                    one.reason if Path(named).name == one.file else f"{one.file}: {one.reason}"
                    for one in report.skipped[:SHOWN]
                )
                or "no file is in it"
            )
            raise InputError(f"There is no text in {named} to ask: {why}.")
        for one in report.skipped:
            job.warn("skipped", f"{one.file} was not read: {one.reason}.", failure=True)
        for one in report.incomplete:
            job.warn("incomplete", f"{one.file}: {one.reason}.")
        yield base


def _told_by(job: Job) -> Progress:
    """What is taken in counts as pieces of the job's work."""
    done = total = 0

    def tell(now: int, of: int, _name: str) -> None:
        nonlocal done, total
        if of > total:
            job.engine.events.emit("step", total=of - total)
            total = of
        for _ in range(now - done):
            job.engine.events.emit("piece-done")
        done = now

    return tell


def _named(knowledge: Knowledge | None) -> Knowledge:
    """What was given, else what is set."""
    return settings.load().knowledge if knowledge is None or knowledge == "" else knowledge


def check_there(knowledge: Knowledge | None) -> None:
    """Before any model is started. Raises `InputError` for what is not there."""
    given = _named(knowledge)
    for one in given if isinstance(given, tuple) else (given,):
        if isinstance(one, str | Path) and one and "://" not in str(one) and not path_of(one).exists():
            raise InputError(
                f"There is no knowledge base {one}, and no text of that name.",
                hint=f"Make a base: taskkit kb sync FOLDER --knowledge {one}",
            )


def base_files(knowledge: Knowledge | None) -> list[Path]:
    """Those of a base that is named or set; of an open one, too."""
    given = _named(knowledge)
    if isinstance(given, KnowledgeBase):
        return files_of(given.place)
    return files_of(given) if isinstance(given, str | Path) and given and _is_base(given) else []


def _is_base(given: str | Path, *, missing: bool = True) -> bool:
    """A file or folder of texts is none. What is not there is the base that is `missing`."""
    path = path_of(given)
    if "://" in str(given):
        return True
    if not path.exists():
        return missing
    if not path.is_file():  # a folder, or a pipe, of which the beginning would be gone
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(BASE)) == BASE
    except OSError:
        return True  # and its error is the base's to tell


def documents(texts: Sequence[str | Path | Text]) -> Iterator[Document | Path]:
    for number, one in enumerate(texts, 1):
        if isinstance(one, Text):
            yield Document(one.name or f"text {number}", one.text, format=one.format)
        else:
            yield path_of(one)
