"""What an endpoint takes of texts to embed, learned from what it refuses: tokens a text, and texts a request.

What is too long is embedded by its beginning; the text that is kept stays whole. Of the words of a refusal none is
relied upon: a limit that it names is tried first, what it does not name is looked for by halves. All of that has an
end, as each step makes the request or the text smaller."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from taskkit.errors import ContextTooLong, InputError
from taskkit.tokens import Counter

Vectors: TypeAlias = list[tuple[float, ...]]
Ask: TypeAlias = Callable[[list[str]], Awaitable[Vectors]]

TRIES = 9  # of one text, at most; then it is refused for another reason
NEAR = 1 / 16  # of a limit: as close as it is looked for
_LONG = re.compile(
    r"too large to process|larger than the (?:physical )?batch|context.?(?:length|size)|\btokens\b|\btoo long\b|"
    r"(?:input|sequence|text) length|too large",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"\bbatch size|too many (?!tokens)|\barray\b|\b(?:in (?:one|a single) (?:batch|request)|per request)\b|"
    r"at most \d+ (?!tokens|characters)|\bmaximum number of|\bnumber of (?:inputs|texts|items)",
    re.IGNORECASE,
)
_PHYSICAL = re.compile(r"physical batch", re.IGNORECASE)  # of tokens, not of texts
_MOST = re.compile(
    r"(?:at most|larger than|max\w*(?: allowed)?(?: batch)?(?: size| length| number of \w+)?(?: is| of|:)?|<=|up to|limit of) "
    r"?(\d{1,6})\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Limits:
    """Of one endpoint and model. `tokens` are counted by `counter`; `cut` counts the texts that were embedded by
    their beginning, until somebody tells of them."""

    counter: Counter
    tokens: int
    texts: int = 1_000_000
    cut: int = 0
    _told: set[int] = field(default_factory=set[int])
    _refusals: int = 0

    async def embedded(self, ask: Ask, texts: Sequence[str]) -> Vectors:
        """A vector a text. Raises what `ask` raises, where that is nothing about a size or does not mend."""
        made: Vectors = []
        while len(made) < len(texts):
            made += await self._part(ask, texts[len(made) : len(made) + self.texts])
        return made

    async def _part(self, ask: Ask, texts: Sequence[str]) -> Vectors:
        fitting = [self._fitting(text) for text in texts]
        try:
            made = await ask(fitting)
        except InputError as error:
            return await self._refused(ask, texts, fitting, error)
        self.cut += sum(one is not text for one, text in zip(fitting, texts, strict=True))
        return made

    def _fitting(self, text: str) -> str:
        return text if self.counter.fits(text, self.tokens) else self.counter.cut(text, self.tokens)

    async def _refused(self, ask: Ask, texts: Sequence[str], fitting: list[str], error: InputError) -> Vectors:
        self._refusals += 1
        many, long = _about(error)
        if many and len(texts) > 1:
            named = min((int(one) for one in _MOST.findall(error.message)), default=0)
            self.texts = named if 0 < named < len(texts) else min(self.texts, len(texts) // 2)
            return await self.embedded(ask, texts)
        if not (many or long):
            raise error
        sizes = self.counter.count_many(fitting)
        longest = sizes.index(max(sizes))
        limit = error.context if isinstance(error, ContextTooLong) else 0
        if 0 < limit < sizes[longest] and limit not in self._told:
            self._told.add(limit)
            self.tokens = min(self.tokens, limit)
            return await self.embedded(ask, texts)
        if len(texts) == 1:
            return [await self._searched(ask, fitting[0], sizes[0], error)]
        if self.tokens < sizes[longest]:  # learned meanwhile, by another request
            return await self.embedded(ask, texts)
        # The longest alone tells what the limit is; where it is not too long, another is, or all of them together.
        known, alone = self.tokens, await self._part(ask, [texts[longest]])
        others = [*texts[:longest], *texts[longest + 1 :]]
        half = len(others) if self.tokens < known else max(1, len(others) // 2)
        before = self._refusals
        made = await self.embedded(ask, others[:half])
        made += await self.embedded(ask, others[half:])
        if self._refusals == before and self.tokens == known:  # it was the request that was too large
            self.texts = min(self.texts, half)
        return [*made[:longest], *alone, *made[longest:]]

    async def _searched(self, ask: Ask, text: str, size: int, error: InputError) -> tuple[float, ...]:
        """The vector of the longest beginning that is taken, by about a sixteenth."""
        low, high, best = 0, size, None
        used, limit = (error.used, error.context) if isinstance(error, ContextTooLong) else (0, 0)
        middle = int(0.98 * size * limit / used) if 0 < limit < used else size // 2
        for _ in range(TRIES):
            if not low < middle < high or (low and high - low <= NEAR * high):
                break
            try:
                (best,) = await ask([self.counter.cut(text, middle)])
                low = middle
                if 0 < limit < used:  # it says itself how many they are
                    break
            except InputError as again:
                if not any(_about(again)):
                    raise
                high = middle
            middle = (low + high) // 2
        if best is None:
            raise error
        self.tokens = min(self.tokens, low)
        self.cut += 1
        return best


def _about(error: InputError) -> tuple[bool, bool]:
    """Whether it is refused that there are so many texts, or that one is so long."""
    if isinstance(error, ContextTooLong) or _PHYSICAL.search(error.message):
        return False, True
    return bool(_MANY.search(error.message)), bool(_LONG.search(error.message))
