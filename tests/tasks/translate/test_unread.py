"""What a format does not find: HTML within Markdown is found, and what lies elsewhere is told."""

import re
from pathlib import Path

import pytest

from taskkit.errors import InputError
from taskkit.source import Text
from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import opened
from tests.tasks.test_translate_memory import german, run

PAGE = """<p align="center">
  <img src="logo.png" alt="Logo">
  <em>Brew your coffee</em>
  anywhere
</p>

<details open>
<summary>What you <b>need</b></summary>

Water and *beans*.

</details>

- An item
  <div>with a block</div>

<!-- a note that nobody reads -->
<pre>two  spaces</pre>
<script>var text = "shown nowhere";</script>
"""


def test_what_blocks_of_html_show_is_translated_and_their_markup_stays() -> None:
    done, sent = run(Translate(PAGE, to="de", from_="en"))
    shown = (
        "Logo",
        "Brew your coffee",
        "anywhere",
        "What you",
        "need",
        "Water and",
        "beans",
        "An item",
        "with a block",
    )
    wanted = PAGE
    for text in shown:
        wanted = wanted.replace(text, german(text))
    assert " ".join(done.text.split()) == " ".join(wanted.split())
    assert not done.warnings
    assert "nobody reads" not in str(sent)


def test_a_tag_that_a_translation_loses_is_no_translation() -> None:
    answers = iter(["Was Sie brauchen"] * 9)
    done, _ = run(Translate("<p>What you <b>need</b></p>\n", to="de", from_="en"), lambda _: next(answers))
    assert done.text == "<p>What you <b>need</b></p>\n"
    assert done.warnings[0].failure


@pytest.mark.parametrize("text", ["> " * 20_000 + "hello", "- " * 500 + "hello"])
def test_a_text_that_the_parser_gives_up_is_told(text: str) -> None:
    done, _ = run(Translate(text, to="de", from_="en"))
    (told,) = [one for one in done.warnings if one.code == "unread"]
    assert "found" in told.message
    assert not told.failure


def test_a_text_of_which_less_than_half_is_found_is_told() -> None:
    text = "A few words.\n\n" + "- " * 200 + "deep down there are many more words than that\n"
    done, _ = run(Translate(text, to="de", from_="en"))
    (told,) = [one for one in done.warnings if one.code == "unread"]
    assert "Less than half" in told.message
    assert done.text.startswith(german("A few words."))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "```python\nprint('some code that is long')\n```\n\nDo it.\n"),
        ("a.md", "Do it.\n\n    make install test check and so on\n\n[ref]: https://example.org/a/long/path\n"),
        ("a.md", "---\nslug: a-very-long-slug-of-a-page\ntags: [many, words, here]\n---\n\nDo it.\n"),
        ("a.md", "<!-- a long comment that is not shown -->\n\n{% include 'a/long/path.html' %}\n\nDo it.\n"),
        ("a.md", "`some_function_with_a_name(argument)`\n"),
        ("a.html", "<script>var x = 'long text of a script'</script><p class='a long class name'>Do it.</p>"),
        ("a.txt", "12 34\n"),
        ("a.json", "{}"),
    ],
)
def test_code_and_markup_are_not_missed(name: str, text: str) -> None:
    Path(name).write_text(text)
    done, _ = run(Translate(Path(name), to="de", from_="en"))
    assert not [one for one in done.warnings if one.code == "unread"]


def test_of_formats_with_names_it_is_told_when_nothing_was_found() -> None:
    Path("a.json").write_text('{"count": 3}')
    done, _ = run(Translate(Path("a.json"), to="de", from_="en"))
    assert "Nothing to translate was found in a.json" in done.warnings[0].message
    Path("a.json").write_text('{"count": 3, "some": {"long": {"path": "Yes"}}}')
    assert not run(Translate(Path("a.json"), to="de", from_="en"))[0].warnings


@pytest.mark.parametrize("piece", ["<script ", "<!--", "<p <", '<a b="'])
@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_markup_that_never_ends_takes_no_time(name: str, piece: str) -> None:
    with pytest.raises(InputError, match="never followed by"):
        opened(Text(f"<div>\n{piece * 40_000}", name))


def test_in_a_quote_html_stays_and_the_rest_is_read() -> None:
    text = "> A quote\n>\n> <div>\n> shown\n> </div>\n"
    assert [one.text for one in opened(Text(text, "a.md")).segments] == ["A quote"]
    assert re.sub("A quote", "Ein Zitat", text) == run(Translate(text, to="de", from_="en"), "Ein Zitat")[0].text
