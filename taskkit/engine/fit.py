"""Lays a prompt's parts into the window: what must stay stays, what may go goes in order, and it is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from taskkit.engine.call import Message
from taskkit.errors import ContextTooLong
from taskkit.prompt import Part
from taskkit.tokens import PER_MESSAGE, Counter, at_most, count_messages, image_tokens


@dataclass(frozen=True, slots=True)
class Fitted:
    """`tokens` is at most what the messages have; `dropped` names each part left out or cut."""

    messages: tuple[Message, ...]
    tokens: int
    dropped: tuple[str, ...] = ()


def fit(parts: Sequence[Part], room: int, counter: Counter, *, schema: Mapping[str, object] | None = None) -> Fitted:
    """`room` is for the messages, and for the `schema` that goes along with them.

    Raises `ContextTooLong`, which names the largest part, when the parts that are kept do not fit alone, or nothing
    would be left."""
    messages = messages_of(parts)
    bound = at_most(messages, schema)
    if bound <= room:
        return Fitted(messages, bound)
    counts = counter.count_many([part.text for part in parts])
    sizes = [size + _overhead(part) for size, part in zip(counts, parts, strict=True)]
    total = count_messages((), counter, schema) + sum(sizes)
    if total <= room:
        return Fitted(messages, total)
    return _lighter(list(parts), sizes, total, room, counter)


def _lighter(parts: list[Part], sizes: list[int], total: int, room: int, counter: Counter) -> Fitted:
    dropped: list[str] = []
    gone: set[int] = set()
    droppable = sorted(
        (i for i, part in enumerate(parts) if part.rule == "drop"), key=lambda i: (parts[i].priority, -i)
    )
    for i in droppable:
        if total <= room:
            break
        gone.add(i)
        total -= sizes[i]
        dropped.append(parts[i].name or parts[i].role)
    for i in sorted((i for i, part in enumerate(parts) if part.rule == "cut"), key=lambda i: (parts[i].priority, -i)):
        if total <= room:
            break
        wanted = max(0, sizes[i] - _overhead(parts[i]) - (total - room))
        kept = counter.cut(parts[i].text, wanted)
        name = parts[i].name or parts[i].role
        if not kept:
            gone.add(i)
            total -= sizes[i]
            dropped.append(name)
            continue
        size = counter.count(kept) + _overhead(parts[i])
        total -= sizes[i] - size
        dropped.append(f"{len(parts[i].text) - len(kept)} characters of {name}")
        parts[i], sizes[i] = replace(parts[i], text=kept), size
    if total > room or len(gone) == len(parts):
        _refuse(parts, sizes, gone, total - room, room)
    return Fitted(messages_of([p for i, p in enumerate(parts) if i not in gone]), total, tuple(dropped))


def _refuse(parts: Sequence[Part], sizes: Sequence[int], gone: set[int], over: int, room: int) -> None:
    left = [i for i in range(len(parts)) if i not in gone] or range(len(parts))
    biggest = max(left, key=lambda i: sizes[i])
    name = parts[biggest].name or parts[biggest].role
    raise ContextTooLong(
        f"The prompt does not fit: its part {name!r} has {sizes[biggest]} tokens, there is room for {max(room, 0)} "
        f"in all, and it is over by {max(over, 1)}.",
        part=name,
        over=max(over, 1),
        hint="Shorten it, or use a model with a larger window (--model, --context).",
    )


def _overhead(part: Part) -> int:
    return PER_MESSAGE + sum(map(image_tokens, part.images))


def messages_of(parts: Sequence[Part]) -> tuple[Message, ...]:
    """Neighbours of one role become one message, an empty line between them."""
    messages: list[Message] = []
    for part in parts:
        if messages and messages[-1].role == part.role:
            last = messages[-1]
            messages[-1] = Message(part.role, f"{last.content}\n\n{part.text}", last.images + part.images)
        else:
            messages.append(Message(part.role, part.text, part.images))
    return tuple(messages)
