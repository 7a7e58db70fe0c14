"""An image is a source as any other: by path, bytes or address, from code and from the command line."""

import base64
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import taskkit
from taskkit.errors import ContextTooLong, InputError
from taskkit.settings import config_dir
from taskkit.tasks.summarise import Summarise
from taskkit.testing import ScriptedServer, scripted

Server = Callable[..., ScriptedServer]
SCRIPT = Path(sys.executable).parent / "taskkit"


def png(wide: int = 40, high: int = 30) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x40\x80\xc0" * wide for _ in range(high))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(wide: int = 40, high: int = 30) -> bytes:
    frame = struct.pack(">BHHB", 8, high, wide, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(10) + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame


def webp(wide: int = 40, high: int = 30) -> bytes:
    head = (
        b"VP8X" + struct.pack("<I", 10) + bytes(4) + (wide - 1).to_bytes(3, "little") + (high - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(head) + 4) + b"WEBP" + head


GIF = b"GIF89a" + struct.pack("<HH", 40, 30) + b"\0\0\0;"
KINDS = {"png": png(), "jpeg": jpeg(), "gif": GIF, "webp": webp()}


@taskkit.task
class Tell(taskkit.Task[str]):
    """Tell what is to be seen."""

    source: taskkit.Source
    others: tuple[taskkit.Source, ...] = ()
    prompt = taskkit.Prompt("@system\nYou describe.\n@user\nTell of this: {{ source }} {{ others }}")


def images_in(body: Mapping[str, Any]) -> list[str]:
    found = []
    for message in body["messages"]:
        if isinstance(message["content"], list):
            found += [part["image_url"]["url"] for part in message["content"] if part["type"] == "image_url"]
    return found


def engine(there: ScriptedServer, model: str = "gpt-4.1-mini", **options: Any) -> taskkit.Engine:
    return taskkit.Engine(model=model, base_url=there.base_url, api_key="k", **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["path", "bytes"])
def test_each_kind_of_image_is_sent_along_with_the_text(server: Server, kind: str, way: str) -> None:
    there = server("A blue field.")
    Path("photo").write_bytes(KINDS[kind])
    with engine(there) as mine:
        assert mine.run(Tell(Path("photo") if way == "path" else KINDS[kind])) == "A blue field."
    (body,) = there.bodies
    assert images_in(body) == [f"data:image/{kind};base64,{base64.b64encode(KINDS[kind]).decode()}"]
    text = body["messages"][-1]["content"][0]["text"]
    assert text.startswith("Tell of this: [image ")
    assert isinstance(body["messages"][0]["content"], str), "the others stay as they were"


def test_an_address_goes_as_it_is_and_only_when_asked(server: Server) -> None:
    there = server("Fine.")
    url = "https://images.example/photo.png"
    with engine(there) as mine:
        mine.run(Tell(taskkit.Text.image(url)))
        mine.run(Tell(url))  # a str is a text
    assert [images_in(body) for body in there.bodies] == [[url], []]
    for wrong in ("photo.png", "file:///etc/passwd", "https://a b/c.png"):
        with pytest.raises(InputError, match="no address of an image"):
            taskkit.Text.image(wrong)


def test_several_among_texts_and_again_from_the_journal(server: Server) -> None:
    there = server("Two.")
    Path("a.txt").write_text("Ships.")
    with engine(there) as mine:
        for _ in range(2):
            mine.run(Tell("Look.", (png(), Path("a.txt"), GIF)))
        mine.run(Tell("Look.", (png(41), Path("a.txt"), GIF)))
    assert [len(images_in(body)) for body in there.bodies] == [2, 2], "another image is another call"


def test_a_task_that_knows_nothing_of_images_works_with_one(server: Server) -> None:
    there = server("A blue field, in summer.")
    with engine(there) as mine:
        assert str(mine.run(Summarise(png()))) == "A blue field, in summer."
        plan = mine.plan(Summarise(png(1024, 1024)))
    assert all(images_in(body) for body in there.bodies)
    assert plan.input_tokens[0] > 765, "four tiles are counted"


def test_images_take_their_room_of_the_window() -> None:
    with pytest.raises(ContextTooLong):
        scripted("Fine.", context=1200).run(Tell(png(2000, 2000)))
    assert scripted("Fine.", context=1200).run(Tell(png(100, 100))) == "Fine."


def test_a_model_without_eyes_is_one_clear_error_and_nothing_is_sent(server: Server) -> None:
    there = server("Fine.")
    for model in ("gpt-oss-20b", "local:smollm2-135m"):
        with engine(there, model) as mine, pytest.raises(InputError, match="takes no images"):
            mine.plan(Tell(png()))
    with engine(there, "gpt-oss-20b") as mine, pytest.raises(InputError, match=r"images = true in its row"):
        mine.run(Tell(png()))
    assert not there.bodies
    with engine(there, "a-model-nobody-knows") as mine:
        mine.run(Tell(png()))
    config_dir().mkdir(exist_ok=True)
    (config_dir() / "models.toml").write_text('[models."gpt-oss-20b"]\nimages = true\n')
    with engine(there, "gpt-oss-20b") as mine:
        mine.run(Tell(png()))
    assert [len(images_in(body)) for body in there.bodies] == [1, 1]


def test_what_is_no_usable_image_is_told() -> None:
    for data, words in (
        (b"BM not taken", "no image that models take"),
        (b"", "no image that models take"),
        (png()[:18], "damaged PNG"),
        (png() + bytes(21_000_000), "21 MB"),
    ):
        with pytest.raises(InputError, match=words):
            scripted().run(Tell(data))


def test_a_mark_in_a_text_brings_no_image_that_the_task_was_not_given(server: Server) -> None:
    there = server("Fine.")
    mark = taskkit.source.read(png(), images=True).text
    with engine(there) as mine:
        mine.run(Tell(f"{mark} and [image 0123456789abcdef]"))
    assert images_in(there.bodies[0]) == []


def test_an_image_that_no_call_has_shown_is_told(server: Server) -> None:
    class Said(taskkit.Result):
        text: str

    @taskkit.task
    class Careless(taskkit.Task[Said]):
        """Forget the source."""

        source: taskkit.Source

        async def run(self, job: taskkit.Job) -> Said:
            return Said(text=await job.complete("Say something."))

    result = scripted("Something.").run(Careless(png()))
    assert [(one.code, one.failure) for one in result.warnings] == [("image", True)]


def test_from_the_command_line(server: Server) -> None:
    there = server("A blue field.")
    Path("photo.png").write_bytes(png())
    Path("out").mkdir()
    options = ["--base-url", there.base_url, "--model", "gpt-4.1-mini", "--quiet"]
    for words, stdin in ((["photo.png"], b""), (["-"], png()), (["https://a.test/b.JPG?x=1"], b"")):
        ran = subprocess.run([SCRIPT, "summarise", *words, *options], input=stdin, capture_output=True, check=False)
        assert (ran.returncode, ran.stdout) == (0, b"A blue field.\n"), ran.stderr
    urls = [images_in(body) for body in there.bodies]
    assert urls[0] == [f"data:image/png;base64,{base64.b64encode(png()).decode()}"]
    assert urls[-1] == ["https://a.test/b.JPG?x=1"]
    assert len(there.bodies) == 2, "the same image through a pipe is the same call"
