"""A folder as a source: every file that the task can read, under the same path, whatever befalls the others."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Fail, ScriptedServer

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]


def model(body: Mapping[str, Any]) -> Any:
    """Each word with an ending."""
    said = str(body["messages"][-1]["content"])
    fenced = re.findall(r"<<<texts? (\w+)>>>\n(.*)\n<<<end of texts? \1>>>", said, re.DOTALL)[-1][1]
    if "response_format" not in body:
        return other(fenced)
    rows = re.findall(r"^id (\d+):\n(.*?)(?=\n\nid \d+:\n|\Z)", fenced, re.MULTILINE | re.DOTALL)
    return {"items": [{"id": key, "translation": other(text)} for key, text in rows]}


def other(text: str) -> str:
    return re.sub(r"[A-Za-z]{2,}", lambda word: f"{word[0]}en", text)


@pytest.fixture
def docs() -> Path:
    folder = Path("docs")
    for name, text in {
        "index.md": "# The page\n\nAll is well here.",  # no line end: none is added
        "guide/first.md": "The first page of the guide.\r\n",
        "guide/deep/last.txt": "The last page of the guide.\n",
        "picture.png": "\x89PNG",
        ".hidden/no.md": "Nobody sees this page.\n",
        ".no.md": "Nobody sees this page.\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("latin-1"))
    return folder


def tree(folder: str) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in Path(folder).rglob("*") if one.is_file())


def test_a_folder_is_mirrored(taskkit: Run, server: Server, docs: Path) -> None:
    ran = taskkit("translate", "docs", "--to", "de", "-o", "out/de", server=server(model))
    assert ran.code == 0, ran
    assert not ran.out
    assert "Left out, as files of other kinds: 1 (picture.png)." in ran.err
    assert tree("out/de") == ["guide/deep/last.txt", "guide/first.md", "index.md"]
    assert Path("out/de/index.md").read_bytes() == b"# Theen pageen\n\nAllen isen wellen hereen."
    assert Path("out/de/guide/first.md").read_bytes() == b"Theen firsten pageen ofen theen guideen.\r\n"


def test_one_bad_file_does_not_stop_the_others(taskkit: Run, server: Server, docs: Path) -> None:
    (docs / "a.md").write_bytes("Käse".encode("latin-1"))
    (docs / "empty.md").write_text("")
    there = server(lambda body: Fail(400, "odd") if "first" in json.dumps(body["messages"][-1]) else model(body))
    ran = taskkit("translate", "docs/", "--to", "de", "-o", "out", server=there)
    assert ran.code == 1
    assert tree("out") == ["guide/deep/last.txt", "index.md"]
    lines = [line for line in ran.err.splitlines() if line.startswith("taskkit: ")]
    assert [line.split(":")[1].strip() for line in lines] == ["docs/a.md", "docs/empty.md", "docs/guide/first.md"]
    assert "Traceback" not in ran.err


def test_what_was_written_stays_when_it_is_broken_off(taskkit: Run, server: Server, docs: Path) -> None:
    there = server(lambda body: Fail(401, "no") if "last page" in json.dumps(body) else model(body))
    ran = taskkit(
        "translate", "docs", "--to", "de", "-o", "out", "--concurrency", "1", "--memory", "m.tmx", server=there
    )
    assert ran.code == 3
    done = tree("out")
    assert "index.md" in done or "guide/first.md" in done or Path("m.tmx").exists()
    again = server(model)
    assert taskkit("translate", "docs", "--to", "de", "-o", "out", "--memory", "m.tmx", server=again).code == 0
    asked = json.dumps([body["messages"][-1] for body in again.bodies])
    assert "last page" in asked
    assert tree("out") == ["guide/deep/last.txt", "guide/first.md", "index.md"]


def test_the_results_are_no_sources(taskkit: Run, server: Server, docs: Path) -> None:
    for _ in range(2):
        assert taskkit("translate", "docs", "--to", "de", "-o", "docs/de", server=server(model)).code == 0
    assert tree("docs/de") == ["guide/deep/last.txt", "guide/first.md", "index.md"]
    ran = taskkit("translate", "docs", "--to", "de", "-o", "docs", server=server(model))
    assert ran.code == 2
    assert "is the source itself" in ran.err


def test_nothing_is_read_or_written_outside(taskkit: Run, server: Server, docs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("A secret of mine.")
    (docs / "leak.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "elsewhere").mkdir()
    (docs / "linked").symlink_to(tmp_path / "elsewhere")
    there = server(model)
    ran = taskkit("translate", "docs", "--to", "de", "-o", "out", server=there)
    assert ran.code == 0
    assert "Left out, as links out of the folder: 2 (leak.md, linked)." in ran.err
    assert "other kinds: 1 (picture.png)" in ran.err
    assert "secret" not in json.dumps(there.bodies)
    Path("other").mkdir()
    Path("other/guide").symlink_to(tmp_path / "elsewhere")
    ran = taskkit("translate", "docs", "--to", "de", "-o", "other", server=server(Fail(500, "nobody may ask")))
    assert ran.code == 2
    assert "leads out of other" in ran.err
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_update_of_a_folder_sends_what_has_changed(taskkit: Run, server: Server, docs: Path) -> None:
    argv = ("translate", "docs", "--to", "de", "-o", "de", "--update", "de", "--no-journal")
    assert taskkit(*argv, server=server(model)).code == 0
    assert "guide/first.md.lock" in tree("de")
    before = {name: Path("de", name).read_bytes() for name in tree("de")}
    (docs / "index.md").write_text("# The page\n\nAll is better here.")
    there = server(model)
    assert taskkit(*argv, server=there).code == 0
    assert len(there.bodies) == 1
    assert "better" in json.dumps(there.bodies[0])
    changed = [name for name in tree("de") if before[name] != Path("de", name).read_bytes()]
    assert changed == ["index.md", "index.md.lock"]


def test_a_shared_memory_carries_from_file_to_file(taskkit: Run, server: Server) -> None:
    Path("docs").mkdir()
    for n in range(7):
        Path(f"docs/{n}.md").write_text(f"The same words stand in all files.\n\nAnd some in number {n} alone.\n")
    there = server(model)
    argv = ("translate", "docs", "--to", "de", "-o", "de", "--memory", "m.tmx", "--no-journal")
    assert taskkit(*argv, server=there).code == 0
    assert sum("texts" in body["messages"][-1]["content"] for body in there.bodies) == 1
    again = server(Fail(500, "nobody may ask"))
    assert taskkit(*argv, server=again).code == 0
    assert not again.bodies
    Path("docs/late.md").write_text("Nobody has seen old Quillford yet.\n\nHe sails from here to Quillford.\n")
    assert taskkit(*argv, server=server(model)).code == 0
    Path("docs/later.md").write_text("When the winter came, all of us went to Quillford.\n")
    last = server(model)
    assert taskkit(*argv, server=last).code == 0
    assert len(last.bodies) == 1
    assert "Nobodyen hasen seenen olden Quillforden yeten." in last.bodies[-1]["messages"][-1]["content"]


def test_what_is_told_of_one_file_among_several_names_it(taskkit: Run, server: Server, docs: Path) -> None:
    (docs / "ships.md").write_text("We have 12 ships.\n")
    there = server(lambda body: json.loads(json.dumps(model(body)).replace("12", "13")))
    ran = taskkit("translate", "docs/", "--to", "de", "-o", "out/", server=there)
    assert any(line.startswith("Warning: docs/ships.md: To look at: 1 number.") for line in ran.err.splitlines()), (
        ran.err
    )
    Path("in.jsonl").write_text('"All is well."\n"We have 12 ships."\n')
    ran = taskkit("run", "summarise", "in.jsonl", server=server("We have 13 ships."))
    assert "Warning: line 2: Not found in the source: 13." in ran.err.splitlines()


def test_a_link_to_itself_stops_nothing(taskkit: Run, server: Server, docs: Path) -> None:
    (docs / "loop.md").symlink_to("loop.md")
    there = server(model)
    ran = taskkit("translate", "docs/", "--to", "de", "-o", "out/", server=there)
    assert ran.code == 0, ran.err
    assert "index.md" in tree("out")
    assert "links out of the folder: 1 (loop.md)" in ran.err
    ran = taskkit("summarise", "docs/loop.md", server=there)
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran.err


def test_a_report_and_a_plan_of_a_folder(taskkit: Run, server: Server, docs: Path) -> None:
    there = server(model)
    ran = taskkit("translate", "docs", "--to", "de", "--plan", server=there)
    assert ran.code == 0
    assert ran.out.count("strategy  1 text, 1 to translate in 1 batch") == 2
    assert "==> all 3 together <==\ncalls     3 to 4\ncost      $" in ran.out
    assert not there.bodies
    assert taskkit("translate", "docs", "--to", "de", "-o", "out", "--report", "report.md", server=there).code == 0
    report = Path("report.md").read_text()
    assert report.count("# docs/") == 3
    assert "2 segments: 2 translated." in report


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("translate", "none", "--to", "de"), "no file none"),
        (("translate", "bare", "--to", "de"), "no file that can be worked on"),
        (("summarise", "docs"), "docs is a folder"),
    ],
)
def test_folders_that_are_refused(argv: tuple[str, ...], words: str, taskkit: Run, server: Server, docs: Path) -> None:
    Path("bare").mkdir()
    ran = taskkit(*argv, server=server(Fail(500, "nobody may ask")))
    assert ran.code == 2
    assert words in ran.err


def test_documents_are_written_as_such_and_not_shown(taskkit: Run, server: Server) -> None:
    docx = pytest.importorskip("docx")
    for name in ("a.docx", "b.docx"):
        document = docx.Document()
        document.add_heading("The harbour")
        document.add_paragraph("All ships are ").add_run("safe").bold = True
        document.save(name)
    there = server(model)
    refused = taskkit("translate", "a.docx", "b.docx", "--to", "de", server=there)
    assert refused.code == 2
    assert "Give -o a file" in refused.err
    assert not there.bodies
    Path("out").mkdir()
    assert taskkit("translate", "a.docx", "b.docx", "--to", "de", "-o", "out", server=there).code == 0
    for name in ("a.docx", "b.docx"):
        told = docx.Document(f"out/{name}").paragraphs
        assert [one.text for one in told] == ["Theen harbouren", "Allen shipsen areen safeen"]
        assert [run.text for run in told[1].runs if run.bold] == ["safeen"]
