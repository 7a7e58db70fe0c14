"""An engine's events for a log, or for OpenTelemetry, by its conventions for generative AI.

    with taskkit.Engine() as engine, logged(engine), traced(engine):
        ...

Names, sizes, times and costs; no text of messages or answers, and no key."""

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from taskkit.errors import ConfigurationError, one_line
from taskkit.events import Event

if TYPE_CHECKING:
    from taskkit.engine.calls import Calls

LEVELS = {"warning": logging.WARNING, "notice": logging.INFO, "pause": logging.INFO, "retry": logging.INFO,
          "call-failed": logging.WARNING}  # fmt: skip


def logged(engine: "Calls", logger: logging.Logger | None = None) -> contextlib.ExitStack:
    """Until its end all events go to a logger, `taskkit` where none is given; those not of note as DEBUG."""
    target = logger or logging.getLogger("taskkit")

    def hear(event: Event) -> None:
        level = LEVELS.get(event.kind, logging.DEBUG)
        if target.isEnabledFor(level):
            data = " ".join(f"{name}={value}" for name, value in event.data.items())
            target.log(level, "%s", one_line(f"{event.kind}: {event.message} {data}"))

    return engine.events.listen(hear)


def traced(engine: "Calls", tracer: Any = None) -> contextlib.ExitStack:
    """Until its end each call is a span, beneath the one that its caller is in. Wants `taskkit[otel]`."""
    try:
        from opentelemetry import trace
    except ImportError:
        raise ConfigurationError("There is no OpenTelemetry here.", hint="pip install 'taskkit[otel]'.") from None
    source = tracer or trace.get_tracer("taskkit")

    def hear(event: Event) -> None:
        if event.kind not in {"call-finished", "call-failed"}:
            return
        data = event.data
        now = time.time_ns()
        span = source.start_span(
            f"chat {data['model']}",
            kind=trace.SpanKind.CLIENT,
            start_time=now - int(float(str(data["seconds"])) * 1e9),
            attributes={"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": str(data["model"])},
        )  # fmt: skip
        if event.kind == "call-failed":
            span.set_attribute("error.type", str(data["error"]))
            span.set_status(trace.StatusCode.ERROR)
        else:
            span.set_attribute("gen_ai.usage.input_tokens", int(str(data["input_tokens"])))
            span.set_attribute("gen_ai.usage.output_tokens", int(str(data["output_tokens"])))
            if data["cost"] is not None:
                span.set_attribute("taskkit.cost", float(str(data["cost"])))
        span.end(now)

    return engine.events.listen(hear)
