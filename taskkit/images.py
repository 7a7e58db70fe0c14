"""Images among the sources: each stands in the text as a mark, and is sent along with the message that has the mark.

So a task needs to know nothing of them: it reads, splits and fills its prompt as with any text."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from taskkit.errors import InputError
from taskkit.tiles import size_of

KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
LARGEST = 20_000_000  # bytes; what OpenAI's endpoint takes of one image


def kind_of(data: bytes) -> str:
    """`png`, `jpeg`, `gif` or `webp` by the first bytes; empty for what is none of them."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in KINDS.items() if data.startswith(magic)), "")


def is_image(path: Path) -> bool:
    try:
        if not path.is_file():  # a look into a pipe would take what it looks at
            return False
        with path.open("rb") as file:
            return bool(kind_of(file.read(12)))
    except (OSError, ValueError):  # whoever reads it will say what is wrong
        return False


def data_url(data: bytes, name: str) -> str:
    """Raises `InputError` for what an endpoint would not take."""
    kind = kind_of(data)
    if not kind:
        raise InputError(f"{name} is no image that models take.", hint="They take PNG, JPEG, GIF and WebP.")
    if len(data) > LARGEST:
        raise InputError(
            f"{name} has {len(data) / 1e6:.0f} MB, an image {LARGEST / 1e6:.0f} at most.", hint="Shrink it."
        )
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    size = size_of(url)
    if size is None or min(size) < 1:
        raise InputError(f"{name} is a damaged {kind.upper()} image: its size can not be read.")
    return url


def web_url(url: str) -> str:
    if not url.startswith(("https://", "http://", "data:image/")) or any(one.isspace() for one in url):
        raise InputError(f"{url[:80]!r} is no address of an image.", hint="It looks like https://host/photo.png.")
    return url


def mark_of(url: str) -> str:
    return f"[image {hashlib.blake2b(url.encode('utf-8', 'replace'), digest_size=8).hexdigest()}]"


def marked(text: str, images: Mapping[str, str]) -> tuple[str, ...]:
    """The URLs of the images whose marks stand in a text; `images` is by mark."""
    return tuple(url for mark, url in images.items() if mark in text)
