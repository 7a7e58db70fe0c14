"""One tree of errors: a class for each thing that a caller would treat differently.

TaskkitError
├── InputError             what was given cannot be used: a file, an option, a name        exit 2
│   └── ContextTooLong     a part that must stay whole does not fit the window             exit 2
├── ConfigurationError     no endpoint, an unreadable file, an unknown model               exit 3
│   └── AuthenticationError  the endpoint refuses the key                                  exit 3
├── CostCapError           the next call could pass `max_cost`                             exit 4
├── EndpointError          the endpoint failed, or cannot be reached                       exit 5
│   ├── RateLimitError     still 429 after all tries                                       exit 5
│   ├── QuotaError         the account has no credit left                                  exit 5
│   ├── TruncatedError     the answer never came to its end                                exit 5
│   └── InvalidOutputError   there is no answer, or it never met its schema                exit 5
└── RefusedError           the model or a content filter declined                          exit 6
    └── UnsafeError        moderation flagged the text, or an input would do harm          exit 6
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from taskkit.results import Usage


LONGEST = 1000  # characters of a message


def one_line(text: str) -> str:
    """What others have written (endpoints, plug-ins, files) may be in it: nothing that speaks to a terminal stays."""
    text = " ".join(text.split())
    return text if text.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in text)


def shortened(text: str) -> str:
    """An error repeats what was given; a whole book in it would hide what it says."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 300]} … {text[-300:]}"


class TaskkitError(Exception):
    """The base. `str()` is one line: what happened, what was kept, what to do next. `usage` is what the task that
    ended so has taken, None where no task had begun."""

    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, *, kept: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kept = kept
        self.hint = hint
        self.usage: Usage | None = None

    def __str__(self) -> str:
        said = shortened(self.message).rstrip()
        stop = "." if said[-1:].isalnum() and (self.kept or self.hint) else ""  # what others say may have no end
        return one_line(f"{said}{stop} {self.kept} {self.hint}")


class InputError(TaskkitError):
    exit_code = 2


class ContextTooLong(InputError):  # noqa: N818 - the field's name for it
    """`part` names what ate the room; `over` is by how many tokens. Where the endpoint refused the length, `part` is
    "messages", `context` the window that it has and `used` its own count of them; 0 where it does not say."""

    def __init__(
        self, message: str, *, part: str = "", over: int = 0, context: int = 0, used: int = 0, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.part = part
        self.over = over
        self.context = context
        self.used = used


class ConfigurationError(TaskkitError):
    exit_code = 3


class AuthenticationError(ConfigurationError):
    pass


class CostCapError(TaskkitError):
    exit_code = 4


class EndpointError(TaskkitError):
    """`status` is the HTTP status, or None when there was no answer."""

    def __init__(self, message: str, *, status: int | None = None, kept: str = "", hint: str = "") -> None:
        super().__init__(message, kept=kept, hint=hint)
        self.status = status


class RateLimitError(EndpointError):
    pass


class QuotaError(EndpointError):
    pass


class TruncatedError(EndpointError):
    """`text` is what came before the cut."""

    def __init__(self, message: str, *, text: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class InvalidOutputError(EndpointError):
    """`raw` is the last reply, `problems` what validation said of it, `tries` how often it was asked."""

    def __init__(
        self, message: str, *, raw: str = "", problems: tuple[str, ...] = (), tries: int = 1, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.raw = raw
        self.problems = problems
        self.tries = tries


class RefusedError(TaskkitError):
    """`text` is what came back instead of an answer."""

    exit_code = 6

    def __init__(self, message: str, *, text: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class UnsafeError(RefusedError):
    """`categories` are the moderation's names for what it saw."""

    def __init__(self, message: str, *, text: str = "", categories: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, text=text, hint=hint)
        self.categories = categories


FATAL = (ConfigurationError, CostCapError, QuotaError)  # what stops a whole job, not one piece of it
