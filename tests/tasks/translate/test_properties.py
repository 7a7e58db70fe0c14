"""Any document, any translation: it is read back as it was meant, and nothing else has changed."""

import csv
import io
import json
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.source import Text
from taskkit.tasks.translate.formats import Opened, Options, opened
from taskkit.tasks.translate.patterns import CHOICE
from taskkit.tasks.translate.segments import Segment

QUICK = settings(max_examples=25, deadline=None)
LETTERS = st.characters(codec="utf-8", exclude_characters="\0\ufeff")
STRINGS = st.text(LETTERS, max_size=30) | st.sampled_from(
    [
        "{n, plural, one {# day} other {# days}}",
        'it\'s "so" \\ <b>&amp;</b>',
        "- a: b # c",
        "two\nlines",
        " édge ",
        "12",
        "no",
    ]
)
PRINTED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"], exclude_characters="\ufeff"),
    min_size=1, max_size=40,
).map(lambda text: " ".join(text.split()) or "x")  # fmt: skip
TARGETS = st.lists(PRINTED, min_size=1, max_size=2).map(lambda lines: "\n".join(lines).lstrip("=@+ \n") or "x")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)


def document(text: str, form: str) -> Opened:
    return opened(Text(text, f"file.{form}", form), form, Options(to="pl", from_="en"))


def same(source: Opened) -> bool:
    return source.written({one: one.current for one in source.segments}).text == source.text


def plain(source: Opened) -> list[Segment]:
    return [one for one in source.segments if one.kind != "branch"]


@QUICK
@given(VALUES, st.booleans(), st.sampled_from([None, 2]), PRINTED)
def test_json(value: Any, ascii_only: bool, indent: int | None, target: str) -> None:
    text = json.dumps({"all": value}, ensure_ascii=ascii_only, indent=indent)
    source = document(text, "json")
    assert same(source)
    written = source.written(dict.fromkeys(plain(source), target))
    assert not written.kept
    assert shape(json.loads(written.text)) == shape(json.loads(text))
    again = document(written.text, "json")
    assert [one.text for one in plain(again)] == [target] * len(plain(source))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


@QUICK
@given(VALUES, st.sampled_from([None, "'", '"', "|", ">"]), st.booleans(), PRINTED)
def test_yaml(value: Any, style: Any, flow: bool, target: str) -> None:
    text = yaml.safe_dump({"all": value}, default_style=style, default_flow_style=flow, allow_unicode=True)
    source = document(text, "yaml")
    assert same(source)
    written = source.written(dict.fromkeys(plain(source), target))
    assert not written.kept
    assert [" ".join(one.text.split()) for one in plain(document(written.text, "yaml"))] == [target] * len(
        plain(source)
    )


@QUICK
@given(st.lists(st.tuples(STRINGS, STRINGS, STRINGS), max_size=5), st.sampled_from(",;\t"), st.booleans(), TARGETS)
def test_csv(rows: list[tuple[str, ...]], delimiter: str, quoted: bool, target: str) -> None:
    made = io.StringIO()
    table = csv.writer(made, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    table.writerows([("text", "other", "more"), *rows, ("last", "", "")])
    source = document(made.getvalue(), "csv")
    assert same(source)
    written = source.written(dict.fromkeys(source.segments, target))
    assert not written.kept
    read = list(csv.reader(io.StringIO(written.text, newline=""), delimiter=delimiter))
    assert [row[1:] for row in read] == [
        row[1:] for row in csv.reader(io.StringIO(made.getvalue(), newline=""), delimiter=delimiter)
    ]
    assert [row[0].strip() for row in read[1:] if row[0].strip()] == [target.strip()] * len(source.segments)


@QUICK
@given(st.lists(st.tuples(STRINGS, STRINGS, st.booleans()), max_size=5), STRINGS, st.booleans())
def test_po(entries: list[tuple[str, str, bool]], target: str, crlf: bool) -> None:
    def said(text: str) -> str:
        return json.dumps(text.replace("/", " "), ensure_ascii=False).replace("\\u", "\\\\u").replace("\x7f", "")

    lines = ['msgid ""', 'msgstr "Plural-Forms: nplurals=3; plural=n%10==1 ? 0 : n>1 ? 1 : 2;\\n"', ""]
    for number, (text, there, plural) in enumerate(entries):
        lines += [f"msgctxt {said(str(number))}", f"msgid {said(text)}"]
        lines += [f"msgid_plural {said(text)}", f"msgstr[0] {said(there)}"] if plural else [f"msgstr {said(there)}"]
        lines.append("")
    source = document(("\r\n" if crlf else "\n").join(lines), "po")
    assert same(source)
    target = target.strip() or "x"
    texts = [one for one in plain(source) if not CHOICE.search(one.text)]
    written = source.written(dict.fromkeys(texts, target))
    assert not written.kept
    again = [one.target for one in plain(document(written.text, "po")) if not CHOICE.search(one.text)]
    assert again == [target] * len(texts)


@QUICK
@given(st.lists(PRINTED, min_size=1, max_size=5), st.sampled_from(["srt", "vtt"]), st.booleans(), PRINTED)
def test_subtitles(cues: list[str], form: str, crlf: bool, target: str) -> None:
    head = "WEBVTT\n\n" if form == "vtt" else ""
    safe = [cue.replace("-->", "").replace("<", "").replace("&", "") or "x" for cue in cues]
    blocks = [f"{number}\n00:0{number}:00.000 --> 00:0{number}:01.000\n{cue}\n" for number, cue in enumerate(safe, 1)]
    text = (head + "\n".join(blocks)).replace("\n", "\r\n" if crlf else "\n")
    source = document(text, form)
    assert same(source)
    written = source.written(dict.fromkeys(source.segments, target))
    times = [line for line in text.splitlines() if " --> " in line]
    assert [line for line in written.text.splitlines() if " --> " in line and line[:3] == "00:"] == times


@QUICK
@given(st.lists(PRINTED, min_size=1, max_size=4), PRINTED)
def test_html(texts: list[str], target: str) -> None:
    from html import escape

    body = "\n".join(f'<p title="{escape(text)}">{escape(text)} <b>and</b> more</p>' for text in texts)
    source = document(f"<!doctype html>\n<body>{body}</body>", "html")
    assert same(source)
    marked = {one: f"{target} <b>{target}</b>" if "<b>" in one.keep else target for one in source.segments}
    written = source.written(marked)
    again = document(written.text, "html")
    assert written.text.count("<p title=") == len(texts)
    assert len(again.segments) == len(source.segments)


FLUENT = st.lists(
    st.sampled_from(
        ["plain words", "{ $name }", "{ -brand }", '{ "{" }', 'D { DATETIME($d, month: "long") }', "it's [so] *x .y", "ü"]
    ),
    min_size=1, max_size=4,
).map(" ".join)  # fmt: skip


@QUICK
@given(st.lists(st.tuples(FLUENT, FLUENT, st.integers(0, 3)), min_size=1, max_size=4), st.booleans(), PRINTED)
def test_fluent(messages: list[tuple[str, str, int]], crlf: bool, target: str) -> None:
    forms = (
        "m{n} = {one}\n    .title = {two}\n",
        "m{n} =\n    {one} x\n\n    and {two}\n# about it\n",
        "m{n} = {{ $n ->\n    [one] {one}\n   *[other] {two}\n  }}\n\n",
        "m{n} = before {{ $s ->\n  [a] {one}\n *[b] {two}\n}} after\n-t{n} = {one}\n",
    )
    text = "".join(forms[form].format(n=n, one=one, two=two) for n, (one, two, form) in enumerate(messages))
    text = text.replace("\n", "\r\n") if crlf else text
    source = document(text, "fluent")
    assert same(source)
    said = f"Ź{target}".replace("{", "(").replace("}", ")")
    targets = {one: " ".join([said, *one.keep]) for one in source.segments}
    written = source.written(targets)
    assert not written.kept
    again = document(written.text, "fluent")
    assert [one.text for one in again.segments] == [targets[one] for one in source.segments]
    assert re.findall(r"^-?\w+ =|\.title =", written.text, re.MULTILINE) == re.findall(
        r"^-?\w+ =|\.title =", text, re.MULTILINE
    )
    assert same(again)
