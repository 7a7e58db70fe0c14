"""The engine: the road that every model call takes. Its data types load without it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskkit.engine.default import current as current
    from taskkit.engine.default import use as use
    from taskkit.engine.engine import Engine as Engine


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in {"current", "use"}:
        module = import_module("taskkit.engine.default")
        globals().update(current=module.current, use=module.use)
    elif name == "Engine":
        globals()["Engine"] = import_module("taskkit.engine.engine").Engine
    else:
        raise AttributeError(f"module 'taskkit.engine' has no attribute {name!r}")
    return globals()[name]
