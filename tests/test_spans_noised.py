"""How often a quote that was retyped badly is found at its place, and one from elsewhere is not."""

import functools
import random
import re
import time
import unicodedata

import pytest

from taskkit.spans import locate

WORDS = {
    "en": "harbour weather station bridge contract engineer supplier invoice delivery morning committee quarter report"
    " customer battery maintenance schedule minister election river valley winter storm railway department budget"
    " library surgeon patient treatment protein enzyme language museum painter orchestra violin harvest village"
    " factory machine pressure valve signal network server password update screen keyboard travel passport border",
    "de": "Hafen Wetterlage Brücke Vertragsentwurf Ingenieurin Rechnung Lieferung Ausschuss Quartalsbericht Kundschaft"
    " Wartungsplan Ministerium Wahlkreis Flussufer Wintersturm Eisenbahn Haushaltsplan Bibliothek Chirurg Behandlung"
    " Eiweiß Sprachwandel Gemälde Orchester Geige Ernte Dorfstraße Maschine Überdruck Ventil Netzwerk Passwort größer"
    " Bildschirm Reisepass Grenzübergang Schüler Frühling Mühle Gebäude Verfügung Straßenbahn Löschzug Küstenschutz",
    "zh": "港口天气观测站桥梁合同工程师供应商发票交货早晨委员会季度报告客户电池维护时间表部长选举河谷冬季风暴铁路部门预算图书馆外科医生"
    "病人治疗蛋白质语言博物馆画家乐团小提琴收获村庄工厂机器压力阀门信号网络服务器密码更新屏幕键盘旅行护照边境森林",
    "ja": "みなとのてんきかんそくじょははしのむこうにありますけいやくしょをおくるエンジニアがあさはやくきてデンチをかえましたとしょかん"
    "びょういんせんせいことばえきでんしゃふゆあらしやまかわむらこうじょうきかいあつりょく",
    "th": "ท่าเรือ สถานี อากาศ สะพาน สัญญา วิศวกร ใบแจ้งหนี้ การส่ง เช้า คณะกรรมการ รายงาน ลูกค้า แบตเตอรี่ บำรุงรักษา รัฐมนตรี แม่น้ำ หุบเขา"
    " พายุ รถไฟ งบประมาณ ห้องสมุด ศัลยแพทย์ ผู้ป่วย ภาษา พิพิธภัณฑ์ จิตรกร หมู่บ้าน โรงงาน เครื่องจักร ความดัน เครือข่าย รหัสผ่าน หน้าจอ",
}
SIGNS = "\u200d\ufe0f🇩🇪🏽"
EMOJI = ("😀", "👩🏽‍🚀", "🇩🇪", "❤️", "🍕", "👨‍👩‍👧", "✅")
EACH = 2  # quotes of each text
FORM = ("exact", "normalised")


def made_text(language: str, chance: random.Random) -> str:
    """Some thousand characters of sentences, whose words are those of the language in any order."""
    words = WORDS[language].split() if " " in WORDS[language] else list(WORDS[language])
    words = chance.sample(words, len(words) // 2)  # each text has its own subject
    spaced = language in {"en", "de"}
    sentences: list[str] = []
    while sum(map(len, sentences)) < 2500:
        some = chance.choices(words, k=chance.randint(7, 24 if spaced else 40))
        if chance.random() < 0.3:
            some.insert(chance.randrange(len(some)), f"“{chance.choice(words)}”")
        if chance.random() < 0.3:
            some.insert(chance.randrange(len(some)), f"{chance.randint(2, 9999):,}")
        if chance.random() < 0.25:
            some.insert(chance.randrange(len(some)), chance.choice(EMOJI))
        sentences.append((" " if spaced else "").join(some) + (". " if spaced else "。" if language != "th" else " "))
    return "\n\n".join("".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4))


@functools.cache
def corpus() -> tuple[tuple[str, str], ...]:
    chance = random.Random(11)
    return tuple((language, made_text(language, chance)) for language in list(WORDS) * 40)


def span_of(text: str, chance: random.Random, language: str) -> tuple[int, int]:
    """A quote as models give them: from a few words to two sentences, and no half words where words have spaces."""
    size = chance.randint(24, 200) if language in {"en", "de"} else chance.randint(12, 80)
    start = chance.randrange(len(text) - size)
    if language in {"en", "de"}:
        start = text.rfind(" ", 0, start) + 1
    end = start + size
    if language in {"en", "de"}:
        end = text.find(" ", end) if text.find(" ", end) > 0 else len(text)
    quote = text[start:end]
    left = len(quote) - len(quote.lstrip())
    start, end = start + left, start + len(quote.rstrip())
    while not whole(text, start):
        start += 1
    while not whole(text, end):
        end += 1
    return start, end


def whole(text: str, at: int) -> bool:
    """No character is parted there from what joins it: a mark, a joiner, a tone of skin, the other half of a flag."""
    one, before = text[at : at + 1], text[at - 1 : at]
    return not (unicodedata.category(one or "a")[0] == "M" or (one and one in SIGNS) or before in SIGNS)


def reformed(quote: str, chance: random.Random) -> str:
    """Another case, other blanks, other quotes: what a copyist changes without noticing."""
    quote = chance.choice((str.upper, str.lower, str.swapcase, str))(quote)
    quote = re.sub(r"\s+", lambda _: chance.choice((" ", "  ", "\n", "\u00a0", " \n ")), quote)
    inner = chance.choice(("“”", '""', "„“"))
    return quote.translate(str.maketrans("“”", inner))


def mistyped(quote: str, chance: random.Random) -> str:
    """A letter in twelve wrong: left out, doubled, changed or swapped."""
    signs = list(quote)
    for _ in range(max(1, len(quote) // 12)):
        at = chance.randrange(len(signs))
        kind = chance.randrange(4)
        if kind == 0 and len(signs) > 8:
            del signs[at]
        elif kind == 1:
            signs.insert(at, signs[at])
        elif kind == 2:
            signs[at] = chance.choice(quote)
        elif at + 1 < len(signs):
            signs[at], signs[at + 1] = signs[at + 1], signs[at]
    return "".join(signs)


def near(span: tuple[int, int], found: tuple[int, int]) -> bool:
    """The same place: most of either is in the other."""
    both = min(span[1], found[1]) - max(span[0], found[0])
    return both > 0.5 * max(span[1] - span[0], found[1] - found[0])


def test_another_form_is_found_where_it_stands() -> None:
    chance = random.Random(5)
    wrong = []
    for language, text in corpus():
        for _ in range(EACH):
            start, end = span_of(text, chance, language)
            quote = reformed(text[start:end], chance)
            found = locate(quote, text)
            same = text[found.start : found.end] == text[start:end]  # there, or where it stands as well
            if not same or found.status not in FORM:
                wrong.append((language, text[start:end], quote, found))
    assert len(wrong) <= 0.01 * EACH * len(corpus()), wrong[:5]


def test_mistyped_it_is_found_where_it_stands() -> None:
    chance = random.Random(6)
    wrong: dict[str, list[str]] = {language: [] for language in WORDS}
    for language, text in corpus():
        for _ in range(EACH):
            span = span_of(text, chance, language)
            found = locate(mistyped(reformed(text[slice(*span)], chance), chance), text)
            if found.status == "none" or not near(span, (found.start, found.end)):
                wrong[language].append(text[slice(*span)])
    missed = sum(map(len, wrong.values()))
    assert missed <= 0.05 * EACH * len(corpus()), {language: len(one) for language, one in wrong.items()}


def test_what_another_text_says_is_not_found() -> None:
    chance = random.Random(7)
    accepted = []
    for number, (language, text) in enumerate(corpus()):
        other = corpus()[(number + 5) % len(corpus())][1]  # of the same language and so of the same words
        for _ in range(EACH):
            start, end = span_of(other, chance, language)
            if locate(other[start:end], text).status == "fuzzy":  # else it does stand there
                accepted.append((language, other[start:end]))
    assert len(accepted) <= 0.01 * EACH * len(corpus()), accepted[:5]


@pytest.mark.parametrize("language", WORDS)
def test_a_megabyte_of_any_script_is_searched_in_a_moment(language: str) -> None:
    text = "\n".join(made_text(language, random.Random(n)) for n in range(400))
    chance = random.Random(8)
    span = span_of(text, chance, language)
    quote = mistyped(text[slice(*span)], chance)
    began = time.process_time()
    found = locate(quote, text)
    assert time.process_time() - began < 10
    assert near(span, (found.start, found.end))
