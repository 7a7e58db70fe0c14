"""What calls cost, from `genai-prices`, which others keep. An unknown price is None, never 0."""

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taskkit.models import Model
from taskkit.results import Usage
from taskkit.settings import OPENAI_URL

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
        inward, cached, outward = flat
        fresh = usage.input_tokens - usage.cached_tokens
        return (fresh * inward + usage.cached_tokens * cached + usage.output_tokens * outward) / MILLION
    from genai_prices import Usage as Counted

    counted = Counted(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    return Decimal(rates.calc_price(counted)["total_price"])


@functools.lru_cache(maxsize=256)
def _flat(name: str, base_url: str) -> tuple[Decimal, Decimal, Decimal] | None:
    """Dollars a million tokens (in, cached, out) where they do not depend on the call's size: a tenth of the time."""
    rates = _rates(name, base_url)
    inward, outward = getattr(rates, "input_mtok", None), getattr(rates, "output_mtok", None)
    cached = getattr(rates, "cache_read_mtok", None) or inward
    if isinstance(inward, Decimal) and isinstance(outward, Decimal) and isinstance(cached, Decimal):
        return inward, cached, outward
    return None


@functools.lru_cache(maxsize=256)
def _rates(name: str, base_url: str) -> "ModelPrice | None":
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    probe = Counted(input_tokens=1, output_tokens=1)
    ways: list[dict[str, Any]] = [{"provider_id": "openai"}] if base_url == OPENAI_URL else []
    if not ways:
        # A server that nobody lists (a proxy, a gateway) is taken to ask the list price of the name it serves.
        ways = [{"provider_api_url": base_url}, {}]
    for way in ways:
        try:
            return calc_price(probe, name, **way).model_price
        except LookupError:
            continue
    return None
