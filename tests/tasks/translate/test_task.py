"""Documents of other formats through the whole task, with models that do wrong."""

import gettext
import io
import json
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.source import Text
from taskkit.tasks.translate import Translate, Translation
from taskkit.tasks.translate.formats import Options, opened
from taskkit.testing import scripted

FIXTURES = Path(__file__).parent / "fixtures"
Items = list[dict[str, str]]


def said(text: str) -> str:
    return "".join(
        part if number % 2 else re.sub(r"[A-Za-z]{2,}", lambda word: f"{word[0]}é", part)
        for number, part in enumerate(re.split(r"(⟦\d+⟧)", text))
    )


def translated(path: Path, to: str, wrong: Callable[[Items], Items] = lambda items: items) -> Translation:
    """By a model that does `wrong` to what it is asked for together, and well what it is asked for again."""

    def model(body: Mapping[str, Any]) -> str:
        text = str(body["messages"][-1]["content"])
        if "response_format" not in body:
            return said(re.findall(r"<<<text \w+>>>\n(.*)\n<<<end", text, re.DOTALL)[-1])
        found = re.findall(r"^id (\d+):\n(.*?)(?=\n\nid \d+:\n|\n<<<end)", text, re.MULTILINE | re.DOTALL)
        items = [{"id": number, "translation": said(part)} for number, part in found]
        return json.dumps({"items": wrong(items) if len(items) > 2 else items})

    return scripted(model).run(Translate(path, to=to, from_="en"))


def test_six_plural_forms_are_filled_and_used() -> None:
    result = translated(FIXTURES / "six.pot", "ar")
    assert not [one for one in result.segments if one.status == "failed"]
    forms = [found.replace("\\n", "\n") for found in re.findall(r'^msgstr\[\d\] "(.*)"$', result.text, re.MULTILINE)]
    assert len(forms) == 6
    assert all(forms)
    header = "".join(re.findall(r'^"(.*)"$', result.text.partition("\n\n")[0], re.MULTILINE)).replace("\\n", "\n")
    texts = {b"": header.encode(), b"One bean\0%d beans": "\0".join(forms).encode()}
    catalogue = gettext.GNUTranslations(io.BytesIO(compiled(texts)))
    assert catalogue.ngettext("One bean", "%d beans", 1) == forms[1]
    assert catalogue.ngettext("One bean", "%d beans", 1001) == forms[4]


def compiled(texts: Mapping[bytes, bytes]) -> bytes:
    """A MO file: a header of seven numbers, both tables of lengths and offsets, the strings."""
    at, size = 28 + 16 * len(texts), len(texts)
    tables, strings = list[bytes](), b""
    for side in (sorted(texts), [texts[name] for name in sorted(texts)]):
        for one in side:
            tables.append(struct.pack("<II", len(one), at + len(strings)))
            strings += one + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, size, 28, 28 + 8 * size, 0, 0) + b"".join(tables) + strings


WRONG: dict[str, Callable[[Items], Items]] = {
    "drops": lambda items: [{**one, "translation": re.sub("⟦1⟧", "", one["translation"])} for one in items],
    "merges": lambda items: [
        {**items[0], "translation": f"{items[0]['translation']} {items[1]['translation']}"}, *items[2:],
    ],
    "omits": lambda items: items[:-1],
    "swaps": lambda items: [
        {**one, "translation": one["translation"].replace("⟦1⟧", "¤").replace("⟦2⟧", "⟦1⟧").replace("¤", "⟦2⟧")}
        for one in items
    ],
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["app.json", "rails.yml", "de.po", "page.html", "talk.vtt", "shed.docx"])
def test_whatever_a_model_does_the_file_is_whole(name: str, wrong: Callable[[Items], Items], tmp_path: Path) -> None:
    result = translated(FIXTURES / name, "fr", wrong)
    assert not [one for one in result.segments if one.status == "failed"]
    copy = tmp_path / name
    copy.write_bytes(result.content)
    before, after = (opened(path, options=Options("fr", "en")) for path in (FIXTURES / name, copy))
    assert sorted(mark for one in after.segments for mark in one.keep) == sorted(
        mark for one in before.segments for mark in one.keep
    )


def test_fluent_gets_the_plural_forms_and_keeps_the_rest() -> None:
    source = (FIXTURES / "app.ftl").read_text()
    result = translated(FIXTURES / "app.ftl", "pl")
    assert not [one for one in result.segments if one.status == "failed"]
    assert "hello = Helloé, { $name }, andé welcomeé toé { -brand }!" in result.text
    boats = result.text.partition("boats =")[2].partition("shared")[0]
    assert re.findall(r"^ +(\*?\[\w+\])", boats, re.MULTILINE) == ["[0]", "[one]", "[few]", "[many]", "*[other]"]
    assert result.text.count("{ $count } boatsé") == 3
    same = [line for line in source.splitlines() if line in result.text.splitlines()]
    assert {"    .accesskey = S", "only = { $count }", "# $name is who is at work.", "    .gender = masculine"} <= {
        *same
    }


def test_fluent_is_updated_by_its_names(tmp_path: Path) -> None:
    new, old = tmp_path / "new.ftl", tmp_path / "pl.ftl"
    new.write_text("a = The harbour\nb = A new boat\n")
    old.write_text("b = Inna\na = Port\n")
    old.with_name("old.ftl").write_text("a = The harbour\nb = The boat\n")
    task = Translate(new, to="pl", from_="en", update=old, was=old.with_name("old.ftl"))
    assert scripted("Nowa").run(task).text == "a = Port\nb = Nowa\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = { $x", "the brace of line 1"),
        ("a = x\n  what is it\nb\n", "line 3 is neither"),
        ("a = { $x ->\n  [one] x\n}\n", "one default"),
        ("a = " + "{" * 500, "nested too deeply"),
    ],
)
def test_broken_fluent(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        opened(Text(text, "a.ftl", "fluent"), "fluent", Options("pl", "en"))
