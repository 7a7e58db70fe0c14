"""A file of the Hugging Face hub, or of a server that speaks as it does: looked up, fetched, resumed."""

import hashlib
import http.client
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from taskkit.errors import AuthenticationError, ConfigurationError, EndpointError
from taskkit.local import disk

Progress = Callable[[int, int | None], None]

LOOK_SECONDS = 10  # soon enough that another source is tried while the user still watches
READ_SECONDS = 60
CHUNK = 2**18
TRIES = 5  # in a row without a byte of progress
HOPS = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """What the hub says of a file before it is sent. `size` in bytes, None when it does not say; `sha256` and
    `tag` are empty when it does not say; `tag` changes with the content and is as the header gave it.
    """

    url: str
    size: int | None
    sha256: str
    tag: str


def look(reference: str) -> Offer:
    """`reference` is OWNER/REPO/FILE.

    Raises `AuthenticationError`, or `EndpointError` with the status, None when the hub can not be reached.
    """
    owner, repository, file = reference.split("/", 2)
    url = f"{_base()}/{owner}/{repository}/resolve/main/{file}"
    for _ in range(HOPS):
        headers = _head(url, reference)
        location = headers.get("Location")
        target = urljoin(url, location) if location else url
        linked = headers.get("X-Linked-Etag")
        if not location or linked or not _of_the_hub(target):
            # The size and tag of a redirect's own page are not those of the file.
            size = headers.get("X-Linked-Size") or (None if location else headers.get("Content-Length"))
            tag = linked or ("" if location else headers.get("ETag")) or ""
            bare = tag.removeprefix("W/").strip('"')
            known = bare if re.fullmatch(r"[0-9a-f]{64}", bare) else ""
            return Offer(target, int(size) if size and size.isdecimal() else None, known, tag)
        url = target
    raise EndpointError(f"{_host()} sends {reference} round in circles.", hint="Try again later.")


def _head(url: str, reference: str) -> Message:
    opener = OpenerDirector()  # one that does not follow: the headers of the redirect are what is asked for
    for kind in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPErrorProcessor, HTTPDefaultErrorHandler):
        opener.add_handler(kind())
    try:
        with opener.open(_request(url, method="HEAD"), timeout=LOOK_SECONDS) as response:
            found: Message = response.headers
            return found
    except HTTPError as error:
        error.close()
        if error.code in {301, 302, 303, 307, 308}:
            return error.headers
        raise _refusal(error, reference) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise EndpointError(
            f"{_host()} can not be reached ({getattr(reason, 'strerror', None) or reason}).",
            hint="Check the network, or set HF_ENDPOINT to a mirror.",
        ) from error


def _refusal(error: HTTPError, reference: str) -> AuthenticationError | EndpointError:
    if error.code in {401, 403}:
        return AuthenticationError(
            f"{_host()} does not give {reference}: it is private, gated, or not there.",
            hint="Check the name, accept its terms on the site, and set HF_TOKEN.",
        )
    if error.code == 404:
        return EndpointError(
            f"{_host()} has no {reference}.", status=404, hint="Check owner, repository and file name."
        )
    return EndpointError(f"{_host()} answers {error.code} for {reference}.", status=error.code, hint="Try again later.")


def fetch(reference: str, offer: Offer, part: Path, progress: Progress) -> None:
    """Brings `part` to the whole file, from wherever it stands.

    Raises `EndpointError` when the connection keeps breaking, `ConfigurationError` when the disk is full.
    """
    failures = 0
    while True:
        had = _size(part)
        try:
            _bring_rest(offer, part, progress)
        except (OSError, http.client.HTTPException) as error:
            failures = 0 if _size(part) > had else failures + 1
            if failures == TRIES:
                raise EndpointError(
                    f"The download of {reference} keeps breaking off ({error}).",
                    kept=f"{_size(part) / 1e6:,.1f} MB are kept.",
                    hint="Run it again to go on from there.",
                ) from error
            if isinstance(error, HTTPError):
                error.close()
                offer = look(reference)  # signed addresses expire
            time.sleep(min(0.25 * 2**failures, 8))
        else:
            return


def _bring_rest(offer: Offer, part: Path, progress: Progress) -> None:
    done = _size(part)
    if offer.size and done >= offer.size:
        return
    request = _request(offer.url)
    if done:
        request.add_header("Range", f"bytes={done}-")
        if offer.tag.startswith('"') and not offer.sha256:  # no hash will tell that two files were joined
            request.add_header("If-Range", offer.tag)
    try:
        response = build_opener().open(request, timeout=READ_SECONDS)
    except HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{done}":
            return  # the hub did not say the size, and nothing was missing
        part.unlink()
        raise ConnectionError("the server refuses to go on") from error
    with response:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            done = 0
        length = response.headers.get("Content-Length", "")
        total = offer.size or (done + int(length) if length.isdecimal() else None)
        _write(response, part, done, total, progress)
    if total is not None and _size(part) < total:
        raise ConnectionError(f"the connection closed after {_size(part):,} of {total:,} bytes")


def _write(response: IO[bytes], part: Path, done: int, total: int | None, progress: Progress) -> None:
    with disk.opened(part, "ab" if done else "wb") as out:
        progress(done, total)
        while chunk := response.read(CHUNK):
            with disk.writing(part.parent):
                out.write(chunk)
            done += len(chunk)
            progress(done, total)
        with disk.writing(part.parent):
            out.flush()


def _request(url: str, *, method: str = "GET") -> Request:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigurationError(
            f"{url} is not an address on the web.", hint="Check HF_ENDPOINT: it begins with https://."
        )
    # Compressed, the size and the ranges would not be those of the file.
    headers = {"Accept-Encoding": "identity", "User-Agent": "taskkit"}
    request = Request(url, method=method, headers=headers)  # noqa: S310 - the scheme was checked just above
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and _of_the_hub(url):
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _base() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def _host() -> str:
    return urlsplit(_base()).netloc


def _of_the_hub(url: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(_base())[:2]


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def key(offer: Offer) -> str:
    """Names the content, so that a half-fetched file is never completed with another's bytes."""
    return hashlib.sha256(offer.tag.encode()).hexdigest()[:12]
