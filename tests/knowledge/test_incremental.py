"""What is embedded again after a change, and what is gone from every index."""

import math
from pathlib import Path

import pytest

from taskkit.errors import ConfigurationError
from taskkit.knowledge import Document, KnowledgeBase
from tests.knowledge.made import Told, chapter, pages


def test_one_paragraph_of_500_documents(place: str, tmp_path: Path) -> None:
    count = 500 if place == "h.kb" else 60
    folder, embedder = pages(tmp_path / "pages", count, chapter), Told(batch=100)
    with KnowledgeBase(place, embedder=embedder) as base:
        assert base.sync(folder).embedded == 3 * count
        (folder / "page-7.md").write_text(chapter(7, "juniper"))
        changed = base.sync(folder)
        assert (changed.changed, changed.embedded, embedder.texts[-1].count("juniper")) == (1, 1, 1)
        assert base.search("juniper")[0].passage.document == "page-7.md"
        assert base.stats().passages == 3 * count

        (folder / "page-7.md").rename(folder / "moved.md")
        assert base.sync(folder).embedded == 0
        assert base.search("juniper")[0].passage.document == "moved.md"

        (folder / "page-8.md").write_text((folder / "moved.md").read_text())
        (folder / "moved.md").unlink()
        taken = base.sync(folder)
        assert (taken.embedded, taken.removed) == (0, 1)
        assert [hit.passage.document for hit in base.search("juniper", k=1)] == ["page-8.md"]

        (folder / "page-8.md").unlink()
        assert base.sync(folder).removed == 1
        found = base.search("juniper", k=count)
        assert all(hit.passage.document != "page-8.md" for hit in found)
        assert base._store.by_words(("juniper",), 10) == {}
        assert base.stats().passages == 3 * (count - 2)
        assert base.verify() == []


def test_an_interrupted_add_goes_on_where_it_stopped(place: str) -> None:
    many = [Document(f"d{number}", f"Text {number}.") for number in range(30)]
    with (
        KnowledgeBase(place, embedder=Told(left=16)) as base,
        pytest.raises(ConfigurationError, match="failed: OSError: the embedder died"),
    ):
        base.add(many)
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.add(many).embedded == 14
        assert base.verify() == []


def test_what_work_awaits_is_not_compacted(place: str) -> None:
    """An add and a reindex have their vectors, but not yet their passages, when somebody else tidies up."""
    many = [Document(f"d{number}", f"Text {number}.") for number in range(40)]
    with KnowledgeBase(place, embedder=Told()) as other:

        class Tidied(Told):
            async def embed(self, texts):
                if len(self.texts) == 24:
                    assert (other.stats().unused, other.stats().awaited) == (24, 24)
                    assert other.compact() == 0
                return await super().embed(texts)

        told, anew = Tidied(), Tidied("wide")
        with KnowledgeBase(place, embedder=told) as base:
            base.add(many)
            base.reindex(embedder=anew)
            assert base.verify() == []
            assert len(told.texts) == len(anew.texts) == base.stats().passages == base.stats().vectors == 40
            assert (base.stats().unused, base.stats().awaited) == (0, 0)


def test_what_was_embedded_before_it_was_broken_off_is_not_compacted(place: str) -> None:
    many = [Document(f"d{number}", f"Text {number}.") for number in range(40)]
    with KnowledgeBase(place, embedder=Told(left=24)) as base:
        with pytest.raises(ConfigurationError, match="the embedder died"):
            base.add(many)
        assert base.compact() == 0
    with KnowledgeBase(place, embedder=Told()) as base:
        assert base.add(many).embedded == 16
        base.remove("d7")
        assert (base.stats().unused, base.stats().awaited, base.compact()) == (1, 0, 1)


def test_what_is_compacted_meanwhile_is_embedded_again(place: str) -> None:
    """An add relies on vectors of texts that went, when somebody else tidies up."""
    many = [Document(f"d{number}", f"Text {number}.") for number in range(41)]
    with KnowledgeBase(place, embedder=Told()) as other:

        class Tidied(Told):
            async def embed(self, texts):
                if not self.texts:
                    other.compact()
                return await super().embed(texts)

        other.add(many[:40])
        for one in many[:40]:
            other.remove(one.name)
        with KnowledgeBase(place, embedder=Tidied()) as base:
            base.add(many)
            assert base.verify() == []
            assert base.stats().passages == base.stats().vectors == 41


@pytest.mark.parametrize("precision", [None, "int8"])
def test_all_is_embedded_anew_in_one_step(place: str, precision: str | None) -> None:
    if precision and place != "h.kb":
        pytest.skip("PostgreSQL keeps halves")
    many = [Document(f"d{number}", f"Text {number} of copper.", title="On copper") for number in range(40)]
    told: list[tuple[int, int]] = []
    with KnowledgeBase(place, embedder=Told()) as base, KnowledgeBase(place, embedder=Told()) as other:
        base.add(many)
        before = other.search("Text 3", k=3)
        with pytest.raises(ConfigurationError, match="failed: OSError: the embedder died"):
            base.reindex(embedder=Told("wide", left=24), precision=precision)
        assert base.verify() == []
        assert other.search("Text 3", k=3) == before
        wide = Told("wide")
        assert base.reindex(embedder=wide, precision=precision, progress=lambda *at: told.append(at[:2])) == 16
        assert told[-1] == (40, 40)
        stats = base.stats()
        assert (stats.width, stats.vectors, stats.unused) == (24, 40, 0)
        assert stats.embedder == ("wide int8" if precision else "wide")
        (hit, *_) = base.search("On copper\nText 3 of copper.", k=1)
        assert hit.passage.document == "d3"
        assert hit.dense is not None
        assert math.isclose(hit.dense, 1, abs_tol=0.02)
        assert base.add(many).embedded == 0
        assert base.reindex() == 0
        with pytest.raises(Exception, match="made anew"):
            other.search("Text 3")
        with pytest.raises(Exception, match="made anew"):
            other.add(Document("new", "New."))
    with KnowledgeBase(place, embedder=Told("wide"), precision=precision) as base:
        assert base.search("Text 3")


def test_an_embedder_that_gives_other_widths_is_refused(place: str) -> None:
    with KnowledgeBase(place, embedder=Told("wide")) as base:
        base.add(Document("a", "Words."))
    narrow = Told()
    narrow.name = "wide"

    async def embed(texts):
        return (await Told.embed(narrow, texts))[:, :8]

    narrow.embed = embed  # type: ignore[method-assign]
    with KnowledgeBase(place, embedder=narrow) as base, pytest.raises(Exception, match=r"24.*anew from its documents"):
        base.add(Document("b", "Other words."))


def test_what_was_emptied_goes_out_and_what_can_be_read_no_more_stays_and_is_told(place: str, tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 3)
    (folder / "a.html").write_text("<p>Of amber.</p>")
    (folder / "b.html").write_text("<p>Of basalt.</p>")
    with KnowledgeBase(place, embedder=Told()) as base:
        base.sync(folder)
        (folder / "page-0.md").write_text(" \n")
        (folder / "a.html").write_text("<p> </p>")
        (folder / "b.html").write_text("")
        (folder / "page-1.md").write_bytes(b"\x00\x01binary" * 99)
        report = base.sync(folder)
        told = {one.file: one.reason for one in report.skipped}
        assert told["page-1.md"].endswith("; the base keeps what it had of it")
        gone = {"page-0.md", "a.html", "b.html"}
        assert all(told[one].endswith("; nothing of its text is in the base") for one in gone)
        assert {one.name for one in base.list() if not one.passages} == gone
        assert (report.changed, report.removed, base.stats().passages) == (3, 0, 2)
        assert gone.isdisjoint(hit.passage.document for hit in base.search("copper amber basalt", k=9))
        assert (base.sync(folder).changed, base.verify()) == (0, [])


def test_a_file_that_was_empty_for_a_while_keeps_its_labels(place: str, tmp_path: Path) -> None:
    wages = tmp_path / "wages.md"
    with KnowledgeBase(place, embedder=Told()) as base:
        for text, access in (("Band 7 begins here.", {"team": "hr"}), ("", None), ("Band 8 begins here.", None)):
            wages.write_text(text)
            base.add(wages, access=access)
        assert base.search("band") == []
        assert [hit.passage.text for hit in base.search("band", allow={"team": "hr"})] == ["Band 8 begins here."]


def test_of_what_is_not_wanted_nothing_is_told(tmp_path: Path) -> None:
    folder = pages(tmp_path / "pages", 2)
    (folder / "gone.md").symlink_to("nowhere")
    with KnowledgeBase("h.kb", embedder=Told()) as base:
        assert base.sync(folder, include=["page-*"]).skipped == ()
        assert [one.file for one in base.sync(folder, include=["gone.md"]).skipped] == ["gone.md"]
