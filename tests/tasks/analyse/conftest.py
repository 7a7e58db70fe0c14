"""A model that reads the texts of a request as a real one would, and answers for each by a function."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

TEXT = re.compile(r"<<<text (?:(\w+) )?(\w+)>>>\n(.*?)\n<<<end of text (?:\w+ )?\2>>>", re.DOTALL)


def texts(body: Mapping[str, Any]) -> dict[str, str]:
    """The texts that are asked about, by their ids; one that is asked about alone has the id ""."""
    return {found[1] or "": found[3] for found in TEXT.finditer(str(body["messages"][-1]["content"]))}


def after(wrong: Any, right: Any) -> Callable[[Any], Any]:
    """Wrong once, right from then on."""
    replies = iter([wrong])
    return lambda body: next(replies, right)


@pytest.fixture
def reader() -> Callable[[Callable[[str], dict[str, Any]]], Callable[[Mapping[str, Any]], Any]]:
    def make(answer: Callable[[str], dict[str, Any]]) -> Callable[[Mapping[str, Any]], Any]:
        def reply(body: Mapping[str, Any]) -> Any:
            asked = texts(body)
            if "" in asked:
                return answer(asked[""])
            return {"items": [{"id": key, **answer(text)} for key, text in asked.items()]}

        return reply

    return make
