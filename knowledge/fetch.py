"""A page of the web as a document, only when it is asked for by its URL."""

import asyncio
import contextlib
import errno
import ipaddress
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from taskkit.errors import InputError
from taskkit.knowledge.read import Found, documents
from taskkit.knowledge.readers import LARGEST, suffix_of
from taskkit.knowledge.records import Document

if TYPE_CHECKING:
    from aiohttp import ClientResponse, TCPConnector

SECONDS = 60.0
REDIRECTS = 5
_KINDS = {
    "text/html": "html", "application/xhtml+xml": "html", "application/pdf": "pdf", "text/markdown": "md",
    "text/csv": "csv", "application/json": "json", "application/epub+zip": "epub", "message/rfc822": "eml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
}  # fmt: skip


def fetched(url: str, *, seconds: float = SECONDS) -> Document:
    """What is there, read as a file of its kind; its name is the URL.

    Over https, or http from this machine itself. A redirect keeps to the scheme and never leads to a private address.
    Raises `InputError` when there is nothing, too much, or nothing that can be read."""
    from taskkit.engine import loop

    return loop.run(afetched(url, seconds=seconds))


async def afetched(url: str, *, seconds: float = SECONDS) -> Document:
    from aiohttp import ClientError

    try:
        asked = _allowed(url)
        async with asyncio.timeout(seconds):
            data, suffix = await _followed(asked)
    except TimeoutError:
        raise InputError(f"{url} did not come within {seconds:,.0f} seconds.") from None
    except (ClientError, OSError, UnicodeError) as error:
        raise InputError(f"{url} can not be fetched: {error}.", hint="Check its address.") from None
    return await asyncio.to_thread(_read, data, suffix, url)


def _allowed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in {"http", "https"}:
        raise InputError(f"{url!r} is no address of a page.", hint="Give one that begins with https://.")
    if parts.scheme == "http" and not _here(host):
        raise InputError(f"{url} is not encrypted on its way.", hint="Give its https:// address.")
    return parts


async def _followed(asked: SplitResult) -> tuple[bytes, str]:
    from aiohttp import ClientSession

    url = asked.geturl()
    async with ClientSession(connector=_connector(asked.hostname or "")) as session:
        for _ in range(REDIRECTS + 1):
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status not in {301, 302, 303, 307, 308}:
                    return await _taken(answer), _suffix(answer)
                url = _next(asked, urljoin(url, answer.headers.get("Location", "")))
    raise InputError(f"{asked.geturl()} leads on more than {REDIRECTS} times.")


def _next(asked: SplitResult, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != asked.scheme:
        raise InputError(f"{asked.geturl()} leads to {url}, which is not {asked.scheme}.")
    if parts.netloc != asked.netloc and not _public(parts.hostname or ""):
        raise InputError(f"{asked.geturl()} leads to {url}, a private address.")
    return url


def _connector(asked: str) -> "TCPConnector":
    """Names are looked up once, for the check and for the connection: no second answer can be another one."""
    from aiohttp import TCPConnector, ThreadedResolver
    from aiohttp.abc import ResolveResult

    class Public(ThreadedResolver):
        async def resolve(self, host: str, *given: int, **named: int) -> list[ResolveResult]:
            found = await super().resolve(host, *given, **named)  # type: ignore[arg-type]
            if host != asked and not all(_public(one["host"]) for one in found):
                raise OSError(errno.EACCES, "it leads to a private address")
            return found

    return TCPConnector(resolver=Public())


def _public(host: str) -> bool:
    """A name may be: what it stands for is seen when it is looked up."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        return (getattr(address, "ipv4_mapped", None) or address).is_global
    return bool(host)


def _here(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


async def _taken(answer: "ClientResponse") -> bytes:
    url = answer.url
    if answer.status != 200:
        raise InputError(f"{url} can not be fetched: the server says {answer.status} {answer.reason}.")
    data = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > LARGEST:
            raise InputError(f"{url} is too large: over {LARGEST / 1e6:,.0f} MB.")
    charset = answer.charset
    if charset and answer.content_type.startswith("text/"):
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            return data.decode(charset).encode()
    return bytes(data)


def _suffix(answer: "ClientResponse") -> str:
    own = suffix_of(Path(answer.url.path))
    return _KINDS.get(answer.content_type) or (own if own.isalnum() else "") or "txt"


def _read(data: bytes, suffix: str, url: str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"page.{suffix}"
        file.write_bytes(data)
        ((found, _),) = documents([Found(file, url, "")])
    if isinstance(found, Document):
        return found
    raise InputError(f"{url} {found.reason}.")
