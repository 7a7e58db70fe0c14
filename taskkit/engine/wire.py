"""The JSON of an OpenAI-compatible endpoint, as it is written and as it is read. Nothing in an answer is relied upon."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from taskkit.engine.call import Finish, Message
from taskkit.results import Usage

OnText = Callable[[str], None]
FINISH: Mapping[str, Finish] = {  # what is none of these is a stop
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "max_length", "model_length"), "length"),
    **dict.fromkeys(("content_filter", "safety", "recitation", "blocklist", "prohibited_content"), "filtered"),
}
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
BROKEN = frozenset({"error", "abort", "aborted", "cancelled", "canceled", "timeout"})


def window_of(row: Mapping[str, Any]) -> int | None:
    """What a list of models tells of the window of one: vLLM's `max_model_len`, llama.cpp's `meta.n_ctx`."""
    meta = row.get("meta")
    for size in (row.get("max_model_len"), meta.get("n_ctx") if isinstance(meta, Mapping) else None):
        if isinstance(size, int) and size > 1:
            return size
    return None


class Heard:
    """What the chunks of a stream have told so far. `size` is that of the text, in characters."""

    def __init__(self, model: str) -> None:
        self.pieces: list[str] = []
        self.size = 0
        self.finish: object = ""
        self.refusal = ""
        self.usage = Usage(calls=1)
        self.model = model

    def take(self, chunk: Mapping[str, Any]) -> tuple[str, bool]:
        """The text that is in it, and whether it says anything at all: thoughts, too, are no silence."""
        says_something = False
        text = ""
        if chunk.get("usage"):
            self.usage = usage_of(chunk)
        self.model = str(chunk.get("model") or self.model)
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            says_something = says_something or any(delta[name] for name in delta if name != "role")
            text += said(delta.get("content"))
            self.refusal += (refusal := said(delta.get("refusal")))
            self.size += len(refusal)
            self.finish = choice.get("finish_reason") or self.finish
        if text:
            self.pieces.append(text)
            self.size += len(text)
        return text, says_something


def encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def message_body(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    images = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
    return {"role": message.role, "content": [{"type": "text", "text": message.content}, *images]}


def said(content: object) -> str:
    """The text of a message: as it is, or in parts. Raises `TypeError` for what is none."""
    if isinstance(content, str):
        return whole_characters(content)
    if isinstance(content, list):
        return "".join(said(part.get("text")) for part in content)
    if content is None:
        return ""
    raise TypeError(f"a text that is {type(content).__name__}")


def whole_characters(text: str) -> str:
    """Without control characters, which nobody asks for and which a terminal obeys, and without halves of surrogate
    pairs, which no file and no other endpoint takes; halves that meet are joined."""
    text = CONTROLS.sub("", text)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def finish_of(reason: object) -> Finish:
    """By the words of OpenAI, and of those that hand on their own: Anthropic's, Google's, Mistral's, vLLM's. Raises
    `ValueError` for an answer that broke off."""
    word = str(reason).lower()
    if word in BROKEN:
        raise ValueError(f"it broke off ({word})")
    return FINISH.get(word, "stop")


def usage_of(data: Mapping[str, Any]) -> Usage:
    """What the server says of it; what is no number there counts as nothing."""
    usage = data.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, Mapping) else {}
    given, out = _number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))
    cached = min(_number(details.get("cached_tokens")), given)
    written = min(_number(details.get("cache_write_tokens")), given - cached)
    return Usage(calls=1, input_tokens=given, cached_tokens=cached, written_tokens=written, output_tokens=out)


def _number(told: object) -> int:
    return int(told) if isinstance(told, int | float) and 0 <= told < 1e12 else 0


def duration(text: str) -> float:
    """Seconds of `1s`, `6m0s`, `120ms`, `1h2m` or a plain number."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", text)
    if not found:
        raise ValueError(text)
    return sum(float(number) * units[unit] for number, unit in found)


def short(error: Exception) -> str:
    return str(error).partition("\n")[0][:120] or type(error).__name__
