"""What an endpoint has taught about a model by refusing something, for the life of the process."""

from collections.abc import Callable
from typing import Any

SAYS_LITTLE = 200  # tokens
LEAST_RATIO, MOST_RATIO = 0.3, 5.0  # what a server tells beyond these is no count of this text
OUTPUT_NAMES = ("max_tokens", "max_completion_tokens")


class Learned:
    """Keyed by base URL and model. `news` counts what was learned of sizes: a text is then cut in another way."""

    def __init__(self) -> None:
        self.news = 0
        self._dropped: dict[tuple[str, str], set[str]] = {}
        self._windows: dict[tuple[str, str], int] = {}
        self._ratios: dict[tuple[str, str], float] = {}

    def drop(self, base_url: str, model: str, parameter: str, body: dict[str, Any]) -> bool:
        """Remembers a parameter of the `body` that was refused; False when it has none of that name, or leaving it out
        is not for here to do. Of calls on their way together each is told, and each may be made again."""
        if parameter == "response_format" or parameter not in body:  # `structure` steps down a rung instead
            return False
        self._dropped.setdefault((base_url, model), set()).add(parameter)
        return True

    def is_dropped(self, base_url: str, model: str, parameter: str) -> bool:
        return parameter in self._dropped.get((base_url, model), ())

    def takes_no_limit(self, base_url: str, model: str) -> bool:
        """Whether an answer is as long as the model likes."""
        return all(self.is_dropped(base_url, model, name) for name in OUTPUT_NAMES)

    def applied(self, base_url: str, model: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what was refused; the output limit goes by its other name first."""
        dropped = self._dropped.get((base_url, model))
        if not dropped:
            return body
        for name, other in (OUTPUT_NAMES, OUTPUT_NAMES[::-1]):
            if name in dropped and name in body and other not in dropped:
                body[other] = body.pop(name)
        return {name: value for name, value in body.items() if name not in dropped}

    def window(self, base_url: str, model: str, context: int | None) -> int | None:
        """The context that the endpoint has revealed; with a number, remembers it."""
        if context is not None:
            self.news += self._windows.get((base_url, model)) != context
            self._windows[base_url, model] = context
        return self._windows.get((base_url, model))

    def ratio(self, base_url: str, model: str, counted: Callable[[], int], used: int) -> None:
        """Holds our bare count of what was sent against the server's, for models whose encoding is not known. Small
        calls say little, and the ratio sinks slowly: a count that is too high costs less than one too low."""
        if used < SAYS_LITTLE:
            return
        seen = min(max(1.02 * used / max(counted(), 1), LEAST_RATIO), MOST_RATIO)
        held = self._ratios.get((base_url, model), seen)
        new = max(seen, held * 0.9 + seen * 0.1)
        self.news += new > held
        self._ratios[base_url, model] = new

    def known_ratio(self, base_url: str, model: str) -> float | None:
        return self._ratios.get((base_url, model))
