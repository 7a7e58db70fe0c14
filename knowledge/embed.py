"""Embedders: texts to vectors of length 1, as rows of float32."""

import functools
import json
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from taskkit.errors import ConfigurationError, EndpointError, TaskkitError, one_line
from taskkit.knowledge.lexical import clean
from taskkit.knowledge.limits import Limits
from taskkit.knowledge.payer import embedded, engine
from taskkit.knowledge.vectors import KEPT, Matrix, rows_of, unit

if TYPE_CHECKING:
    import numpy as np

GROUP = "taskkit.embedders"  # of entry points: callables that make an embedder of what stands after the colon
LONGEST = 8_191  # tokens of a text, for a model that `models.toml` does not tell of
MEMORY = 100_000  # words whose tokens are remembered: about 20 MB
MANY = 2_000  # words that are new: so many are cut on two cores


class Embedder(Protocol):
    """`name` is kept in the base, so that vectors of two embedders never meet. `strength` is the weight of its
    half against the words', 0 to 1, and `across` the same where the question is in another language than the
    texts. `batch` texts at most are given to it at once, and are kept as they come back. One that waits for something else
    than this machine says in `at_once` how many batches may be on their way; one that could not take all of what it was
    given tells of it in `say()`, which is called when a piece of work has ended."""

    name: str
    strength: float
    across: float
    batch: int

    async def embed(self, texts: Sequence[str]) -> Matrix: ...


async def vectors_of(embedder: Embedder, texts: Sequence[str]) -> Matrix:
    """A row for each text. What an embedder gives is looked at: one number that is none would spoil every search."""
    import numpy as np

    try:
        rows = np.asarray(await embedder.embed(texts), dtype=np.float32)
    except TaskkitError:
        raise
    except Exception as error:  # whatever somebody else's code does
        said = one_line(f"{type(error).__name__}: {error}")
        raise ConfigurationError(
            f"The embedder {embedder.name} failed: {said}.", kept="What was embedded before is kept."
        ) from error
    if rows.ndim != 2 or len(rows) != len(texts) or not rows.shape[1]:
        raise EndpointError(f"The embedder {embedder.name} gave {rows.shape} numbers for {len(texts)} texts.")
    if not np.isfinite(rows).all():
        raise EndpointError(f"The embedder {embedder.name} gave vectors with numbers that are none.")
    return rows


def checked(embedder: Any, called: str) -> Embedder:
    """One that is somebody else's, with all that one has to have."""
    for what, fits in (
        ("name", lambda it: isinstance(it, str) and it.strip() and it.isprintable()),
        ("strength", lambda it: isinstance(it, int | float) and 0 <= it <= 1),
        ("across", lambda it: isinstance(it, int | float) and 0 <= it <= 1),
        ("batch", lambda it: isinstance(it, int) and it > 0),
        ("embed", callable),
    ):
        if not fits(getattr(embedder, what, None)):
            raise ConfigurationError(
                f"The embedder {called} has no `{what}` that can be used.",
                hint="It wants a name, strength and across from 0 to 1, a batch of texts, and an async embed(texts).",
            )
    found: Embedder = embedder
    return found


def at_once(embedder: Embedder) -> int:
    return int(getattr(embedder, "at_once", 1))


def said(embedder: Embedder) -> None:
    """Has it tell of what it could not take, if there was any."""
    if (say := getattr(embedder, "say", None)) is not None:
        say()


class Unasked:
    """Another embedder, in a plan: no text is near any other. What an endpoint would be asked is counted."""

    def __init__(self, of: Embedder, width: int) -> None:
        self._foresee = getattr(of, "foresee", None)
        self.name, self.strength, self.across, self.batch = of.name, of.strength, of.across, of.batch
        self._width = width

    async def embed(self, texts: Sequence[str]) -> Matrix:
        import numpy as np

        if self._foresee is not None:
            await self._foresee(texts)
        return np.zeros((len(texts), self._width), dtype=np.float32)


class WordLlama:
    """Static vectors, 256 wide, read from the weights in wordllama's wheel: the mean of the tokens' rows.

    Its package is not imported: that sets up logging and brings an HTTP library."""

    name = "wordllama"
    # Measured, nDCG@10 at .25 / .35 / .5: SQuAD .892 .894 .884, SciFact .696 .705 .707, XQuAD zh .965 .961 .957. It
    # knows no language but English well, so across languages it can do no more: German on English .380 .376 .384,
    # but .336 at .7.
    strength = 0.35
    across = 0.35
    batch = 512

    async def embed(self, texts: Sequence[str]) -> Matrix:
        import asyncio

        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: Sequence[str]) -> Matrix:
        import numpy as np

        table, tokens = _wordllama()
        made = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
        for row, ids in enumerate(tokens.of(texts)):
            if len(ids):
                made[row] = np.ones(len(ids), dtype=np.float32) @ table.take(ids, axis=0)  # a sum: `unit` does the rest
        return unit(made)


class _Tokens:
    """The numbers of texts' tokens. No token of this vocabulary has a space after another character, so that each
    word is cut by itself, once: a text costs a tenth of what it does as a whole."""

    word = re.compile(r" {0,48}[^ \n]{1,48}| {1,48}|\n")  # longer runs are cut: what is remembered stays small

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer  # that cuts at line ends
        (self._end,) = tokenizer.encode("\n", add_special_tokens=False).ids
        # Two bytes a token, so that a text's are laid together at once.
        self._known: dict[str, bytes] = {"\n": self._end.to_bytes(2, sys.byteorder)}

    def of(self, texts: Sequence[str]) -> "Iterator[np.ndarray[Any, Any]]":
        import numpy as np

        cut: list[list[str]] = [self.word.findall(" " + text) for text in texts]
        # A full memory is left to whoever still reads it, and a new one begun.
        known = self._known = self._known if len(self._known) < MEMORY else {"\n": self._known["\n"]}
        if new := list(set().union(*cut).difference(known)):
            known.update(self._learnt(new))
        for words in cut:
            yield np.frombuffer(b"".join(map(known.__getitem__, words)), dtype=np.uint16)

    def _learnt(self, words: list[str]) -> "Iterator[tuple[str, bytes]]":
        """Words with their tokens. They are cut as one text, a line each: one by one they took twice as long; many as
        two texts, which two cores cut."""
        import numpy as np

        half = len(words) // 2 if len(words) > MANY else 0
        parts = [part for part in (words[:half], words[half:]) if part]
        made = self._tokenizer.encode_batch_fast([clean("\n".join(part)) for part in parts], add_special_tokens=False)
        for part, one in zip(parts, made, strict=True):
            tokens = np.array(one.ids, dtype=np.uint16)
            start, data = 0, tokens.tobytes()
            for word, end in zip(part, [*np.flatnonzero(tokens == self._end).tolist(), len(tokens)], strict=True):
                yield word, data[2 * start : 2 * end]
                start = end + 1


@functools.cache
def _wordllama() -> "tuple[np.ndarray[Any, Any], _Tokens]":
    import numpy as np
    from tokenizers import Tokenizer, normalizers, pre_tokenizers

    found = find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError("The embedder wordllama is not installed.", hint="Run: pip install wordllama")
    folder = Path(found.submodule_search_locations[0])
    data = (folder / "weights" / "l2_supercat_256.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + size])["embedding.weight"]
    begin, end = head["data_offsets"]
    table = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype=np.float16).reshape(head["shape"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.normalizer = normalizers.Replace(" ", "▁")  # its own puts a space before each word as well
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    tokenizer.encode_special_tokens = True  # "<s>" in a text is three characters
    return table.astype(np.float32), _Tokens(tokenizer)


_SHORTENED = re.compile(r"(.+)@(\d{1,5})")


class OfEndpoint:
    """A model behind `/v1/embeddings`, through the engine's road: paced, capped. What an endpoint takes at once is
    learned when it refuses more. With `@512` after its name, its vectors are asked for with so many numbers."""

    strength = 0.6
    across = 0.85  # models of today put a text and its translation at one place; the words hardly ever meet
    batch = 128
    at_once = 8

    def __init__(self, model: str) -> None:
        self.name = f"openai:{model}"
        shortened = _SHORTENED.fullmatch(model)
        self._model: str = shortened[1] if shortened else model
        self._width = int(shortened[2]) if shortened else None
        if self._width == 0:
            raise ConfigurationError(f"The embedder {self.name} wants vectors of no numbers.", hint="As in @512.")
        self._limits: dict[str, Limits] = {}  # by the endpoint's address

    async def embed(self, texts: Sequence[str]) -> Matrix:
        where = engine().roads.embedding(self._model).base_url
        if where not in self._limits:
            self._limits[where] = self._first()
        rows = await self._limits[where].embedded(
            lambda some: embedded([text or " " for text in some], model=self._model, dimensions=self._width), texts
        )
        if self._width is not None and any(len(row) != self._width for row in rows):
            raise EndpointError(
                f"The embedder {self.name} gave vectors of {len(rows[0]):,} numbers.", kept=KEPT,
                hint=f"This endpoint does not shorten them: leave @{self._width} out.",
            )  # fmt: skip
        return rows_of(rows, self.name)

    async def foresee(self, texts: Sequence[str]) -> None:
        """In a rehearsal, which sends nothing."""
        await embedded(texts, model=self._model)

    def _first(self) -> Limits:
        """What is known before anything was refused."""
        from taskkit.models import lookup
        from taskkit.tokens import Counter, counter_for

        model = lookup(self._model)
        if model.known:
            return Limits(Counter(model.encoding, model.ratio), model.max_input)
        return Limits(counter_for(self._model), LONGEST)

    def say(self) -> None:
        """One warning, of all texts since the last one."""
        for limits in self._limits.values():
            if limits.cut:
                many = "1 text is" if limits.cut == 1 else f"{limits.cut:,} texts are"
                engine().events.emit(
                    "warning",
                    f"{many} too long for {self._model}: only the beginning is embedded, at most the first "
                    f"{limits.tokens:,} tokens.",
                )
            limits.cut = 0


def embedder(name: str | Embedder) -> Embedder:
    """`wordllama`, `openai`, or `openai:MODEL` for any model of the configured endpoint, `openai:MODEL@512` for shorter
    vectors of it where it can; `local:MODEL` for a GGUF file
    on this machine, by its name in `taskkit models`, `hf:OWNER/REPO/FILE.gguf` or its path; a plug-in's `NAME` or
    `NAME:MODEL`; or one's own, as it is."""
    if not isinstance(name, str):
        return checked(name, type(name).__name__)
    if name == "wordllama":
        return WordLlama()
    kind, _, model = name.partition(":")
    if kind == "openai":
        return OfEndpoint(model or "text-embedding-3-small")
    if kind == "local":
        from taskkit.knowledge.gguf import OfFile

        return OfFile(model)
    return _plugged_in(kind, model)


def _plugged_in(kind: str, model: str) -> Embedder:
    name = f"{kind}:{model}" if model else kind
    points = [one for one in entry_points(group=GROUP) if one.name == kind]
    homes = ", ".join(f"{one.dist.name if one.dist else 'a plug-in'} ({one.value})" for one in points)
    if not points:
        known = ", ".join(
            [
                "wordllama",
                "openai",
                "openai:MODEL",
                "local:MODEL",
                *sorted({one.name for one in entry_points(group=GROUP)}),
            ]
        )
        raise ConfigurationError(f"There is no embedder called {name}.", hint=f"There are: {known}.")
    if len(points) > 1:
        raise ConfigurationError(f"The embedder {kind} is claimed by {homes}.", hint="Uninstall one of them.")
    try:
        made = points[0].load()(model)
    except Exception as error:  # whatever somebody else's code does
        raise ConfigurationError(f"The embedder {kind} of {homes} can not be used: {one_line(str(error))}.") from error
    found = checked(made, f"{kind} of {homes}")
    told = found.name
    if told != name:  # the base keeps its name, and has to find it again by that
        raise ConfigurationError(
            f"The embedder {name} of {homes} calls itself {told}.", hint="Its name has to be that."
        )
    return found
