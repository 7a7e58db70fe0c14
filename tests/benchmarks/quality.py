"""Each task against one plain prompt, on the same items, with the same model: what the checks are worth.

Run by `make quality`. `MODEL=…` names another model (of the endpoint that is set, else an embedded one); answers are
kept in `.bench/`, so that a second run is quick (and knows no tokens: what is kept costs none). A score is the share of what was to be right, in per cent. The items
are in `quality/`; of the folder of data that `bench_knowledge.py` reads, SQuAD 2.0 is taken too where it is there."""

import argparse
import contextlib
import gzip
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import taskkit
from taskkit import Document, Job, KnowledgeBase, Result, Task
from taskkit.errors import ConfigurationError, EndpointError, TaskkitError
from taskkit.results import Usage
from taskkit.tasks.analyse import Analyse
from taskkit.tasks.ask import Ask
from taskkit.tasks.summarise import Summarise
from taskkit.tasks.translate import Translate

HERE = Path(__file__).parent
HANDBOOK = HERE.parents[1] / "examples" / "handbook"
DATA = HERE.parents[2] / "shared" / "data"
OUT = Path(".bench")
WINDOW = 4096  # the incident page does not fit with its prompt: the plain one has to cut it
ABSTAINS = re.compile(
    r"\b(?:not? (?:say|said|state|mention|specif|provid|contain|given|include|found|enough|information|answer)|n't (?:say|"
    r"state|mention|specif|provid|contain|include)|unknown|cannot be (?:determined|answered)|no mention)",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")

Item = dict[str, Any]
Scores = Mapping[str, float]


class Plain(Result):
    text: str


@taskkit.task
class OneShot(Task[Plain]):
    """What a task is measured against: one plain prompt."""

    parts: Any

    async def run(self, job: Job) -> Plain:
        return Plain(text=await job.complete(self.parts, max_output=1024))


@dataclass(frozen=True, slots=True)
class Measure:
    """`value` reads a result or a plain answer; `scores` tells, from 0 to 1, how right it is, by what is measured."""

    name: str
    items: Sequence[Item]
    task: Callable[[Item], Task[Any]]
    value: Callable[[Any], Any]
    plain: Callable[[str], Any]
    scores: Callable[[Item, Any], Scores]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument(
        "--only", default="", help="tasks with commas between: ask,classify,extract,summarise,translate"
    )
    parser.add_argument("--items", type=int, default=12, help="of each at most")
    asked = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    only = set(filter(None, asked.only.split(",")))
    found: list[tuple[str, ...]] = []
    try:
        with engine_of(asked.model) as engine, tempfile.TemporaryDirectory() as folder:
            for measure in measures(Path(folder), asked.items):
                if not only or measure.name.partition(" ")[0] in only:
                    found += measured(engine, measure)
                    table(found)
    except ConfigurationError as error:
        print(f"{error}", file=sys.stderr)
        return error.exit_code
    return 0


def engine_of(model: str) -> taskkit.Engine:
    named = any(os.environ.get(name) for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TASKKIT_BASE_URL"))
    return taskkit.Engine(
        model if named else f"local:{model}", context=WINDOW, journal=(OUT / "quality.sqlite").resolve()
    )


def measured(engine: taskkit.Engine, measure: Measure) -> list[tuple[str, ...]]:
    ours: list[Scores] = []
    theirs: list[Scores] = []
    spent, hits = [0, 0], 0
    begun = time.monotonic()
    for number, item in enumerate(measure.items, 1):
        print(f"\r{measure.name}: {number} of {len(measure.items)} …", end="", file=sys.stderr, flush=True)
        task = measure.task(item)
        for side, run, read in (
            (0, OneShot(task.baseline()), lambda one: measure.plain(one.text)),
            (1, task, measure.value),
        ):
            result, usage = done(engine, run)
            scores = measure.scores(item, None if result is None else read(result))
            (theirs, ours)[side].append(scores)
            spent[side] += usage.input_tokens + usage.output_tokens
            hits += usage.journal_hits
    print(f"\r{measure.name}: {time.monotonic() - begun:.0f} s\033[K", file=sys.stderr)
    times = f"{spent[1] / spent[0]:.1f}" if spent[0] and not hits else "-"
    names = list(dict.fromkeys(name for scores in (*theirs, *ours) for name in scores))
    return [
        (f"{measure.name}: {name}", str(counted(ours, name)), mean(theirs, name), mean(ours, name), times)
        for name in names
    ]


def done(engine: taskkit.Engine, task: Task[Any]) -> tuple[Any, Usage]:
    """None for what the model could not do at all."""
    try:
        result = engine.run(task)
    except EndpointError as error:
        return None, error.usage or Usage()
    except TaskkitError as error:
        print(f"\n{error}", file=sys.stderr)
        return None, error.usage or Usage()
    return result, cast("Usage", result.usage)


def counted(rows: Sequence[Scores], name: str) -> int:
    return sum(name in one for one in rows)


def mean(rows: Sequence[Scores], name: str) -> str:
    found = [one[name] for one in rows if name in one]
    return f"{100 * sum(found) / len(found):.0f}" if found else "-"


def table(rows: Sequence[tuple[str, ...]]) -> None:
    head = ("task", "items", "baseline", "task", "tokens ×")
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    print()
    for row in (head, tuple("-" * width for width in wide), *rows):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, wide, strict=True))
        ]
        print(f"| {' | '.join(cells)} |")


# What is measured ----------------------------------------------------------------------------------------------


def measures(folder: Path, most: int) -> Iterator[Measure]:
    items = {file.stem: rows(file) for file in sorted((HERE / "quality").glob("*.jsonl"))}
    labels = tuple(dict.fromkeys(one["label"] for one in items["classify"]))
    yield Measure(
        "classify",
        items["classify"][:most],
        lambda one: Analyse(one["text"], labels=labels),
        lambda result: result.items[0].label if result.items else "",
        lambda text: text.strip().strip(".*\"'`").casefold(),
        lambda one, label: {"right": label == one["label"], "a label": label in labels},
    )
    names = ("customer", "date", "amount", "order_number")
    yield Measure(
        "extract",
        items["extract"][:most],
        lambda one: Analyse(one["text"], fields=names),
        lambda result: result.data,
        read_json,
        extracted,
    )
    yield Measure(
        "translate",
        items["translate"][:most],
        lambda one: Translate(one["text"], to="de", glossary=one.get("glossary"), format="markdown"),
        lambda result: result.text,
        str.strip,
        translated,
    )
    yield Measure(
        "summarise",
        items["summarise"][:most],
        lambda one: Summarise(HANDBOOK / one["page"], words=one["words"]),
        lambda result: result.text,
        str.strip,
        summarised,
    )
    yield from asking(folder, items["ask"], most)


def rows(file: Path) -> list[Item]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def asking(folder: Path, items: Sequence[Item], most: int) -> Iterator[Measure]:
    handbook = KnowledgeBase(folder / "handbook.kb")
    handbook.sync(HANDBOOK)
    yield asks("ask", handbook, even(items, most))
    handbook.close()
    file = DATA / "squad-answerable-dev.json.gz"
    if not file.exists():
        return
    squad = json.loads(gzip.decompress(file.read_bytes()))
    base = KnowledgeBase(folder / "squad.kb")
    base.add([Document(key, text if isinstance(text, str) else text["text"]) for key, text in squad["corpus"].items()])
    found = squad["questions"].values() if isinstance(squad["questions"], dict) else squad["questions"]
    yield asks(
        "ask SQuAD 2.0",
        base,
        even([{"question": one["question"], "expect": one["answers"] or None} for one in found], most),
    )
    base.close()


def even(items: Sequence[Item], most: int) -> list[Item]:
    """As many with an answer as without."""
    with_, without = ([one for one in items if bool(one["expect"]) is side][: most // 2] for side in (True, False))
    return with_ + without


def asks(name: str, base: KnowledgeBase, items: Sequence[Item]) -> Measure:
    return Measure(
        name,
        items,
        lambda one: Ask(one["question"], base),
        lambda result: result.text if result.found else None,
        lambda text: None if not text.strip() or ABSTAINS.search(text) else text,
        answered,
    )


def answered(item: Item, text: str | None) -> Scores:
    if item["expect"] is None:
        return {"abstains where nothing answers": text is None}
    return {
        "answers what is there": text is not None and any(one.casefold() in text.casefold() for one in item["expect"])
    }


def read_json(text: str) -> Mapping[str, Any]:
    found = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        made = json.loads(found[0]) if found else {}
    except ValueError:
        return {}
    return made if isinstance(made, dict) else {}


def extracted(item: Item, record: Mapping[str, Any] | None) -> Scores:
    wanted: Mapping[str, str | None] = item["fields"]
    got = {name: plain((record or {}).get(name)) for name in wanted}
    there = [name for name, value in wanted.items() if value]
    return {
        **({"fields that are there": share(same(got[name], plain(wanted[name])) for name in there)} if there else {}),
        "null where nothing is": share(got[name] == "" for name in wanted if name not in there)
        if len(there) < len(wanted)
        else 1.0,
    }


def plain(value: Any) -> str:
    text = "" if value in (None, "null") else re.sub(r"[\s.,]+", " ", str(value)).strip().casefold()
    return re.sub(r"^(?:mr|ms|mrs|dr) ", "", text)


def same(got: str, wanted: str) -> bool:
    """A date may come as 2025-03-04, an amount as its number."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(got.replace(" ", "")).strftime("%-d %B %Y").casefold() == wanted
    number = re.sub(r"[^\d]", "", wanted)
    return got == wanted or (got.replace(" ", "").isdigit() and got.replace(" ", "") == number)


def share(good: Iterator[bool]) -> float:
    rows = list(good)
    return sum(rows) / len(rows) if rows else 1.0


def translated(item: Item, text: str | None) -> Scores:
    from sacrebleu import sentence_chrf

    source, text = item["text"], text or ""
    scores: dict[str, float] = {"chrF": sentence_chrf(text, [item["reference"]]).score / 100}
    if marks := placeholders(source):
        scores["placeholders kept"] = marks == placeholders(text)
    if terms := item.get("glossary"):
        scores["terms of the glossary"] = share(one.casefold()[:-1] in text.casefold() for one in terms.values())
    return scores


def placeholders(text: str) -> list[str]:
    found = r"%\(\w+\)s|%\d\$[s@]|%d|\$\{\w+\}|\{\{.*?\}\}|\{\w+\}|`[^`]+`|\]\([^)]+\)|</?\w+>|\S+@\S+\.org|https?://[\w./]+\w"
    return sorted(re.findall(found, text))


def summarised(item: Item, text: str | None) -> Scores:
    if not text:
        return {"facts kept": 0.0, "within length": 0.0, "numbers from the source": 0.0}
    source = (HANDBOOK / item["page"]).read_text("utf-8")
    have = {re.sub(r"[.,:]", "", one) for one in NUMBER.findall(source)}
    said = [re.sub(r"[.,:]", "", one) for one in NUMBER.findall(text) if len(one) > 1]
    return {
        "facts kept": share(any(one.casefold() in text.casefold() for one in fact) for fact in item["facts"]),
        "within length": len(text.split()) <= 1.1 * item["words"],
        "numbers from the source": all(one in have for one in said),
    }


if __name__ == "__main__":
    sys.exit(main())
