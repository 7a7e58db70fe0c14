"""What an engine does, in a log and as spans: sizes and names, never a key or a word of the text."""

import logging
from collections.abc import Callable

import pytest

import taskkit
from taskkit.errors import TaskkitError
from taskkit.telemetry import logged, traced
from taskkit.testing import Fail, ScriptedServer
from tests.made import Echo

Server = Callable[..., ScriptedServer]
KEY = "sk-very-secret-0123456789"


def engine(there: ScriptedServer) -> taskkit.Engine:
    return taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key=KEY)


def test_each_call_is_a_span_beneath_that_of_its_caller(server: Server) -> None:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import StatusCode

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("test")
    there = server(
        [Fail(500, "down", headers={"retry-after-ms": "1"}), "A secret answer.", Fail(400, "odd")], latency=0.02
    )
    with engine(there) as mine, traced(mine, tracer), tracer.start_as_current_span("the work") as above:
        mine.run(Echo("A secret question."))
        mine.run(Echo("A secret question."))  # from the journal: no call
        with pytest.raises(TaskkitError):
            mine.run(Echo("Another."))
    good, bad, work = kept.get_finished_spans()
    assert (good.name, bad.name, work.name) == ("chat gpt-4.1-mini", "chat gpt-4.1-mini", "the work")
    assert good.parent is not None
    assert good.parent.span_id == above.get_span_context().span_id
    assert good.attributes is not None
    assert good.attributes["gen_ai.request.model"] == "gpt-4.1-mini"
    assert good.attributes["gen_ai.usage.input_tokens"] == 4
    assert good.end_time is not None
    assert good.start_time is not None
    assert good.end_time - good.start_time >= 0.04 * 1e9
    assert bad.status.status_code is StatusCode.ERROR
    assert bad.attributes is not None
    assert bad.attributes["error.type"] == "InputError"
    assert "secret" not in good.to_json() + bad.to_json()
    provider.shutdown()


def test_a_log_has_what_is_of_note_and_no_more(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    there = server([Fail(500, f"down for {KEY}\n\x1b[2J", headers={"retry-after-ms": "1"}), "A secret answer."])
    with caplog.at_level(logging.DEBUG, "taskkit"), engine(there) as mine, logged(mine):
        mine.run(Echo("A secret question."))
    levels = [(one.levelname, one.getMessage().partition(":")[0]) for one in caplog.records if one.name == "taskkit"]
    assert levels == [
        ("DEBUG", "call-started"),
        ("INFO", "retry"),
        ("DEBUG", "call-started"),
        ("DEBUG", "call-finished"),
    ]
    assert "secret" not in caplog.text
    assert "\x1b" not in caplog.text
    assert "output_tokens=4" in caplog.text
