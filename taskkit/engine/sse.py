"""Server-sent events, as far as endpoints send them: JSON in `data:` lines, until `[DONE]`.

Line ends of all three kinds, comments, a byte order mark, a last line without an end, JSON over several lines, events
without the empty line between them: all are read, as all are sent by somebody."""

import json
from collections.abc import AsyncIterator
from typing import Any

MARK = b"\xef\xbb\xbf"
LOOKED_AT = 2000  # bytes of what is none, that are told
REREAD = 100_000_000  # bytes that are tried at most as one object: with each line more from its beginning


async def chunks(data: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:  # noqa: C901 - one row a form
    """The object of each event. Raises `ValueError` for what is none."""
    pending = b""
    reread = 0
    async for line in _lines(data):
        if not line.startswith(b"data:"):
            if not line and pending:
                break
            continue
        payload = line[5:].strip()
        if payload == b"[DONE]":
            return
        pending = pending + b"\n" + payload if pending else payload
        if not pending:
            continue
        reread += len(pending)
        if reread > REREAD:
            break
        try:
            chunk = json.loads(pending)
        except RecursionError:
            break
        except ValueError:  # it may go on in the next line
            continue
        if not isinstance(chunk, dict):
            break
        pending, reread = b"", 0
        yield chunk
    if pending:
        raise ValueError(f"what is no JSON object ({pending[:LOOKED_AT]!r})")


async def _lines(data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    parts: list[bytes] = []  # of a line that goes on
    is_first = True
    async for piece in data:
        parts.append(piece)
        if b"\n" not in piece and b"\r" not in piece and not parts[0].endswith(b"\r"):
            continue
        rest = b"".join(parts)
        if is_first:
            rest, is_first = rest.removeprefix(MARK), False
        half = b""
        if b"\r" in rest:  # one at the end may be half of a CRLF
            if rest.endswith(b"\r"):
                rest, half = rest[:-1], b"\r"
            rest = rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line
        parts = [rest + half] if rest or half else []
    rest = b"".join(parts)
    yield (rest.removeprefix(MARK) if is_first else rest).rstrip(b"\r")
