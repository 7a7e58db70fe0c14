"""The main job on real input: ask a handbook two questions, summarise a long page, translate another.

Run by `make demo`. With OPENAI_API_KEY set it uses that endpoint, else the embedded model."""

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import taskkit
from taskkit import local
from taskkit.errors import InvalidOutputError, TaskkitError, TruncatedError
from taskkit.results import Result, Usage

R = TypeVar("R")

HERE = Path(__file__).parent
HANDBOOK = HERE / "handbook"
OUT = Path(".demo")
ANSWERED = "How many days of holiday can I carry over into the next year, and until when?"
UNANSWERED = "May I bring my dog to the office?"
LONG_PAGE = HANDBOOK / "engineering" / "incident-2025-03-storm-outage.md"
TO_FRENCH = HANDBOOK / "engineering" / "deployment.md"
QUICK = "smollm2-135m"  # a model that says much, and little of it of use, translates a card
CARD = HANDBOOK / "engineering" / "rollback-card.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the embedded model to use")
    wanted = parser.parse_args().model
    begun = time.monotonic()
    try:
        with engine_for(wanted) as engine, taskkit.use(engine):
            tour(CARD if wanted == QUICK else TO_FRENCH)
    except TaskkitError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return error.exit_code
    print(f"\nAll of it took {time.monotonic() - begun:.0f} seconds. A second run finds its answers in the journal.")
    return 0


def engine_for(wanted: str) -> taskkit.Engine:
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("TASKKIT_BASE_URL") or os.environ.get("OPENAI_BASE_URL"):
        print("Using the endpoint of your environment.")
        return taskkit.Engine()
    for name in dict.fromkeys((wanted, QUICK)):
        try:
            file = local.pull(name, progress=shown)
            print(f"\rEmbedded model {name}: {file.stat().st_size / 1e6:,.0f} MB of weights are there.")
            return taskkit.Engine(f"local:{name}")
        except TaskkitError as error:
            print(f"Embedded model {name}: not to be had ({error})")
    raise TaskkitError("No weights of an embedded model could be had.", hint="Set OPENAI_API_KEY to use an endpoint.")


def shown(done: int, total: int | None) -> None:
    if sys.stdout.isatty():
        print(f"\r  {done / 1e6:,.0f} of {(total or 0) / 1e6:,.0f} MB", end="", flush=True)


def tour(to_french: Path) -> None:
    rows: list[tuple[str, Usage]] = []
    OUT.mkdir(exist_ok=True)

    title(f"taskkit kb sync {HANDBOOK.relative_to(HERE.parent)} --knowledge {OUT}/handbook.kb")
    started = time.monotonic()
    base = taskkit.KnowledgeBase(OUT / "handbook.kb")
    report = base.sync(HANDBOOK)
    stats = base.stats()
    print(f"{stats.documents} documents, {stats.passages} passages; {report.embedded} were new.")
    rows.append(("index the handbook", Usage(seconds=round(time.monotonic() - started, 3))))

    for question in (ANSWERED, UNANSWERED):
        title(f'taskkit ask "{question}" --knowledge {OUT}/handbook.kb')
        if answer := worked(functools.partial(taskkit.ask, question, base)):
            print(answer)
            rows.append(kept("ask", answer))
    base.close()

    title(f"taskkit summarise {LONG_PAGE.relative_to(HERE.parent)} --words 120")
    if summary := worked(lambda: taskkit.summarise(LONG_PAGE, words=120)):
        print(summary)
        rows.append(kept(f"summarise {len(LONG_PAGE.read_text().split()):,} words", summary))

    target = OUT / f"{to_french.stem}.fr.md"
    title(f"taskkit translate {to_french.relative_to(HERE.parent)} --to fr -o {target}")
    if translation := worked(lambda: taskkit.translate(to_french, to="fr")):
        target.write_text(translation.text, encoding="utf-8")
        print("\n".join(translation.text.splitlines()[:24]))
        print(f"… the whole page is in {target}.")
        rows.append(kept("translate a page", translation))

    title("What it took")
    print(f"{'':28}{'calls':>7}{'journal':>9}{'tokens in':>11}{'out':>7}{'seconds':>9}")
    for name, usage in rows:
        figures = f"{usage.calls:>7}{usage.journal_hits:>9}{usage.input_tokens:>11,}{usage.output_tokens:>7,}"
        print(f"{name:28}{figures}{usage.seconds:>9.1f}")


def worked(step: Callable[[], R]) -> R | None:
    """What a step gives; a model that is too small for one says so, and the others go on."""
    try:
        return step()
    except (InvalidOutputError, TruncatedError) as error:
        print(f"This model could not do it: {error}")
        return None


def kept(name: str, result: Result) -> tuple[str, Usage]:
    for notice in result.warnings:
        print(f"  warning: {notice}")
    return name, result.usage


def title(text: str) -> None:
    print(f"\n$ {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
