"""What calls cost, from `genai-prices`, which others keep. An unknown price is None, never 0."""

import functools
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taskkit.engine.call import Call
from taskkit.models import Model
from taskkit.results import Usage
from taskkit.settings import OPENAI_URL
from taskkit.tokens import Counter, at_most, count_messages

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

MILLION = 1_000_000


def cost(model: Model, usage: Usage, base_url: str) -> Decimal | None:
    """In dollars. The user's own price of a model comes first; the embedded model costs nothing."""
    if model.price is not None:
        inward, outward = (Decimal(str(one)) for one in model.price)
        return (usage.input_tokens * inward + usage.output_tokens * outward) / MILLION
    rates = _rates(model.name, base_url)
    if rates is None:
        return None
    flat = _flat(model.name, base_url)
    if flat is not None:
        inward, cached, written, outward = flat
        fresh = usage.input_tokens - usage.cached_tokens - usage.written_tokens
        given = fresh * inward + usage.cached_tokens * cached + usage.written_tokens * written
        return (given + usage.output_tokens * outward) / MILLION
    from genai_prices import Usage as Counted

    counted = Counted(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.written_tokens,
    )
    return Decimal(rates.calc_price(counted)["total_price"])


def look_up(model: Model, base_url: str) -> None:
    """Reads what it takes to know a price, which is long the first time."""
    if model.price is None:
        _flat(model.name, base_url)


def counts_as_we_do(model: Model, base_url: str) -> bool:
    """Whether our count is what will be charged. Any other server may serve what it likes under a name that we know, and
    one that counts one text as we do may count the next in another way."""
    return base_url == OPENAI_URL and Counter(model.encoding, model.ratio).is_exact


def worst_case(call: Call, model: Model, base_url: str) -> Usage:
    """The most that a call may take: by our count where that is known to be the endpoint's, else by the bytes, which no
    text has more tokens than. Images are taken for the largest, and nothing for cached."""
    messages = [replace(one, images=()) for one in call.messages]
    if counts_as_we_do(model, base_url):
        given = count_messages(messages, Counter(model.encoding, model.ratio), call.schema)
    else:
        given = at_most(messages, call.schema)
    given += model.image_tokens * sum(len(one.images) for one in call.messages)
    out = model.max_output if call.max_output is None else call.max_output
    return Usage(input_tokens=given, written_tokens=given, output_tokens=out)


@functools.lru_cache(maxsize=256)
def _flat(name: str, base_url: str) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
    """Dollars a million tokens (in, cached, written to the cache, out) where they do not depend on the call's size: a
    tenth of the time."""
    rates = _rates(name, base_url)
    inward, outward = getattr(rates, "input_mtok", None), getattr(rates, "output_mtok", None)
    cached = getattr(rates, "cache_read_mtok", None) or inward
    written = getattr(rates, "cache_write_mtok", None) or inward
    rows = [one for one in (inward, cached, written, outward) if isinstance(one, Decimal)]
    return (rows[0], rows[1], rows[2], rows[3]) if len(rows) == 4 else None


@functools.lru_cache(maxsize=256)
def _rates(name: str, base_url: str) -> "ModelPrice | None":
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    probe = Counted(input_tokens=1, output_tokens=1)
    ways: list[dict[str, Any]] = [{"provider_id": "openai"}]
    if base_url != OPENAI_URL:
        # A server that nobody lists (a proxy, a gateway) is taken to ask the list price of the name it serves.
        ways = [{"provider_api_url": base_url}, {}, *ways]  # of models that embed a name alone tells no provider
    for way in ways:
        try:
            return calc_price(probe, name, **way).model_price
        except LookupError:
            continue
    return None
