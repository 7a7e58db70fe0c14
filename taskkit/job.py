"""One task's view of the engine: what its `run` is given."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar, cast, overload

from taskkit.engine.calls import Calls
from taskkit.engine.fit import messages_of
from taskkit.engine.journal import Run, digest
from taskkit.engine.route import Asked, Route
from taskkit.engine.schema import answer_schema
from taskkit.engine.wire import OnText
from taskkit.errors import FATAL, ContextTooLong, TaskkitError
from taskkit.images import marked
from taskkit.prompt import Part, Prompt
from taskkit.results import Notice, Usage
from taskkit.source import Piece, Source, Text, read
from taskkit.tokens import Counter, at_most, count_messages, image_tokens

if TYPE_CHECKING:
    from collections import Counter as Counted

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item

LEAST = 4  # tokens of a piece: one character may have as many
FORESEEN = 10  # at the upper end of a plan the first answer and one in so many has to be put right
AT_ONCE = 512  # pieces begun together; the engine's pace says how many calls are on their way


class Given(Protocol):
    """What a job has to know of its task, which knows of jobs itself: its manner. Its fields are looked up."""

    tier: ClassVar[str]
    temperature: ClassVar[float]

    def images(self) -> dict[str, str]: ...


class Job:
    """`run`, `engine` and `route` are the engine's business; the rest is for task authors. `foreseen` counts, at
    the upper end of a plan, what was foreseen there: answers are long, and some are not good at once."""

    def __init__(
        self, engine: Calls, task: Given, route: Route, on_text: Callable[[str], None] | None, number: int | None = None
    ) -> None:
        self.engine = engine
        self.route = route
        self.run: Run | None = None
        self.usage = Usage()
        self.embedded = Usage()  # a part of that
        self.strategy = ""
        self.foreseen: Counted[str] | None = None
        self._task = task
        self._on_text = on_text
        self._number = number  # of the task, among several
        self._notices: list[Notice] = []
        self._images = task.images()
        self._unseen = set(self._images.values())

    @overload
    async def complete(
        self, prompt: Sequence[Part] | str, *, output: None = None, max_output: int | None = None,
        temperature: float | None = None, tier: str | None = None, show: bool | OnText = False, sample: int = 0,
        likely: object = None, rounds: int = 8, moderate: str = "",
    ) -> str: ...  # fmt: skip

    @overload
    async def complete(
        self, prompt: Sequence[Part] | str, *, output: type[T], max_output: int | None = None,
        temperature: float | None = None, tier: str | None = None, show: bool | OnText = False, sample: int = 0,
        likely: object = None, rounds: int = 8, moderate: str = "",
    ) -> T: ...  # fmt: skip

    async def complete(
        self, prompt: Sequence[Part] | str, *, output: type[T] | None = None, max_output: int | None = None,
        temperature: float | None = None, tier: str | None = None, show: bool | OnText = False, sample: int = 0,
        likely: object = None, rounds: int = 8, moderate: str = "",
    ) -> Any:  # fmt: skip
        """One answer: text, or an instance of `output`, whole and validated.

        `max_output` is the room kept for it in tokens; longer text is continued. `show` streams it to whoever
        reads the task as a stream, or to a function, which may hand it on to `emit`. `sample` numbers several wanted answers to one prompt. `likely` is what the
        answer usually looks like, for the planner. `rounds` are the continuations that a cut text may have; with 0
        it is a `TruncatedError`, for answers whose length is known beforehand. `moderate` ("input", "output" or
        "both") has this call looked at by the endpoint's moderation, whatever the settings say."""
        parts = [Part("user", prompt)] if isinstance(prompt, str) else prompt
        asked = Asked(
            output=str if output is None else output,
            tier=self.engine.tier or tier or self._task.tier,
            temperature=self._temperature(temperature),
            max_output=max_output,
            on_text=show if callable(show) else self._on_text if show else None,
            sample=sample,
            likely=_as_text(likely),
            rounds=rounds,
            moderate=moderate,
            took=self._took,
            run=self.run,
        )
        answered = await self.engine.complete(self._seen(parts), asked)
        for notice in answered.notices:
            self._note(notice)
        return answered.value

    def foresees(self, fault: str) -> bool:
        """Whether this answer is taken to have such a fault, so that the upper end of a plan has the call that puts it
        right: of each fault the first answer, and then one in ten. Never outside of a plan."""
        if self.foreseen is None:
            return False
        self.foreseen[fault] += 1
        return self.foreseen[fault] % FORESEEN == 1

    @property
    def foresees_faults(self) -> bool:
        return self.foreseen is not None

    def _seen(self, parts: Sequence[Part]) -> Sequence[Part]:
        """The parts, with the images whose marks stand in them."""
        if not self._images:
            return parts
        seen = [dataclasses.replace(part, images=(*part.images, *marked(part.text, self._images))) for part in parts]
        self._unseen.difference_update(url for part in seen for url in part.images)
        return seen

    def ended(self) -> None:
        """Tells of what the model never got to see."""
        if self._unseen and self.usage.calls:
            many = f"{len(self._unseen)} images were" if len(self._unseen) > 1 else "The image was"
            self.warn("image", f"{many} not shown to the model.", failure=True)

    def _took(self, usage: Usage) -> None:
        self.usage += usage

    def _took_to_embed(self, usage: Usage) -> None:
        self.embedded += usage
        self.usage += usage

    def _temperature(self, wanted: float | None) -> float:
        if self.engine.temperature is not None:
            return self.engine.temperature
        return self._task.temperature if wanted is None else wanted

    @overload
    async def map(
        self, work: Callable[[I], Awaitable[T]], items: Iterable[I], *, keep_errors: Literal[False] = False
    ) -> list[T]: ...

    @overload
    async def map(
        self, work: Callable[[I], Awaitable[T]], items: Iterable[I], *, keep_errors: Literal[True]
    ) -> list[T | TaskkitError]: ...

    async def map(self, work: Callable[[I], Awaitable[T]], items: Iterable[I], *, keep_errors: bool = False) -> Any:
        """`work` for each item, at once, the results in order. When one fails the others are still done (and
        journaled) before its error is raised, or put in its place with `keep_errors`."""
        todo = list(items)
        self.engine.events.emit("step", total=len(todo))

        async def one(item: I) -> T:
            done = await work(item)
            self.engine.events.emit("piece-done")
            return done

        return await gather(one, todo, keep_errors=keep_errors)

    def room(
        self, around: Sequence[Part] = (), *, max_output: int | None = None, output: type[object] | None = None
    ) -> int:
        """The tokens that a text may have beside the parts `around` it, an answer of `max_output` and, of an answer that
        is an instance of `output`, its schema."""
        answer = self.engine.answer_room(self.route, max_output)
        schema = None if output is None else answer_schema(output)
        used = count_messages(messages_of(around), self.route.counter, schema) + 32  # the fence that the text stands in
        used += sum(map(image_tokens, self._images.values()))
        return max(1, self.route.window.input_room(answer) - used)

    def split(
        self, source: Source, *, max_tokens: int | None = None, around: Sequence[Part] = (),
        max_output: int | None = None, output: type[object] | None = None, overlap: int = 0,
    ) -> list[Piece]:  # fmt: skip
        """Pieces that fit the window beside the prompt `around` them; joined they are the source."""
        room = self.room(around, max_output=max_output, output=output) - overlap
        limit = room if max_tokens is None else min(room, max_tokens)
        if room < LEAST and (max_tokens is None or max_tokens >= LEAST):
            raise ContextTooLong(
                f"A window of {self.route.window.context} tokens leaves no room for a text beside the prompt.",
                part="prompt",
                over=LEAST - room,
                hint="Take a model with a larger window; --context says how large it is.",
            )
        return self.read(source).split(max(1, limit), counter=self.route.counter, overlap=overlap)

    def fits(self, parts: Sequence[Part], *, max_output: int | None = None, output: type[object] | None = None) -> bool:
        """Whether one call can take it."""
        room = self.route.window.input_room(self.engine.answer_room(self.route, max_output))
        messages = messages_of(self._seen(parts))
        schema = None if output is None else answer_schema(output)
        if at_most(messages, schema) <= room:
            return True
        return count_messages(messages, self.route.counter, schema) <= room

    @property
    def counter(self) -> Counter:
        return self.route.counter

    def read(self, source: Source) -> Text:
        """An image is read as its mark, a PDF and the like as the text in it; what could not be read of it is told."""
        text = read(source, images=True, documents=True)
        if text.lacks:
            self.warn("unread", f"{text.name}: {text.lacks}")
        return text

    async def embed(
        self,
        texts: Sequence[str],
        *,
        model: str = "text-embedding-3-small",
        dimensions: int | None = None,
        keeps: int = 0,
    ) -> list[tuple[float, ...]]:
        return await self.engine.embed(
            texts,
            model=model,
            dimensions=dimensions,
            took=self._took_to_embed,
            keeps=keeps if self.run is not None else 0,
        )

    def warn(self, code: str, message: str, *, failure: bool = False) -> None:
        """Goes into the result; a failure is work that was not done."""
        self._note(Notice(code=code, message=message, failure=failure))

    def emit(self, text: str) -> None:
        """Text that is finished, for whoever reads the task as a stream."""
        if self._on_text is not None:
            self._on_text(text)

    def _note(self, notice: Notice) -> None:
        if notice not in self._notices:
            self._notices.append(notice)
            among = {} if self._number is None else {"task": self._number}
            self.engine.events.emit("warning", notice.message, code=notice.code, failure=notice.failure, **among)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    @property
    def prompts(self) -> dict[str, str]:
        prompt = getattr(type(self._task), "prompt", None)
        return {prompt.name: prompt.digest} if isinstance(prompt, Prompt) else {}

    def key(self) -> bytes:
        """What makes this job the same job when it is started again."""
        values = [(one.name, getattr(self._task, one.name)) for one in dataclasses.fields(cast("Any", self._task))]
        route = self.route
        return digest(
            type(self._task).__qualname__,
            values,
            route.road.endpoint.identity,
            route.model.name,
            self._temperature(None),
        )


def waves(items: Sequence[I]) -> list[Sequence[I]]:
    """1, 2, 4, 8 … of them: each wave can learn from all before it, and of many there are still few waits."""
    found: list[Sequence[I]] = []
    at = 0
    while at < len(items):
        found.append(items[at : at + 2 ** len(found)])
        at += len(found[-1])
    return found


async def gather(work: Callable[[I], Awaitable[T]], items: Sequence[I], *, keep_errors: bool) -> Any:
    """Ordered results. What is on its way is finished before an error is raised: it is paid for. Errors that would
    meet every item (a refused key, a reached cap) keep the rest from being begun."""
    results: list[Any] = [None] * len(items)
    numbers = iter(range(len(items)))
    stop: list[BaseException] = []

    async def worker() -> None:
        for number in numbers:
            if stop:
                return
            try:
                results[number] = await work(items[number])
            except FATAL as error:
                results[number] = error
                stop.append(error)
            except TaskkitError as error:
                results[number] = error
            except Exception as error:  # noqa: BLE001 - a fault in the task's own code: raised below, as it is
                stop.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(items))):
            group.create_task(worker())
    if stop:
        raise stop[0]
    failed = next((one for one in results if isinstance(one, TaskkitError)), None)
    if failed is not None and not keep_errors:
        raise failed
    return results


def _as_text(likely: object) -> str | None:
    if likely is None or isinstance(likely, str):
        return likely
    import json

    from pydantic import TypeAdapter

    return json.dumps(TypeAdapter(type(likely)).dump_python(likely, mode="json"), ensure_ascii=False)
