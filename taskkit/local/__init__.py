"""The embedded model: weights on this computer, served to this process alone in the OpenAI way."""

from taskkit.local.catalogue import LocalModel, models, path
from taskkit.local.server import LocalServer, serve
from taskkit.local.weights import pull, remove

__all__ = ["LocalModel", "LocalServer", "models", "path", "pull", "remove", "serve"]
