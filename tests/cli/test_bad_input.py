"""Whatever is wrong: one clear line that says what to do, the right exit code, no traceback, nothing left behind."""

import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskkit.testing import Fail, Filtered, Refuse, ScriptedServer

Run = Callable[..., Any]  # gives a Ran of the conftest
Server = Callable[..., ScriptedServer]

OK = "A fine text."
CASES = {
    # name: (arguments, what the server says, exit code, words of the line)
    "missing file": (("summarise", "none.md"), OK, 2, ("no file none.md", "Check")),
    "folder": (("summarise", "folder"), OK, 2, ("folder is a folder", "Give a file")),
    "empty source": (("summarise", "empty.md"), OK, 2, ("empty.md is empty", "Give")),
    "damaged image": (("summarise", "picture.png"), OK, 2, ("picture.png is a damaged PNG image",)),
    "image nobody takes": (("summarise", "picture.bmp"), OK, 2, ("picture.bmp is binary", "Give its text")),
    "blind model": (("summarise", "photo.gif", "--model", "gpt-oss-20b"), OK, 2, ("gpt-oss-20b takes no images",)),
    "image as glossary": (("translate", "a.md", "--to", "fr", "--glossary", "photo.gif"), OK, 2, ("photo.gif is a GIF image",)),
    "address of a page": (("summarise", "https://a.test/page"), OK, 2, ("https://a.test/page is an address", "Save it")),
    "binary data": (("summarise", "data.bin"), OK, 2, ("data.bin is binary", "Give its text")),
    "latin-1": (("summarise", "latin.md"), OK, 2, ("latin.md is not UTF-8", "Save it as UTF-8")),
    "unknown language": (("translate", "a.md", "--to", "xx-nope"), OK, 2, ("xx-nope",)),
    "no source": (("summarise",), OK, 2, ("No SOURCE was given", "summarise --help")),
    "unknown task": (("sumarise", "a.md"), OK, 2, ("no task or command called 'sumarise'", "Did you mean summarise")),
    "unknown option": (("summarise", "a.md", "--word", "5"), OK, 2, ("--word", "--words", "summarise --help")),
    "wrong number": (("summarise", "a.md", "--words", "many"), OK, 2, ("'many'", "--words")),
    "number out of range": (("summarise", "a.md", "--words", "1"), OK, 2, ("words", "5")),
    "wrong choice": (("summarise", "a.md", "--style", "poem"), OK, 2, ("'poem'", "bullets")),
    "left-out option": (("translate", "a.md"), OK, 2, ("--to", "translate --help")),
    "temperature": (("summarise", "a.md", "--temperature", "3"), OK, 2, ("--temperature", "3")),
    "cost cap": (("summarise", "a.md", "--max-cost", "much"), OK, 2, ("'much'", "--max-cost")),
    "cap is no number": (("summarise", "a.md", "--max-cost", "nan"), OK, 2, ("'nan'", "--max-cost")),
    "cap below nothing": (("summarise", "a.md", "--max-cost", "-1"), OK, 2, ("--max-cost", "not 0 or more")),
    "no calls at once": (("summarise", "a.md", "--concurrency", "0"), OK, 2, ("--concurrency", "0 is not in the range")),
    "a window of one token": (("summarise", "a.md", "--context", "1"), OK, 2, ("1 token", "larger window")),
    "no window": (("summarise", "a.md", "--context", "0"), OK, 2, ("--context", "0 is not in the range")),
    "temperature is no number": (("summarise", "a.md", "--temperature", "nan"), OK, 2, ("--temperature", "nan")),
    "output in no folder": (("summarise", "a.md", "-o", "no/x.md"), OK, 2, ("no folder no", "Make it")),
    "output to a folder": (("summarise", "-", "-o", "folder"), OK, 2, ("folder is a folder",)),
    "no knowledge base": (("ask", "Why?"), OK, 2, ("no knowledge base", "--knowledge")),
    "knowledge not there": (("ask", "Why?", "--knowledge", "x.kb"), OK, 2, ("no knowledge base x.kb", "kb sync")),
    "where is no JSON": (("ask", "Why?", "--where", "year"), OK, 2, ("--where", "year")),
    "wrong JSONL": (("run", "summarise", "a.md"), OK, 2, ("Line 1 of a.md is no JSON",)),
    "unknown task to run": (("run", "nope", "a.md"), OK, 2, ("no task called nope",)),
    "task file missing": (("--tasks", "mine.py", "summarise", "a.md"), OK, 3, ("task file mine.py",)),
    "task file broken": (("--tasks", "broken.py", "summarise", "a.md"), OK, 3, ("broken.py", "SyntaxError")),
    "unknown tier": (("summarise", "a.md", "--tier", "best", "--model", ""), OK, 3, ("no tier 'best'", "fast")),
    "no address": (("summarise", "a.md", "--base-url", "here", "--model", "m"), None, 3, ("'here'", "https://")),
    "plain http": (("summarise", "a.md", "--base-url", "http://example.com/v1"), None, 3, ("plain http", "--allow-http")),
    "address with a key": (("summarise", "a.md", "--base-url", "https://a:b@example.com"), None, 3, ("user or password",)),
    "no endpoint": (("summarise", "a.md"), None, 3, ("Run:",)),
    "no key": (("summarise", "a.md", "--model", "gpt-4o"), None, 3, ("No key", "OPENAI_API_KEY")),
    "wrong key": (("summarise", "a.md"), {"api_key": "another"}, 3, ("refuses the key (401)", "OPENAI_API_KEY")),
    "unknown model": (("summarise", "a.md"), {"models": ("m",)}, 3, ("does not know the model", "taskkit doctor")),
    "no credit": (("summarise", "a.md"), Fail(429, "No.", "insufficient_quota"), 5, ("no credit left",)),
    "bad request": (("summarise", "a.md"), Fail(400, "Something odd."), 2, ("Something odd",)),
    "endpoint down": (("summarise", "a.md", "--base-url", "DOWN"), None, 5, ("can not be reached", "--base-url")),
    "context too small": (("summarise", "a.md", "--context", "60"), OK, 2, ("60 tokens", "larger window")),
    "answers nothing": (("summarise", "a.md"), "", 5, ("answered nothing", "--model")),
    "answers no JSON": (("ask", "Why?", "--knowledge", "BASE"), "Well.", 5, ("usable answer",)),
    "refuses": (("summarise", "a.md"), Refuse(), 6, ("can't help",)),
    "filtered": (("summarise", "a.md"), Filtered(), 6, ("filter",)),
    "cap reached": (("summarise", "a.md", "--max-cost", "0.0000001"), OK, 4, ("cap",)),
    "no prompt of that name": (("prompts", "show", "nope"), None, 2, ("no prompt called nope", "summarise")),
    "no embedded model": (("models", "pull", "nope"), None, 3, ("no embedded model", "smollm2-135m")),
    "kb: no path": (("kb", "add", "none", "--knowledge", "new.kb"), None, 2, ("no file or folder none",)),
    "kb: no base": (("kb", "list"), None, 2, ("--knowledge",)),
    "kb: not one": (("kb", "list", "--knowledge", "a.md"), None, 3, ("a.md",)),
    "kb: no document": (("kb", "remove", "nope", "--knowledge", "BASE"), None, 2, ("no document 'nope'", "kb list")),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _files(_isolated: None) -> None:
    Path("a.md").write_text("Ships sail the sea. They carry goods.\n")
    Path("empty.md").write_text(" \n")
    Path("picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    Path("picture.bmp").write_bytes(b"BM\0\0")
    Path("photo.gif").write_bytes(b"GIF89a\x10\0\x10\0\0\0\0;")
    Path("data.bin").write_bytes(b"ab\0\1\2")
    Path("latin.md").write_bytes("Käse\n".encode("latin-1"))
    Path("broken.py").write_text("def (\n")
    Path("folder").mkdir()


@pytest.fixture
def base(taskkit: Callable[..., object]) -> str:
    taskkit("kb", "add", "a.md", "--knowledge", "base.kb")
    return "base.kb"


def nobody_listens() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/v1"


@pytest.mark.parametrize(("argv", "says", "code", "words"), CASES.values(), ids=CASES)
def test_one_line_and_the_right_exit_code(
    argv: tuple[str, ...], says: object, code: int, words: tuple[str, ...], taskkit: Run, server: Server,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if "BASE" in argv:
        name = request.getfixturevalue("base")
        argv = tuple(name if one == "BASE" else one for one in argv)
    argv = tuple(nobody_listens() if one == "DOWN" else one for one in argv)
    before = sorted(Path().iterdir())
    scripted = None if says is None else server(**says) if isinstance(says, dict) else server(says)
    ran = taskkit(*argv, server=scripted if argv[0] in {"summarise", "translate", "ask", "run"} else None,
                  stdin="A text." if "-" in argv else None)  # fmt: skip
    lines = [line for line in ran.err.splitlines() if line.startswith("taskkit: ")]
    assert ran.code == code, ran
    assert len(lines) == 1, ran.err
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in ran.err
    assert not ran.out
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("data", "words"),
    [("", "is empty"), (" \n", "is empty"), (b"a\0b", "is binary"), ("Käse".encode("latin-1"), "not UTF-8")],
)
def test_what_comes_through_a_pipe(data: str | bytes, words: str, taskkit: Run, server: Server) -> None:
    ran = taskkit("summarise", server=server(OK), stdin=data)
    assert ran.code == 2
    assert words in ran.err
    assert ran.err.count("\n") == 1


BROKEN = {
    "user: no TOML": ("config/config.toml", "model = \n", "config.toml can not be read"),
    "user: no setting": ("config/config.toml", "modle = 'x'\n", "'modle', which is no setting"),
    "project: no TOML": ("here/pyproject.toml", "[tool.taskkit]\nmodel = \n", "pyproject.toml can not be read"),
    "project: no setting": ("here/pyproject.toml", "[tool.taskkit]\nmodle = 'x'\n", "'modle', which is no setting"),
    "project: no task": ("here/pyproject.toml", "[tool.taskkit]\ntasks = ['no.py']\n", "no.py is not there"),
}


@pytest.mark.parametrize(("where", "text", "words"), BROKEN.values(), ids=BROKEN)
def test_an_unusable_configuration(
    where: str, text: str, words: str, taskkit: Run, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / where).write_text(text)
    ran = taskkit("summarise", "a.md", server=server(OK))
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1), ran
    assert words in ran.err
    if "tasks" not in text:
        ran = taskkit("doctor")
        assert (ran.code, ran.err.count("\n")) == (3, 1)
    for argv in ((), ("--help",), ("summarise", "--help"), ("run", "--help"), ("--version",)):  # none needs settings
        ran = taskkit(*argv)
        assert ran.code == 0
        assert ran.out
        assert ran.err.count("\n") <= 1
        if argv == () or (argv in {("--help",), ("summarise", "--help")} and where.startswith("here")):
            assert ran.err.startswith("Warning: ")
            assert words in ran.err
    assert taskkit().out.startswith("summarise")
    assert taskkit("xyzzy").code in {2, 3}


def test_debug_shows_where_and_keeps_the_exit_code(taskkit: Run) -> None:
    ran = taskkit("summarise", "none.md", "--debug", "--model", "local:x")
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1].startswith("taskkit: ")
    assert ran.code in {2, 3}


def test_a_fault_in_a_task_of_ones_own_is_one_line_too(taskkit: Run, server: Server) -> None:
    Path("mine.py").write_text(
        "import taskkit\n\n@taskkit.task\nclass Odd(taskkit.Task[str]):\n    '''Fail.'''\n    word: str\n\n"
        "    async def run(self, job: taskkit.Job) -> str:\n        return {}['no']\n"
    )
    ran = taskkit("--tasks", "mine.py", "odd", "x", server=server(OK))
    assert (ran.code, ran.err) == (5, "taskkit: Something unforeseen happened (KeyError: 'no'). --debug shows where.\n")


def test_a_failed_task_leaves_the_old_result_as_it_was(taskkit: Run, server: Server) -> None:
    Path("out.md").write_text("old")
    assert taskkit("summarise", "a.md", "-o", "out.md", server=server(Refuse())).code == 6
    assert Path("out.md").read_text() == "old"


def test_the_key_is_never_shown(taskkit: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    scripted: ScriptedServer = server(Fail(401, "Incorrect API key provided: sk-very-secret-key."))
    ran = taskkit("summarise", "a.md", "--base-url", scripted.base_url, "--debug")
    assert ran.code == 3
    assert "secret" not in ran.err


@pytest.mark.parametrize(
    ("answer", "tier"),
    [("HTTP/1.1 200 OK\r\n\r\nno JSON, {key}", True), *((answer, False) for answer in ("HTTP/1.1 200 OK\r\n\r\nno JSON, {key}", "HTTP/1.1 {key}\r\n\r\n", "HTTP/1.1 200 OK\r\nx-{key}\x01: bad\r\n\r\n",
     "HTTP/1.1 200 OK\r\ncontent-length: {key}\r\n\r\n", "{key}"))],
)  # fmt: skip
def test_nor_is_a_key_that_comes_back_in_what_debug_shows(
    answer: str, tier: bool, taskkit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "topsecret-0123456789"

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer.format(key=key).encode())

    monkeypatch.setenv("MINE" if tier else "OPENAI_API_KEY", key)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as there:
        threading.Thread(target=there.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{there.server_address[1]}/v1"
        if tier:
            (tmp_path / "config").mkdir()
            row = f'{{model = "gpt-4.1-mini", base_url = "{url}", api_key_env = "MINE"}}'
            (tmp_path / "config" / "config.toml").write_text(f"[tiers]\nfast = {row}\nstrong = {row}\n")
        ran = taskkit("draft", "hello", "--debug", *(() if tier else ("--model", "gpt-4.1-mini", "--base-url", url)))
        there.shutdown()
    assert ran.code == 5
    assert "Traceback" in ran.err
    assert "topse" not in ran.err


@pytest.mark.parametrize(
    "url",
    ["https://bob:hunter2@host.invalid/v1", "https://hunter2@host.invalid/v1", "http://bob:hunter2@10.0.0.1/v1",
     "https://host.invalid/v1?api_key=hunter2", "https://host.invalid/v1#hunter2", "https://bob:hunter2@host:99999/v1",
     "https://bob:hunter2@host:port/v1", "https://bob:hunter2@[::1/v1", "https://bob:hunter2@ho st/v1",
     "ftp://bob:hunter2@host/v1", "bob:hunter2@host/v1", "//bob:hunter2@host/v1", "https://bob:hunter2@/v1",
     "https://bob:hunter2#@host/v1", "https://bob:hunter2/x@host/v1",
     "https://bob:1?hunter2@host/v1", "https://bob:hunter2\\@host/v1", "https://bob:hunter2\n@host/v1"],
)  # fmt: skip
@pytest.mark.parametrize("given", ["--base-url", "OPENAI_BASE_URL"])
def test_a_password_in_an_address_is_never_shown(
    url: str, given: str, taskkit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    option = ("--base-url", url) if given == "--base-url" else ()
    for argv in (("doctor", *option), ("summarise", "a.md", "--model", "m", "--debug", *option)):
        ran = taskkit(*argv)
        assert ran.code == 3
        assert "hunter2" not in ran.out + ran.err
        assert ran.err.splitlines()[-1].startswith("taskkit: ")
    assert "hunter2" not in taskkit().out


def test_the_rest_of_an_address_is_shown(taskkit: Run) -> None:
    ran = taskkit("doctor", "--base-url", "https://bob:hunter2@host.invalid:8443/v1?api_key=hunter2")
    assert "endpoint    https://host.invalid:8443/v1\n" in ran.out
    assert "'ftp://host/v1'" in taskkit("doctor", "--base-url", "ftp://bob:hunter2@host/v1").err
    assert "Port out of range" in taskkit("doctor", "--base-url", "https://host:99999/v1").err
