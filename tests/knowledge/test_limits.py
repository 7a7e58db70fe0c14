"""Endpoints that take shorter texts than is thought, or fewer at once: in the words of the servers there are."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskkit.errors import TaskkitError
from taskkit.knowledge import Document
from taskkit.knowledge.pieces import pieces
from tests.knowledge.made import Endpoint
from tests.knowledge.test_embedders import asking

MOST = 90  # tokens, as these servers count them
VLLM = (
    "This model's maximum context length is 90 tokens. However, you requested {used} tokens in the input for "
    "embedding generation. Please reduce the length of the input."
)
LLAMA = "input ({used} tokens) is too large to process. increase the physical batch size (current batch size: 90)"
OPENAI = (
    "This model's maximum context length is 90 tokens, however you requested {used} tokens ({used} in your prompt; 0 for "
    "the completion). Please reduce your prompt; or completion length."
)
TEI = "Input validation error: `inputs` must have less than 90 tokens. Given: {used}"
WORDS = {
    "vllm": (400, {"object": "error", "message": VLLM, "type": "BadRequestError", "code": 400}),
    "openai": (400, {"error": {"message": OPENAI, "type": "invalid_request_error", "param": None, "code": None}}),
    "llama": (500, {"error": {"code": 500, "message": LLAMA, "type": "server_error"}}),
    "old llama": (
        500,
        {"error": {"code": 500, "message": "input is too large to process. increase the physical batch size"}},
    ),
    "batch": (500, {"error": {"code": 500, "message": "input is larger than the batch size"}}),
    "ollama": (400, {"error": {"message": "the input length exceeds the context length"}}),
    "tei": (413, {"error": TEI, "error_type": "Validation"}),
    "plain": (400, {"error": {"message": "The input is too long."}}),
    "proxy": (413, {"message": "Request Entity Too Large"}),
}


def tokens(text: str) -> int:
    """By another tokenizer than ours, which makes more of rare words."""
    return sum(1 + len(word) // 4 for word in text.split())


def short(name: str, most: int = MOST) -> Callable[[list[str]], tuple[int, Any] | None]:
    def refuses(texts: list[str]) -> tuple[int, Any] | None:
        used = max(map(tokens, texts))
        return None if used <= most else said(name, used)

    return refuses


def said(name: str, used: int) -> tuple[int, Any]:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return value.format(used=used) if isinstance(value, str) else value

    status, body = WORDS[name]
    return status, filled(body)


@pytest.fixture
def endpoint() -> Iterator[Callable[..., Endpoint]]:
    made: list[Endpoint] = []

    def make(**options: Any) -> Endpoint:
        made.append(Endpoint(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def written(count: int, first: int = 0) -> list[Document]:
    """One in three is too long."""
    return [
        Document(f"d{n}", " ".join(f"harbour {n} copperworks{i}" for i in range(60 if n % 3 == 0 else 8)), title="Log")
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("name", WORDS)
def test_what_is_too_long_is_embedded_by_its_beginning_and_that_is_said(
    endpoint: Callable[..., Endpoint], name: str
) -> None:
    there, documents = endpoint(refuses=short(name)), written(40)
    with asking(there) as (base, heard):
        report = base.add(documents)
        assert (report.added, report.embedded, base.verify()) == (40, 40, [])
        warnings = [one for one in heard if "too long" in one]
        assert len(warnings) == 1
        assert warnings[0].startswith("14 texts are too long for text-embedding-3-small: only the beginning")
        whole = {part.embedded for document in documents for part in pieces(document)}
        taken = [text for some in there.sent for text in some]
        assert all(any(one.startswith(text) for one in whole) for text in taken)
        assert sum(text in whole for text in taken) == 26  # the others went out as they are
        assert max(map(tokens, taken)) > 0.75 * MOST
        assert len(there.refused) <= 12
        assert base.document("d0").text == documents[0].text  # type: ignore[union-attr]
        assert [one.text for one in base.passages("d0")] == [documents[0].text]

        before = len(there.refused)
        base.add(written(40, first=100))
        assert len(there.refused) <= before + 1  # it is known by now
        assert base.reindex() == 0


MANY = {
    "tei": (413, {"error": "batch size {n} > maximum allowed batch size 32", "error_type": "Validation"}),
    "code": (400, {"code": 20042, "message": "input batch size {n} > maximum allowed batch size 32", "data": None}),
    "dashscope": (
        400,
        {"error": {"message": "Value error, batch size is invalid, it should not be larger than 32.: input.contents"}},
    ),
    "pydantic": (
        422,
        {"detail": [{"type": "too_long", "loc": ["body", "input"], "msg": "List should have at most 32 items"}]},
    ),
    "google": (400, {"error": {"message": "at most 32 requests can be in one batch", "status": "INVALID_ARGUMENT"}}),
    "openai": (
        400,
        {"error": {"message": "'$.input' is invalid: array too long. Expected an array with maximum length 32."}},
    ),
    "no number": (400, {"error": {"message": "Too many inputs in a single request."}}),
}


@pytest.mark.parametrize("name", MANY)
def test_an_endpoint_that_takes_few_texts_at_once_is_given_few(endpoint: Callable[..., Endpoint], name: str) -> None:
    there = endpoint(refuses=lambda texts: MANY[name] if len(texts) > 32 else None)
    documents = [Document(f"d{n}", f"Copper {n} of the harbour.") for n in range(400)]
    with asking(there) as (base, heard):
        assert base.add(documents).embedded == 400
        assert base.verify() == []
        assert not [one for one in heard if "too long" in one]
    texts = [text for some in there.sent for text in some]
    assert len(texts) == len(set(texts)) == 400
    assert max(map(len, there.sent)) == 32
    assert len(there.refused) <= 12


def test_a_limit_of_the_whole_request_is_kept_by_smaller_ones(endpoint: Callable[..., Endpoint]) -> None:
    words = {"error": {"message": "Too many tokens overall, split into more batches."}}
    there = endpoint(refuses=lambda texts: (400, words) if sum(map(tokens, texts)) > 600 else None)
    with asking(there) as (base, heard):
        base.add([Document(f"d{n}", f"Copper {n} of the harbour and what it is worth there.") for n in range(400)])
        assert base.stats().passages == 400
        assert not [one for one in heard if "too long" in one]
    assert len(there.refused) <= 40


@pytest.mark.parametrize("name", ["ollama", "vllm", "llama", "tei"])
def test_an_endpoint_that_refuses_every_length_is_told_and_asked_no_longer(
    endpoint: Callable[..., Endpoint], name: str
) -> None:
    there = endpoint(refuses=short(name, most=0))
    with asking(there) as (base, _):
        with pytest.raises(TaskkitError, match=r"length|too (long|large)|less than"):
            base.add(written(40))
        assert base.verify() == []
    assert len(there.refused) <= 40


def test_what_was_embedded_before_a_refusal_of_another_kind_is_kept(endpoint: Callable[..., Endpoint]) -> None:
    def refuses(texts: list[str]) -> tuple[int, Any] | None:
        if any("poison" in text for text in texts):
            return 400, {"error": {"message": "That is not welcome here."}}
        return short("vllm")(texts)

    there, documents = endpoint(refuses=refuses), written(300)
    with asking(there) as (base, _):
        with pytest.raises(TaskkitError, match="not welcome"):
            base.add([*documents, Document("poison", "poison")])
        kept = base.stats().vectors
        assert kept >= 128
        assert base.add(documents).embedded == 300 - kept


def test_a_question_that_is_too_long_is_searched_by_its_beginning(endpoint: Callable[..., Endpoint]) -> None:
    with asking(endpoint(refuses=short("vllm"))) as (base, heard):
        base.add(Document("a", "Copper of the harbour."))
        assert base.search("copper " * 300)
        assert [one.partition(":")[0] for one in heard if "too long" in one] == [
            "1 text is too long for text-embedding-3-small"
        ]
