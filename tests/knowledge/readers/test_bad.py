"""What can not be read is told by file and reason, and nothing else is lost by it."""

import json
import os
import select
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from taskkit.errors import InputError
from taskkit.knowledge import KnowledgeBase
from taskkit.knowledge.read import documents, find
from taskkit.knowledge.readers.apart import Apart, begun_by
from taskkit.knowledge.records import Skipped

BILLION = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' +
    "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)) + "]><l>&j;</l>"
)  # fmt: skip
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><document><p><t>&a;</t></p></document>'
)
MAIN = "word/document.xml"


def reason(path: Path) -> str:
    ((found, _),) = documents(find(path))
    assert isinstance(found, Skipped), found
    assert found.file == path.name
    return found.reason


def packed(path: Path, parts: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def bomb(path: Path, part: str, size: int = 220_000_000) -> Path:
    """Some hundred thousand bytes, which unpack to so many."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(part, "w", force_zip64=True) as file:
        file.write(b"<document>")
        for _ in range(size // 1_000_000):
            file.write(b"<p><t>a</t></p>" + b" " * 999_985)
        file.write(b"</document>")
    return path


def lying(path: Path, part: str) -> Path:
    """A bomb that says of its part that it has a hundred bytes."""
    bomb(path, part, 20_000_000)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, at + 24, 100)
    path.write_bytes(data)
    return path


def test_damaged_files_of_every_kind(files: Path, makers: Any) -> None:
    kinds = ("pdf", "docx", "pptx", "epub")
    for kind in kinds:
        makers[kind](files / f"whole.{kind}", "Words.")
        data = (files / f"whole.{kind}").read_bytes()
        (files / f"cut.{kind}").write_bytes(data[: len(data) // 3])
        (files / f"noise.{kind}").write_bytes(os.urandom(2_000))
        (files / f"empty.{kind}").write_bytes(b"")
    packed(files / "other.docx", {"readme.txt": "no document"})
    packed(files / "broken.docx", {MAIN: "<document><p>"})
    (files / "list.ipynb").write_text("[]")
    (files / "half.ipynb").write_text('{"cells": [')
    (files / "none.eml").write_text("only text")
    (files / "scan.epub").write_bytes(b"PK\5\6" + b"\0" * 18)
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
        assert {row.name for row in base.list()} >= {f"whole.{kind}" for kind in kinds if kind != "pdf"}
    told = {one.file: one.reason for one in report.skipped}
    for kind in kinds:
        assert {f"noise.{kind}", f"empty.{kind}"} <= set(told), told
        assert f"whole.{kind}" not in told
        assert kind == "pdf" or f"cut.{kind}" in told  # of a PDF what is left may be read
    assert {"other.docx", "broken.docx", "list.ipynb", "half.ipynb", "none.eml", "scan.epub"} <= set(told)
    assert all(one and "\n" not in one and "Traceback" not in one and len(one) < 400 for one in told.values())


def test_zip_bombs_are_left_unopened(files: Path) -> None:
    assert "unpacks to more than 200 MB" in reason(bomb(files / "bomb.docx", MAIN))
    assert "damaged" in reason(lying(files / "lies.docx", MAIN))
    inner = bomb(files / "inner.zip", MAIN, 10_000_000)
    nested = {f"word/embeddings/{n}.docx": inner.read_bytes() for n in range(20)}
    body = "<document><p><t>Sound.</t></p></document>"
    assert not any(
        isinstance(one, Skipped) for one, _ in documents(find(packed(files / "n.docx", {MAIN: body, **nested})))
    )


def test_entities_are_refused_in_every_part(files: Path, makers: Any) -> None:
    wide = OUTSIDE.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16")
    for number, text in enumerate((BILLION, OUTSIDE, wide)):
        assert "document type" in reason(packed(files / f"{number}.docx", {MAIN: text}))
        assert "document type" in reason(packed(files / f"{number}.epub", {"META-INF/container.xml": text}))
    makers["docx"](files / "a.docx", "Words.")
    with zipfile.ZipFile(files / "a.docx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for part in ("_rels/.rels", "word/styles.xml", "docProps/core.xml"):
        assert "document type" in reason(packed(files / "b.docx", {**parts, part: BILLION})), part


def test_locked_files(files: Path, makers: Any) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    makers["pdf"](files / "locked.pdf", "Words.", encrypt=StandardEncryption("secret", "owner", strength=128))
    assert reason(files / "locked.pdf") == "is encrypted"
    makers["pdf"](files / "open.pdf", "Words.", encrypt=StandardEncryption("", "owner", strength=128))
    ((found, _),) = documents(find(files / "open.pdf"))
    assert "Words." in getattr(found, "text", "")
    (files / "locked.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert reason(files / "locked.docx") == "is encrypted, or of an old Office format"
    lock = '<encryption><CipherReference URI="OEBPS/text/one.xhtml"/></encryption>'
    makers["epub"](files / "locked.epub", "Words.", **{"META-INF/encryption.xml": lock})
    assert reason(files / "locked.epub") == "is encrypted"


def test_a_scan_is_told_from_a_text(files: Path, makers: Any) -> None:
    makers["pdf"](files / "scan.pdf", "", outline=False)
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for page in PdfReader(files / "scan.pdf").pages:
        writer.add_blank_page(page.mediabox.width, page.mediabox.height)
    writer.write(files / "scan.pdf")
    assert "need text recognition" in reason(files / "scan.pdf")


def test_files_that_are_no_documents(files: Path) -> None:
    with (files / "huge.txt").open("wb") as file:
        file.truncate(2_000_000_000)
    os.mkfifo(files / "pipe.txt")
    (files / "out.md").symlink_to("/etc/hostname")
    (files / "loop.md").symlink_to(files / "loop.md")
    (files / "binary.txt").write_bytes(b"a\0b")
    (files / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (files / "bad.md").write_bytes(b"caf\xe9")
    (files / "red\x1b[31m.md").write_text("# A name that writes to a terminal")
    (files / "good.md").write_text("# Good")
    told = {one.file: one.reason for one, _ in documents(find(files)) if isinstance(one, Skipped)}
    assert told == {
        "huge.txt": "is too large: 2,000 MB, 50 at most",
        "pipe.txt": "is not a regular file",
        "out.md": "is a symbolic link out of the folder",
        "loop.md": "is a symbolic link that leads nowhere",
        "binary.txt": "is binary, not a text",
        "image.png": "is a PNG image, not a text",
        "bad.md": "is not UTF-8: byte 3 can not be decoded",
        r"red\x1b[31m.md": "its name has control characters",
    }
    (alone,) = documents(find(files / "red\x1b[31m.md"))
    assert alone == (Skipped(r"red\x1b[31m.md", "its name has control characters"), None)


def test_names_in_every_script_are_names(files: Path) -> None:
    good = (
        "می\u200cخواهم.md",
        "\U0001f9d1\u200d\U0001f680.md",
        "क्\u200dष.md",
        "e\u0301.md",
        "%s $(x) 'a' [b]*.md",
        "--help.md",
    )
    bad = ("a\u200db.md", "\u200d.md", "right\u202eto left.md", "new\nline.md", "soft\u00adhyphen.md", "x\u2028y.md")
    for name in (*good, *bad):
        (files / name).write_text(f"# The file\n\nIt is called {name!r}.")
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
        assert {row.name for row in base.list()} == set(good)
        assert {one.reason for one in report.skipped} == {"its name has control characters"}
        assert len(report.skipped) == len(bad)
        assert all("\n" not in one.file for one in report.skipped)


def test_deep_and_broken_json_and_enormous_cells_are_read(files: Path) -> None:
    (files / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    (files / "broken.json").write_text('{"a": "no end, ' + "words " * 2_000)
    (files / "cell.csv").write_text('name,text\none,"' + "word " * 2_000_000 + '"\ntwo,last\n')
    (files / "deep.ipynb").write_text('{"cells":' + "[" * 100_000 + "]" * 100_000 + "}")
    with KnowledgeBase("h.kb") as base:
        report = base.sync(files)
        assert [(one.file, one.reason) for one in report.skipped] == [("deep.ipynb", "is nested too deeply")]
        last = base.search("two last", k=1)[0].passage
        assert last.text.endswith("two,last")
        assert last.table == "name,text"


def test_html_that_is_all_openings_ends_soon(files: Path) -> None:
    (files / "a.html").write_text("<p>Words.</p>" + "<div>" * 200_000 + "<table><tr><td>" * 20_000)
    ((found, _),) = documents(find(files / "a.html"))
    assert "Words." in getattr(found, "text", "")


# A reader that does harm --------------------------------------------------------------------------------------------

HARM = """
import os, re, sys, time
from pathlib import Path
from taskkit.knowledge import Document

def hang(path):
    if (told := path.parent.parent / "told").exists():
        told.write_text(str(os.getpid()))
    time.sleep(3600)

def hold(path):
    re.match("(a+)+$", "a" * 60 + "b")

def crash(path):
    os.abort()

def eat(path):
    return Document("a", "x" * 5_000_000_000)

def leave(path):
    sys.exit("bye")

def lie(path):
    return path.read_text()

def fail(path):
    raise ValueError("two\\nlines")

def deep(path):
    return deep(path)

def date(path):
    from datetime import date
    return Document("a", "words", metadata={"when": date(2024, 1, 1)})

def titled(path):
    return Document("a", "words", title=5)

def labelled(path):
    return Document("a", "secret words", access={"team": {"hr"}})

def log(path: Path) -> Document:
    print("this is no answer")
    return Document(path.name, "# Log\\n\\n" + path.read_text(encoding="latin-1"), "A log", format="markdown")
"""
SAID = {
    "hang": "took longer to read than 2 seconds",
    "crash": "makes its reader crash",
    "eat": "takes more than 2 GB of memory to read",
    "leave": "can not be read as leave: SystemExit: bye",
    "lie": "can not be read: harm:lie gives str, not a document",
    "fail": "can not be read as fail: ValueError: two lines",
    "deep": "is nested too deeply",
    "date": "can not be kept as harm:date gives it: The document 'a' has datetime.date(2024, 1, 1) under 'when' in its "
    "metadata",
    "titled": "can not be kept as harm:titled gives it: The document 'a' has no text: text, title, format and lacks are "
    "`str`",
    "gone": "can not be read: the plug-in harm:gone can not be loaded: AttributeError: module 'harm' has no attribute 'gone'",
}


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """An installed package with readers, as a folder on the path."""
    folder = tmp_path / "site"
    info = folder / "harm-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "harm.py").write_text(HARM)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harm\nVersion: 1.0\n")
    lines = "".join(f"{name} = harm:{name}\n" for name in (*SAID, "hold", "log", "labelled"))
    (info / "entry_points.txt").write_text(f"[taskkit.readers]\n{lines}")
    return folder


def test_plugins_read_and_broken_ones_stop_nothing(plugins: Path, files: Path, run_taskkit: Any) -> None:
    for name in SAID:
        if name != "hang":
            (files / f"a.{name}").write_text("words")
    (files / "z.log").write_bytes("Café".encode("latin-1"))
    (files / "z.labelled").write_text("words")
    ran = run_taskkit("kb", "sync", str(files), "--knowledge", "h.kb", env={"PYTHONPATH": str(plugins)})
    assert ran.returncode == 1
    told = dict(
        line.removeprefix("Skipped ").split(": ", 1) for line in ran.stderr.splitlines() if line.startswith("Skipped")
    )
    assert told == {f"a.{name}": said for name, said in SAID.items() if name != "hang"}
    rows = json.loads(run_taskkit("kb", "list", "--json", "--knowledge", "h.kb").stdout)
    assert {row["name"]: row["access"] for row in rows} == {"z.log": {}, "z.labelled": {"team": ["hr"]}}
    ran = run_taskkit("kb", "search", "café", "--json", "--knowledge", "h.kb")
    (hit,) = json.loads(ran.stdout)
    assert (hit["passage"]["document"], hit["passage"]["title"]) == ("z.log", "A log")


def test_without_the_extra_the_command_that_brings_it_is_named(files: Path, makers: Any, run_taskkit: Any) -> None:
    makers["pdf"](files / "a.pdf", "Words.")
    makers["docx"](files / "a.docx", "Words.")
    bare = files.parent / "bare"
    bare.mkdir()
    (bare / "pypdf.py").write_text("raise ModuleNotFoundError('none', name='pypdf')")
    ran = run_taskkit("kb", "sync", str(files), "--knowledge", "h.kb", env={"PYTHONPATH": str(bare)})
    assert ran.stderr.splitlines() == [
        "Skipped a.pdf: needs pypdf to be read; run: pip install 'taskkit[documents]'",
        "1 added, 1 skipped; 1 texts embedded",
    ]


def test_a_reader_that_hangs_is_ended_and_the_next_file_read(
    plugins: Path, files: Path, makers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taskkit.knowledge import readers

    monkeypatch.setattr(sys, "path", [str(plugins), *sys.path])
    readers._plugins.cache_clear()
    makers["docx"](files / "a.docx", "Words.")
    (files / "a.hang").write_text("words")
    with Apart(seconds=2) as apart:
        with pytest.raises(InputError, match=SAID["hang"]):
            apart.read(files / "a.hang")
        assert "Words." in apart.read(files / "a.docx").text
    readers._plugins.cache_clear()


def ended(process: int) -> bool:
    """Waits for it, whoever's child it is."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="wants pidfd_open")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_a_reader_that_hangs_ends_with_the_process_that_waits_for_it(name: str, plugins: Path, files: Path) -> None:
    (files / "a.hang").write_text("words")
    os.mkfifo(files.parent / "told")
    told = os.open(files.parent / "told", os.O_RDONLY | os.O_NONBLOCK)
    command = [sys.executable, "-m", "taskkit", "kb", "sync", str(files), "--knowledge", "h.kb"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(plugins)}) as sync:
        select.select([told], [], [], 60)
        sync.send_signal(getattr(signal, name))
    reader = int(os.read(told, 20))
    os.close(told)
    assert ended(reader)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="wants setitimer")
def test_a_reader_that_gives_no_thread_a_turn_ends_by_itself(
    plugins: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "a.hold").write_text("words")
    monkeypatch.setattr(sys, "path", [str(plugins), *sys.path])
    with subprocess.Popen(begun_by(os.getpid(), 0.5), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        reader.stdin.write(b'"' + bytes(files / "a.hold") + b'"\n')  # type: ignore[union-attr]
        reader.stdin.flush()  # type: ignore[union-attr]
        assert reader.stdout.readline() == b""  # type: ignore[union-attr]
    assert reader.returncode == -signal.SIGALRM
