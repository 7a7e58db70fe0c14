"""Markdown beside its text: attributes of HTML, titles of links, short forms, front matter; and what MDX needs."""

from pathlib import Path

import pytest

from taskkit.tasks.translate import Translate
from taskkit.tasks.translate.formats import Options, opened
from tests.tasks.test_translate_memory import german, run


def shown(text: str) -> list[str]:
    return [one.text for one in opened(text, "markdown", Options("de", "en")).segments]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<p align="center"><img src="a.png" alt="A red boat"></p>\n', ["A red boat"]),
        ('<p align="center"><img alt=\'A "red" boat\'> The <b>harbour</b></p>\n', ['A "red" boat']),
        ('See <img src=x data-alt="A boat" alt="A boat"> here, <span title="A pier">friend</span>.\n', ["A boat", "A pier"]),
        ('Look [here][a] now.\n\n[a]: /url "The old harbour"\n[b]: <x y>\n  \'The new one\'\n', ["The old harbour"]),
        ("The HTML of it.\n\n*[HTML]: Hyper text for pages\n", ["Hyper text for pages"]),
        ("---\nhero:\n  actions:\n    - text: Begin your trip\n      link: /x\n---\n\nWords of it.\n", ["Begin your trip"]),
    ],
)  # fmt: skip
def test_what_people_see_beside_the_text_is_translated(text: str, said: list[str]) -> None:
    assert set(said) <= set(shown(text))
    done, _ = run(Translate(text, to="de", from_="en"))
    assert not done.issues
    for one in said:
        escaped = german(one).replace('"', "&quot;") if f'="{one}' in text else german(one)
        assert escaped in done.text
    assert "data-alt" not in text or 'data-alt="A boat"' in done.text
    assert len(shown(done.text)) == len(shown(text))


def test_a_quotation_mark_ends_no_title() -> None:
    source = opened('Look [here][a].\n\n[a]: /url "The harbour"\n', "markdown", Options("de", "en"))
    made = source.written({source.segments[1]: 'Der "alte" Hafen'}).text
    assert made.endswith('[a]: /url "Der \\"alte\\" Hafen"\n')
    assert [one.text for one in opened(made, "markdown").segments][1] == 'Der \\"alte\\" Hafen'


def test_an_update_sends_the_changed_text_alone_and_keeps_what_its_picture_says() -> None:
    pages = [f'Look <img src=x alt="Boat {n}"> at boat {n} here.\n' for n in range(6)]
    Path("a.md").write_text("\n".join(pages))
    first, _ = run(Translate(Path("a.md"), to="de", from_="en", update=Path("de.md")))
    Path("de.md").write_bytes(first.content)
    first.saved(Path("de.md"))
    pages[3] = pages[3].replace("here", "there")
    Path("a.md").write_text("\n".join(pages))
    again, sent = run(Translate(Path("a.md"), to="de", from_="en", update=Path("de.md")))
    assert len(sent) == 1
    assert [one.status for one in again.segments].count("translated") == 1
    changed = [
        (old, new) for old, new in zip(first.text.splitlines(), again.text.splitlines(), strict=True) if old != new
    ]
    assert len(changed) == 1
    assert f'alt="{german("Boat 3")}"' in changed[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "`<img alt=\"no\">` and ``<b title='no'>`` stay.\n",
        "import Tabs from '@theme/Tabs';\nimport './x.css'\n\nWords.\n",
        'export const toc = [{value: "no"}];\n\nWords.\n',
        "{/* a note */}\n\nWords.\n",
    ],
)
def test_code_and_what_mdx_needs_are_no_text(text: str) -> None:
    found = opened(text, "markdown", Options("de", "en")).segments
    assert len(found) == 1
    assert "no" not in found[0].text.split()


def test_an_imported_sentence_is_one() -> None:
    assert shown("We import goods from 'there'.\nWe export default values.\n") == [
        "We import goods from 'there'.\nWe export default values."
    ]
