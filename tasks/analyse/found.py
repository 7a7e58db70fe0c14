"""What an analysis gives: findings with the words that bear them out, of one text or of each row of a table."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from taskkit.results import Result


class Evidence(BaseModel):
    """`[start, end)` in the text; `quote` is what stands there."""

    model_config = ConfigDict(frozen=True)

    quote: str
    start: int
    end: int
    status: Literal["exact", "normalised", "fuzzy"]


class Item(BaseModel):
    """A finding. `label` is the label, the feeling, the kind of entity, the keyphrase, the relation, or the path of a
    field (`items[0].price`). `value` is the field's value, or the aspect that a feeling is about. `confidence` is
    the share of the votes that gave it, None where there was one vote only."""

    model_config = ConfigDict(frozen=True)

    label: str
    evidence: Evidence | None = None
    value: Any = None
    confidence: float | None = None
    subject: Evidence | None = None
    object: Evidence | None = None

    def __str__(self) -> str:
        said = self.label
        if self.subject is not None and self.object is not None:
            said = f"{one_line(self.subject.quote)} – {self.label} – {one_line(self.object.quote)}"
        elif self.value is not None:
            said = f"{self.label}: {one_line(str(self.value))}"
        if self.confidence is not None:
            said += f" ({self.confidence:.0%})"
        quote = "" if self.evidence is None else one_line(self.evidence.quote)
        return said if not quote or quote in {self.label, str(self.value)} else f'{said}: "{quote}"'


class Row(BaseModel):
    """A row of a table: its own `columns`, and what was found in its `text`, or in `error` why nothing was. `masked`
    is empty where there is an error."""

    model_config = ConfigDict(frozen=True)

    number: int
    text: str = ""
    columns: dict[str, Any] = Field(default_factory=dict)
    items: tuple[Item, ...] = ()
    data: Any = None
    masked: str = ""
    error: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.label for item in self.items))


class LabelScore(BaseModel):
    model_config = ConfigDict(frozen=True)

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class Scores(BaseModel):
    """How a labelled table was met. `accuracy` counts a row whose labels are all right and no more; `confusion` is
    truth -> found -> rows, where nothing is "" and a row that failed is "(failed)"."""

    model_config = ConfigDict(frozen=True)

    rows: int
    accuracy: float
    labels: tuple[LabelScore, ...]
    confusion: dict[str, dict[str, int]]


class Findings(Result):
    """Of one text: `items`, and of a schema `data`. Of a table: `rows`, with both for each. `dropped` counts what the
    model claimed and the text does not bear out; `covered` is the share of the text (of the rows) that was read."""

    kind: str = ""
    items: tuple[Item, ...] = ()
    data: Any = None
    rows: tuple[Row, ...] = ()
    dropped: int = 0
    covered: float = 1.0
    masked: str = ""
    scores: Scores | None = None
    by: str = ""
    mask: bool = Field(default=False, exclude=True, repr=False)  # whether the rows were to be masked
    text: str = Field(default="", exclude=True, repr=False)  # what the offsets are in; whoever asked has it
    name: str = Field(default="", exclude=True, repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.label for item in self.items))


def one_line(text: str) -> str:
    return " ".join(text.split())
