"""An embedder that is a GGUF file on this machine, served to this process alone."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from taskkit.errors import ConfigurationError
from taskkit.knowledge.payer import embedded, engine
from taskkit.knowledge.vectors import Matrix, rows_of
from taskkit.tokens import surely_fits

AROUND = 8  # tokens that a model puts around every text, at most
DIGEST = 12  # hexadecimal digits of a file's SHA-256 that tell it from others
_KEPT = re.compile(rf"(.+)@([0-9a-f]{{{DIGEST}}})")


class OfFile:
    """`model` is a name of `taskkit models`, `hf:OWNER/REPO/FILE.gguf` or a path; with `@` and the digest after it, as a
    base keeps it, it is that very file. A chat model embeds as well, if poorly: by the mean of its tokens' vectors.

    Raises `ConfigurationError` without the extra or the weights, and where another file has taken the place of the one
    that is meant."""

    strength = 0.6
    across = 0.85  # as of an endpoint's
    batch = 16  # kept as they come, and without a graphics card each takes its time
    at_once = 2

    def __init__(self, model: str) -> None:
        from taskkit.local import catalogue

        kept = _KEPT.fullmatch(model)
        self._model, told = (kept[1], kept[2]) if kept else (model, "")
        if not self._model:
            raise ConfigurationError(
                "The embedder local wants a model.", hint="Give local:NAME, local:hf:OWNER/REPO/FILE.gguf or a path."
            )
        file = catalogue.path(self._model)
        if catalogue.own_file(self._model):
            self._model = str(file)  # found again from any folder
        state = file.stat()
        digest = _digest(file, state.st_size, state.st_mtime_ns)
        if told and told != digest:
            raise ConfigurationError(
                f"The model file {file} is another one than the base was made with.",
                hint=f"Put the old one back, or make all anew: taskkit kb reindex --embedder local:{self._model}",
            )
        self.name = f"local:{self._model}@{digest}"

    async def embed(self, texts: Sequence[str]) -> Matrix:
        import asyncio

        events = engine().events
        fitting, window = await asyncio.to_thread(self._fitting, texts)
        if any(one is not text for one, text in zip(fitting, texts, strict=True)):
            events.once("warning", f"A text is too long for {self._model}: its first {window:,} tokens are embedded.")
        rows = await embedded([text or " " for text in fitting], model=f"local:{self._model}")
        return rows_of(rows, self.name)

    def _fitting(self, texts: Sequence[str]) -> tuple[list[str], int]:
        """The texts, the longer ones cut to the model's window; and that."""
        from taskkit import local

        events = engine().events

        def notice(message: str) -> None:
            events.once("notice", message)

        server = local.serve(self._model, embedding=True, on_notice=notice)

        def cut(text: str) -> str:
            if surely_fits(text, server.context - AROUND) or server.count(text) <= server.context:
                return text
            low, high = 0, len(text) - 1
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if server.count(text[:middle]) <= server.context else (low, middle - 1)
            return text[:low]

        return [cut(text) for text in texts], server.context


@functools.lru_cache(maxsize=8)
def _digest(file: Path, _size: int, _changed: int) -> str:
    """Once for each state of a file."""
    from taskkit.local import disk

    return disk.sha256(file)[:DIGEST]
