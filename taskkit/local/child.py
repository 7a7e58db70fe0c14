"""Run as a script in a process of its own: it serves one model until the process that started it is gone.

It reads one line of JSON on standard input (a `Plan`) and writes one on standard output: `{"url": …}` once
the model answers, or `{"error": …}`. Then it waits for the end of standard input.
"""

import importlib
import json
import os
import sys
import threading
import time
from typing import Any, NoReturn, TypedDict
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

LOOK_SECONDS = 1.0


class Plan(TypedDict):
    """`context` is the window of one request in tokens; there are `slots` of them. One that is for `embedding` answers
    nothing else."""

    name: str
    model: str
    context: int
    slots: int
    embedding: bool
    threads: int
    api_key: str
    parent: int


def main() -> NoReturn:
    plan: Plan = json.loads(sys.stdin.buffer.readline())
    # The native library may print on descriptor 1: that goes to the log, and the answer to a copy of it.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # A process that the parent forked may hold the pipe open after the parent is gone.
    end_with(plan["parent"])
    try:
        server = _serve(plan)
    except Exception as error:  # noqa: BLE001 - the parent tells the user
        print(json.dumps({"error": str(error)}), file=answer, flush=True)
        os._exit(1)
    print(json.dumps({"url": server.listening_address}), file=answer, flush=True)
    answer.close()
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # answers under way have nobody left to read them


def end_with(parent: int) -> None:
    """Has this process end when the one that started it is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _serve(plan: Plan) -> Any:
    xllamacpp: Any = importlib.import_module("xllamacpp")  # it has no types
    params = xllamacpp.CommonParams()
    params.model.path = plan["model"]
    params.model_alias = {plan["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [plan["api_key"]]
    params.n_ctx = plan["context"] * plan["slots"]
    params.n_parallel = plan["slots"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = plan["threads"]
    params.ui = False
    params.endpoint_slots = False
    params.cache_ram_mib = 512  # prompts that left their slot; the default is 8 GB
    params.verbosity = 2  # warnings: no prompt and no answer gets into the log
    # Measuring what fits loads the model twice: only worth it where a graphics card may be too small.
    params.fit_params = any("CPU" not in str(device.get("type", "")) for device in xllamacpp.get_device_info())
    if not plan["embedding"]:
        return xllamacpp.Server(params)
    params.embedding = True
    params.n_batch = params.n_ubatch = plan["context"]  # a text is embedded in one batch
    server = xllamacpp.Server(params)
    if not _embeds(server.listening_address, plan["api_key"]):
        del server  # a model for chat does not say how its tokens become one vector
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        server = xllamacpp.Server(params)
    return server


def _embeds(url: str, api_key: str) -> bool:
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    request = Request(f"{url}/v1/embeddings", b'{"input": ["a"]}', headers)  # noqa: S310 - our own server
    try:
        build_opener(ProxyHandler({})).open(request).close()
    except HTTPError as error:
        error.close()
        return False
    return True


if __name__ == "__main__":
    main()
