"""Which model, at which endpoint, a tier stands for."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlsplit

from taskkit.errors import ConfigurationError
from taskkit.models import Model, lookup, resolve, tiers
from taskkit.settings import OPENAI_URL, Binding, Settings, shown

LOCAL = "local:"
NO_KEY = "none"  # servers of one's own want none; the SDK wants something


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`identity` names it in journal keys: its address, or the embedded model's name, whose port changes."""

    base_url: str
    api_key: str
    identity: str

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Choice:
    """What settings say of a tier: a model by name, and where. An empty `base_url` is the embedded model's. `notice` is
    for whoever comes to use that model."""

    model: Model
    base_url: str
    api_key: str = field(repr=False)
    given: bool = True  # False: the name is our default, and the endpoint may have another
    embeds: bool = False  # it is asked to embed
    notice: str = ""

    @property
    def is_local(self) -> bool:
        return not self.base_url

    @property
    def key(self) -> str:
        """By which its road is kept: an address has one."""
        return self.base_url or f"{LOCAL if self.embeds else ''}{self.model.name}" or "local"


def bound(settings: Settings, tier: str) -> str:
    """The name of a tier's model, whatever its endpoint."""
    return settings.tiers[tier][0].model if tier in settings.tiers else tiers().get(tier, tier)


def choices(settings: Settings, tier: str, *, today: date | None) -> list[Choice]:
    """The model of a tier, and then its fallbacks. Raises `ConfigurationError` for an unknown tier."""
    if settings.model:
        return [_choice(settings, Binding(settings.model), today)]
    if tier in settings.tiers:
        return [_choice(settings, one, today) for one in settings.tiers[tier]]
    names = tiers()
    if tier not in names:
        known = ", ".join(sorted({*names, *settings.tiers}))
        raise ConfigurationError(f"There is no tier {tier!r}.", hint=f"There are: {known}.")
    if not settings.base_url and not settings.api_key:
        return [_local("")]
    return [replace(_choice(settings, Binding(names[tier]), today), given=False)]


def _choice(settings: Settings, binding: Binding, today: date | None) -> Choice:
    if binding.model.startswith(LOCAL):
        return _local(binding.model.removeprefix(LOCAL))
    if binding.base_url and binding.base_url.rstrip("/") != settings.base_url.rstrip("/"):
        # Another endpoint never gets the key of the first one.
        url, key = binding.base_url, _variable(binding.api_key_env)
    else:
        url, key = settings.base_url or OPENAI_URL, _variable(binding.api_key_env) or settings.api_key
    url = checked_url(url, allow_http=settings.allow_http)
    if not key:
        if url == OPENAI_URL:
            raise ConfigurationError(
                f"No key for {url}, where the model {binding.model} is looked for.",
                hint="Set OPENAI_API_KEY, or --base-url for another endpoint, or leave --model out to use the "
                "embedded model.",
            )
        key = NO_KEY
    resolved = resolve(binding.model, today)
    return Choice(resolved.model, url, checked_key(key, url), notice=resolved.notice)


def embedding(settings: Settings, name: str, chosen: Callable[[], Choice]) -> Choice:
    """Where texts are embedded: by a model on this machine (`local:`), or by one of the endpoint that is `chosen`; of the
    one that is set, where a model on this machine is chosen to write."""
    if name.startswith(LOCAL):
        return replace(_local(name.removeprefix(LOCAL)), embeds=True)
    choice = chosen()
    if choice.is_local and (settings.base_url or settings.api_key):
        choice = _choice(settings, Binding(name), None)
    if choice.is_local:
        raise ConfigurationError(
            f"No endpoint is configured that has the model {name}.",
            hint="Set OPENAI_API_KEY, or OPENAI_BASE_URL for another endpoint; or embed with a model on this machine.",
        )
    return replace(choice, model=lookup(name), given=True, embeds=True, notice="")


def _local(name: str) -> Choice:
    return Choice(replace(resolve(name).model, name=name, price=(0.0, 0.0), ratio=1.35, json_schema=True), "", "")


def _variable(name: str) -> str:
    import os

    if not name:
        return ""
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The configuration takes a key from {name}, which is not set.")
    return value


def checked_url(url: str, *, allow_http: bool) -> str:
    """`https:`, or `http:` on this machine; plain HTTP elsewhere would show the key and the text on the way."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        why = f": {error}" if shown(url) == url else ""  # which may be of the password
        raise ConfigurationError(f"{shown(url)!r} is no address of an endpoint{why}.") from None
    if parts.scheme not in {"http", "https"} or not host or any(one.isspace() or not one.isprintable() for one in url):
        raise ConfigurationError(f"{shown(url)!r} is no address of an endpoint.", hint="It looks like https://host/v1.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            "An endpoint's address holds no user or password, and nothing after a ? or #.",
            hint="Give the key as OPENAI_API_KEY.",
        )
    if parts.scheme == "http" and not is_here(host) and not allow_http:
        raise ConfigurationError(
            f"{url} is plain http, which would show the key and the text to the network.",
            hint="Use https, or say --allow-http if that network is your own.",
        )
    return parts.geturl().rstrip("/")


def is_here(host: str) -> bool:
    """Names that begin like an address of this machine are names."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_key(key: str, url: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"The key for {url} holds characters that no key has.", hint="Was more than the key copied along?"
        )
    return key
