"""Files of the hub: asked for once, resumed when broken off, refused when they are not what they should be."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from taskkit import local
from taskkit.errors import AuthenticationError, ConfigurationError, EndpointError, TaskkitError
from taskkit.local import hub as hub_module

NAME = "hf:owner/repo/small.gguf"


def home() -> Path:
    return Path(os.environ["TASKKIT_CACHE"]) / "models/hf/owner/repo/small.gguf"


def left() -> set[str]:
    """What lies beside the weights, but for the lock, which stays."""
    return {one.name for one in home().parent.iterdir()} - {".small.gguf.lock"}


def other(size: int) -> bytes:
    return b"GGUF" + bytes(reversed(range(256))) * (size // 256 + 1)


class Break(Exception):  # noqa: N818
    pass


def break_after(size: int) -> Any:
    """A progress that ends the download from within, as Ctrl-C does."""

    def progress(done: int, _: int | None) -> None:
        if done >= size:
            raise Break

    return progress


def test_it_is_brought_checked_and_named(hub: Any) -> None:
    steps: list[tuple[int, int | None]] = []
    path = local.pull(NAME, progress=lambda done, total: steps.append((done, total)))
    assert path == home()
    assert path.read_bytes() == hub.content
    assert path.with_name("small.gguf.sha256").read_text() == f"{hub.digest}  small.gguf\n"
    assert left() == {"small.gguf", "small.gguf.sha256"}
    assert steps[0] == (0, 1_000_000)
    assert steps[-1] == (1_000_000, 1_000_000)
    assert steps == sorted(steps)


def test_what_is_there_is_not_asked_for_again(hub: Any) -> None:
    local.pull(NAME)
    asked = len(hub.seen)
    assert local.pull(NAME) == home()
    assert local.path(NAME) == home()
    assert len(hub.seen) == asked


def test_it_is_listed_and_removed(hub: Any) -> None:
    local.pull(NAME)
    row = next(one for one in local.models() if one.name == NAME)
    assert (row.installed, row.size, row.sha256, row.path) == (True, 1_000_000, hub.digest, home())
    assert local.remove(NAME)
    assert not left()
    assert not local.remove(NAME)
    with pytest.raises(ConfigurationError, match=f"Run: taskkit models pull {NAME}"):
        local.path(NAME)


def test_a_broken_connection_sends_only_the_rest(hub: Any) -> None:
    hub.breaks = [300_001, 400_002]
    local.pull(NAME)
    assert home().read_bytes() == hub.content
    assert [one.range for one in hub.gets] == [None, "bytes=300001-", "bytes=700003-"]


def test_a_run_that_was_broken_off_sends_only_the_rest(hub: Any) -> None:
    with pytest.raises(Break):
        local.pull(NAME, progress=break_after(500_000))
    assert not home().exists()
    steps: list[int] = []
    local.pull(NAME, progress=lambda done, _: steps.append(done))
    had = int(re.fullmatch(r"bytes=(\d+)-", hub.gets[1].range)[1])  # type: ignore[index]
    assert 500_000 <= had < 1_000_000
    assert steps[0] == had
    assert home().read_bytes() == hub.content


def test_a_server_that_knows_no_ranges_sends_it_all_again(hub: Any) -> None:
    hub.ranges, hub.breaks = False, [300_000]
    local.pull(NAME)
    assert home().read_bytes() == hub.content


def test_half_of_one_file_is_not_completed_with_half_of_another(hub: Any) -> None:
    with pytest.raises(Break):
        local.pull(NAME, progress=break_after(500_000))
    hub.content = other(1_000_000)
    local.pull(NAME)
    assert hub.gets[1].range is None
    assert home().read_bytes() == hub.content
    assert left() == {"small.gguf", "small.gguf.sha256"}


def test_without_a_hash_a_file_that_changes_meanwhile_is_begun_anew(hub: Any) -> None:
    hub.linked, hub.breaks = False, [300_000]
    new = other(999_000)[:1_000_000].ljust(1_000_000, b"x")
    notices: list[str] = []

    def progress(done: int, _: int | None) -> None:
        if done == 300_000:
            hub.content = new

    local.pull(NAME, progress=progress, on_notice=notices.append)
    assert hub.gets[1].range == "bytes=300000-"
    assert home().read_bytes() == new
    assert any("only its size and kind are checked" in one for one in notices)


def test_without_a_size_the_end_of_the_answer_is_the_end(hub: Any) -> None:
    hub.size, hub.chunked = "", True
    local.pull(NAME)
    assert home().read_bytes() == hub.content


def test_without_a_size_what_is_whole_already_is_found_to_be(hub: Any) -> None:
    hub.size = ""
    with pytest.raises(Break):
        local.pull(NAME, progress=break_after(1_000_000))
    local.pull(NAME)
    assert hub.gets[1].range == "bytes=1000000-"
    assert home().read_bytes() == hub.content


def test_an_address_that_expired_is_asked_for_anew(hub: Any) -> None:
    hub.get_status = [403]
    local.pull(NAME)
    assert [one.method for one in hub.seen] == ["HEAD", "GET", "HEAD", "GET"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "hash": ({"sha256": '"' + "0" * 64 + '"'}, "its SHA-256 is"),
    "too-long": ({"size": "999999"}, "it has 1,000,000 bytes, not 999,999"),
    "no-model": ({"content": b"<html>" + bytes(1000)}, "it is not a GGUF file"),
    "empty": ({"content": b"", "size": "0"}, "it is not a GGUF file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_the_file_is_removed(hub: Any, name: str) -> None:
    settings, says = WRONG[name]
    for key, value in settings.items():
        setattr(hub, key, value)
    with pytest.raises(EndpointError) as caught:
        local.pull(NAME)
    assert says in str(caught.value)
    assert f"It was removed. Run it again: taskkit models pull {NAME}" in str(caught.value)
    assert not left()


def test_a_download_that_brings_nothing_more_ends_and_keeps_what_it_has(hub: Any) -> None:
    hub.breaks = [600_000, 0, 0, 0, 0, 0]
    with pytest.raises(EndpointError) as caught:
        local.pull(NAME)
    assert "keeps breaking off (the connection closed after 600,000 of 1,000,000 bytes)" in str(caught.value)
    assert "0.6 MB are kept. Run it again to go on from there." in str(caught.value)
    assert len(hub.gets) == 6
    local.pull(NAME)
    assert hub.gets[-1].range == "bytes=600000-"
    assert home().read_bytes() == hub.content


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (404, EndpointError, "has no owner/repo/small.gguf. Check owner, repository and file name."),
        (401, AuthenticationError, "it is private, gated, or not there. Check the name, accept its terms"),
        (403, AuthenticationError, "set HF_TOKEN"),
        (503, EndpointError, "answers 503 for owner/repo/small.gguf. Try again later."),
    ],
)
def test_what_the_hub_refuses(hub: Any, status: int, error: type[TaskkitError], says: str) -> None:
    hub.status = status
    with pytest.raises(error) as caught:
        local.pull(NAME)
    assert says in str(caught.value)
    assert not hub.gets
    assert not left()


def test_a_hub_that_is_not_there(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(EndpointError, match=r"can not be reached .*Check the network, or set HF_ENDPOINT"):
        local.pull(NAME)


def test_a_hub_that_goes_round_in_circles(hub: Any) -> None:
    hub.linked, hub.location = False, "/owner/repo/resolve/main/small.gguf"
    with pytest.raises(EndpointError, match="round in circles"):
        local.pull(NAME)
    assert len(hub.seen) == hub_module.HOPS


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,GGUF"])
def test_no_redirect_leads_off_the_web(hub: Any, location: str) -> None:
    hub.location = location
    with pytest.raises(ConfigurationError, match="is not an address on the web"):
        local.pull(NAME)
    assert not left()


@pytest.mark.parametrize("base", ["file:///etc", "/etc", "huggingface.co"])
def test_the_endpoint_is_an_address_on_the_web(hub: Any, monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", base)
    with pytest.raises(ConfigurationError, match="Check HF_ENDPOINT"):
        local.pull(NAME)


def test_the_token_goes_to_the_hub_and_to_nobody_else(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", " secret\n")
    local.pull(NAME)
    (head,), (get,) = ([one for one in hub.seen if one.method == method] for method in ("HEAD", "GET"))
    assert head.headers["authorization"] == "Bearer secret"
    assert head.port != get.port
    assert "authorization" not in get.headers
    assert get.headers["accept-encoding"] == "identity"


def test_no_room_is_seen_before_anything_is_sent(hub: Any) -> None:
    hub.size = str(10**18)
    with pytest.raises(ConfigurationError, match=r"Not enough room in .*Make room, or set TASKKIT_CACHE"):
        local.pull(NAME)
    assert not hub.gets


@pytest.mark.parametrize(
    "name",
    [
        "hf:../../etc/passwd.gguf",
        "hf:owner/../../../x.gguf",
        "hf:owner/repo/../x.gguf",
        "hf:owner/repo/.hidden.gguf",
        "hf:owner/repo/a//x.gguf",
        "hf:/owner/repo/x.gguf",
        "hf:owner/repo/x.gguf\n",
        "hf:owner/repo/..\\x.gguf",
        "hf:owner/repo/x.gguf?y=.gguf",
        "hf:owner/repo/%2e%2e/x.gguf",
        "hf:owner/repo/x.bin",
        "hf:owner/x.gguf",
        "hf:",
        "hf:owner/repo/big-00001-of-00003.gguf",
    ],
)
def test_names_that_are_no_file_of_the_hub(hub: Any, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        local.pull(name)
    assert "\n" not in str(caught.value)
    assert not hub.seen
    assert not Path(os.environ["TASKKIT_CACHE"], "models").exists()
