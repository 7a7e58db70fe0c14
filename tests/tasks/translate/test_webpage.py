"""Pages: code of a server and drawings in them, and the language that they say they are in."""

import re

import pytest

from taskkit.source import Text
from taskkit.tasks.translate.formats import Opened, Options, opened


def page(text: str, to: str = "de") -> Opened:
    source = opened(Text(text, "a.html", "html"), options=Options(to, "en"))
    assert source.written({one: one.text for one in source.segments}).text == text
    return source


@pytest.mark.parametrize("code", ['<?php echo "a > b", 1 < 2; ?>', "<%= a > b ? '<i>' : 'x' %>", "<?= $name ?>"])
def test_code_of_a_server_comes_through_whole(code: str) -> None:
    text = f"{code}<p title='tip'>Hello {code} there</p>{code}"
    source = page(text)
    assert [one.text for one in source.segments] == ["tip", f"Hello {code} there"]
    written = source.written(dict(zip(source.segments, ["Rat", f"Da {code}!"], strict=True)))
    assert not written.kept
    assert written.text == text.replace("tip", "Rat").replace(f"Hello {code} there", f"Da {code}!")


def test_code_that_never_ends_takes_no_time() -> None:
    assert opened(Text(f"?>{'<?' * 50_000}<p>One</p>", "a.html", "html")).segments


def test_the_words_of_a_drawing_are_translated_and_an_icon_stays_in_its_sentence() -> None:
    drawing = '<svg><style>a{}</style><path d="x"/><text x="1">The <tspan>boat</tspan></text><text>Red</text></svg>'
    icon = '<svg><title>an icon</title><path d="x"/></svg>'
    source = page(f"<p>See {icon} there</p>{drawing}")
    assert [one.text for one in source.segments] == [f"See {icon} there", "The <tspan>boat</tspan>", "Red"]
    made = source.written({source.segments[1]: "Das <tspan>Boot</tspan>", source.segments[2]: "Rot"}).text
    assert made == f"<p>See {icon} there</p>{drawing}".replace("The", "Das").replace("boat", "Boot").replace(
        "Red", "Rot"
    )


@pytest.mark.parametrize(
    ("head", "to", "made"),
    [
        ('<html class="a > b" lang="en-US" dir=ltr>', "pt-br", '<html class="a > b" lang="pt-BR" dir=ltr>'),
        ("<HTML xml:lang='en' lang=en>", "zh-hant", "<HTML xml:lang='zh-Hant' lang=zh-Hant>"),
        ("<html>", "de", "<html>"),
    ],
)
def test_a_translated_page_says_its_language(head: str, to: str, made: str) -> None:
    source = page(f'{head}<p lang="fr">Un mot</p><p>A word</p>', to)
    assert source.written({source.segments[1]: "Ein Wort"}).text == f'{made}<p lang="fr">Un mot</p><p>Ein Wort</p>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<p><b>A word</b>&nbsp;</p>", ["A word"]),
        ("<p>&nbsp;&#160; A word&nbsp; &nbsp;here &#xA0;</p><p>&nbsp;</p>", ["A word\xa0 \xa0here"]),
        ("<td>\xa0One</td><td>&emsp;</td>", ["One"]),
    ],
)
def test_blanks_at_the_ends_stay_however_they_are_written(text: str, said: list[str]) -> None:
    source = page(text)
    assert [one.text for one in source.segments] == said
    made = source.written(dict.fromkeys(source.segments, "Ein Wort"))
    assert not made.kept
    assert made.text == re.sub(r"A word.*here|A word|One", "Ein Wort", text)
