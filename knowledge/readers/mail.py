"""Mail: its subject is the title, its letters come first; what is attached follows, a heading each, if it can be read."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any, TypeAlias

from taskkit.errors import InputError
from taskkit.knowledge.readers.lines import heading, line
from taskkit.knowledge.readers.markup import declared, readable
from taskkit.knowledge.records import Document, Value

Part: TypeAlias = "Message[Any, Any]"
DEEPEST = 5  # messages within messages, and attachments of attachments
_SHOWN = ("From", "To", "Cc", "Date")


class Unread(str):
    """What stands in the place of a text that is lost."""

    __slots__ = ()


def read(path: Path, depth: int = 0) -> Document:
    with path.open("rb") as file:
        message = message_from_binary_file(file, policy=policy.default)
    if not message.keys() or not any(name in message for name in ("From", "To", "Subject", "Date", "Received")):
        raise InputError("is no mail: it has none of the headers of one")
    blocks = list(_message(message, depth))
    metadata: dict[str, Value] = {"from": _header(message, "From"), "to": _header(message, "To")}
    sent = getattr(message.get("Date"), "datetime", None)
    metadata["date"] = sent.isoformat() if isinstance(sent, datetime) else ""
    return Document(
        path.name, "\n\n".join(filter(None, blocks)), _header(message, "Subject"),
        {name: value for name, value in metadata.items() if value}, format="markdown",
        lacks="; ".join(one[1:-1] for one in blocks if isinstance(one, Unread)),
    )  # fmt: skip


def _header(message: Part, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # noqa: BLE001 - a header that its own library trips over
        return ""


def _message(message: Part, depth: int) -> Iterator[str]:
    yield "\n".join(f"{name}: {value}" for name in _SHOWN if (value := _header(message, name)))
    body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is not None:
        yield _text(body)
    for part in _attached(message, body):
        yield from _attachment(part, depth)


def _attached(message: Part, body: Any) -> Iterator[Part]:
    """Every part with content of its own; the other form of the body is no part to read."""
    for part in message.iter_parts() if isinstance(message, EmailMessage) else ():
        if part is body:
            continue
        if part.get_content_maintype() != "multipart":
            alternative = message.get_content_subtype() == "alternative" and not part.get_filename()
            if not alternative and not (part.get_content_maintype() == "image" and not part.is_attachment()):
                yield part
        else:
            yield from _attached(part, body)


def _attachment(part: Part, depth: int) -> Iterator[str]:
    name = " ".join((part.get_filename() or "").split())
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        message = inner[0] if isinstance(inner, list) and inner else None
        if isinstance(message, Message):
            yield heading(depth + 1, _header(message, "Subject") or name or "A message")
            if depth < DEEPEST:
                yield from _message(message, depth + 1)
            else:
                yield "(not read: messages within messages, too deep)"
        return
    yield heading(depth + 1, name or part.get_content_type())
    if part.get_content_maintype() == "text" and not _kind(name):
        yield _text(part)
        return
    if not _kind(name) or depth >= DEEPEST:
        yield f"(not read: {name or 'it'} is {part.get_content_type()})"
        return
    try:
        found = _file(part, name, depth)
        yield found.text.replace("\f", "").strip()
        if found.lacks:
            yield Unread(f"(not read of {name}: {found.lacks})")
    except (InputError, MemoryError, RecursionError) as error:
        yield Unread(f"(not read: {name} {error if isinstance(error, InputError) else 'takes too much'})")
    except Exception as error:  # noqa: BLE001 - what is attached must not take its mail with it
        yield Unread(f"(not read: {name}: {type(error).__name__})")


def _kind(name: str) -> bool:
    from taskkit.knowledge.readers import known, suffix_of

    return known(suffix_of(Path(name)))


def _file(part: Part, name: str, depth: int) -> Document:
    """Read as a file of its kind would be."""
    from taskkit.knowledge import readers

    data = part.get_payload(decode=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"attachment{Path(name).suffix}"
        file.write_bytes(data if isinstance(data, bytes) else b"")
        return read(file, depth + 1) if readers.suffix_of(file) == "eml" else readers.read(file)


def _text(part: Part) -> str:
    data = part.get_payload(decode=True)
    raw = data if isinstance(data, bytes) else b""
    charset = part.get_content_charset("utf-8")
    try:
        text = declared(raw, charset)
    except (LookupError, ValueError):
        return Unread(f"(not read: a text that is not {charset})")
    if part.get_content_subtype() == "html":
        return readable(text)[0].strip()
    return "\n".join(f"{one[: len(one) - len(one.lstrip())]}{line(one)}" for one in text.splitlines()).strip("\n")
