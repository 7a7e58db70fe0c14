"""Which language a text is in, as far as its script and its commonest words tell: enough to weigh two searches
against each other, and to know which words of a question carry nothing."""

import re
from collections import Counter
from functools import cache

_COMMON = {
    "en": "a about after all also an and any are as at be because been being but by can could did do does down"
    " during each for from had has have having he her here his how i if in into is it its just may me more most"
    " my no nor not of off on only or other our out over own same she should so some such than that the their"
    " them then there these they this those through to too under until up very was we were what when where which"
    " while who whom whose why will with would you your",
    "de": "ab aber als am an auch auf aus bei bin bis bist da damit dann das dass dein deine dem den der des die dies"
    " diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es euer für hat"
    " hatte hatten ich ihr ihre im in ist ja jede jeder kann kein keine können man mehr mein mit muss nach nicht"
    " noch nur ob oder ohne sein seine sich sie sind so über um und uns unser unter viel viele vielen vom von vor wann war waren"
    " warum was weil welche welchem welchen welcher welches wenn wer werden wie wieder wir wird wo wurde wurden"
    " zu zum zur",
    "fr": "a au aux avec ce ces cette comment dans de des du elle en est et il ils je la le les leur lui ma mais"
    " me mes moi mon ne nos notre nous on ont ou où par pas plus pour pourquoi quand que quel quelle quelles"
    " quels qui sa sans se ses son sont sur ta te tes toi ton tu un une vos votre vous été était",
    "es": "a al como cómo con cual cuál cuando cuándo de del desde donde dónde el ella en entre era es esta está"
    " este fue ha han hay la las le lo los más me mi muy no nos o para pero por porque qué que quien quién se"
    " ser si sin sobre son su sus también te tu un una unas uno unos y ya yo",
    "it": "a ad al alla alle anche che chi ci come con cosa da dal dalla de dei del della delle di dove e ed era"
    " gli ha hanno i il in io la le lo ma mi nel nella nelle non o per perché più quale quali quando quanto"
    " questa questo se si sono su sua suo tra tu un una uno è",
    "pt": "a ao aos as com como da das de do dos e ela ele em entre era essa esse esta este eu foi há isso mais mas"
    " me na nas no nos não o onde os ou para pela pelo por porque qual quais quando que quem se sem ser seu sua"
    " são também um uma você à é",
    "nl": "aan als bij dan dat de der deze die dit door een en er haar had heb hebben heeft het hij hoe hun ik in"
    " is je kan maar me meer met mijn naar niet nog nu of om ons ook op over te tot uit van veel voor waar waarom"
    " wanneer was wat we welke werd wie wij worden wordt ze zich zijn zo zou",
}
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
_LETTERS = re.compile(r"[^\W\d_]+")
_ENOUGH = 3_000  # characters: more of a document tells no more


@cache
def common_words(language: str) -> frozenset[str]:
    """Words that tell nothing of what a text is about; none for a language without a list."""
    return frozenset(_COMMON.get(language, "").split())


def guess(text: str) -> str:
    """An ISO 639-1 code, or "" where nothing tells. Languages of one script without a list come out as the one
    that the script is named after here."""
    text = text[:_ENOUGH]
    if not text.isascii():
        letters = sum(map(len, _LETTERS.findall(text))) or 1
        for language, script in _SCRIPTS:
            if len(script.findall(text)) > letters * 0.3:
                return language
    words = Counter(_LETTERS.findall(text.lower()))
    score = {language: sum(words[word] for word in words.keys() & common_words(language)) for language in _COMMON}
    best, second = sorted(score, key=lambda language: -score[language])[:2]
    return best if score[best] > score[second] else ""
