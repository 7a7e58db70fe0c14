"""A model's window, in tokens."""

from dataclasses import dataclass

from taskkit.errors import ContextTooLong


@dataclass(frozen=True, slots=True)
class Window:
    """`input + reserved output <= context` and `input <= max_input` hold for every room this gives.

    `reserve` is kept free for what counting can not see: tool wrappers, a server's own template."""

    context: int
    max_input: int
    max_output: int
    reserve: int = 16

    def __post_init__(self) -> None:
        if min(self.context, self.max_input, self.max_output) < 1 or self.reserve < 0:
            raise ValueError("a window's sizes are at least 1 token")
        if self.max_input > self.context or self.max_output > self.context:
            raise ValueError("a window's input and output can not pass its context")

    def input_room(self, output: int) -> int:
        """The most that the messages may have when `output` tokens are kept for the answer."""
        room = min(self.max_input, self.context - min(output, self.max_output) - self.reserve)
        if room < 1:
            raise ContextTooLong(
                f"A context of {self.context} tokens leaves no room beside an answer of {output}.",
                part="answer",
                over=1 - room,
                hint="Use a model with a larger window, or --context.",
            )
        return room

    def output_room(self, used: int) -> int:
        """The most that the answer may have beside `used` tokens of messages; 0 when there is none."""
        return max(0, min(self.max_output, self.context - used - self.reserve))

    def narrowed(self, context: int) -> "Window":
        """The same window under a smaller context, as a user sets it or a server reveals it."""
        return Window(context, min(self.max_input, context), min(self.max_output, context), self.reserve)
