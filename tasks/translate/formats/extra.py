"""The libraries that some formats stand on come with an extra."""

from importlib import import_module
from typing import Any

from taskkit.errors import ConfigurationError


def needed(library: str, what: str) -> Any:
    """The module. Raises ConfigurationError, with the command that installs it, where it is missing."""
    try:
        return import_module(library)
    except ImportError:
        raise ConfigurationError(
            f"{what} needs {library}, which is not installed.", hint='Run: pip install "taskkit[documents]"'
        ) from None
