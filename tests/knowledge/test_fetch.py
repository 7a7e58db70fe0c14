"""A page is fetched when it is asked for, from where it was asked for, and no more of it than is borne."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from taskkit.cli import outcome
from taskkit.errors import InputError
from taskkit.knowledge import KnowledgeBase, fetched


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = self.path.partition("?")[0]
        if page == "/to":
            self.send_response(302)
            self.send_header("Location", unquote(self.path.partition("?")[2]))
            self.end_headers()
            return
        kind, body = {
            "/page": ("text/html; charset=iso-8859-1", "<title>The café</title><h1>Prices</h1><p>Café crème</p>".encode("latin-1")),
            "/rows": ("text/csv", b"name,price\ndesk,45\n"),
            "/raw.bin": ("application/octet-stream", b"\0\1\2"),
            "/slow": ("text/plain", b"x"),
            "/bomb": ("text/plain", gzip.compress(b" " * 80_000_000)),
        }.get(page, ("text/plain", b""))  # fmt: skip
        self.send_response(404 if not body else 200)
        self.send_header("Content-Type", kind)
        if page == "/bomb":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            while page == "/slow":
                self.wfile.write(b"x")
                time.sleep(0.05)
            self.wfile.write(body)
        except OSError:
            pass  # nobody is there any more

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    there = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=there.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{there.server_port}"
    there.shutdown()
    there.server_close()
    thread.join()


def test_pages_are_read_by_their_kind(site: str) -> None:
    page = fetched(f"{site}/to?/page")
    assert (page.name, page.title, page.format) == (f"{site}/to?/page", "The café", "markdown")
    assert page.text == "# Prices\n\nCafé crème\n"
    assert fetched(f"{site}/rows").format == "table"


def test_the_command_line_takes_a_page_in(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["kb", "add", "--url", f"{site}/page", "--knowledge", "h.kb"]) == 0
    assert "1 added" in capsys.readouterr().err
    assert outcome(["kb", "search", "crème", "--json", "--knowledge", "h.kb"]) == 0
    (hit,) = json.loads(capsys.readouterr().out)
    assert hit["passage"]["document"] == f"{site}/page"
    assert outcome(["kb", "add", "--url", f"{site}/nowhere", "--knowledge", "h.kb"]) == 2
    assert "the server says 404" in capsys.readouterr().err
    assert outcome(["kb", "add", "--knowledge", "h.kb"]) == 2
    with KnowledgeBase("h.kb") as base:
        assert len(base.list()) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.org/a", "is no address of a page"),
        ("file:///etc/passwd", "is no address of a page"),
        ("https://", "is no address of a page"),
        ("https://[::1", "is no address of a page"),
        ("http://example.org/", "is not encrypted on its way"),
        ("http://10.0.0.1/", "is not encrypted on its way"),
        ("https://127.0.0.1:1/", "can not be fetched"),
        ("https://nowhere.invalid/", "can not be fetched"),
    ],
)
def test_other_addresses_are_refused(url: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fetched(url)


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("https://example.org/", "which is not http"),
        ("file:///etc/passwd", "which is not http"),
        ("http://169.254.169.254/latest/meta-data", "a private address"),
        ("http://[::ffff:10.0.0.1]/", "a private address"),
        ("http://127.0.0.1:9/", "a private address"),
        ("http://localhost:9/", "a private address"),
        ("/to?/to?/to?/to?/to?/to?/page", "more than 5 times"),
        ("/nowhere", "404"),
        ("/raw.bin", "binary"),
        ("/bomb", "too large: over 50 MB"),
    ],
)
def test_redirects_and_pages_that_are_not_borne(site: str, to: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fetched(f"{site}/to?{to}")


def test_a_page_that_never_ends_is_left(site: str) -> None:
    with pytest.raises(InputError, match="did not come within 1 seconds"):
        fetched(f"{site}/slow", seconds=0.6)
