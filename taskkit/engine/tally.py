"""What an endpoint says that a call took, held against what certainly went over the line.

A tally is believed where it can be meant. Where it is missing, no number, below nothing, or less than `LEAST_RATIO`
of our own count, our count of the texts takes its place: an endpoint that tells nothing, or lies, must not make a cap
leak. What it tells above our count is believed: there are thoughts, templates and images that we do not see."""

from collections.abc import Sequence

from taskkit.engine.learn import LEAST_RATIO
from taskkit.models import Model
from taskkit.results import Usage
from taskkit.tokens import Counter

LONG = 16  # bytes; no text has tokens that are as long as this on the whole


def borne_out(told: Usage, sent: Sequence[str], got: str, model: Model) -> tuple[Usage, bool]:
    """What to believe, and whether it is what was told."""
    given, out = _at_least(told.input_tokens, sent, model), _at_least(told.output_tokens, [got], model)
    if (given, out) == (told.input_tokens, told.output_tokens):
        return told, True
    return told.model_copy(update={"input_tokens": given, "output_tokens": out}), False


def _at_least(told: int, texts: Sequence[str], model: Model) -> int:
    """Counted only where a look at the sizes leaves a doubt: counting is most of what a short call would take."""
    if told * LONG >= sum(len(text.encode("utf-8", "replace")) for text in texts):
        return told
    counted = sum(Counter(model.encoding, model.ratio).count_many(list(texts)))
    return counted if told < LEAST_RATIO * counted else told
