"""What an endpoint refuses of a call, one or several of its parameters, while many calls are on their way."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

import taskkit
from taskkit.engine import loop
from taskkit.errors import CostCapError, InputError
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


@pytest.mark.parametrize("parameter", ["temperature", "max_tokens", "stream_options"])
@pytest.mark.parametrize(
    "words",
    [
        "Unrecognized request argument supplied: {}",
        "property {} is unsupported",
        "property '{}' is unsupported",
        "{}: Extra inputs are not permitted",
        "This model doesn't support {}. Other models do.",
        "Unsupported parameter: {} is not supported with this model. Use max_completion_tokens instead.",
        "[{{'type': 'extra_forbidden', 'loc': ('body', '{}'), 'msg': 'Extra inputs are not permitted', 'input': 1}}]",
    ],
)
def test_a_parameter_that_only_the_words_of_a_refusal_name_is_left_out(
    server: Server, words: str, parameter: str
) -> None:
    def picky(body: Mapping[str, Any]) -> Any:
        return Fail(400, words.format(parameter)) if parameter in body else "An old pond."

    there = server(picky)
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k") as mine:
        for subject in ("frogs", "toads"):
            assert "".join(mine.stream(Echo(subject))) == "An old pond."
    assert len(there.bodies) == 3


@pytest.mark.parametrize(
    "words",
    [
        "max_tokens is too large: must be at most 4096",
        "'max_tokens' is too large: 9000.",
        "max_tokens of 9000 is not supported: at most 4096",
        "The prompt is too long. Reduce its length, or 'max_tokens'.",
        "The prompt and max_tokens exceed the context length that this model supports.",
        "Unsupported content type. The temperature was read.",
        "Unrecognized request argument supplied: temperature_range",
    ],
)
def test_a_parameter_that_a_refusal_only_mentions_stays(server: Server, words: str) -> None:
    there = server([Fail(400, words), "An old pond."])
    with taskkit.Engine("gpt-4.1-mini", base_url=there.base_url, api_key="k") as mine:
        with pytest.raises(InputError):
            mine.run(Echo("frogs"))
        assert mine.run(Echo("frogs")) == "An old pond."
    assert there.bodies[0] == there.bodies[1]
