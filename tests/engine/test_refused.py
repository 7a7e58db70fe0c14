"""What an endpoint refuses of a call, one or several of its parameters, while many calls are on their way."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

import taskkit
from taskkit.engine import loop
from taskkit.errors import CostCapError
from taskkit.testing import Fail, Say, ScriptedServer
from tests.made import Echo

Server = Callable[..., ScriptedServer]
PARAMETERS = ("temperature", "max_tokens", "max_completion_tokens", "response_format", "stream_options")
SOME = [which for size in (1, 2, 5) for which in itertools.combinations(PARAMETERS, size)]
ALL_AT_ONCE = 20


class Count(taskkit.Result):
    number: int


@taskkit.task
class Counted(taskkit.Task[Count]):
    """Count."""

    text: str
    prompt = taskkit.Prompt("How many: {{ text }}")


def without(refused: tuple[str, ...], says: Say) -> Callable[[Mapping[str, Any]], Say | Fail]:
    def reply(body: Mapping[str, Any]) -> Say | Fail:
        for name in refused:
            if name in body:
                said = f"Unsupported parameter: '{name}' is not supported with this model."
                return Fail(400, said, "unsupported_parameter", param=name)
        return says

    return reply


@pytest.mark.parametrize("refused", SOME, ids=", ".join)
def test_calls_on_their_way_together_all_do_without_it(server: Server, refused: tuple[str, ...]) -> None:
    there = server(without(refused, Say('{"number": 3}')), latency=0.005)

    async def streamed(engine: taskkit.Engine) -> list[str]:
        shown: list[str] = []
        return await asyncio.gather(
            *(engine.arun(Echo(f"{n}"), on_text=shown.append) for n in range(ALL_AT_ONCE // 2)),
            *(engine.arun(Echo(f"-{n}")) for n in range(ALL_AT_ONCE // 2)),
        )

    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", journal=False) as engine:
        counted = engine.map([Counted(f"{n}") for n in range(ALL_AT_ONCE)])
        assert [getattr(one, "number", one) for one in counted] == [3] * ALL_AT_ONCE
        assert loop.run(streamed(engine)) == ['{"number": 3}'] * ALL_AT_ONCE
        before = len(there.bodies)
        engine.map([Counted(f"again {n}") for n in range(ALL_AT_ONCE)])
    assert len(there.bodies) == before + ALL_AT_ONCE, "what was refused is not tried again"
    assert before <= 2 * ALL_AT_ONCE * (1 + len(refused))


@pytest.mark.parametrize(("cap", "least"), [("0.04", 0), ("0.5", 5)])
def test_where_no_limit_of_the_answer_is_taken_the_cap_reckons_with_the_longest(
    server: Server, cap: str, least: int
) -> None:
    """9,000 tokens, where 4,096 were to be asked for; the model can write 32,768."""
    usage = {"prompt_tokens": 10, "completion_tokens": 9000}
    there = server(without(("max_tokens", "max_completion_tokens"), Say("A long story.", usage=usage)))
    with (
        taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k", max_cost=cap) as engine,
        pytest.raises(CostCapError),
    ):
        engine.map([Echo(f"{n}") for n in range(100)])
    answered = sum(not {"max_tokens", "max_completion_tokens"} & body.keys() for body in there.bodies)
    assert least <= answered <= Decimal(cap) / (9000 * Decimal("1.6") / 1_000_000)
