"""Which writing system a text is in, by the names that Unicode gives to its letters."""

import unicodedata
from collections import Counter

CJK = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "HANGUL": "Hangul", "BOPOMOFO": "Han"}
_HAN, _KANA = frozenset({"Han"}), frozenset({"Han", "Kana"})
# What a language is written in, where that is not the Latin script. The rest of a tag, `zh-TW`, makes no difference.
WRITTEN = {
    **dict.fromkeys(["ru", "uk", "bg", "be", "mk", "kk", "ky", "mn", "tg"], frozenset({"Cyrillic"})),
    **dict.fromkeys(["ar", "fa", "ur", "ps", "ckb", "sd", "ug"], frozenset({"Arabic"})),
    **dict.fromkeys(["he", "yi"], frozenset({"Hebrew"})),
    **dict.fromkeys(["hi", "mr", "ne", "sa"], frozenset({"Devanagari"})),
    **dict.fromkeys(["zh", "yue"], _HAN),
    "ja": _KANA,
    "ko": frozenset({"Hangul", "Han"}),
    "el": frozenset({"Greek"}),
    "th": frozenset({"Thai"}),
    "hy": frozenset({"Armenian"}),
    "ka": frozenset({"Georgian"}),
    "bn": frozenset({"Bengali"}),
    "ta": frozenset({"Tamil"}),
    "te": frozenset({"Telugu"}),
    "kn": frozenset({"Kannada"}),
    "ml": frozenset({"Malayalam"}),
    "gu": frozenset({"Gujarati"}),
    "pa": frozenset({"Gurmukhi"}),
    "am": frozenset({"Ethiopic"}),
    "my": frozenset({"Myanmar"}),
    "km": frozenset({"Khmer"}),
    "lo": frozenset({"Lao"}),
    "si": frozenset({"Sinhala"}),
}
LATIN = frozenset(
    [
        "af",
        "az",
        "bs",
        "ca",
        "cs",
        "cy",
        "da",
        "de",
        "en",
        "eo",
        "es",
        "et",
        "eu",
        "fi",
        "fil",
        "fr",
        "ga",
        "gl",
        "hr",
        "hu",
        "id",
        "is",
        "it",
        "lt",
        "lv",
        "ms",
        "mt",
        "nb",
        "nl",
        "nn",
        "no",
        "pl",
        "pt",
        "ro",
        "sk",
        "sl",
        "sq",
        "sv",
        "sw",
        "tl",
        "tr",
        "uz",
        "vi",
    ]
)
SAMPLE = 2000  # letters beyond this do not change the verdict


def script(text: str) -> str:
    """The most frequent script, such as `Latin` or `Han`; "" for a text without letters."""
    letters = Counter("".join(filter(str.isalpha, text[: 4 * SAMPLE]))[:SAMPLE])
    found: Counter[str] = Counter()
    for letter, count in letters.items():
        found[_script(letter)] += count
    return found.most_common(1)[0][0] if found else ""


def written_in(language: str) -> frozenset[str]:
    """The scripts of a language tag such as `de` or `pt-BR`; empty when that is not known here, or either will do."""
    code = language.replace("_", "-").split("-")[0].lower()
    return WRITTEN.get(code, frozenset({"Latin"} if code in LATIN else ()))


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").split(maxsplit=1)
    first = name[0].partition("-")[0] if name else ""
    return CJK.get(first, first.capitalize())


def is_wide(letter: str) -> bool:
    """A character that says about as much as a syllable or a word does."""
    return letter >= "\u1100" and unicodedata.east_asian_width(letter) in "WF"
