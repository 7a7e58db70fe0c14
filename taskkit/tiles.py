"""What an image takes of the window: OpenAI's tile rule, by the size in the image's own head.

Source: the "Images and vision" guide of the OpenAI platform, "Calculating costs", tile-based models at high
detail: scaled into 2048 x 2048, then to a shortest side of 768 at most, 170 a tile of 512 x 512 and 85."""

import base64
import binascii
import math
import struct

BASE = 85
TILE = 170
LARGEST = BASE + 8 * TILE  # the most that the rule gives: 2048 x 768
_HEAD = 400_000  # base64 characters: an embedded preview may come before a JPEG's size


def image_tokens(image: str) -> int:
    """`image` is a URL; the size is seen in a `data:` URL only, else the largest count is taken."""
    size = size_of(image)
    if size is None or min(size) < 1:
        return LARGEST
    scale = min(1.0, 2048 / max(size))
    scale = min(scale, 768 / min(size))
    across, down = (math.ceil(max(1, int(side * scale)) / 512) for side in size)
    return BASE + across * down * TILE


def size_of(image: str) -> tuple[int, int] | None:
    """Width and height in pixels, where a `data:` URL shows them."""
    return _size(_head(image))


def _head(image: str) -> bytes:
    if not image.startswith("data:"):
        return b""
    kind, _, data = image.partition(",")
    if not kind.endswith(";base64"):
        return b""
    data = data[:_HEAD]
    try:
        return base64.b64decode(data[: len(data) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _size(head: bytes) -> tuple[int, int] | None:
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", head, 16)
        if head.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack_from("<HH", head, 6)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp(head)
        if head.startswith(b"\xff\xd8"):
            return _jpeg(head)
    except (struct.error, IndexError):
        pass
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        wide, high = int.from_bytes(head[24:27], "little"), int.from_bytes(head[27:30], "little")
        return wide + 1, high + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack_from("<HH", head, 26)
        return wide & 0x3FFF, high & 0x3FFF
    return None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            high, wide = struct.unpack_from(">HH", head, at + 5)
            return wide, high
        (length,) = struct.unpack_from(">H", head, at + 2)
        at += 2 + length
    return None
