"""An analysis as its reader wants it: on a terminal, as a page, as a table."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from taskkit.errors import InputError
from taskkit.rows import as_csv, as_jsonl, inert
from taskkit.tasks.analyse.found import Findings, Item, one_line
from taskkit.tasks.analyse.page import page
from taskkit.tasks.analyse.report import table

SHOWN = ("", ".txt", ".md")  # of a file that gets what a terminal would: of rows the counts

M = TypeVar("M", bound=BaseModel)


class Analysis(Findings):
    """Findings, and the forms that they can be given in."""

    def to(self, model: type[M]) -> M:
        """`data` as a pydantic model. Raises `InputError` naming the fields that it asks for and the text has not."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            missing = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_url=False))
            raise InputError(
                f"The text does not say what {model.__name__} asks for: {missing}.", hint="Let these fields be None."
            ) from error

    def __str__(self) -> str:
        if self.rows:
            return table(self)
        if self.masked:
            return self.masked
        if self.kind == "fields":
            return json.dumps(self.data, ensure_ascii=False, indent=2, default=str)
        return "\n".join(map(str, self.items)) or "Nothing."

    def report(self) -> str:
        """One HTML page, complete in itself: counts, and the evidence highlighted in the text."""
        return page(self)

    def as_file(self, suffix: str) -> str | None:
        """A page, or a table: each row as it was with what was found, or of one text a finding a row.

        In a CSV table the columns of the source come through as they were, whatever a spreadsheet makes of them; a text
        in a column that was added begins no formula: it has an apostrophe before it. JSONL has all as it is."""
        if suffix in {".html", ".htm"}:
            return self.report()
        if suffix in {".jsonl", ".ndjson"}:
            return as_jsonl(self._full())
        if suffix in {".csv", ".tsv"}:
            return as_csv(self._flat(), "," if suffix == ".csv" else "\t")
        if self.rows and suffix not in SHOWN:
            raise InputError(
                f"Rows do not go into a {suffix} file.", hint="Give -o a name that ends in .csv, .tsv, .jsonl or .html."
            )
        return None

    def _full(self) -> list[Mapping[str, Any]]:
        if not self.rows:
            return [item.model_dump(mode="json", exclude_none=True) for item in self.items]
        found: list[Mapping[str, Any]] = []
        for row in self.rows:
            made: dict[str, Any] = {"error": row.error} if row.error else {"labels": list(row.labels)}
            if self.kind == "fields":
                made = made if row.error else {"data": row.data}
            made["items"] = [item.model_dump(mode="json", exclude_none=True) for item in row.items]
            if self.mask:
                made["masked"] = row.masked
            found.append({**row.columns, _free("analysis", row.columns): made})
        return found

    def _flat(self) -> list[Mapping[str, Any]]:
        if not self.rows:
            return [_cells(item) for item in self.items]
        found: list[Mapping[str, Any]] = []
        for row in self.rows:
            made: dict[str, Any] = {}
            if self.kind == "fields":
                made |= row.data if isinstance(row.data, dict) else {"data": row.data}
            else:
                made["found"] = "; ".join(map(str, row.items if self.kind in {"aspects", "relations"} else row.labels))
            made["evidence"] = " … ".join(one_line(item.evidence.quote) for item in row.items if item.evidence)
            if any(item.confidence is not None for item in row.items):
                made["confidence"] = min(item.confidence or 0.0 for item in row.items)
            if self.mask:
                made["masked"] = row.masked
            made["error"] = row.error
            found.append({**row.columns, **{_free(name, row.columns): inert(one) for name, one in made.items()}})
        return found


def _cells(item: Item) -> dict[str, Any]:
    """A finding as one row."""
    made = {"label": item.label, "value": item.value, "confidence": item.confidence}
    for name, where in (("evidence", item.evidence), ("subject", item.subject), ("object", item.object)):
        if where is not None:
            made |= {name: where.quote, f"{name}_start": where.start, f"{name}_end": where.end}
    return {name: inert(one) for name, one in made.items() if one is not None}


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name
