"""Embedders: texts to vectors of length 1, as rows of float32."""

import functools
import json
import struct
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from taskkit.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np

Matrix = Any  # numpy's, (texts, width), float32


class Embedder(Protocol):
    """`name` is kept in the base, so that vectors of two embedders never meet. `strength` is the weight of its
    half against the words' in a search in one language, 0 to 1."""

    name: str
    strength: float

    async def embed(self, texts: Sequence[str]) -> Matrix: ...


class WordLlama:
    """Static vectors, 256 wide, read from the weights in wordllama's wheel: the mean of the tokens' rows.

    Its package is not imported: that sets up logging and brings an HTTP library."""

    name = "wordllama"
    strength = 0.5

    async def embed(self, texts: Sequence[str]) -> Matrix:
        import asyncio

        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Matrix:
        import numpy as np

        table, tokenizer = _wordllama()
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        made = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
        for row, one in enumerate(tokenizer.encode_batch(clean, add_special_tokens=False)):
            if one.ids:
                made[row] = table[one.ids].mean(axis=0, dtype=np.float32)
        return unit(made)


@functools.cache
def _wordllama() -> tuple["np.ndarray[Any, Any]", Any]:
    import numpy as np
    from tokenizers import Tokenizer

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
    return table, tokenizer


class OfEndpoint:
    """A model behind `/v1/embeddings`, through the engine's road: paced, capped."""

    strength = 0.6

    def __init__(self, model: str) -> None:
        self.name = f"openai:{model}"
        self._model = model

    async def embed(self, texts: Sequence[str]) -> Matrix:
        import numpy as np

        from taskkit.engine.default import current

        rows = await current().embed([text or " " for text in texts], model=self._model)
        return unit(np.asarray(rows, dtype=np.float32).reshape(len(texts), -1))


def embedder(name: str) -> Embedder:
    """`wordllama`, `openai`, or `openai:MODEL` for any model of the configured endpoint."""
    if name == "wordllama":
        return WordLlama()
    kind, _, model = name.partition(":")
    if kind == "openai":
        return OfEndpoint(model or "text-embedding-3-small")
    raise ConfigurationError(f"There is no embedder called {name}.", hint="There are: wordllama, openai, openai:MODEL.")


def unit(rows: Matrix) -> Matrix:
    import numpy as np

    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, size, out=np.zeros_like(rows), where=size > 0)
