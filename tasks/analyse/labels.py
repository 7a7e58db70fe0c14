"""The labels there are: read from words, a mapping or a file, and known again however a model spells them."""

import asyncio
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from taskkit.errors import InputError
from taskkit.rows import cells
from taskkit.source import read

NONE = "none of these"
MANY = 20  # labels: of more, a text is shown those that are nearest to it
SHORTLIST = 15


@dataclass(frozen=True)
class Labels:
    """`meanings` are the labels in order, each with its definition or "". `abstains` adds `NONE` to the choices."""

    meanings: Mapping[str, str]
    abstains: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.meanings)

    @property
    def choices(self) -> tuple[str, ...]:
        return (*self.names, NONE) if self.abstains else self.names

    def known(self, said: str) -> str | None:
        """The label that a model or a table means; `NONE` is one where it may be chosen. None for no label."""
        exact = {name: name for name in self.choices}
        for key, spelt in ((said, exact), (said.strip().casefold(), {n.casefold(): n for n in exact})):
            if key in spelt:
                return spelt[key]
        by_form: dict[str, list[str]] = {}
        for name in exact:
            by_form.setdefault(form(name), []).append(name)
        for key in (form(said), form(re.sub(r"^\s*\d+[.)]\s*", "", said)), form(said.partition(":")[0])):
            if key and len(by_form.get(key, ())) == 1:
                return by_form[key][0]
        return None

    def listing(self, only: Sequence[str] | None = None) -> str:
        """The choices, a line each."""
        names = self.names if only is None else only
        lines = [f"- {name}: {self.meanings[name]}" if self.meanings[name] else f"- {name}" for name in names]
        if self.abstains:
            lines.append(f"- {NONE}: no label above fits")
        return "\n".join(lines)


def form(label: str) -> str:
    """What two spellings of one label have in common: "Card Arrival " and "card_arrival"."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", label).casefold())


def labels(given: Sequence[str | Path] | Mapping[str, str], *, abstains: bool = False) -> Labels:
    """Labels of words ("praise", "praise,complaint", "praise: says what was good"), of files, or of a mapping to
    their definitions. Raises `InputError` for two that differ in their spelling alone."""
    found: dict[str, str] = {}
    for name, meaning in given.items() if isinstance(given, Mapping) else _pairs(given):
        found.setdefault(" ".join(name.split()), " ".join(str(meaning or "").split()))
    found.pop("", None)
    for name in found:
        same = [other for other in found if form(other) == form(name) and form(name)]
        if len(same) > 1:
            raise InputError(f"The labels {same[0]!r} and {same[1]!r} are spelt alike.", hint="Rename one.")
    own = any(form(name) in {"other", "none", form(NONE)} for name in found)
    return Labels(found, abstains and bool(found) and not own)


def _pairs(given: Iterable[str | Path]) -> Iterable[tuple[str, str]]:
    for one in given:
        if isinstance(one, Path):
            yield from _of_file(one)
        elif re.match(r'\s*\{\s*["}]', one):
            yield from _of_json(one, "The labels")
        elif ": " in one:
            name, _, meaning = one.partition(": ")
            yield name, meaning
        else:
            yield from ((name, "") for name in one.split(","))


def _of_json(text: str, what: str) -> Iterable[tuple[str, str]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} are no JSON: {str(error)[:120]}.") from error
    if isinstance(value, list):
        value = dict.fromkeys(map(str, value), "")
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise InputError(f"{what} are no mapping from labels to definitions.", hint='Write {"label": "definition"}.')
    return list(value.items())


def _of_file(path: Path) -> Iterable[tuple[str, str]]:
    """A CSV of labels and definitions, a JSON mapping, or lines such as `praise: says what was good`."""
    text = read(path).text
    if path.suffix.lower() == ".json":
        return _of_json(text, f"The labels of {path}")
    if path.suffix.lower() in {".csv", ".tsv"}:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        rows = [row for row in cells(text, delimiter, str(path)) if row[0].strip()]
        head = bool(rows) and form(rows[0][0]) in {"label", "labels", "name"}
        return [(row[0], row[1] if len(row) > 1 else "") for row in rows[head:]]
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pairs = [line.partition(":") for line in lines]
    return [(name.strip("-* \t"), meaning.strip()) for name, _, meaning in pairs]


class Shortlist:
    """The labels nearest to a text: by the words (BM25) of their names, definitions and examples, and by vectors
    of those that know that `arrived` and `arrival` are near."""

    def __init__(self, known: Labels, examples: Mapping[str, Sequence[str]] = {}) -> None:
        self.names = known.names
        self.texts = [
            " ".join([name.replace("_", " ").replace("-", " "), known.meanings[name], *examples.get(name, ())])
            for name in self.names
        ]
        self._words = [Counter(words(text)) for text in self.texts]
        self._mean = sum(sum(one.values()) for one in self._words) / max(1, len(self._words)) or 1.0
        self._held = Counter(word for one in self._words for word in one)

    async def of(self, texts: Sequence[str], size: int = SHORTLIST) -> list[tuple[str, ...]]:
        """For each text the `size` nearest labels, in the order in which they were given."""
        from taskkit.knowledge.embed import WordLlama

        near = WordLlama()
        table, rows = await near.embed(self.texts), await near.embed([text[:2000] for text in texts])
        return await asyncio.to_thread(self._nearest, texts, (rows @ table.T).tolist(), size)

    def _nearest(self, texts: Sequence[str], cosines: Sequence[Sequence[float]], size: int) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for text, cosine in zip(texts, cosines, strict=True):
            scores = self._scores(text)
            top = max(scores, default=0.0) or 1.0
            ranked = sorted(range(len(self.names)), key=lambda i: -(scores[i] / top + cosine[i]))
            found.append(tuple(self.names[i] for i in sorted(ranked[:size])))
        return found

    def _scores(self, text: str) -> list[float]:
        """BM25 with its usual constants, 1.2 and 0.75."""
        asked = set(words(text))
        total = len(self._words)
        weight = {w: math.log(1 + (total - self._held[w] + 0.5) / (self._held[w] + 0.5)) for w in asked}
        scores: list[float] = []
        for one in self._words:
            size = 0.25 + 0.75 * sum(one.values()) / self._mean
            scores.append(sum(weight[w] * one[w] * 2.2 / (one[w] + 1.2 * size) for w in asked if w in one))
        return scores


def words(text: str) -> list[str]:
    """The telling words, and their first four letters, which their inflections share."""
    from taskkit.knowledge.lexical import terms

    return [part for word in terms(text[:4000]) for part in dict.fromkeys((word, word[:4]))]
