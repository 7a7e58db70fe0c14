"""What every task gives back: its answer, what it cost, and what should be known about it."""

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Usage(BaseModel):
    """The tally of a task. `cost` is in US dollars, None when a price is unknown; `cached_tokens` is the
    part of `input_tokens` that the provider had in its prompt cache, `written_tokens` the part that it put there at
    a price of its own; `seconds` is wall time."""

    model_config = ConfigDict(frozen=True)

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    retries: int = 0
    journal_hits: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            written_tokens=self.written_tokens + other.written_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=cost,
            retries=self.retries + other.retries,
            journal_hits=self.journal_hits + other.journal_hits,
            seconds=self.seconds + other.seconds,
        )


def dollars(amount: Decimal) -> str:
    """To a hundredth of a cent, and what is less to two digits: never 0 for what is more."""
    if not amount or amount >= Decimal("0.00005"):
        return f"${amount:.4f}"
    return f"${amount:.{1 - amount.adjusted()}f}"


class Notice(BaseModel):
    """Something the reader of a result should know. `code` is stable and kebab-case, `message` for people.

    A `failure` is work that was not done (a paragraph left untranslated): exit code 1. The others are
    warnings, exit code 1 only under `--strict`."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    failure: bool = False

    def __str__(self) -> str:
        return self.message


class Result(BaseModel):
    """The base of what tasks return. Subclasses add the fields that the model fills; `str()` gives the
    field `text`, or the JSON of the answer where there is none."""

    model_config = ConfigDict(frozen=True)

    usage: Usage = Field(default_factory=Usage)
    warnings: tuple[Notice, ...] = ()
    prompts: dict[str, str] = Field(default_factory=dict)  # prompt file -> digest of the text used

    @property
    def content(self) -> str | bytes:
        """What is written where the result goes to a file."""
        return str(self)

    def as_file(self, suffix: str) -> str | None:  # noqa: ARG002 - for those that know some
        """`content` for a file that ends so (".csv"), where a result has a form of its own there."""
        return None

    def as_files(self) -> dict[str, str] | None:
        """`content` by the paths of files in a folder, where the result is of several."""
        return None

    def saved(self, path: Path) -> None:
        """To be told where the result was written, for what should lie beside it."""

    def __str__(self) -> str:
        text = getattr(self, "text", None)
        if isinstance(text, str):
            return text
        return self.model_dump_json(exclude=set(Result.model_fields), indent=2)
