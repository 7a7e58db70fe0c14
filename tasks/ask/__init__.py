"""Answers from a knowledge base, each fact with a quote that was found in its passage, or an honest no."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

import taskkit
from taskkit.errors import InputError, InvalidOutputError
from taskkit.job import Job
from taskkit.knowledge import Citation, KnowledgeBase, Passage
from taskkit.knowledge.checks import labels
from taskkit.knowledge.readers import known, suffix_of
from taskkit.prompt import Part, Prompt
from taskkit.results import Result
from taskkit.spans import sentences
from taskkit.taskclass import Task
from taskkit.tasks.ask.passages import Knowledge, base_files, base_of, check_there
from taskkit.tasks.ask.support import UNPROVEN, Checked, checked, written
from taskkit.tasks.sessions import Exchange, keep, recall, session_files

if TYPE_CHECKING:
    from taskkit.knowledge.finding import How

ROOM = 700  # tokens of an answer with its quotes
REMEMBERED = 6  # exchanges that a follow-up question may lean on
LONGEST = 600  # characters of a question that stands by itself
VERDICT = 64  # tokens: some say why
YES_OR_NO = re.compile(r"\b(?:yes|no)\b(?!\s+(?:or|doubt|problem)\b)", re.IGNORECASE)
UNKNOWN = "The knowledge base does not say."


class Quote(BaseModel):
    passage: int = Field(description="The number of the passage.")
    quote: str = Field(description="Words of that passage, copied exactly.")


class Draft(BaseModel):
    """What the model is asked for: the quotes come first, so that the answer rests on them."""

    quotes: list[Quote]
    answer: str


class Verdict(BaseModel):
    answers: Literal["yes", "no"]


class Answer(Result):
    """`found` False is a right answer too: `passages` are then the nearest that there were. The numbers in square
    brackets in `text` are those of the `citations`; a sentence with `[?]` is in `unproven`, no quote bears it out.
    `asked` is the question that was looked up, where a session made another one of it."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    text: str
    found: bool
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    unproven: tuple[str, ...] = ()
    asked: str = ""

    def __str__(self) -> str:
        if not self.found:
            near = dict.fromkeys(map(place_of, self.passages))
            return "\n".join([self.text, *(["Nearest:", *(f"  {place}" for place in near)] if near else [])])
        lines = [self.text, ""]
        for number, one in enumerate(self.citations, 1):
            quote = " ".join(one.quote.split())
            lines.append(f'[{number}] {place_of(one)}: "{quote}"')
        if self.unproven:
            lines.append(f"{UNPROVEN} no quote bears this out")
        return "\n".join(lines)


@taskkit.task
class Ask(Task[Answer]):
    """Answer a question from a knowledge base or given texts, with checked citations."""

    question: Annotated[str, Field(min_length=1)]
    knowledge: Annotated[
        Knowledge | None,
        Field(description="A knowledge base, or files or folders of texts. [TASKKIT_KNOWLEDGE]"),
    ] = None
    k: Annotated[int, Field(ge=1, le=100, description="How many passages are read at most.")] = 6
    language: Annotated[str, Field(description="The language of the answer; the question's when not given.")] = ""
    where: Annotated[
        dict[str, Any] | None,
        Field(description='Only passages whose metadata meet this: {"year": {"$gte": 2024}}; see `kb search`.'),
    ] = None
    allow: Annotated[
        dict[str, Any] | None,
        Field(description='The access labels that you bring: {"team": "hr"}. Nothing else is read.'),
    ] = None
    expand: Annotated[
        Literal["queries", "hyde"] | None, Field(description="Have the model search in other words, too.")
    ] = None
    rerank: Annotated[bool, Field(description="Have the model put the passages in order first.")] = False
    session: Annotated[
        str, Field(description="A name, or a .jsonl file, that keeps what was asked, for follow-up questions.")
    ] = ""

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = 'taskkit ask "How are expenses paid back?" --knowledge handbook.kb'

    async def run(self, job: Job) -> Answer:
        question = await self.whole_question(job)
        passages = await self.found_passages(job, question)
        answer = await self.answered(job, question, passages)
        kept = {"text": answer.text, "found": answer.found}
        keep(job, self.session, "ask", Exchange(self.question, kept, labels(self.allow)))
        return answer if question == self.question else answer.model_copy(update={"asked": question})

    def check(self) -> None:
        super().check()
        check_there(self.knowledge)

    def touched(self) -> list[Path]:
        return [*session_files(self.session), *base_files(self.knowledge)]

    def baseline(self) -> list[Part]:
        """Of an open `KnowledgeBase` alone: the passages found for the question, and a plain wish."""
        if not isinstance(self.knowledge, KnowledgeBase):
            raise InputError("The baseline of `ask` wants an open KnowledgeBase.")
        hits = self.knowledge.search(self.question, self.k, where=self.where, allow=self.allow)
        return self.ask("plain", self.question, passages=[hit.passage for hit in hits])

    async def answered(self, job: Job, question: str, passages: Sequence[Passage]) -> Answer:
        unknown = Answer(text=UNKNOWN, found=False, passages=tuple(passages))
        if not passages:
            return unknown
        job.strategy = f"one answer from {len(passages)} passages, checked"
        parts = self.ask("answer", question, passages=passages)
        likely = usual(passages) if job.foresees_faults else Draft(quotes=[], answer="")  # nothing, which is one call
        draft = await job.complete(parts, output=Draft, max_output=ROOM, likely=likely)
        one = looked_at(draft, passages)
        if one.problem or job.foresees("quotes to ask for again"):
            again = [*parts[:-1], *self.ask("again", question, problem=one.problem)]
            draft = await job.complete(again, output=Draft, max_output=ROOM, likely=likely)
            second = looked_at(draft, passages)
            one = second if second.proven >= one.proven or not draft.quotes else one
        if not one.proven or not await self.holds(job, question, one, passages):
            return unknown
        if one.problem:
            job.warn("unsupported", one.problem)
        text = written(one)
        job.emit(text)
        cited = tuple(found.citation for found in one.cited)
        return unknown.model_copy(update={"text": text, "found": True, "citations": cited, "unproven": one.unproven})

    async def whole_question(self, job: Job) -> str:
        """A follow-up question with what it leans on written out, so that it can be looked up by itself."""
        everything = recall(self.session, "ask")
        mine = [one for one in everything if one.may_be_shown(labels(self.allow))]
        if hidden := len(everything) - len(mine):
            job.warn(
                "history",
                f"{hidden} earlier questions of this session were asked with access labels that are not brought now: they were left out.",
            )
        said = mine[-REMEMBERED:]
        if not said:
            return self.question
        earlier = [{"question": one.message, "answer": str(one.answer.get("text", ""))} for one in said]
        parts = type(self).prompt.parts("follow", question=self.question, earlier=earlier)
        whole = " ".join((await job.complete(parts, max_output=128, temperature=0.0, likely=self.question)).split())
        return whole if 0 < len(whole) <= max(LONGEST, 2 * len(self.question)) else self.question

    async def holds(self, job: Job, question: str, one: Checked, passages: Sequence[Passage]) -> bool:
        """A quote may be real and still not answer: a second look, at the cited passages alone. Asked for JSON, a small
        model said yes to all; in plain words to 3 of 9 that were none, and to 9 of 9 that were."""
        cited = dict.fromkeys(found.passage for found in one.cited)
        text = "\n\n".join(" > ".join(passages[n - 1].path) + "\n" + passages[n - 1].shown for n in cited)
        answer = "".join(sentence.text for sentence in one.sentences)
        parts = type(self).prompt.parts("check", text=text, question=question, answer=answer)
        said = ""
        with contextlib.suppress(InvalidOutputError):  # it said nothing at all
            said = yes_or_no(await job.complete(parts, max_output=VERDICT, temperature=0.0, likely="yes"))
        if not said:
            said = (await job.complete(parts, output=Verdict, max_output=VERDICT, temperature=0.0)).answers
        return said == "yes"

    async def found_passages(self, job: Job, question: str) -> list[Passage]:
        how: How = {"where": self.where, "allow": self.allow, "expand": self.expand, "rerank": self.rerank, "by": job}
        async with base_of(job, self.knowledge) as base:
            return [hit.passage for hit in await base.asearch(question, self.k, **how)]

    def ask(self, block: str, question: str, **values: Any) -> list[Part]:
        return type(self).prompt.parts(block, question=question, language=self.language, **values)


def yes_or_no(text: str) -> str:
    """What it says first, or all along; nothing where that is not plain."""
    found = [one[0].casefold() for one in YES_OR_NO.finditer(text)]
    begins = YES_OR_NO.match(text.lstrip(" \t\n*_`\"'#"))
    if begins or len(set(found)) == 1:
        return found[0]
    return ""


def looked_at(draft: Draft, passages: Sequence[Passage]) -> Checked:
    return checked([(one.passage, one.quote) for one in draft.quotes], draft.answer, passages)


def usual(passages: Sequence[Passage]) -> Draft:
    """A long answer for a plan: three sentences of each passage."""
    quotes = [
        Quote(passage=number, quote=one.text[start:end])
        for number, one in enumerate(passages, 1)
        for start, end in sentences(one.text)[:3]
    ]
    return Draft(quotes=quotes, answer=" ".join(f"{one.quote.strip()} [{one.passage}]" for one in quotes))


def place_of(one: Passage | Citation) -> str:
    """Where to open it: `people/leave.md:35 (Leave > Asking)`, or the page where there are pages. The lines of a text
    that a reader has taken out of its file are not the file's."""
    its_own = not known(suffix_of(Path(one.document)))
    at = f" p. {one.page}" if one.page else f":{one.line}" if one.line > 1 and its_own else ""
    under = f" ({' > '.join(one.headings)})" if one.headings else ""
    return f"{one.document}{at}{under}"


ask = taskkit.function(Ask)
