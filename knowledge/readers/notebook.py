"""Jupyter notebooks: text cells as they are, code and what it printed in fences; images and other outputs stay out."""

import json
from pathlib import Path
from typing import Any

from taskkit.errors import InputError
from taskkit.knowledge.readers.lines import fenced
from taskkit.knowledge.records import Document

PRINTED = 10_000  # characters of one output


def read(path: Path) -> Document:
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"is no notebook: {error}") from None
    if not isinstance(data, dict):
        raise InputError("is no notebook: it is not a JSON object")
    sheets = data["worksheets"] if isinstance(data.get("worksheets"), list) else [data]  # before version 4
    cells = [cell for sheet in sheets for cell in _listed(_part(sheet, "cells"))]
    if not cells:
        raise InputError("has no cells")
    info = _part(data, "metadata")
    language = _part(_part(info, "kernelspec"), "language") or _part(_part(info, "language_info"), "name")
    blocks = [block for cell in cells for block in _cell(cell, language if isinstance(language, str) else "")]
    title = _part(info, "title")
    text = "\n\n".join(filter(None, blocks))
    return Document(path.name, text, title if isinstance(title, str) else "", format="markdown")


def _cell(cell: Any, language: str) -> list[str]:
    kind, source = _part(cell, "cell_type"), _text(_part(cell, "source") or _part(cell, "input"))
    if kind in {"markdown", "heading"}:
        return [source.strip("\n")]
    if kind != "code":
        return [fenced(source)] if source.strip() else []
    blocks = [fenced(source, language)] if source.strip() else []
    for output in _listed(_part(cell, "outputs")):
        said = _text(_part(output, "text")) or _text(_part(_part(output, "data"), "text/plain"))
        if _part(output, "output_type") == "error":
            said = f"{_part(output, 'ename')}: {_part(output, 'evalue')}"
        if said.strip():
            blocks.append(fenced(said if len(said) <= PRINTED else said[:PRINTED] + "\n…"))
    return blocks


def _part(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _listed(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _text(data: Any) -> str:
    """A string, or the list of its lines."""
    return data if isinstance(data, str) else "".join(one for one in _listed(data) if isinstance(one, str))
