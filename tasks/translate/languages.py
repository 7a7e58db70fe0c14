"""Names of languages: a code or a name in, the name that a model is told out."""

import re
from difflib import get_close_matches

from taskkit.errors import InputError

NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque",
    "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh", "km": "Khmer",
    "kn": "Kannada", "ko": "Korean", "la": "Latin", "lb": "Luxembourgish", "lo": "Lao", "lt": "Lithuanian",
    "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "mt": "Maltese", "my": "Burmese", "nb": "Norwegian Bokmål", "ne": "Nepali", "nl": "Dutch",
    "nn": "Norwegian Nynorsk", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "ps": "Pashto",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "so": "Somali",
    "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu",
    "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek",
    "vi": "Vietnamese", "xh": "Xhosa", "yi": "Yiddish", "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip
VARIANTS = {
    "zh-cn": "Simplified Chinese", "zh-hans": "Simplified Chinese", "zh-tw": "Traditional Chinese",
    "zh-hant": "Traditional Chinese", "pt-br": "Brazilian Portuguese", "pt-pt": "European Portuguese",
    "en-gb": "British English", "en-us": "American English", "es-mx": "Mexican Spanish",
    "fr-ca": "Canadian French", "de-ch": "Swiss German spelling of German", "de-at": "Austrian German",
}  # fmt: skip
# How a language writes quotations and numbers, where that is not the English way.
MANNERS = {
    "de": "„…“, inside them ‚…‘; 1.234,5", "de-ch": "«…», inside them ‹…›; 1’234.5", "fr": "« … »; 1 234,5",
    "es": "«…» or “…”; 1.234,5", "it": "«…» or “…”; 1.234,5", "pt": "“…”; 1.234,5", "nl": "‘…’ or “…”; 1.234,5",
    "ru": "«…», inside them „…“; 1 234,5", "uk": "«…»; 1 234,5", "pl": "„…”; 1 234,5", "cs": "„…“; 1 234,5",
    "sk": "„…“; 1 234,5", "da": "“…” or »…«; 1.234,5", "sv": "”…”; 1 234,5", "fi": "”…”; 1 234,5", "nb": "«…»; 1 234,5",
    "no": "«…»; 1 234,5", "hu": "„…”; 1 234,5", "ro": "„…”; 1.234,5", "el": "«…»; 1.234,5", "tr": "“…”; 1.234,5",
    "bg": "„…“; 1 234,5", "hr": "„…”; 1.234,5", "sl": "„…“; 1.234,5", "lt": "„…“; 1 234,5", "lv": "“…”; 1 234,5",
    "et": "„…”; 1 234,5", "ja": "「…」", "zh": "“…”", "zh-tw": "「…」", "zh-hant": "「…」", "ko": "“…”",
    **dict.fromkeys(
        ["es-419", "es-do", "es-gt", "es-hn", "es-mx", "es-ni", "es-pa", "es-pe", "es-pr", "es-sv", "es-us"],
        "“…”; 1,234.5",
    ),
}  # fmt: skip


def manner(tag: str) -> str:
    """The quotation marks and the form of numbers that go with a tag; "" where they are as in English."""
    return MANNERS.get(tag) or MANNERS.get(tag.partition("-")[0], "")


def spelt(tag: str) -> str:
    """As it is written in pages: `pt-BR`, `zh-Hant`."""
    base, _, variant = tag.partition("-")
    return f"{base}-{variant.upper() if len(variant) == 2 else variant.title()}" if variant else base


def language(given: str) -> tuple[str, str]:
    """The tag and the English name of a language given by tag (`de`, `pt-BR`) or by name. Raises `InputError`."""
    low = given.strip().lower().replace("_", "-")
    if low in VARIANTS:
        return low, VARIANTS[low]
    base, _, region = low.partition("-")
    if base in NAMES and (not region or re.fullmatch(r"[a-z]{2}|[a-z]{4}|\d{3}", region)):
        return low, f"{NAMES[base]} ({region.upper()})" if region else NAMES[base]
    by_name = {name.lower(): tag for tag, name in {**NAMES, **VARIANTS}.items()}
    if low in by_name:
        return by_name[low], {**NAMES, **VARIANTS}[by_name[low]]
    near = get_close_matches(low, [*by_name, *NAMES], n=2)
    hint = f"Did you mean {' or '.join(near)}?" if near else "Give a code such as de or pt-BR, or an English name."
    raise InputError(f"{given!r} is no language that is known.", hint=hint)
