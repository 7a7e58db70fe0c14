"""Terms and how they are to be translated: from a mapping, a CSV file, or a TBX file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from taskkit.errors import InputError
from taskkit.rows import cells
from taskkit.source import read
from taskkit.tasks.translate.scripts import is_wide
from taskkit.tasks.translate.segments import Problem
from taskkit.tasks.translate.xmltree import children, speaks, tag_of, text_of, tree

SAME = "="  # in the place of a translation: the term stays as it is
MOST = 40  # terms in one prompt
COLUMNS = {
    "term": "source", "source": "source", "translation": "target", "target": "target", "forbidden": "forbidden",
    "not": "forbidden", "note": "note", "comment": "note",
}  # fmt: skip
USUAL = ("source", "target", "forbidden", "note")
SHUNNED = ("deprecated", "superseded", "forbidden")  # what TBX says of a term that is not to be used


@dataclass(frozen=True, slots=True)
class Term:
    """`forbidden` are words of the target language that must not stand for it."""

    source: str
    target: str
    forbidden: tuple[str, ...] = ()
    note: str = ""

    @property
    def stays(self) -> bool:
        return self.target in {SAME, self.source}


def glossary(given: Path | Mapping[str, str] | None, to: str = "", from_: str = "") -> tuple[Term, ...]:
    """Raises `InputError` for a file that is none. The languages are those to take from a file of several."""
    if not given:
        return ()
    if isinstance(given, Mapping):
        return tuple(Term(source.strip(), target.strip()) for source, target in given.items() if source.strip())
    if given.suffix.lower() in {".tbx", ".xml"}:
        return tuple(_of_tbx(given, to, from_))
    return tuple(_of_csv(given))


def _of_csv(path: Path) -> Iterator[Term]:
    """Two columns or more: term, translation (= for one that stays), forbidden words with | between, note. A first
    row that says which is which may set another order."""
    text = read(path).text
    head = text.partition("\n")[0]
    mark = "," if "," in head else ";" if ";" in head else "\t" if "\t" in head else ","
    rows = [row for row in cells(text, mark, str(path)) if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError(f"{path} has no terms.", hint="Give it a row for each.")
    names = [COLUMNS.get(cell.strip().lower(), "") for cell in rows[0]]
    if {"source", "target"} <= set(names):
        rows = rows[1:]
    else:
        names = list(USUAL)
    for number, row in enumerate(rows, 1):
        said = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}
        if not said.get("source") or not said.get("target"):
            raise InputError(
                f"Row {number} of {path} has no term and translation.",
                hint=f"Give two columns; {SAME} as its translation keeps a term as it is.",
            )
        forbidden = tuple(word.strip() for word in said.get("forbidden", "").split("|") if word.strip())
        yield Term(said["source"], said["target"], forbidden, said.get("note", ""))


def _of_tbx(path: Path, to: str, from_: str) -> Iterator[Term]:
    """Each entry's terms of the source language, and the first of the target language that may be used."""
    found = 0
    for entry in children(tree(path), "termEntry", "conceptEntry"):
        sources: list[str] = []
        good: list[str] = []
        bad: list[str] = []
        for section in children(entry, "langSet", "langSec"):
            tag = tag_of(section)
            if speaks(tag, to):
                for term in children(section, "tig", "ntig", "termSec"):
                    status = " ".join(text_of(note).lower() for note in children(term, "termNote"))
                    words = [text_of(one).strip() for one in children(term, "term")]
                    (bad if any(word in status for word in SHUNNED) else good).extend(words)
            elif not from_ or speaks(tag, from_):
                sources += [text_of(one).strip() for one in children(section, "term")]
        notes = [text_of(one).strip() for one in children(entry, "note") if text_of(one).strip()]
        for source in sources if good else ():
            found += 1
            yield Term(source, good[0], tuple(bad), notes[0] if notes else "")
    if not found:
        raise InputError(f"{path} has no terms with a translation to {to}.", hint="Check the languages in it.")


def used(terms: Sequence[Term], texts: Iterable[str]) -> tuple[Term, ...]:
    """Those to translate that stand in the texts, the longest first where there are too many."""
    text = "\n".join(texts)
    found = [term for term in terms if not term.stays and _in(term.source, text)]
    if len(found) > MOST:
        found = sorted(found, key=lambda term: -len(term.source))[:MOST]
    return tuple(found)


def term_problems(terms: Sequence[Term], source: str, target: str) -> Iterator[Problem]:
    """Whether the translation has the terms that it should have, in some form, and none that it should not."""
    for term in used(terms, [source]):
        bad = [word for word in term.forbidden if _in(word, target) and not _in(word, term.target)]
        if bad:
            yield Problem("forbidden", f"Do not use {bad[0]!r}: {term.source!r} is {term.target!r}.", "warning")
        elif not _inflected(term.target, target):
            yield Problem("term", f"Translate {term.source!r} as {term.target!r}.", "warning")


def _in(term: str, text: str) -> bool:
    """As a whole word, or with an ending to it: `port` is in `Ports`, not in `Import`."""
    ending = rf"\w{{0,{1 if len(term) < 5 else 2}}}(?!\w)" if term[-1:].isalpha() and not is_wide(term[-1]) else ""
    before = r"(?<!\w)" if term[:1].isalnum() and not is_wide(term[0]) else ""
    return bool(re.search(before + re.escape(term) + ending, text, re.IGNORECASE))


def _inflected(term: str, text: str) -> bool:
    """Every word of the term, in order or not, in a form that begins like it: `Hafenämter` has `Hafenamt`."""
    low = _plain(text)
    if any(map(is_wide, term)):
        return _plain(term) in low
    return all(re.search(rf"{re.escape(_stem(word))}", low) for word in re.findall(r"\w+", _plain(term)))


def _stem(word: str) -> str:
    """What endings leave of a word: all but two or three letters of a long one."""
    return word if len(word) <= 3 else word[: max(3, len(word) - (3 if len(word) > 7 else 2 if len(word) > 5 else 1))]


def _plain(text: str) -> str:
    import unicodedata

    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))
