"""Where documents tell things differently: sentences that speak of the same are laid side by side, and the model
says which of them can not both be so. What each says is quoted from it, never told in other words."""

from collections.abc import Sequence
from typing import TypeAlias

from pydantic import BaseModel, Field

from taskkit.errors import EndpointError, QuotaError, RefusedError
from taskkit.tasks.summarise.numbered import Finder, Sentence, listing, numbered, quote_of
from taskkit.tasks.summarise.records import Disagreement
from taskkit.tasks.summarise.work import Work

WHOLE = 4000  # tokens: documents of so few are laid side by side whole
ALIKE = 0.3  # of a sentence's weight that one of another document must share, to be laid beside it
PAIRS = 40  # of such sentences in a call
CALLS = 4
ROOM = 800
SLACK = 200  # tokens for the form of the answer
Pair: TypeAlias = tuple[int, int]


class Difference(BaseModel):
    matter: str = Field(description="What they tell differently, in a few words.")
    sentences: list[int] = Field(description="The numbers of the sentences, of two documents or more.")


class Differences(BaseModel):
    items: list[Difference]


async def disagreements(work: Work) -> list[Disagreement]:
    """Each with a sentence of two documents at least; those that the model can not place are left out."""
    found: list[Disagreement] = []
    for one in await work.job.map(lambda group: _of_group(work, group), _groups(work)):
        for each in one:
            places = {(place.document, place.start) for place in each.positions}
            if not any(places <= {(p.document, p.start) for p in other.positions} for other in found):
                found.append(each)
    return found


async def _of_group(work: Work, group: Sequence[Sentence]) -> list[Disagreement]:
    parts = work.ask("differ", listing=listing(group, work.documents))
    likely = Differences(
        items=[Difference(matter="the number of ships", sentences=[0, 1])] if work.job.foresees_faults else []
    )
    try:
        got = await work.job.complete(parts, output=Differences, max_output=ROOM, temperature=0.0, likely=likely)
    except QuotaError:
        raise
    except (EndpointError, RefusedError) as error:
        work.job.warn("not-compared", f"Some of the documents' sentences were not compared: {error}", failure=True)
        return []
    finder = Finder(group)
    found: list[Disagreement] = []
    for one in got.items:
        numbers = [number for number in dict.fromkeys(one.sentences) if 0 <= number < len(group)]
        meant = dict.fromkeys(_meant(finder, number, one.matter, numbers) for number in numbers)
        chosen = [group[number] for number in meant]
        told = {" ".join(sentence.text.casefold().split()) for sentence in chosen}
        if len({sentence.document for sentence in chosen}) > 1 and len(told) > 1 and one.matter.strip():
            quotes = tuple(quote_of(sentence, work.documents) for sentence in chosen)
            found.append(Disagreement(matter=one.matter.strip().rstrip("."), positions=quotes))
    return found


def _meant(finder: Finder, number: int, matter: str, numbers: Sequence[int]) -> int:
    """Models count wrong: a sentence that is unlike what it is to differ from is not the one, where its document has
    another that is like it, and tells more of the matter."""
    every = finder.sentences
    same = [other for other, one in enumerate(every) if one.document == every[number].document]
    against = " ".join(every[other].text for other in numbers if every[other].document != every[number].document)
    by_words = {other: score for score, other in finder.best(against, len(every), among=same)} if against else {}
    by_matter = {other: score for score, other in finder.best(matter, len(every), among=same)}
    best = max(by_words, key=lambda other: by_words[other], default=number)
    like, unlike = by_words.get(best, 0.0), by_words.get(number, 0.0)
    surer = by_matter.get(best, 0.0) > by_matter.get(number, 0.0)
    return best if surer and like >= ALIKE and like > 2 * unlike else number


def _groups(work: Work) -> list[list[Sentence]]:
    """All sentences together where they fit; else those with a like in another document, so many to a call."""
    every = numbered(work.documents)
    room = max(SLACK, min(WHOLE, work.job.room(work.ask("differ", listing=""), max_output=ROOM) - SLACK))
    if work.job.counter.fits(listing(every, work.documents), room):
        return [every]
    pairs = _alike(every)
    if len(pairs) > PAIRS * CALLS:
        left = len(pairs) - PAIRS * CALLS
        work.job.warn("not-compared", f"{left} pairs of sentences that are least alike were not compared.")
    most = pairs[: PAIRS * CALLS]
    calls = [most[start : start + PAIRS] for start in range(0, len(most), PAIRS)]
    return [group for one in calls for group in _fitting(work, every, one, room)]


def _alike(every: Sequence[Sentence]) -> list[Pair]:
    """Sentences of two documents that share much and are not the same, those that share most first."""
    finder = Finder(every)
    pairs: list[tuple[float, Pair]] = []
    for number, one in enumerate(every):
        for score, other in finder.best(one.text, 6):
            if every[other].document > one.document and score >= ALIKE and every[other].text != one.text:
                pairs.append((score, (number, other)))
    return [pair for _, pair in sorted(pairs, key=lambda one: (-one[0], one[1]))]


def _fitting(work: Work, every: Sequence[Sentence], pairs: Sequence[Pair], room: int) -> list[list[Sentence]]:
    group = [every[number] for number in sorted({number for pair in pairs for number in pair})]
    if len(pairs) < 2 or work.job.counter.fits(listing(group, work.documents), room):
        return [group] if group else []
    half = len(pairs) // 2
    return [*_fitting(work, every, pairs[:half], room), *_fitting(work, every, pairs[half:], room)]
