"""`--metadata` and `--access` of what is taken into a knowledge base."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from taskkit.errors import InputError

METADATA = click.option(
    "--metadata",
    multiple=True,
    metavar="KEY=VALUE",
    help="Given to each document, before what its file says; 2024, true and null are no texts. May be repeated: "
    "several values of one key are a list. A folder keeps it for what comes later; '' takes it off.",
)
ACCESS = click.option(
    "--access",
    multiple=True,
    metavar="KEY=VALUE",
    help="Who may see them: whoever brings this label, nobody else. May be repeated: several values of one key are a "
    "choice, of several keys each has to be brought. What is there keeps its labels when none are given, and a folder gives "
    "its own to what comes later; '' takes them off. Nothing in a file gives any.",
)


def metadata(given: Sequence[str]) -> dict[str, Any] | None:
    from taskkit.knowledge.frontmatter import scalar

    if (found := _several(given, "--metadata", scalar)) is None:
        return None
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def access(given: Sequence[str]) -> dict[str, list[str]] | None:
    found = _several(given, "--access", str)
    if found and (empty := [key for key, values in found.items() if "" in values]):
        raise InputError(f"--access {empty[0]}= has no value.", hint="--access '' takes labels off.")
    return found


def _several(given: Sequence[str], option: str, read: Callable[[str], Any]) -> dict[str, list[Any]] | None:
    """None where nothing is given, nothing where one empty text is."""
    if not given or [*given] == [""]:
        return {} if given else None
    found: dict[str, list[Any]] = {}
    for one in given:
        key, sign, value = one.partition("=")
        if not sign or not key.strip():
            raise InputError(f"{option} takes KEY=VALUE, not {one!r}.")
        found.setdefault(key.strip(), []).append(read(value.strip()))
    return found
