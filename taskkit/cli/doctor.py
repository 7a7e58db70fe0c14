"""`taskkit doctor`: what is configured, whether it answers, and what it takes."""

from typing import TYPE_CHECKING, Any

import click

from taskkit.cli.options import engine_of, with_engine

if TYPE_CHECKING:
    from taskkit.engine import Engine


@click.command(help="Try the endpoint and say what it takes.")
@with_engine
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def doctor(**given: Any) -> int:
    from taskkit.cli.progress import watching
    from taskkit.errors import TaskkitError

    given["no_journal"] = True
    with engine_of(given) as engine, watching(engine, quiet=False, bar=False):
        chosen = engine.settings
        click.echo(f"endpoint    {chosen.base_url or ('the OpenAI API' if chosen.api_key else 'the embedded model')}")
        click.echo(f"key         {'set' if chosen.api_key else 'none'}")
        failed: TaskkitError | None = None
        for name, trial in (("answers", _answer), ("streams", _stream), ("json_schema", _schema)):
            try:
                said = trial(engine)
            except TaskkitError as error:
                click.echo(f"{name:<11} no: {error}")
                failed = error
                if name == "answers":
                    break
                continue
            click.echo(f"{name:<11} {said}")
    return failed.exit_code if failed is not None else 0


def _task(output: Any) -> Any:
    from taskkit.prompt import Prompt
    from taskkit.taskclass import Task, task

    @task
    class Trial(Task[output]):
        prompt = Prompt("Say one friendly word.")
        conversation = True

    return Trial()


def _answer(engine: "Engine") -> str:
    import time

    from taskkit.engine import loop

    began = time.monotonic()
    text = engine.run(_task(str))
    route = loop.run(engine.route(engine.tier or "fast"))
    known = "" if route.model.known else ", assumed"
    return (
        f"yes, in {time.monotonic() - began:.1f} s: {' '.join(str(text).split())[:60]!r}\n"
        f"model       {route.model.name}, a window of {route.window.context:,} tokens{known}"
    )


def _stream(engine: "Engine") -> str:
    return f"yes, in {sum(1 for _ in engine.stream(_task(str)))} pieces"


def _schema(engine: "Engine") -> str:
    from pydantic import BaseModel

    class Word(BaseModel):
        word: str

    engine.run(_task(Word))
    return "yes"
