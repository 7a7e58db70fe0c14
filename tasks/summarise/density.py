"""Chain of Density (arXiv 2309.04269): a summary of fixed length takes up, round by round, what matters and is missing.

What is missing is told by code: the names and numbers that the source has most often and the summary has not."""

import re
from collections import Counter
from collections.abc import Sequence

from taskkit.errors import EndpointError, QuotaError, RefusedError
from taskkit.tasks.summarise.figures import figures
from taskkit.tasks.summarise.guard import Facts, capitals
from taskkit.tasks.summarise.length import count_words
from taskkit.tasks.summarise.numbered import Finder, numbered
from taskkit.tasks.summarise.work import Work

A_ROUND = 3
SALIENT = 15  # names and numbers of the source that a summary should have at most
_ITSELF = re.compile(r"\b(?:the|this) summary\b", re.IGNORECASE)
KEPT = 0.5  # of a summary's words: a round that loses more is no denser


async def denser(work: Work, text: str, rounds: int) -> str:
    """After each round it has at least one of what was missing and nothing that the source has not, or it stays, and
    the next round is for what comes after. That nothing was put in where something is missing is told.

    A summary may have all that matters from the start, or nothing of it: so a plan has no round at its lower end, and
    all of them at its upper."""
    rehearses = work.job.engine.rehearses
    if rehearses and not work.job.foresees_faults:
        return text
    wanted = salient(work)
    finder = Finder(numbered(work.documents))
    begun, left = text, list(wanted)
    for _ in range(rounds):
        lacking = (wanted if rehearses else missing(left, text))[:A_ROUND]
        if not lacking:
            break
        try:
            new = await _round(work, finder, text, lacking)
        except QuotaError:
            raise
        except (EndpointError, RefusedError) as error:
            work.job.warn("not-denser", f"A round could not be made: {error}", failure=True)
            break
        if rehearses or _is_denser(work, text, new, lacking):
            text = new
        else:
            left = [one for one in left if one not in lacking]
    if text == begun and left != wanted:
        lacking = missing(wanted, text)
        work.job.warn("not-denser", f"No round made it denser; it does not mention: {', '.join(lacking)}.")
    return text


async def _round(work: Work, finder: Finder, text: str, lacking: Sequence[str]) -> str:
    places = {number for one in lacking for _, number in finder.best(one, 2)}
    facts = [finder.sentences[number].text for number in sorted(places)]
    parts = work.ask("denser", text=text, missing=lacking, facts=facts)
    return work.limit.formed(await work.job.complete(parts, max_output=work.room, likely=text))


def _is_denser(work: Work, text: str, new: str, lacking: Sequence[str]) -> bool:
    if count_words(new) < count_words(text) * KEPT or work.limit.problem(new):
        return False
    if _ITSELF.search(new) and not _ITSELF.search(f"{text}\n{work.given}"):  # "The summary does not mention Oslo."
        return False
    return len(missing(lacking, new)) < len(lacking) and len(work.strange(new)) <= len(work.strange(text))


def salient(work: Work) -> list[str]:
    """The most frequent first, of equals the earlier."""
    text = "\n".join(one.view.text for one in work.documents)
    counts = Counter[str](word for word, _ in capitals(text) if len(word) > 2)
    counts.update(one.text for one in figures(text) if len(one.text) > 1)
    most = max(counts.values(), default=0)
    return [word for word, count in counts.most_common(SALIENT) if count > 1 or most < 3]


def missing(wanted: Sequence[str], text: str) -> list[str]:
    facts = Facts(text)
    return [one for one in wanted if not (facts.has_number(one) if one[0].isdigit() else facts.has(one))]
