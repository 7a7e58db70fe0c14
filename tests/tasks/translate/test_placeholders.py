"""What no translation may lose: every class of placeholder is one mark, and what a model does to it is seen."""

import pytest

from taskkit.source import Text
from taskkit.tasks.translate.formats import Options, opened
from taskkit.tasks.translate.formats.subtitles import JOINT
from taskkit.tasks.translate.mask import mask
from taskkit.tasks.translate.segments import Plural, Problem, Prose, Segment
from taskkit.tasks.translate.units import Unit, taken, units
from taskkit.tasks.translate.verify import Wanted, verified

CLASSES: list[tuple[Prose, str]] = [
    *(("string", one) for one in (
        "%s", "%d", "%.2f", "%ld", "%(name)s", "%1$s", "%@", "{}", "{0}", "{0:.2f}", "{name}", "{{name}}", "{{ name }}",
        "%{name}", "${VAR}", "$HOME", "#{name}", "{ $user }", "{ -brand }", "{n, number}", "{d, date, short}", "$t(a.b)",
        "@:menu.open", "$USER$", "$1", "%<n>05d", ":count", "<b>", "</b>", "<br/>", "<kbd>Ctrl</kbd>", "&nbsp;",
        "https://x.org/a?b=1", "me@x.org", "Acme", "<0>", "</12>", "<1/>", "<2 />", "%zu", "%hhd", "%jd", "%p", "%'d", "%1",
        "%L2", "%1%", "%Y", "%-d", "{{{raw}}}", "${{ a.b }}", "<%= name %>", "{n, plural, one {# x} other {# {x} y}}",
    )),
    *(("text", one) for one in ("{\\an8}", "<v Mary Ann>", "<c.loud>", "<00:01.500>", "<i>", "https://x.org", "Acme")),
    *(("markdown", one) for one in ("`code`", "``a`b``", "[^1]", "<https://x.org>", "\\*", "{{< note >}}", "$a_1$")),
]  # fmt: skip


@pytest.mark.parametrize(("prose", "token"), CLASSES, ids=lambda value: value)
def test_each_class_is_one_mark(prose: Prose, token: str) -> None:
    masked = mask(f"Take {token} with you", prose, ("Acme",))
    assert masked.tokens == (token,)
    assert masked.text == "Take ⟦1⟧ with you"


@pytest.mark.parametrize(
    "text",
    [
        "100% sure",
        "50 % done",
        "A & B",
        "5 < 6",
        "It's {",
        "at 10:30",
        "a_b",
        "Note: this",
        "a <5 and b >3",
        "5 %, 7 %.",
        "10%",
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert mask(text, "string").tokens == ()


def errors(problems: tuple[Problem, ...]) -> list[str]:
    return [one.code for one in problems if one.severity == "error"]


def unit(text: str, prose: Prose = "string", plural: Plural | None = None) -> Unit:
    (one,) = units([Segment("s1", 0, len(text), text, text, kind="string", plural=plural)], prose)
    return one


def test_a_model_that_writes_the_placeholder_itself_is_understood() -> None:
    target, problems = taken(unit("Dear %(name)s, open {0}"), "Liebe %(name)s, öffne ⟦2⟧", "de")
    assert target == "Liebe %(name)s, öffne {0}"
    assert not errors(problems)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Lieber, öffne ⟦2⟧ und {1}", "token_missing"),
        ("Lieber ⟦1⟧, öffne ⟦2⟧ ⟦2⟧ und ⟦3⟧", "token_duplicated"),
        ("Lieber ⟦1⟧, öffne ⟦2⟧ und ⟦3⟧ ⟦7⟧", "token_invented"),
        ("Lieber ⟦1⟧, öffne ⟦2⟧, ⟦3⟧ und %s", "placeholder"),
    ],
)
def test_what_is_wrong_is_said(answer: str, code: str) -> None:
    _, problems = taken(unit("Dear %(name)s, open {0} and {1}"), answer, "de")
    assert errors(problems)[:1] == [code]


def test_numbered_ones_that_change_places_are_reported() -> None:
    target, problems = taken(unit("Copy {0} over {1}"), "Über ⟦2⟧ kopiere ⟦1⟧", "de")
    assert target == "Über {1} kopiere {0}"
    assert [(one.code, one.severity) for one in problems] == [("token_swapped", "warning")]


def test_those_filled_by_position_may_not_change_places() -> None:
    _, problems = taken(unit("Copy %s over %d"), "Über ⟦2⟧ kopiere ⟦1⟧", "de")
    assert errors(problems)


def test_only_a_plural_form_may_leave_out_its_number() -> None:
    two = Plural(2, 6, "two", (2,))
    assert not errors(taken(unit("%d files of {name}", plural=two), "ملفان ⟦2⟧", "ar")[1])
    assert errors(taken(unit("%d files of {name}", plural=two), "⟦1⟧ ملفات", "ar")[1])
    assert errors(taken(unit("%d files of {name}"), "ملفان ⟦2⟧", "ar")[1])


def test_a_tag_that_is_closed_wrongly_is_seen() -> None:
    one = unit("A <b>bold</b> and <i>thin</i> word", "text")
    assert errors(taken(one, "Ein ⟦2⟧fettes⟦1⟧ und ⟦3⟧dünnes⟦4⟧ Wort", "de")[1])
    assert not errors(taken(one, "Ein ⟦3⟧dünnes⟦4⟧ und ⟦1⟧fettes⟦2⟧ Wort", "de")[1])


@pytest.mark.parametrize(
    ("source", "good", "bad"),
    [("&Open file", "Datei ö&ffnen", "Datei öffnen"), ("_Save", "_Speichern", "Speichern"), ("E_xit", "_Ende", "Ende")],
)
def test_a_shortcut_stays_a_shortcut(source: str, good: str, bad: str) -> None:
    assert not errors(taken(unit(source), good, "de")[1])
    assert errors(taken(unit(source), bad, "de")[1])


def test_subtitles_are_measured() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nHello there, my friend\n\n2\n00:00:02,100 --> 00:00:04,000\nof old.\n"
    source = opened(Text(text, "x.srt"), options=Options("de"))
    (one,) = units(source.segments, source.format.prose)
    assert errors(taken(one, "Hallo ⟦1⟧", "de")[1])
    assert not taken(one, "Hallo, mein Freund ⟦1⟧ von früher", "de")[1]
    assert not [*verified(one.first, f"Hallo, mein Freund {JOINT} von früher", Wanted("de"))]
    long = f"Ich grüße dich von ganzem Herzen, mein lieber guter Freund {JOINT} aus den alten Zeiten."
    assert [problem.code for problem in verified(one.first, long, Wanted("de"))] == ["length"]
