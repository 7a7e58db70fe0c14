"""Citations made after the writing (as in LongCite, arXiv 2409.02897): sentences of the source are numbered, the
model says which of them bear a statement out, and code holds it to the numbers that there are."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel, Field

from taskkit.errors import EndpointError, InvalidOutputError, QuotaError, RefusedError, TruncatedError
from taskkit.keyed import Outcome, by_id, keyed
from taskkit.tasks.summarise.length import points
from taskkit.tasks.summarise.numbered import Finder, bag, listing, numbered, quote_of
from taskkit.tasks.summarise.records import Citation
from taskkit.tasks.summarise.work import Work

CANDIDATES = 8  # sentences that are looked at for a statement of a long source
WHOLE = 3000  # tokens: a source of so few is shown whole
AT_ONCE = 40  # statements in a call: a usual summary has fewer, so that its calls are known beforehand
A_STATEMENT, AN_ANSWER = 64, 40  # tokens of one in the question, and of what is said of it
MOST = 3  # sentences that a statement may rest on
SURE = 0.55  # of a statement's weight: a sentence with so much of it is a support though no model says so
Answered: TypeAlias = tuple[list[int], list[int]]  # numbers of sentences, and numbers that there are no sentences of


class Pick(BaseModel):
    statement: int = Field(description="The number of the statement.")
    sentences: list[int] = Field(description="The numbers of the sentences that bear it out; none if none does.")


class Picks(BaseModel):
    items: list[Pick]


async def cited(work: Work, text: str) -> list[Citation]:
    """In the order of the statements, at least one for each; `none` where nothing bears it out."""
    statements = points(text)
    finder = Finder(numbered(work.documents))
    at_once = min(_at_once(work), len(statements))
    budget = _budget(work, at_once)
    candidates = _candidates(work, finder, statements, budget)
    batches = _batches(work, finder, candidates, budget, at_once)

    async def batch(group: Sequence[int]) -> dict[int, list[int]]:
        return await _picked(work, finder, statements, candidates, group)

    found: dict[int, list[int]] = {}
    for one in await work.job.map(batch, batches):
        found |= one
    made: list[Citation] = []
    for number, statement in enumerate(statements):
        quotes = [quote_of(finder.sentences[one], work.documents) for one in found.get(number, ())]
        made += [Citation(sentence=statement, **quote.model_dump()) for quote in quotes] or [
            Citation(sentence=statement)
        ]
    if bare := [one.sentence for one in made if one.status == "none"]:
        of = f"{len(bare)} of {len(statements)} statements"
        work.job.warn("no-support", f"{of} have no support that was found in the source; the first: {bare[0][:80]!r}.")
    return made


def _candidates(work: Work, finder: Finder, statements: Sequence[str], budget: int) -> list[list[int]]:
    """Sentences that may bear a statement out, in the order of the source."""
    every = list(range(len(finder.sentences)))
    size = sum(len(one.text) for one in finder.sentences)
    if size < 8 * WHOLE and work.job.counter.fits(listing(finder.sentences, work.documents), budget):
        return [every for _ in statements]
    return [sorted(number for _, number in finder.best(one, CANDIDATES)) for one in statements]


def _at_once(work: Work) -> int:
    """Statements that take up half of the window at the most."""
    room = work.job.room(work.ask("cite", listing="", statements="", problems=""), max_output=_room(0))
    return min(AT_ONCE, max(1, room // (2 * (A_STATEMENT + AN_ANSWER))))


def _budget(work: Work, statements: int) -> int:
    """Tokens of the sentences that are shown for so many statements."""
    around = work.ask("cite", listing="", statements="", problems="")
    return min(WHOLE, max(64, work.job.room(around, max_output=_room(statements)) - A_STATEMENT * statements))


def _batches(
    work: Work, finder: Finder, candidates: Sequence[Sequence[int]], budget: int, at_once: int
) -> list[list[int]]:
    """Statements that are asked about together: their candidates fit one call."""
    sizes = work.job.counter.count_many([one.text for one in finder.sentences])
    groups: list[list[int]] = []
    shown: set[int] = set()
    for number, own in enumerate(candidates):
        if not own:
            continue
        both = shown | set(own)
        if not groups or len(groups[-1]) >= at_once or sum(sizes[one] + 8 for one in both) > budget:
            groups.append([])
            both = set(own)
        groups[-1].append(number)
        shown = both
    return groups


async def _picked(
    work: Work, finder: Finder, statements: Sequence[str], candidates: Sequence[Sequence[int]], group: Sequence[int]
) -> dict[int, list[int]]:
    """The sentences of each statement of the group."""
    broken = ""

    async def ask(items: Mapping[str, int], problems: Mapping[str, str], attempt: int) -> Mapping[str, Answered]:
        nonlocal broken
        if broken:  # what can not give one list gives no shorter one either
            return {}
        shown = sorted({one for number in items.values() for one in candidates[number]})
        parts = work.ask(
            "cite",
            listing=listing([finder.sentences[one] for one in shown], work.documents),
            statements="\n".join(f"<S{key}> {statements[number]}" for key, number in items.items()),
            problems="; ".join(problems.values()),
        )
        likely = Picks(items=[Pick(statement=int(key), sentences=[0]) for key in items])
        try:
            got = await work.job.complete(
                parts, output=Picks, max_output=_room(len(items)), likely=likely, sample=attempt
            )
        except (InvalidOutputError, TruncatedError, RefusedError) as error:
            broken = str(error)
            return {}
        there = range(len(shown))
        return by_id(
            (
                one.statement,
                ([shown[n] for n in one.sentences if n in there], [n for n in one.sentences if n not in there]),
            )
            for one in got.items
        )

    def check(item: int, answer: Answered) -> Outcome[list[int]]:
        good = [number for number in dict.fromkeys(answer[0]) if _shares(work, statements[item], finder, number)]
        missing = ", ".join(f"<C{one}>" for one in answer[1])
        return Outcome(good, f"there is no sentence {missing}, which you gave for <S{item + 1}>" if missing else "")

    outcomes: dict[str, Outcome[list[int]]] = {}
    try:
        outcomes = await keyed(work.job, {str(number + 1): number for number in group}, ask, check, rounds=2)
    except QuotaError:
        raise
    except EndpointError as error:
        broken = str(error)
    if broken:
        message = f"The model named no sentences; citations are by shared words alone: {broken}"
        work.job.warn("not-cited", message, failure=True)
    if gone := sum(bool(one.problem) and one.value is not None for one in outcomes.values()):
        work.job.warn(
            "citation-removed", f"Citations of {gone} statements to sentences that do not exist were removed."
        )
    picked = {number: (outcomes.get(str(number + 1)) or Outcome([])).value or [] for number in group}
    return {number: _held(finder, statements[number], picked[number], candidates[number]) for number in group}


def _shares(work: Work, statement: str, finder: Finder, number: int) -> bool:
    """In one language a sentence that has no word of a statement does not bear it out."""
    if work.job.engine.rehearses or work.crosses:
        return True
    return bool(bag(statement) & bag(finder.sentences[number].text))


def _held(finder: Finder, statement: str, picked: Sequence[int], candidates: Sequence[int]) -> list[int]:
    """At most `MOST`, those with the most in common; where the model has none, one that says nearly the same."""
    if picked:
        ranked = [number for _, number in finder.best(statement, MOST, among=picked)]
        return sorted([*ranked, *(one for one in picked if one not in ranked)][:MOST])
    best = finder.best(statement, 1, among=candidates)
    return [best[0][1]] if best and best[0][0] >= SURE else []


def _room(statements: int) -> int:
    return 64 + AN_ANSWER * statements
