"""Whether a sentence says what a text says, as far as words, numbers and names tell, in any script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from taskkit.knowledge.languages import common_words, guess
from taskkit.tasks.ask.spelled import spelled

# Of a sentence's words so many must stand in what it rests on, in some form. Measured, SQuAD's questions with their
# answers as sentences, on the sentence that has the answer and on the others of its paragraph, at .5 / .4 / .34 / .25:
# .83 .91 .92 .97 against .07 .12 .14 .35.
SHARE = 0.4
FEW = 5  # words: fewer tell no language
# With the point of .5, which is no end of a sentence.
NUMBER = re.compile(r"(?:(?<![^\s(\[$€£¥~≈<>=+±-])\.(?=\d))?\d[\d.,'’٫٬]*")
_SIGNS = ".,'’٫٬"
_GROUPED = re.compile(rf"{NUMBER.pattern}(?:[ \u00a0\u202f]\d{{3}}(?!\d))+")  # 1 000 000
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*")
WORD = re.compile(r"[^\W\d_]{4,}")
ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s<>\"'`|]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w@-])(?:/[^\s<>\"'`|]*)?",
    re.ASCII | re.IGNORECASE,
)
_ITEM = re.compile(r"^[ \t]*\d{1,2}[.)][ \t]", re.MULTILINE)  # the number of a list's item is none of the text's
_ANY = re.compile(r"[^\W\d_]+")
_SHOWN = re.compile(r"[^\s!-@\[-`{-~…“”‘’«»]{3,}")  # with signs that stand on letters, which are none themselves

# Runs of characters that are not divided into words, or (Hangul) into words with their endings; and how many that
# stand together there say as much as a word does.
_HAN = "\u3005\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PAIRS = re.compile(rf"[\u3041-\u30ff\uac00-\ud7a3{_HAN}]+")
_LETTERS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_ENDINGS = re.compile(r"[\u3041-\u309f]")  # hiragana, of which every text is full
_ALONE = re.compile(f"[{_HAN}]")


@dataclass(frozen=True, slots=True)
class Comparable:
    """Numbers always are; words are not across languages, and in German every noun looks like a name."""

    words: bool
    names: bool


def comparable(answer: str, text: str) -> Comparable:
    ours, theirs = guess(answer), guess(text)
    words = ours == theirs if ours and theirs else not (_foreign(answer, theirs) or _foreign(text, ours))
    return Comparable(words, words and ours != "de")


def _foreign(text: str, language: str) -> bool:
    """Whether a text whose language nothing tells is surely in another one than this."""
    words = _ANY.findall(text.lower())
    if not language or len(words) < FEW:
        return False
    common = common_words(language)
    return sum(word in common for word in words) < 0.05 * len(words)


def share(sentence: str, text: str) -> float:
    """Of its longer words, those that stand in the text: whole, or but for an ending. Two characters of a script
    without spaces count as a word; they stand there if they do so next to each other, half if one by one.

    Measured with questions as sentences, of which .5 stands in the paragraph that answers them, in the next one, in
    any other: SQuAD .87, .13, .01; XQuAD zh .90, .10, .00."""
    sentence = sentence.casefold()
    found = many = 0.0
    for runs, size in ((_PAIRS, 2), (_LETTERS, 4)):
        for run in runs.findall(sentence):
            worth = _worth(run, text, size)
            found += sum(worth) / size
            many += len(worth) / size
    words = {*WORD.findall(_LETTERS.sub(" ", _PAIRS.sub(" ", sentence)))}
    found += sum(word[: max(4, len(word) - 3)] in text for word in words)
    many += len(words)
    return found / many if many else 1.0


def _worth(run: str, text: str, size: int) -> list[float]:
    """Of each character that counts, 1 if it stands in the text with so many beside it."""
    together = [False] * len(run)
    for at in range(len(run) - size + 1):
        if run[at : at + size] in text:
            together[at : at + size] = [True] * size
    return [
        1.0 if there else 0.5 if _ALONE.match(one) and one in text else 0.0
        for one, there in zip(run, together, strict=True)
        if not _ENDINGS.match(one)
    ]


def says_something(quote: str) -> bool:
    """Whether it has a number, or a word that is not in every text."""
    if any(one.isdecimal() for one in quote):
        return True
    runs = [run for pattern in (_PAIRS, _LETTERS) for run in pattern.findall(quote)]
    words = _SHOWN.findall(_LETTERS.sub(" ", _PAIRS.sub(" ", quote.lower())))
    common = common_words(guess(quote))
    return any(len(run) > 1 for run in runs) or any(one not in common for one in words)


def strange(sentence: str, quotes: str, passages: str, how: Comparable) -> list[str]:
    """Numbers of a sentence that no quote has, in digits or in words, and names and addresses that no passage has."""
    low = passages.casefold()
    named = addresses_in(sentence)
    addresses = [one for one in named if not _stands(one.casefold(), low)]
    for one in named:
        sentence = sentence.replace(one, " ")
    sentence = _ITEM.sub("", sentence)
    there = {reading for one in (*NUMBER.findall(quotes), *_GROUPED.findall(quotes)) for reading in _parts(one)}
    language = guess(passages) or "en"
    there.update(str(value) for _, value in spelled(quotes, language))
    grouped = _GROUPED.findall(sentence)
    whole = {part for one in grouped if readings(one) & there for part in one.split()}
    numbers = [one for one in NUMBER.findall(sentence) if one not in whole and not readings(one) & there]
    names = [one for one in NAME.findall(sentence) if one.casefold() not in low] if how.names else []
    words = [
        one
        for one, value in (spelled(sentence, language) if how.words else ())
        if value > 1 and str(value) not in there
    ]  # "one" is said of much
    return list(dict.fromkeys([*numbers, *words, *names, *addresses]))


def addresses_in(text: str) -> list[str]:
    """Of pages, of people, and names that could be either's."""
    return [one.rstrip(".,;:!?)]}*_") for one in ADDRESS.findall(text)]


def _stands(address: str, text: str) -> bool:
    """Not as the beginning or the end of another one's name; a page stands for its host."""
    return bool(re.search(rf"(?<![\w@.-]){re.escape(address)}(?![\w@-]|\.\w)", text, re.ASCII))


def readings(number: str) -> set[str]:
    """What it may mean, in any digits: 1,500 and 1.500 are so many, or one and a half; 1,000 is a thousand. What can be
    no number (31.12.2024) is its parts in a row."""
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in number)
    plain = f"0{plain}" if plain.startswith(".") else plain
    parts = re.split(r"[^\d]", plain.strip(_SIGNS))
    signs = [one for one in plain.strip(_SIGNS) if not one.isdecimal()]
    found: set[str] = set()
    if _groups(parts, signs):
        found.add(_value("".join(parts)))
    whole = found and not parts[-1].strip("0")
    if signs and signs[-1] in ".,٫" and signs[-1] not in signs[:-1] and not whole and _groups(parts[:-1], signs[:-1]):
        found.add(_value("".join(parts[:-1]), parts[-1]))
    return found or {" ".join(map(_value, parts))}


def _parts(number: str) -> set[str]:
    """Of a number in a quote, which tells what year it is in 31.12.2024."""
    return {part for one in readings(number) for part in (one, *one.split())}


def _groups(parts: Sequence[str], signs: Sequence[str]) -> bool:
    """Whether digits are parted as those of one whole number are, in thousands or as in India."""
    return not signs or (
        len(set(signs)) == 1
        and "٫" not in signs
        and 0 < len(parts[0]) <= 3
        and not parts[0].startswith("0")
        and all(2 <= len(one) <= 3 for one in parts[1:-1])
        and len(parts[-1]) == 3
    )


def _value(whole: str, fraction: str = "") -> str:
    return f"{whole.lstrip('0') or '0'}.{fraction.rstrip('0')}".rstrip(".")
