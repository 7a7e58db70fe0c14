"""Chain of Density (arXiv 2309.04269): a summary of fixed length takes up, round by round, what matters and is missing.

What is missing is told by code: the names and numbers that the source has most often and the summary has not."""

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
KEPT = 0.5  # of a summary's words: a round that loses more is no denser


async def denser(work: Work, text: str, rounds: int) -> str:
    """After each round it has at least one of what was missing and nothing that the source has not, or it stays.

    A summary may have all that matters from the start, or nothing of it: so a plan has no round at its lower end, and
    all of them at its upper."""
    if work.job.engine.rehearses and not work.job.foresees_faults:
        return text
    wanted = salient(work)
    finder = Finder(numbered(work.documents))
    for _ in range(rounds):
        lacking = (wanted if work.job.engine.rehearses else missing(wanted, text))[:A_ROUND]
        if not lacking:
            break
        places = {number for one in lacking for _, number in finder.best(one, 2)}
        facts = [finder.sentences[number].text for number in sorted(places)]
        parts = work.ask("denser", text=text, missing=lacking, facts=facts)
        try:
            answer = await work.job.complete(parts, max_output=work.room, likely=text)
        except QuotaError:
            raise
        except (EndpointError, RefusedError) as error:
            work.job.warn("not-denser", f"A round could not be made: {error}", failure=True)
            break
        new = work.limit.formed(answer)
        if count_words(new) < count_words(text) * KEPT:
            break
        if not work.job.engine.rehearses:
            more = len(missing(lacking, new)) < len(lacking)
            if not more or work.limit.problem(new) or len(work.strange(new)) > len(work.strange(text)):
                break
        text = new
    return text


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
