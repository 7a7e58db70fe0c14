"""`taskkit doctor`: what is configured, whether it answers, and what it takes."""

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import ENGINE, with_options
from taskkit.settings import NOT_FROM_A_PROJECT, Settings

if TYPE_CHECKING:
    from taskkit.engine.engine import Engine
    from taskkit.engine.route import Route

PARAMETERS = ("temperature", "max_tokens", "max_completion_tokens", "stream_options", "stop")
SHOWN = 20  # names of models; some endpoints have hundreds


SETTINGS = f"""Settings: {", ".join(one.name for one in dataclasses.fields(Settings))}. Each can stand in the user's
config.toml, in the environment as TASKKIT_NAME (tiers apart), and, but for {", ".join(sorted(NOT_FROM_A_PROJECT))}, in a
project's pyproject.toml under [tool.taskkit]. Where these files lie is in the first lines of what this command says;
TASKKIT_CONFIG and TASKKIT_CACHE name other folders for them, and for the journal and weights.

\b
A config.toml:
    model = "gpt-4.1-mini"
    max_cost = 2.50            # dollars, of one command
    [tiers]
    strong = ["gpt-5", "gpt-4.1"]   # the second where the first fails"""


@click.command(epilog=SETTINGS)
@with_options(ENGINE)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def doctor(**given: Any) -> int:
    """Try the endpoint and say what it takes. It makes three short calls.

    The exit code is that of what failed, 0 when the model answers."""
    from taskkit.cli.options import engine_of
    from taskkit.cli.progress import watching
    from taskkit.errors import TaskkitError

    with engine_of({**given, "no_journal": True}) as engine, watching(engine, quiet=False, bar=False):
        chosen = engine.settings
        _places()
        if chosen.base_url or chosen.api_key:
            from taskkit.settings import OPENAI_URL, shown

            _row("endpoint", shown(chosen.base_url or OPENAI_URL))
            _row("key", "set" if chosen.api_key else "none (OPENAI_API_KEY sets one)")
        else:
            _row("endpoint", "none: the embedded model")
        try:
            answer, route = _answer(engine)
        except TaskkitError:
            _served(engine)
            _row("answers", "no")
            raise
        told = engine.learned.window(route.road.endpoint.base_url, route.model.name, None) is not None
        set_ = engine.settings.context is not None
        known = ", as set" if set_ else ", as the endpoint tells" if told else "" if route.model.known else ", assumed"
        _row("model", f"{route.model.name}, a window of {route.window.context:,} tokens{known}")
        _served(engine)
        _row("answers", answer)
        for name, trial in (("streams", _stream), ("structured", _structured)):
            try:
                _row(name, trial(engine, route))
            except TaskkitError as error:
                _row(name, f"no: {error}")
        refused = _refused(engine, route)
        _row("refuses", ", ".join(refused) or "nothing that was tried")
    return 0


def _places() -> None:
    """The files that settings come from, also where they are yet to be written."""
    from taskkit.models import user_file
    from taskkit.settings import config_dir, project

    here = project()
    for name, file in (
        ("settings", config_dir() / "config.toml"),
        ("models", user_file()),
        ("project", here and here[0]),
    ):
        if file:
            _row(name, f"{file}{'' if file.is_file() else ' (there is none)'}")


def _row(name: str, said: str) -> None:
    click.echo(f"{name:<11} {said}")


def _task(output: Any) -> Any:
    from taskkit.prompt import Prompt
    from taskkit.taskclass import Task, task

    class Trial(Task[output]):
        prompt = Prompt("Say one friendly word.")
        conversation = True

    return task(Trial)()


def _answer(engine: "Engine") -> "tuple[str, Route]":
    import time

    from taskkit.engine import loop

    began = time.monotonic()
    text = " ".join(str(engine.run(_task(str))).split())
    seconds = time.monotonic() - began
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    return f"yes, in {seconds:.1f} s: {shown!r}", loop.run(engine.route(engine.tier or "fast"))


def _served(engine: "Engine") -> None:
    """The names that the endpoint lists, which help most when the one that was asked for is unknown to it."""
    from taskkit.engine import loop
    from taskkit.errors import TaskkitError

    async def names() -> tuple[str, ...]:
        transport = (await engine.route(engine.tier or "fast")).road.transport
        served = getattr(transport, "served", None)
        return tuple(await served()) if served else ()

    try:
        found = loop.run(names())
    except TaskkitError:
        return
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    if found:
        _row("has", ", ".join(found[:SHOWN]) + more)


def _stream(engine: "Engine", _route: "Route") -> str:
    pieces = sum(1 for _ in engine.stream(_task(str)))
    return f"yes, {pieces} pieces" if pieces > 1 else "yes, but in one piece"


def _structured(engine: "Engine", route: "Route") -> str:
    from pydantic import BaseModel

    class Word(BaseModel):
        word: str

    engine.run(_task(Word))
    rung = engine.capabilities.rung((route.road.endpoint.base_url, route.model.name))
    return {"strict": "strict JSON schemas", "object": "JSON objects", "prompt": "by the prompt alone"}[rung]


def _refused(engine: "Engine", route: "Route") -> list[str]:
    where = (route.road.endpoint.base_url, route.model.name)
    return [name for name in PARAMETERS if engine.learned.is_dropped(*where, name)]
