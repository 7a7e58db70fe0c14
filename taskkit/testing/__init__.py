"""For testing tasks without any model: a scripted HTTP server, and scripts of replies and faults.

from taskkit.testing import Fail, ScriptedServer, scripted

with ScriptedServer([Fail(500, "down"), "Bonjour"]) as server:
    engine = taskkit.Engine(model="scripted", base_url=server.base_url, api_key="k", journal=False)
    assert engine.run(Translate("Hello", to="fr")).text == "Bonjour"

engine = scripted(["Bonjour"])          # the same without sockets; `engine.run(...)`
"""

from taskkit.testing.engine import ScriptedTransport, scripted
from taskkit.testing.pack import adversarial
from taskkit.testing.repliers import answer, echo, instance
from taskkit.testing.script import (
    BreakStream,
    Cut,
    Drop,
    Exhausted,
    Fail,
    Faults,
    Filtered,
    Refuse,
    Say,
    Script,
    Stall,
)
from taskkit.testing.server import Request, ScriptedServer

__all__ = [
    "BreakStream",
    "Cut",
    "Drop",
    "Exhausted",
    "Fail",
    "Faults",
    "Filtered",
    "Refuse",
    "Request",
    "Say",
    "Script",
    "ScriptedServer",
    "ScriptedTransport",
    "Stall",
    "adversarial",
    "answer",
    "echo",
    "instance",
    "scripted",
]
