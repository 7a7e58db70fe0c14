"""What the engine says while it works: one stream that feeds progress bars, logs and traces.

Kinds: `call-started`, `call-finished`, `call-failed`, `retry`, `pause`, `journal-hit`, `step`, `piece-done`, `tasks`,
`task-done`, `warning`, `notice`.
Events carry sizes, times and names; never keys, and no text of messages or answers."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    message: str = ""
    data: Mapping[str, object] = field(default_factory=dict[str, object])


Listener = Callable[[Event], None]


class Events:
    """A fan-out to listeners, which are called in the thread where the event happens."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._said: set[str] = set()

    def listen(self, listener: Listener) -> contextlib.ExitStack:
        """Adds the listener at once; leaving the returned context takes it off again."""
        self._listeners = (*self._listeners, listener)

        stack = contextlib.ExitStack()
        stack.callback(self._drop, listener)
        return stack

    def _drop(self, listener: Listener) -> None:
        self._listeners = tuple(one for one in self._listeners if one is not listener)

    def emit(self, kind: str, message: str = "", **data: object) -> None:
        if not self._listeners:
            return
        event = Event(kind, message, data)
        for listener in self._listeners:
            listener(event)

    def once(self, kind: str, message: str) -> None:
        """What need not be said a second time."""
        if message not in self._said:
            self._said.add(message)
            self.emit(kind, message)
