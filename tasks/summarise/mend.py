"""What is wrong with a summary is put right by one more call, and what stays wrong is said."""

from taskkit.errors import ContextTooLong, EndpointError, QuotaError, RefusedError
from taskkit.prompt import Part
from taskkit.spans import sentences
from taskkit.tasks.summarise.guard import Strange
from taskkit.tasks.summarise.nothing import is_nothing
from taskkit.tasks.summarise.numbered import Finder, numbered
from taskkit.tasks.summarise.speech import is_other
from taskkit.tasks.summarise.work import Work

SENTENCES = 8  # that are put right; a summary with more to mend is not mended word by word
NEAR = 6  # sentences of the source that are shown for one


async def of_length(work: Work, text: str) -> str:
    """Asked for once more when it is too long, then cut."""
    problem = "" if work.job.engine.rehearses else work.limit.problem(text)
    if work.job.foresees("a length to mend"):
        long = work.likely_of(2 * work.limit.words)
        await _again(work, work.ask("shorten", text=long, problem=work.limit.problem(long)), text)
    if not problem:
        return text
    shorter = work.limit.formed(await _again(work, work.ask("shorten", text=text, problem=problem), text))
    still = work.limit.problem(shorter)
    if shorter and not still:
        return shorter
    if shorter and len(shorter) < len(text):
        text, problem = shorter, still
    work.job.warn("length", f"The summary came out {problem}, twice: what told least of it was left out.")
    return work.limit.held(text)


async def in_language(work: Work, text: str) -> str:
    """Told in the wanted language, if it is surely in another."""
    if not work.code or work.job.engine.rehearses or not is_other(text, work.code):
        return text
    told = work.limit.formed(await _again(work, work.ask("retell", text=text), text))
    if told and not is_other(told, work.code):
        return told
    wanted = work.language or "the language of its source"
    work.job.warn("wrong-language", f"The summary is not in {wanted}.", failure=work.asked_language)
    return text


async def borne_out(work: Work, text: str) -> str:
    """Each sentence with a number, date or name that the source has not is written again by itself, from what the
    source says nearest to it."""
    strange = [] if work.job.engine.rehearses else work.strange(text)
    if work.job.foresees("a sentence to mend"):
        strange = [Strange("name", text[:1], 0)]
    if not strange:
        return text
    places = _places(text, strange)[:SENTENCES]
    finder = Finder(numbered(work.documents))

    async def one(place: tuple[int, int, list[Strange]]) -> str:
        start, end, wrong = place
        sentence = text[start:end]
        facts = [finder.sentences[number].text for _, number in finder.best(sentence, NEAR)]
        parts = work.ask("correct", sentence=sentence, facts=facts, wrong=_words(wrong))
        answer = " ".join((await _again(work, parts, sentence)).split())
        if is_nothing(answer):
            return ""
        better = bool(answer) and not work.strange(answer) and len(answer) < 2 * len(sentence) + 40
        return answer if better else sentence

    mended = await work.job.map(one, places)
    for (start, end, _), new in reversed(list(zip(places, mended, strict=True))):
        text = text[:start] + new + (text[end:] if new else text[end:].removeprefix(" "))
    return work.limit.formed(text) if text.strip() else text


def told(work: Work, text: str) -> None:
    """What still has no source is named."""
    if work.job.engine.rehearses:
        return
    for kind in ("number", "date", "name"):
        if left := list(dict.fromkeys(each.text for each in work.strange(text) if each.kind == kind)):
            work.job.warn(f"unsupported-{kind}", f"Not found in the source: {', '.join(left)}.")


def _places(text: str, strange: list[Strange]) -> list[tuple[int, int, list[Strange]]]:
    """The sentences that have something strange; the mark of a bullet is left out."""
    found: list[tuple[int, int, list[Strange]]] = []
    for start, end in sentences(text):
        wrong = [one for one in strange if start <= one.start < end]
        if wrong:
            lead = 2 if text.startswith("- ", start) else 0
            found.append((start + lead, end, wrong))
    return found


def _words(wrong: list[Strange]) -> str:
    return ", ".join(dict.fromkeys(one.text for one in wrong))


async def _again(work: Work, parts: list[Part], text: str) -> str:
    """The answer, empty when there is none: the summary is there already, and is not lost by it."""
    try:
        return await work.job.complete(parts, max_output=work.room, likely=work.likely_of(len(text) // 6))
    except QuotaError:
        raise
    except (ContextTooLong, EndpointError, RefusedError) as error:
        work.job.warn("not-mended", f"Something of the summary could not be asked for again: {error}")
        return ""
