"""Words for the full-text index, of texts and of questions: what FTS5 can not cut into words, cut here."""

import re
import unicodedata
from collections.abc import Callable, Mapping

from taskkit.knowledge.languages import common_words, guess

# Marks belong to the word that they stand in: without Mn and Mc, Thai and Hindi fall to pieces.
TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
TITLE_WEIGHT = 2.0

_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_CAMEL = re.compile(r"\b(?=\w*[a-z0-9][A-Z])[A-Za-z_][A-Za-z0-9_]*\b")
_SEAM = re.compile(r"[a-z0-9][A-Z]")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORD = re.compile(
    r"[^\x00-\x20\x7f-\xa0!-/:-@\[-^`{-~«»¡¿‘’“”\u2000-\u206f\u3000-\u3004\u3008-\u303f\uff00-\uff0f\s]+"
)


def indexed(text: str) -> str:
    """The text as the index reads it: runs of a script without spaces as pairs of characters, and the parts of
    `camelCase` names after them."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = _UNSPACED.sub(lambda run: f" {_pairs(run[0])} ", text)
    if not _SEAM.search(text):
        return text
    return _CAMEL.sub(lambda name: " ".join((name[0], *_HUMP.findall(name[0]))), text)


def _pairs(run: str) -> str:
    """The last character once more alone, so that each one begins a word and can be found by itself."""
    return " ".join(run[i : i + 2] for i in range(len(run)))


def terms(question: str, language: str | None = None) -> tuple[str, ...]:
    """The words to look for, each once; the common words of its language only when there are no others."""
    words = dict.fromkeys(word.lower() for word in _WORD.findall(indexed(question)))
    words = {word: None for word in words if not _alone(word, words)}
    common = common_words(guess(question) if language is None else language) | common_words("en")
    return tuple(word for word in words if word not in common and word.strip("_")) or tuple(words)


def _alone(word: str, words: Mapping[str, object]) -> bool:
    """The last character of a run, which its pair says already."""
    return len(word) == 1 and bool(_UNSPACED.match(word)) and any(w[1:] == word for w in words)


def match(words: tuple[str, ...], frequency: Callable[[str], int], budget: int) -> str:
    """The FTS5 query: any of the words, at most about `budget` passages to score.

    BM25 costs some microseconds for each passage that holds any of the words. So only the rarest words let a
    passage in; the frequent ones still count for its score. Measured with a twentieth of the passages let in:
    nDCG@10 within .012 of the whole, against .09 lost when frequent words are left out. Empty: no such word."""
    known = sorted((word for word in words if frequency(word)), key=frequency)
    rare: list[str] = []
    for word in known:
        budget -= frequency(word)
        if rare and budget < 0:
            break
        rare.append(word)
    if len(rare) == len(known):
        return _any(rare)
    return f"({_any(rare)}) AND ({_any(known)})"


def sought(word: str) -> str:
    """One word as FTS5 syntax: a phrase of its tokens, and a single character of an unspaced script as a prefix."""
    phrase = '"' + word.replace('"', '""') + '"'
    return phrase + " *" if len(word) == 1 and _UNSPACED.match(word) else phrase


def _any(words: list[str]) -> str:
    return " OR ".join(map(sought, words))
