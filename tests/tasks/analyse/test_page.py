"""The report: in characters, and as a page that holds whatever texts and labels say."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.rows import as_jsonl
from taskkit.tasks.analyse import Analyse, Evidence, Item
from taskkit.tasks.analyse.page import stretches
from taskkit.testing import scripted
from tests.tasks.analyse.test_labels import judged

EVIL = '</mark></div><script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }} {% raw %} &amp; \' " `'
LABEL = 'this <b onclick="x">"bad" & worse</b>'


class Page(HTMLParser):
    """Its tags with their attributes, the text of its marks, and all its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marks: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append("text" if dict(attrs).get("class") == "text" else tag)
        if tag == "mark":
            self.marks.append("")
        if self.open[-1:] == ["text"]:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() in {tag, "text"}

    def handle_data(self, data: str) -> None:
        if "mark" in self.open:
            self.marks[-1] += data
        if "text" in self.open:
            self.texts[-1] += data


def item(label: str, start: int, end: int, text: str) -> Item:
    return Item(label=label, evidence=Evidence(quote=text[start:end], start=start, end=end, status="exact"))


def test_hostile_texts_and_labels_stay_text() -> None:
    text = f"It is {EVIL} indeed"
    result = scripted(judged(LABEL, EVIL[:40])).run(Analyse(text, labels=(LABEL,)))
    html = result.report()
    page = Page(html)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "b", "link", "iframe"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.texts == [text]
    assert page.marks == [EVIL[:40]]
    assert "49" not in page.texts[0]
    assert not {"src", "href", "srcset", "style"} & {name for _, attributes in page.tags for name in attributes}
    assert not re.search(r"url\(|@import|https?:", html)
    assert not page.open


def test_a_table_as_a_page(reader: Any) -> None:
    rows = [{"text": f"{n} It is {'good' if n % 3 else EVIL}", "shop": ("north", EVIL)[n % 2]} for n in range(12)]
    Path("r.jsonl").write_text(as_jsonl(rows))
    engine = scripted(reader(lambda text: judged("praise" if "good" in text else "complaint", "It is")))
    result = engine.run(Analyse(Path("r.jsonl"), column="text", labels=("praise", "complaint"), by="shop"))
    page = Page(result.report())
    assert page.texts == [row["text"] for row in rows]
    assert page.marks == ["It is"] * 12
    assert ("script", {}) not in page.tags
    assert {f"row-{n}" for n in range(1, 13)} == {one.get("id") for tag, one in page.tags if tag == "article"}


def test_of_very_many_rows_some_of_each_kind_are_shown_and_all_are_counted(reader: Any) -> None:
    texts = [f"{n} It is {('good', 'bad')[n % 900 == 899]}{EVIL if n % 2 else ''}" for n in range(3000)]
    Path("r.jsonl").write_text(as_jsonl([*({"text": one} for one in texts), {"text": ""}]))
    engine = scripted(reader(lambda text: judged("praise" if "good" in text else "complaint", text[:8])))
    result = engine.run(Analyse(Path("r.jsonl"), column="text", labels=("praise", "complaint")))
    html = result.report()
    page = Page(html)
    assert len(page.texts) == 200
    assert "2,801 of the 3,001 rows are not shown" in html
    assert re.search(r"praise</td><td class=.n.>2,997<", html)
    assert [one[:4].strip() for one in page.texts if "bad" in one] == ["899", "1799", "2699"]
    assert "has no text in" in html
    ids = {one["id"] for tag, one in page.tags if tag == "article"}
    links = {str(one["href"])[1:] for tag, one in page.tags if tag == "a"}
    assert links
    assert links <= ids
    assert len(html) < 400_000
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert str(result.as_file(".csv")).count("It is") >= 3000
    assert len(str(result.as_file(".jsonl")).splitlines()) == 3001


def test_of_very_many_findings_the_list_ends(reader: Any) -> None:
    text = " ".join(f"name{n}" for n in range(400))
    names = [{"label": "person", "evidence": f"name{n}"} for n in range(400)]
    html = scripted({"items": names}).run(Analyse(text, kind="entities")).report()
    assert len(Page(html).marks) == 400
    assert html.count("<li>") == 100
    assert "and 300 more" in html


def test_findings_that_overlap_in_any_script() -> None:
    text = "東京の👩🏽‍🚀 says Grüße"
    items = [item("a", 0, 7, text), item("b", 3, 12, text), item("c", 3, 5, text), item("a", 0, 2, text)]
    found = stretches(text, items)
    assert "".join(one.text for one in found) == text
    assert [("".join(i.label for i in one.items), one.text) for one in found] == [
        ("aa", text[0:2]), ("a", text[2:3]), ("abc", text[3:5]), ("ab", text[5:7]), ("b", text[7:12]), ("", text[12:]),
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab é漢👩\u200d\n", max_size=30), st.lists(st.tuples(st.integers(0, 35), st.integers(0, 35)), max_size=8)
)
def test_every_character_is_shown_once_with_its_findings(text: str, spans: list[tuple[int, int]]) -> None:
    items = [item(str(n), min(span), max(span), text) for n, span in enumerate(spans)]
    found = stretches(text, items)
    assert "".join(one.text for one in found) == text
    at = 0
    for one in found:
        for place in range(at, at + len(one.text)):
            here = [i for i in items if i.evidence and i.evidence.start <= place < i.evidence.end]
            assert [i.label for i in one.items] == [
                i.label for i in sorted(here, key=lambda i: i.evidence.start if i.evidence else 0)
            ]
        at += len(one.text)


def test_the_report_on_a_terminal(reader: Any) -> None:
    rows = [
        {"text": f"{'很好，好' if n % 4 else 'It broke'} {n}", "shop": ("north", "south")[n % 2]} for n in range(40)
    ]
    Path("r.jsonl").write_text(as_jsonl([*rows, {"text": ""}]))
    engine = scripted(reader(lambda text: judged("praise" if "好" in text else "complaint", text[:8])))
    said = str(engine.run(Analyse(Path("r.jsonl"), column="text", labels=("praise", "complaint", "x"), by="shop")))
    assert said.startswith("41 rows, 1 of them failed")
    assert re.search(r"praise +30 +75% +很好，好", said)
    assert re.search(r"complaint +10 +25% +It broke", said)
    assert re.search(r"north +south", said)
    assert re.search(r"complaint +10 +0", said)
    assert "Row 41: The row has no text in 'text'." in said
    assert max(map(len, said.splitlines())) <= 100
