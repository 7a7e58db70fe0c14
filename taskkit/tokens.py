"""Counts and cuts text in a model's tokens, without the network.

A text never has more tokens than UTF-8 bytes: what fits by that is not counted, and no tokenizer is loaded
(0.4 s on its first use)."""

import json
import math
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any, Protocol

from taskkit.models import LIKENESS, lookup
from taskkit.tiles import image_tokens

__all__ = [
    "PER_MESSAGE",
    "PRIMING",
    "Counter",
    "at_most",
    "count_messages",
    "counter_for",
    "image_tokens",
    "surely_fits",
]

PER_MESSAGE = 4  # what a chat template puts around a message, its role included
PRIMING = 3  # what opens the reply

_BUNDLED = frozenset({"cl100k_base", "o200k_base", "o200k_harmony"})
_SAME_VOCABULARY = {"gpt2": "r50k_base", "p50k_edit": "p50k_base"}
_VOCABULARY_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MANY = 1_000_000  # characters from which counting is worth threads
_TIKTOKEN_RUN = 50_000  # characters: on longer runs without a space its time grows as the square


class _Vocabulary(Protocol):
    """`factor` scales what is counted where the vocabulary is only a likeness of the model's."""

    factor: float

    def count_many(self, texts: list[str]) -> list[int]: ...
    def cut(self, text: str, tokens: int) -> str: ...


class _Toktok:
    def __init__(self, encoding: str, factor: float = 1.0) -> None:
        self.encoding = encoding
        self.factor = factor

    def count_many(self, texts: list[str]) -> list[int]:
        import toktok

        threads = 0 if sum(map(len, texts)) > _MANY else 1
        counts: list[int] = toktok.batch_count(texts, self.encoding, threads=threads)
        return counts

    def cut(self, text: str, tokens: int) -> str:
        import toktok

        return str(toktok.truncate(text, tokens, self.encoding)[0])


class _Tiktoken:
    factor = 1.0

    def __init__(self, encoding: str) -> None:
        import tiktoken

        self.codec = tiktoken.get_encoding(encoding)

    def count_many(self, texts: list[str]) -> list[int]:
        return [sum(len(self.codec.encode_ordinary(run)) for run in _runs(text)) for text in texts]

    def cut(self, text: str, tokens: int) -> str:
        kept = 0
        for run in _runs(text):
            ids = self.codec.encode_ordinary(run)
            if len(ids) > tokens:
                return text[: kept + len(self.codec.decode_bytes(ids[:tokens]).decode("utf-8", "ignore"))]
            tokens -= len(ids)
            kept += len(run)
        return text


def _runs(text: str) -> Iterable[str]:
    return (text[i : i + _TIKTOKEN_RUN] for i in range(0, len(text), _TIKTOKEN_RUN))


@cache
def _vocabulary(encoding: str) -> _Vocabulary:
    if encoding in _BUNDLED:
        return _Toktok(encoding)
    name = _SAME_VOCABULARY.get(encoding, encoding)
    if _kept_by_tiktoken(name):
        try:
            return _Tiktoken(name)
        except (OSError, ValueError):  # a damaged file: an estimate is better than no count
            pass
    return _Toktok("o200k_base", LIKENESS)


def _kept_by_tiktoken(encoding: str) -> bool:
    """Whether tiktoken has the vocabulary on disk; else it would go to the network for it."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    key = sha1(_VOCABULARY_URL.format(encoding).encode(), usedforsecurity=False).hexdigest()
    return bool(folder) and (Path(folder) / key).is_file()


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts in `encoding`, times `ratio` where that is only a likeness of the model's own.

    Lone surrogates count as U+FFFD, which is what an endpoint would get."""

    encoding: str = "o200k_base"
    ratio: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.ratio < math.inf:
            raise ValueError("a counter's ratio is more than 0")

    @property
    def is_exact(self) -> bool:
        """Whether the counts are the model's own, and no likeness of them."""
        return self.ratio * _vocabulary(self.encoding).factor == 1.0

    def count(self, text: str) -> int:
        return self.count_many([text])[0]

    def count_many(self, texts: Sequence[str]) -> list[int]:
        vocabulary = _vocabulary(self.encoding)
        given = list(texts)
        try:
            counts = vocabulary.count_many(given)
        except UnicodeEncodeError:
            counts = vocabulary.count_many([_SURROGATE.sub("\ufffd", text) for text in given])
        ratio = self.ratio * vocabulary.factor
        if ratio == 1.0:
            return counts
        return [min(math.ceil(n * ratio), _bytes(text)) for n, text in zip(counts, given, strict=True)]

    def fits(self, text: str, max_tokens: int) -> bool:
        return surely_fits(text, max_tokens) or self.count(text) <= max_tokens

    def cut(self, text: str, max_tokens: int) -> str:
        """A start of the text with at most `max_tokens`, whole characters only, and nearly always the longest."""
        if max_tokens <= 0:
            return ""
        if surely_fits(text, max_tokens):
            return text
        window = 16 * max_tokens + 256  # the tokenizer would read on to the end of a long text
        while True:
            kept = self._cut(text[:window], max_tokens)
            if len(kept) + 128 < window or window >= len(text):
                break
            window *= 4
        if len(kept) < max_tokens:
            kept = max(kept, _byte_prefix(text, max_tokens), key=len)
        return kept

    def _cut(self, text: str, max_tokens: int) -> str:
        vocabulary = _vocabulary(self.encoding)
        clean = text if text.isascii() else _SURROGATE.sub("\ufffd", text)
        tokens = int(max_tokens / (self.ratio * vocabulary.factor))
        kept = text[: len(vocabulary.cut(clean, tokens))]
        # Counted by itself a start may have more tokens than it had as part of the whole.
        while kept and (over := self.count(kept) - max_tokens) > 0:
            tokens -= over
            kept = text[: len(vocabulary.cut(clean, tokens))] if tokens > 0 else ""
        return kept


def counter_for(model: str) -> Counter:
    """By what is known of a model of that name."""
    known = lookup(model)
    return Counter(known.encoding, known.ratio)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def surely_fits(text: str, max_tokens: int) -> bool:
    """Whether its size alone tells that a text fits, under any counter."""
    return len(text) * 4 <= max_tokens or (len(text) <= max_tokens and _bytes(text) <= max_tokens)


def _byte_prefix(text: str, size: int) -> str:
    used = 0
    for i, character in enumerate(text[:size]):
        used += _bytes(character)
        if used > size:
            return text[:i]
    return text[:size]


class _Message(Protocol):
    @property
    def content(self) -> str: ...
    @property
    def images(self) -> tuple[str, ...]: ...


def count_messages(messages: Sequence[_Message], counter: Counter, schema: Mapping[str, Any] | None = None) -> int:
    """What a chat request takes of the window: texts, what is put around them, images and the schema."""
    texts = [message.content for message in messages]
    return sum(counter.count_many([*texts, *_compact(schema)])) + _overhead(messages)


def at_most(messages: Sequence[_Message], schema: Mapping[str, Any] | None = None) -> int:
    """A bound on `count_messages` under any counter, without counting."""
    texts = [message.content for message in messages]
    return sum(map(_bytes, [*texts, *_compact(schema)])) + _overhead(messages)


def _overhead(messages: Sequence[_Message]) -> int:
    images = sum(image_tokens(image) for message in messages for image in message.images)
    return PER_MESSAGE * len(messages) + PRIMING + images


def _compact(schema: Mapping[str, Any] | None) -> list[str]:
    return [] if schema is None else [json.dumps(schema, ensure_ascii=False, separators=(",", ":"))]
