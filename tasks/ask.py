"""Answers from a knowledge base, each fact with a quote that was found in its passage, or an honest no."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

import taskkit
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.knowledge import Citation, Document, KnowledgeBase, Passage
from taskkit.prompt import Part, Prompt
from taskkit.results import Result
from taskkit.source import Text, read
from taskkit.spans import locate, sentences
from taskkit.taskclass import Task

ROOM = 700  # tokens of an answer with its quotes
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
    """`found` False is a right answer too: `passages` are then the nearest that there were. The numbers in
    square brackets in `text` are those of the `citations`."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    text: str
    found: bool
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()

    def __str__(self) -> str:
        if not self.found:
            near = dict.fromkeys(where(one) for one in self.passages)
            return "\n".join([self.text, *(["Nearest:", *(f"  {place}" for place in near)] if near else [])])
        lines = [self.text, ""]
        for number, one in enumerate(self.citations, 1):
            quote = " ".join(one.quote.split())
            lines.append(f'[{number}] {one.document}{place_of(one)}: "{quote}"')
        return "\n".join(lines)


@taskkit.task
class Ask(Task[Answer]):
    """Answer a question from a knowledge base or given texts, with checked citations."""

    question: Annotated[str, Field(min_length=1)]
    knowledge: Annotated[
        KnowledgeBase | str | Path | Text | tuple[Path | Text, ...] | None,
        Field(description="A knowledge base: its path. From code also texts or a KnowledgeBase. [TASKKIT_KNOWLEDGE]"),
    ] = None
    k: Annotated[int, Field(ge=1, le=100, description="How many passages are read at most.")] = 6
    language: Annotated[str, Field(description="The language of the answer; the question's when not given.")] = ""
    where: Annotated[dict[str, Any] | None, Field(description="Only passages whose metadata meet this.")] = None

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    example: ClassVar[str] = 'taskkit ask "How are expenses paid back?" --knowledge handbook.kb'

    async def run(self, job: Job) -> Answer:
        passages = await self.found_passages(job)
        if not passages:
            return Answer(text=UNKNOWN, found=False)
        job.strategy = f"one answer from {len(passages)} passages, checked"
        parts = self.ask("answer", passages=passages)
        draft = await job.complete(parts, output=Draft, max_output=ROOM, likely=usual(passages))
        citations, problem = checked(draft, passages)
        if problem:
            again = [*parts[:-1], *self.ask("again", problem=problem)]
            draft = await job.complete(again, output=Draft, max_output=ROOM)
            citations, problem = checked(draft, passages)
        if not citations or not draft.answer.strip():
            return Answer(text=UNKNOWN, found=False, passages=tuple(passages))
        if not await self.holds(job, draft.answer, citations, passages):
            return Answer(text=UNKNOWN, found=False, passages=tuple(passages))
        if problem:
            job.warn("unsupported", problem)
        text = renumbered(once(inactive(draft.answer.strip())), citations)
        used = [citation for citation, _ in citations]
        job.emit(text)
        return Answer(text=text, found=True, citations=tuple(used), passages=tuple(passages))

    async def holds(
        self, job: Job, answer: str, citations: "Sequence[tuple[Citation, int]]", passages: Sequence[Passage]
    ) -> bool:
        """A quote may be real and still not answer: a second look, at the cited passages alone."""
        cited = dict.fromkeys(number for _, number in citations)
        text = "\n\n".join(" > ".join(passages[n - 1].headings) + "\n" + passages[n - 1].text for n in cited)
        parts = type(self).prompt.parts("check", text=text, question=self.question, answer=answer)
        verdict = await job.complete(
            parts, output=Verdict, max_output=32, temperature=0.0, likely=Verdict(answers="yes")
        )
        return verdict.answers == "yes"

    async def found_passages(self, job: Job) -> list[Passage]:
        knowledge = self.knowledge if self.knowledge not in (None, "") else job.engine.settings.knowledge
        if not knowledge:
            raise InputError(
                "There is no knowledge base to ask.", hint="Give one: --knowledge FILE, or TASKKIT_KNOWLEDGE."
            )
        if isinstance(knowledge, KnowledgeBase):
            return await searched(knowledge, self.question, self.k, self.where)
        if isinstance(knowledge, Text | tuple):
            return await of_texts(knowledge if isinstance(knowledge, tuple) else (knowledge,), self.question, self.k)
        with KnowledgeBase(str(knowledge), create=False) as base:
            return await searched(base, self.question, self.k, self.where)

    def ask(self, block: str, **values: Any) -> list[Part]:
        return type(self).prompt.parts(block, question=self.question, language=self.language, **values)


async def searched(base: KnowledgeBase, question: str, k: int, where: dict[str, Any] | None) -> list[Passage]:
    return [hit.passage for hit in await base.asearch(question, k=k, where=where)]


async def of_texts(texts: Sequence[Path | Text], question: str, k: int) -> list[Passage]:
    """Texts that come with the question are cut and searched like a knowledge base, which is then thrown away."""
    import tempfile

    documents = []
    for number, one in enumerate(texts, 1):
        text = read(one)
        documents.append(Document(name=text.name or f"text {number}", text=text.text))
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase(str(Path(folder) / "texts.kb")) as base:
        await base.aadd(documents)
        return await searched(base, question, k, None)


def usual(passages: Sequence[Passage]) -> Draft:
    first = passages[0].text
    start, end = sentences(first)[0]
    return Draft(quotes=[Quote(passage=1, quote=first[start:end])], answer=f"{first[start:end].strip()} [1]")


def checked(draft: Draft, passages: Sequence[Passage]) -> tuple[list[tuple[Citation, int]], str]:
    """The citations that were found, each with the number of its passage, and what is wrong with the rest."""
    found: list[tuple[Citation, int]] = []
    lost: list[str] = []
    for quote in draft.quotes:
        located = place(quote, passages)
        if located is None:
            lost.append(quote.quote)
        elif all(located[0] != one for one, _ in found):
            found.append(located)
    if not draft.answer.strip() and not found:
        return [], ""
    problems = [f"this quote is in no passage: {one[:120]!r}." for one in lost]
    if draft.quotes and not found:
        return [], " ".join(problems)
    if draft.answer.strip() and not draft.quotes:
        return [], "it gives an answer without a quote."
    if found and not draft.answer.strip():
        return found, "it gives quotes but no answer."
    if strange := unsupported(draft.answer, [passages[number - 1] for _, number in found]):
        problems.append(f"these are not in the passages it quotes: {', '.join(strange)}.")
    return found, " ".join(problems)


def place(quote: Quote, passages: Sequence[Passage]) -> tuple[Citation, int] | None:
    """The quote's place: in the passage that it names, else in any."""
    if len(quote.quote.strip()) < 3:
        return None
    order = sorted(range(1, len(passages) + 1), key=lambda number: number != quote.passage)
    for number in order:
        passage = passages[number - 1]
        span = locate(quote.quote, passage.text)
        if span.status != "none":
            citation = Citation(
                quote=passage.text[span.start : span.end],
                document=passage.document,
                headings=passage.headings,
                start=passage.start + span.start,
                end=passage.start + span.end,
                status=span.status,
            )
            return citation, number
    return None


def unsupported(answer: str, passages: Sequence[Passage]) -> list[str]:
    """Numbers and names of the answer that no cited passage has."""
    text = " ".join(" ".join((*passage.headings, passage.text)) for passage in passages)
    bare = re.sub(r"\[\d+\]", "", answer)
    digits = {re.sub(r"[.,\s]", "", one) for one in re.findall(r"\d[\d.,]*", text)}
    strange = [one for one in re.findall(r"\d[\d.,]*", bare) if re.sub(r"[.,]", "", one) not in digits]
    low = text.lower()
    names = re.findall(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*", bare)
    return list(dict.fromkeys([*strange, *(name for name in names if name.lower() not in low)]))


def renumbered(text: str, citations: Sequence[tuple[Citation, int]]) -> str:
    """The passages' numbers become those of the citations; marks of passages without a citation go. A text
    that bears no mark gets them at its end."""
    numbers: dict[int, list[int]] = {}
    for index, (_, passage) in enumerate(citations, 1):
        numbers.setdefault(passage, []).append(index)

    def mark(found: re.Match[str]) -> str:
        wanted = [n for one in re.findall(r"\d+", found[0]) for n in numbers.get(int(one), [])]
        return "".join(f"[{n}]" for n in dict.fromkeys(wanted))

    text = re.sub(r"\[\d+(?:\s*,\s*\d+)*\]", mark, text)
    if not re.search(r"\[\d+\]", text):
        text = f"{text.rstrip()} {''.join(f'[{n}]' for n in range(1, len(citations) + 1))}"
    return re.sub(r"[ ]+([.,;!?])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()


def once(text: str) -> str:
    """Without the sentences that were said before: a small model goes in circles."""
    said: set[str] = set()
    kept: list[str] = []
    last = 0
    for start, end in sentences(text):
        bare = re.sub(r"\[[\d, ]+\]|\W", "", text[start:end]).casefold()
        if not bare or bare not in said:
            kept.append(text[last:end])
        said.add(bare)
        last = end
    return "".join(kept).strip()


def inactive(text: str) -> str:
    """Links and images, which a passage may have smuggled in, as the words that they stand under."""
    text = re.sub(r"!?\[([^\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+[\"'][^\"']*[\"'])?\)", r"\1", text)
    return re.sub(r"<(?:[a-z/!][^>]*)>", "", text, flags=re.IGNORECASE)


def where(passage: Passage) -> str:
    return f"{passage.document}{place_of(passage)}"


def place_of(one: Passage | Citation) -> str:
    return f" ({' > '.join(one.headings)})" if one.headings else ""


ask = taskkit.function(Ask)
