"""`python -m taskkit.testing`: a scripted endpoint on the loopback, to try commands against."""

import argparse
import sys
import threading

from taskkit.testing import Say, ScriptedServer, answer
from taskkit.testing.script import Body


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m taskkit.testing",
        description="A scripted endpoint on the loopback, to try commands against. Its first line is its address, for"
        " OPENAI_BASE_URL or --base-url; Ctrl-C ends it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--reply", help="what it always says, not an answer that fits the request's schema")
    parser.add_argument("--chunk", type=int, default=20, help="characters in a piece of a stream")
    options = parser.parse_args()
    if options.chunk < 1 or not options.latency >= 0:
        parser.error("--chunk is 1 or more, --latency 0 or more")
    fitting = answer()

    def reply(body: Body) -> Say:
        return Say(fitting(body) if options.reply is None else options.reply, chunk=options.chunk)

    try:
        server = ScriptedServer(reply, latency=options.latency, port=options.port)
    except (OSError, OverflowError) as error:
        parser.error(f"the port {options.port} can not be had: {error}")
    try:
        with server:
            print(f"listening on {server.base_url}", flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
