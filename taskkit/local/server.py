"""The server of the embedded model as its user sees it: started on first use, ended with this process."""

import atexit
import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.request import ProxyHandler, Request, build_opener

from taskkit.errors import EndpointError, InputError
from taskkit.local import catalogue
from taskkit.local.child import Plan
from taskkit.settings import cache_dir

START_SECONDS = 300
END_SECONDS = 5
ANSWER_SECONDS = 30  # of what no model has to be asked for
SLOTS = 2
EMBEDDED = 2048  # tokens of a text, capped by what the model was trained for; the memory for it grows as the square
LOGS_KEPT = 20
SPINS = "1000"  # turns that a thread waits for the others before it sleeps; without, other work makes a model crawl


class LocalServer:
    """`base_url` and `api_key` are for any OpenAI client in this process; `context` is what one request may
    use, prompt and answer together, in tokens; `slots` is how many are answered at once.
    """

    def __init__(self, plan: Plan, process: subprocess.Popen[bytes], url: str, context: int, log: Path) -> None:
        self.name = plan["name"]
        self._url = url
        self.base_url = f"{url}/v1"
        self.api_key = plan["api_key"]
        self.context = context
        self.slots = plan["slots"]
        self.log = log
        self.pid = process.pid
        self._owner = plan["parent"]
        self._process = process

    def count(self, text: str) -> int:
        """Its tokens by the model's own tokenizer, with those that it puts around every text."""
        body = {"content": text, "add_special": True}
        return len(_asked(f"{self._url}/tokenize", self.api_key, body)["tokens"])

    @property
    def alive(self) -> bool:
        return os.getpid() == self._owner and self._process.poll() is None

    def close(self) -> None:
        """Ends it for everybody in this process who was given it. A forked copy of it ends nothing."""
        if os.getpid() == self._owner:
            _end(self._process)

    def disown(self) -> None:
        """In a forked process: lets go of the pipe whose end tells the server that its owner is gone."""
        if self._process.stdin:
            os.close(self._process.stdin.detach().detach())  # type: ignore[attr-defined]
        self._process.returncode = 0  # not this process' child: nothing to wait for


_servers: dict[tuple[Path, int, bool], LocalServer] = {}
_lock = threading.Lock()


def serve(
    name: str, *, context: int | None = None, embedding: bool = False, on_notice: Callable[[str], None] | None = None
) -> LocalServer:
    """The running server of that model and window in this process, else a new one. One for `embedding` does not chat.

    Raises `ConfigurationError` when the weights or the extra are missing, `EndpointError` when it does
    not start.
    """
    if context is not None and context < 1:
        raise InputError(f"A window of {context} tokens holds nothing: give a positive number.")
    file = catalogue.path(name)
    row = None if catalogue.own_file(name) else catalogue.find(name)
    window = context or (EMBEDDED if embedding else row.context if row else catalogue.CONTEXT)
    _end_with_this_process()
    with _lock:
        running = _servers.get((file, window, embedding))
        if running and running.alive:
            return running
        if running:
            running.close()  # it died: its pipes are still open
        if on_notice:
            about = " to embed texts" if embedding else f" ({row.good_for})" if row and row.good_for else ""
            on_notice(f"Starting the embedded model {name}{about}.")
        _servers[file, window, embedding] = server = _start(name, file, window, embedding=embedding)
        return server


@cache
def _end_with_this_process() -> None:
    atexit.register(_close_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_all)


def _close_all() -> None:
    for server in _servers.values():
        server.close()


def _forget_all() -> None:
    global _lock
    _lock = threading.Lock()
    for server in _servers.values():
        server.disown()
    _servers.clear()


def _start(name: str, file: Path, context: int, *, embedding: bool) -> LocalServer:
    plan = Plan(
        name=name,
        model=str(file),
        context=context,
        slots=SLOTS,
        embedding=embedding,
        threads=_threads(),
        api_key=secrets.token_urlsafe(32),
        parent=os.getpid(),
    )
    log = _fresh_log(file)
    with log.open("wb") as output:
        process = _spawn(output)
    try:
        url = _answer_of(process, plan, log)
        return LocalServer(plan, process, url, _window(url, plan["api_key"]), log)
    except BaseException:
        _end(process, 0)
        raise


def _spawn(log: IO[bytes]) -> subprocess.Popen[bytes]:
    # By its path and with -P: neither the working folder nor how this process found taskkit matters to it.
    # In a session of its own, Ctrl-C in the terminal reaches this process, which decides.
    script = str(Path(__file__).with_name("child.py"))
    own_group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # what Windows has instead
    return subprocess.Popen(  # noqa: S603 - our own script, no shell
        [sys.executable, "-P", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={"GOMP_SPINCOUNT": SPINS, **os.environ},
        start_new_session=True,
        creationflags=own_group,
    )


def _answer_of(process: subprocess.Popen[bytes], plan: Plan, log: Path) -> str:
    """The address, once the model is loaded."""
    pipe, lines = process.stdout, queue.SimpleQueue[bytes]()
    assert pipe
    assert process.stdin
    threading.Thread(target=lambda: lines.put(pipe.readline()), daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # it ended at once: its log says why
        process.stdin.write(json.dumps(plan).encode() + b"\n")
        process.stdin.flush()
    try:
        line = lines.get(timeout=START_SECONDS)
    except queue.Empty:
        raise _failure(plan, f"it was not ready within {START_SECONDS} seconds", log) from None
    answer: dict[str, str] = json.loads(line) if line else {}
    if url := answer.get("url"):
        return url
    process.wait(END_SECONDS)
    raise _failure(plan, answer.get("error") or f"it ended with code {process.returncode}", log)


def _failure(plan: Plan, why: str, log: Path) -> EndpointError:
    return EndpointError(
        f"The embedded model {plan['name']} did not start: {why.rstrip('.')}.",
        hint=f"Try a smaller context ({plan['context']} tokens now) or another model; its log is {log}.",
    )


def _window(url: str, api_key: str) -> int:
    return int(_asked(f"{url}/props", api_key)["default_generation_settings"]["n_ctx"])


def _asked(url: str, api_key: str, body: Mapping[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = Request(url, content, headers)  # noqa: S310 - our own server
    opener = build_opener(ProxyHandler({}))  # a proxy of the environment knows nothing of this machine's ports
    with opener.open(request, timeout=ANSWER_SECONDS) as response:
        return json.load(response)


def _end(process: subprocess.Popen[bytes], patience: float = END_SECONDS) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fresh_log(model: Path) -> Path:
    logs = cache_dir() / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    old = sorted(logs.glob("local-*.log"), key=lambda log: log.stat().st_mtime)
    for log in old[: max(0, len(old) - LOGS_KEPT + 1)]:
        with contextlib.suppress(OSError):  # in use, where that forbids it
            log.unlink()
    return logs / f"local-{model.stem}-{os.getpid()}-{secrets.token_hex(3)}.log"


def _threads() -> int:
    """-1 lets llama.cpp count the physical cores; fewer when this process may not use all of them."""
    if not hasattr(os, "sched_getaffinity"):
        return -1
    allowed = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):  # no such control group, or no quota ("max")
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed if allowed < (os.cpu_count() or 1) else -1
