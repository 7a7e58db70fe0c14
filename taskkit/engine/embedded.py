"""The embedded model as an endpoint: started on first use, one for the process."""

from collections.abc import Callable
from dataclasses import replace

from taskkit import local
from taskkit.engine.endpoint import LOCAL, Endpoint
from taskkit.models import Model

PREFERRED = ("qwen2.5-coder-1.5b", "smollm2-135m")


def default_name() -> str:
    """The best that is installed; the best there is when none is, so that the error names that one."""
    installed = {one.name for one in local.models() if one.installed}
    return next((name for name in PREFERRED if name in installed), PREFERRED[0])


def started(model: Model, context: int | None, notice: Callable[[str], None]) -> tuple[Endpoint, Model]:
    """Raises `ConfigurationError` with the one command to run when the extra or the weights are missing."""
    name = model.name or default_name()
    server = local.serve(name, context=context, on_notice=notice)
    notice(
        f"No endpoint is configured: using the embedded model {name}. Set OPENAI_API_KEY, or --base-url and --model, "
        "for a better one."
        if not model.name
        else f"Using the embedded model {name}."
    )
    return Endpoint(server.base_url, server.api_key, LOCAL + name), _sized(model, name, server.context)


def embedding(model: Model, notice: Callable[[str], None]) -> tuple[Endpoint, Model]:
    """The same for a model that embeds; its window is its own affair."""
    server = local.serve(model.name, embedding=True, on_notice=notice)
    return Endpoint(server.base_url, server.api_key, LOCAL + model.name), _sized(model, model.name, server.context)


def known(model: Model) -> tuple[Endpoint, Model]:
    """The same without starting anything, from the catalogue's sizes."""
    name = model.name or default_name()
    context = next((one.context for one in local.models() if one.name == name), 8192)
    return Endpoint("", "", LOCAL + name), _sized(model, name, context)


def _sized(model: Model, name: str, context: int) -> Model:
    return replace(model, name=name, context=context, max_input=context, max_output=context // 2)
