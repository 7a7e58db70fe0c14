"""The failures of an endpoint, from a status and a body, as our errors. Bodies differ; none is relied upon."""

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from taskkit.engine.learn import OUTPUT_NAMES
from taskkit.engine.pace import Transient
from taskkit.engine.schema import UnsupportedParameter
from taskkit.errors import (
    AuthenticationError,
    ConfigurationError,
    ContextTooLong,
    EndpointError,
    InputError,
    QuotaError,
    RateLimitError,
    RefusedError,
)

RETRIED = frozenset({408, 409, 429})
ANSWERS = ("choices", "data", "results")  # what an answer to a wish holds
DIGITS = 9  # of a number of tokens that can be meant
THOUSANDS = re.compile(r"\b\d{1,3}(?:[,.'\s]\d{3})+\b")  # 4,096 and 4 096
LOOKED_AT = 2000  # bytes of what is no JSON; a key in it is masked before it is cut
TOLD_TRIES = 3  # of a call whose answer tells of an error of which nothing is known
# As llama.cpp and Ollama say with a 500 what no other try will mend: a text that is to be embedded is too long.
TOO_LARGE = re.compile(
    r"too large to process|larger than the (?:physical )?batch|exceeds the context length", re.IGNORECASE
)
PARAMETERS = frozenset(
    {"temperature", "max_tokens", "max_completion_tokens", "response_format", "stream_options", "stop", "seed"}
)
UNSUPPORTED = re.compile(
    r"\bun(?:supported|recogni[sz]ed|known|expected)\b|(?:\bnot|n['’]t) (?:\w+ )?(?:support|permit|allow|accept|recogni[sz]e)"
    r"|\bextra[_ ]forbidden",
    re.IGNORECASE,
)
# Of a limit of the answer: it is known, and its value is refused, or the length of all.
TOO_MUCH = re.compile(
    r"too (?:large|long|big|high|great|many|small)|at (?:most|least)|exceed|\b(?:less|greater|more) than|[<>]=? ?\d|[≤≥]"
    r"|\brange\b|\bbetween\b|\b(?:maximum|limit)\b\D{0,40}\d|context (?:length|size|window)",
    re.IGNORECASE,
)


def failure(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    where: str,
    key: str,
    model: str,
    sent: AbstractSet[str] = PARAMETERS,
) -> Exception:
    """The error of a status of 400 and more: one of ours, or a `Transient` that another try may mend. `sent` are the
    names of what the request had."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = {}
    return _failure(status, headers, data, content, where=where, key=key, model=model, sent=sent)


def told_failure(
    data: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    where: str,
    key: str,
    model: str,
    sent: AbstractSet[str] = PARAMETERS,
) -> Exception | None:
    """The same of an answer, or of a part of a stream, that is no refusal by its status but tells of one."""
    if not data.get("error") or any(data.get(one) for one in ANSWERS):
        return None
    error = data["error"]
    code = error.get("code") if isinstance(error, dict) else None
    status = code if type(code) is int and 400 <= code < 600 else 0
    if status:
        return _failure(status, headers or {}, data, b"", where=where, key=key, model=model, sent=sent)
    said = masked(words(data) or "an error, and no more of it", key)
    return Transient(EndpointError(f"{where} says: {said[:300]}"), after=_retry_after(headers or {}), tries=TOLD_TRIES)


def _failure(
    status: int,
    headers: Mapping[str, str],
    data: Any,
    content: bytes,
    *,
    where: str,
    key: str,
    model: str,
    sent: AbstractSet[str],
) -> Exception:
    message = words(data) or content[:LOOKED_AT].decode("utf-8", "replace").strip() or "no reason given"
    message = masked(message, key)
    detail = data.get("error") if isinstance(data, dict) else None
    detail = detail if isinstance(detail, dict) else {}
    said = f"{where} says {status}: {message[:300]}"
    if status in {401, 403}:
        return AuthenticationError(
            f"{where} refuses the key ({status}): {message[:200]}",
            hint="Set OPENAI_API_KEY (or TASKKIT_API_KEY) to a key of this endpoint.",
        )
    if status == 402 or "insufficient_quota" in {str(detail.get("code")), str(detail.get("type"))}:
        return QuotaError(
            f"The account has no credit left: {message[:200]}",
            status=status,
            kept="What was finished is kept in the journal.",
        )
    if status >= 500 and TOO_LARGE.search(message):
        return _too_long(message, detail, where)
    if status in RETRIED or status >= 500:
        kind = RateLimitError if status == 429 else EndpointError
        return Transient(kind(said, status=status), after=_retry_after(headers))
    if status == 404:
        return ConfigurationError(
            f"{where} does not know the model {model!r} (404): {message[:200]}",
            hint="See `taskkit doctor` for the names it has; set one with --model.",
        )
    return _bad_request(said, message, detail, where, status, sent)


def _bad_request(
    said: str, message: str, detail: Mapping[str, Any], where: str, status: int, sent: AbstractSet[str]
) -> Exception:
    low = message.lower()
    if _context(detail, message) or detail.get("code") == "context_length_exceeded":
        return _too_long(message, detail, where)
    parameter = _refused(detail, message, sent & PARAMETERS)
    if status in {400, 422} and (parameter or "response_format" in low or "json_schema" in low):
        return UnsupportedParameter(said, status=status, parameter=parameter or "response_format")
    if "content" in low and ("policy" in low or "filter" in low):
        return RefusedError(f"The endpoint's content filter refused the request: {message[:200]}", text=message)
    return InputError(said) if status in {400, 413, 422} else EndpointError(said, status=status)


def _refused(detail: Mapping[str, Any], message: str, sent: AbstractSet[str]) -> str:
    """The parameter that is not taken, by the field for it, else by the words: of those sent, the one that is the first
    thing in quotes, or stands in a sentence that tells of what is not taken."""
    if parameter := str(detail.get("param") or "").partition(".")[0]:
        return parameter if parameter in PARAMETERS else ""
    if TOO_MUCH.search(message):
        sent = sent - set(OUTPUT_NAMES)
    quoted = re.search(r"['\"`](\w+)['\"`]", message)
    if quoted and quoted[1] in sent:
        return quoted[1]
    sentences = (one for one in re.split(r"[.;}](?:\W|$)", message) if UNSUPPORTED.search(one))
    return next((word for one in sentences for word in re.findall(r"\w+", one) if word in sent), "")


def _too_long(message: str, detail: Mapping[str, Any], where: str) -> ContextTooLong:
    context, used = _context(detail, message), _used(detail, message)
    over = max(0, used - context) if context else 0
    said = f"{where} refused the length: {message[:200]}"
    return ContextTooLong(said, part="messages", over=over, context=context, used=used)


def words(data: object) -> str:
    """The words of an error body, whichever of the usual shapes it has."""
    if not isinstance(data, dict):
        return ""
    error = data.get("error", data)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or data.get("detail")
    return str(error) if error and not isinstance(error, dict) else ""


def _context(detail: Mapping[str, Any], message: str) -> int:
    """The context that an error about length reveals, in tokens, in the words of the servers there are."""
    return _size(detail.get("n_ctx")) or _number(
        message,
        r"maximum context length (?:is|of) (?:only )?(\d+)",
        r"context length is only (\d+) tokens",
        r"(\d+) maximum context length",
        r"context size \((\d+) tokens\)",
        r"current batch size: (\d+)",
        r"inputs?`? must have less than (\d+) tokens",
        r"max_new_tokens`? must be <= (\d+)",
        r"too long: \d+ tokens > (\d+) maximum",
    )


def _used(detail: Mapping[str, Any], message: str) -> int:
    """How many tokens the messages have by the endpoint's own count."""
    return _size(detail.get("n_prompt_tokens")) or _number(
        message,
        r"(\d+) (?:tokens )?(?:in|from) the (?:messages|input)",
        r"messages resulted in (\d+) tokens",
        r"(?:request|input) \((\d+) tokens\)",
        r"\. Given: (\d+)",
        r"too long: (\d+) tokens",
        r"Prompt contains (\d+) tokens",
        r"(?:passed|has) (\d+) input tokens",
        r"\((\d+) in your prompt",
    )


def _number(message: str, *patterns: str) -> int:
    """The first of them that is found and can be meant, else 0."""
    plain = THOUSANDS.sub(lambda one: re.sub(r"\D", "", one[0]), message)
    found = (re.search(pattern, plain) for pattern in patterns)
    return next((size for one in found if one and len(one[1]) <= DIGITS and (size := int(one[1]))), 0)


def _size(value: object) -> int:
    return value if type(value) is int and 0 < value < 10**DIGITS else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `Retry-After` (a number or an HTTP date)."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        if "retry-after" not in headers:
            return None
        value = headers["retry-after"]
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
            return float(value)
        from datetime import UTC, datetime
        from email.utils import parsedate_to_datetime

        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def masked(text: str, key: str) -> str:
    """Some endpoints repeat the key, or a part of it, in their refusal."""
    text = text.replace(key, "…") if len(key) >= 8 else text
    return re.sub(r"\b(sk-|key-)[\w*-]{6,}", "…", text)
