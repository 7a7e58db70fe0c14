"""Documents as the sources of tasks: what the knowledge base reads, every task reads."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import InputError
from taskkit.tasks.analyse import Analyse
from taskkit.tasks.draft import Draft
from taskkit.tasks.summarise import Summarise
from taskkit.tasks.translate import Translate
from taskkit.testing import ScriptedServer, scripted

KINDS = ("pdf", "docx", "pptx", "epub", "eml", "ipynb")
WORDS = "The harbour was closed for 5 days."


@taskkit.task
class Title(taskkit.Task[str]):
    """Find a title."""

    source: taskkit.Source
    prompt = taskkit.Prompt("A title for: {{ source }}")


def mixed(path: Path) -> None:
    """A PDF whose second page is a picture."""
    from PIL import Image
    from reportlab.pdfgen.canvas import Canvas

    made = Canvas(str(path))
    made.drawString(72, 720, WORDS)
    made.showPage()
    made.drawInlineImage(Image.new("L", (8, 8)), 72, 72, 300, 300)
    made.showPage()
    made.save()


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_reads_it(kind: str, files: Path, makers: Any) -> None:
    path = files / f"a.{kind}"
    makers[kind](path, WORDS)
    tasks: dict[taskkit.Task[Any], Any] = {
        Title(path): "A title.",
        Summarise(path): WORDS,
        Draft("A letter", sources=(path,), words=20): " ".join([WORDS] * 3),
        Analyse(path, labels=("good", "bad")): {"evidence": "closed for 5 days", "label": "good"},
    }
    for task, answer in tasks.items():
        seen: list[str] = []

        def reply(body: Any, seen: list[str] = seen, answer: Any = answer) -> Any:
            seen.append(json.dumps(body["messages"]))
            return answer

        result = scripted(reply).run(task)
        assert WORDS in seen[0], type(task)
        if isinstance(result, taskkit.Result):
            assert not [one for one in result.warnings if one.failure]


def test_what_could_not_be_read_of_it_is_told(files: Path) -> None:
    mixed(files / "mixed.pdf")
    tasks: list[tuple[taskkit.Task[Any], str]] = [
        (Summarise(files / "mixed.pdf"), WORDS),
        (Title(files / "mixed.pdf"), "Closed"),
    ]
    for task, said in tasks:
        engine = scripted(said)
        notices: list[str] = []
        with engine.events.listen(lambda event: notices.append(event.message)):  # noqa: B023
            engine.run(task)
        assert any("page 2 has no text" in one for one in notices), type(task)


def test_what_can_not_be_read_is_one_line_before_anything_is_asked(files: Path, makers: Any, run_taskkit: Any) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    makers["pdf"](files / "locked.pdf", WORDS, encrypt=StandardEncryption("secret", "owner", strength=128))
    (files / "bad.docx").write_bytes(b"PK\x03\x04 no archive")
    (files / "no.pdf").mkdir()
    with ScriptedServer("An answer.") as server:
        env = {"TASKKIT_BASE_URL": server.base_url, "TASKKIT_API_KEY": "k", "TASKKIT_MODEL": "scripted"}
        for name, said in (
            ("locked.pdf", "is encrypted"),
            ("bad.docx", "is no Word file, or a damaged one"),
            ("no.pdf", "is a folder"),
            ("none.pdf", "There is no file"),
        ):
            ran = run_taskkit("summarise", str(files / name), env=env)
            assert ran.returncode == 2, ran.stderr
            assert said in ran.stderr
            assert name in ran.stderr
            assert "Traceback" not in ran.stderr
        assert not server.requests


def test_a_file_that_was_changed_is_read_anew(files: Path, makers: Any) -> None:
    path = files / "a.docx"
    for words in (WORDS, "The bridge was closed for 6 days."):
        makers["docx"](path, words)
        os.utime(path, ns=(time.time_ns(), time.time_ns()))
        assert scripted(lambda body: body["messages"][-1]["content"]).run(Title(path)).count(words) == 1


def test_a_translation_writes_no_text_into_a_file_of_another_kind(files: Path, makers: Any) -> None:
    makers["pdf"](files / "a.pdf", WORDS)
    with pytest.raises(InputError, match="is a PDF, not a text"):
        scripted("Le port.").run(Translate(files / "a.pdf", to="fr"))
