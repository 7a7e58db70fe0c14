"""The command line in this process: what it gave on both streams, and its exit code."""

import dataclasses
import io
import sys
from collections.abc import Callable

import pytest

from taskkit import cli
from taskkit.testing import ScriptedServer


@dataclasses.dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def taskkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """`taskkit("summarise", "a.md", server=…, stdin="…")`. Without `stdin` it has a terminal's: nothing is piped."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def run(*argv: str, server: ScriptedServer | None = None, stdin: str | bytes | None = None) -> Ran:
        if server is not None:
            argv = (*argv, "--base-url", server.base_url)
            if "--model" not in argv:
                argv = (*argv, "--model", "gpt-4.1-mini")
            monkeypatch.setenv("OPENAI_API_KEY", "k")
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", Terminal() if data is None else io.TextIOWrapper(io.BytesIO(data)))
        capsys.readouterr()
        code = cli.outcome(argv)
        got = capsys.readouterr()
        return Ran(code, got.out, got.err)

    return run
