"""Words of texts and of questions."""

import pytest

from taskkit.knowledge import Document, KnowledgeBase
from taskkit.knowledge.lexical import chosen, indexed, terms, within


def test_common_words_of_the_question_are_left_out() -> None:
    assert terms("How are the expenses paid back?", "en") == ("expenses", "paid", "back")
    assert terms("Wie werden die Spesen bezahlt?", "de") == ("spesen", "bezahlt")
    assert terms("What is this?", "en") == ("what", "is", "this")


def test_scripts_without_spaces_go_in_pairs() -> None:
    assert indexed("报销单").split() == ["报销", "销单", "单"]
    assert terms("报销单", "zh") == ("报销", "销单")


def test_frequent_words_count_but_let_no_passage_in() -> None:
    frequencies = {"rare": 5, "some": 40, "frequent": 900, "everywhere": 2000, "half": 6000}
    words = (*frequencies, "nowhere")

    def ask(budget: int) -> tuple[list[str], list[str]]:
        return chosen(words, lambda word: frequencies.get(word, 0), 10_000, budget)

    scored, letting_in = ask(50)
    assert scored == ["rare", "some", "frequent", "everywhere"]
    assert letting_in == ["rare", "some"]
    assert ask(10_000) == (scored, [])
    assert ask(1)[1] == ["rare"]
    assert chosen(("half",), lambda _: 6000, 10_000, 50) == (["half"], [])
    assert chosen(("nowhere",), lambda _: 0, 10_000, 50) == ([], [])


def test_in_a_large_base_rare_words_lead_and_frequent_ones_still_count() -> None:
    with KnowledgeBase("h.kb") as base:
        many = [Document(f"m{n}", f"Copper and winter {n}.", metadata={"n": n}) for n in range(1500)]
        more = [Document(f"t{n}", f"Timber {n}.", metadata={"n": -1}) for n in range(5500)]
        few = [Document("v", "A valley of copper."), Document("o", "A valley of orchards."), Document("e", "Empty.")]
        base.add([*many, *more, *few])
        (first, second) = base.search("copper valley", 2)
        assert (first.passage.document, second.passage.document) == ("v", "o")
        found = base.search("copper valley timber 77", where={"n": {"$gte": 0}})
        assert found[0].passage.document == "m77"
        assert all(hit.passage.document.startswith("m") for hit in found)


@pytest.mark.parametrize("question", ['"', "a OR", "NEAR(x)", "text:copper", "*", "col^2 - (", "'; DROP TABLE words"])
def test_no_question_is_syntax(question: str) -> None:
    with KnowledgeBase("h.kb") as base:
        base.add(Document("a", "Copper and text, near a table of words."))
        assert [hit.passage.document for hit in base.search(question)] == ["a"]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Versicherung", "Der Krankenversicherungsbeitrag wird vom Lohn abgezogen, und das ist so."),
        ("Beiträge", "Der Krankenversicherungsbeitrag wird vom Lohn abgezogen, und das ist so."),
        ("Muller", "Bei Frau Müller ist der Schlüssel."),
        ("Strasse", "Das Haus in der Straße ist alt."),
        ("retries", "Set `max_retries` in the file."),
        ("max_retries", "Set `max_retries` in the file."),
        ("retryPolicy", "A RetryPolicy says when."),
        ("server", "An HTTPServer listens there."),
        ("HTTPServer", "An HTTPServer listens there."),
        ("os.path.join", "Paths are put together by os.path.join alone."),
        ("path", "Paths are put together by os.path.join alone."),
        ("เบิกค่าใช้จ่าย", "พนักงานเบิกค่าใช้จ่ายได้ทุกวันศุกร์"),
        ("払い戻し", "経費は毎月払い戻しされます。"),
        ("환급", "경비는 매달 환급됩니다."),
    ],
)
def test_words_are_found_in_every_form(place: str, asked: str, text: str) -> None:
    with KnowledgeBase(place) as base:
        base.add([Document("right", text), Document("wrong", "Das ist der Weizen, und die Gerste ist auf dem Feld.")])
        (first, *_) = base.search(asked)
        assert first.passage.document == "right"
        assert first.lexical is not None


def test_compounds_stand_in_only_for_words_that_no_passage_has(place: str) -> None:
    with KnowledgeBase(place) as base:
        base.add(
            [
                Document("whole", "Die Versicherung ist teuer, und das ist so."),
                Document("part", "Der Krankenversicherungsbeitrag ist hoch, und das ist so."),
            ]
        )
        hits = {hit.passage.document: hit.lexical for hit in base.search("Versicherung")}
        assert hits["whole"] is not None
        assert hits["part"] is None
        base.add(Document("more", "Die Haftpflichtversicherung ist teuer, und das ist so."))
        hits = {hit.passage.document: hit.lexical for hit in base.search("Haftpflicht")}
        assert hits["more"] is not None


def test_a_part_is_looked_for_within_whole_lines() -> None:
    known = "krankenversicherungsbeitrag\nversicherungen\nweizen\n"
    assert within("Versicherung", known) == ("versicherungen", "krankenversicherungsbeitrag")
    assert within("Beiträge", known) == ("krankenversicherungsbeitrag",)
    assert within("en", known) == within("", known) == within("xyzxyz", known) == within("wort", "") == ()
