"""Counting and cutting in tokens, without the network."""

import base64
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskkit.engine.call import Message
from taskkit.tokens import Counter, at_most, count_messages, counter_for, image_tokens, surely_fits

MODEST = settings(deadline=None, max_examples=200)
ALPHABET = "ab Z1.,'\n\r\t\0é\u0301漢字ไทยกำ한\u1100\u1161👨\u200d👩🏽🇩🇪\ud800\udfff\u3000_"
texts = st.text(max_size=60) | st.text(st.sampled_from(ALPHABET), max_size=200)
counters = st.builds(Counter, st.sampled_from(["o200k_base", "cl100k_base"]), st.sampled_from([1.0, 1.1, 2.0, 0.5]))


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),  # as tiktoken counts them
    [
        ("", 0, 0),
        ("Hello, world!", 4, 4),
        ("I'LL we're it’s", 6, 7),
        ("The year 1234567 cost $89.00 (or so).", 15, 15),
        ("这是一个没有空格的句子。", 9, 11),
        ("ภาษาไทยเป็นภาษา", 4, 19),
        ("한국어 문장", 4, 6),
        ("👨\u200d👩\u200d👧\u200d👦🇩🇪👍🏽", 18, 30),
        ("e\u0301\u0301\u0301", 4, 4),
        ("\r\n\r\n  x\t\ty \n", 6, 6),
        ("<|endoftext|>", 7, 7),
        ("a\0b", 3, 3),
        ("def f(x):\n    return x  # done\n", 11, 11),
        (" " * 500, 5, 5),
        ("a" * 5000, 625, 625),
        ("ŉİꙮ\U0010ffff", 10, 10),
    ],
)
def test_counts_are_tiktokens(text: str, o200k: int, cl100k: int) -> None:
    assert (Counter().count(text), Counter("cl100k_base").count(text)) == (o200k, cl100k)


@MODEST
@given(texts, st.integers(-1, 60), counters)
def test_what_is_cut_is_a_start_that_fits(text: str, most: int, counter: Counter) -> None:
    kept = counter.cut(text, most)
    assert text.startswith(kept)
    assert counter.count(kept) <= max(0, most)
    if counter.fits(text, most):
        assert kept == text


@MODEST
@given(texts, st.integers(0, 300), counters.filter(lambda counter: counter.ratio <= 1.1))
def test_what_surely_fits_fits(text: str, most: int, counter: Counter) -> None:
    if surely_fits(text, most):
        assert counter.count(text) <= most


def test_a_cut_of_ten_megabytes_reads_only_what_it_needs() -> None:
    assert Counter().cut("a" * 10_000_000, 100) == "a" * 800


def test_lone_surrogates_count_as_the_replacement_character() -> None:
    assert Counter().count("x\ud800y") == Counter().count("x\ufffdy")
    assert Counter().count_many(["\udfff", "plain"]) == [Counter().count("\ufffd"), 1]


@pytest.mark.parametrize("ratio", [0, -1, float("inf"), float("nan")])
def test_a_ratio_that_counts_nothing_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="ratio"):
        Counter(ratio=ratio)


def test_models_are_counted_in_their_encoding_and_others_with_a_margin() -> None:
    assert counter_for("gpt-4o") == Counter("o200k_base")
    assert counter_for("openai/gpt-4") == Counter("cl100k_base")
    assert counter_for("some-local-model").count("word " * 1000) > 1.05 * Counter().count("word " * 1000)


def test_an_encoding_that_is_not_on_disk_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    text = "How many words are in this? " * 50
    assert Counter().count(text) < Counter("p50k_base").count(text) < 1.2 * Counter().count(text)


def test_messages_are_bounded_without_counting() -> None:
    messages = [Message("system", "Say 漢字."), Message("user", "Hello " * 50, images=("https://a.test/b.png",))]
    schema = {"type": "object", "properties": {"größe": {"type": "integer"}}}
    counted = count_messages(messages, Counter(), schema)
    assert sum(Counter().count(one.content) for one in messages) < counted <= at_most(messages, schema)
    assert counted > count_messages(messages, Counter()) > count_messages(messages[:1], Counter()) + 1000


def data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png(wide: int, high: int) -> str:
    return data_url("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", wide, high))


@pytest.mark.parametrize(
    ("image", "tokens"),
    [
        (png(512, 512), 255),
        (png(1024, 1024), 765),  # 768 x 768: four tiles
        (png(2048, 4096), 1105),
        (png(1, 1), 255),
        (png(10_000, 10), 765),
        (data_url("gif", b"GIF89a" + struct.pack("<HH", 512, 513)), 425),
        (data_url("jpeg", b"\xff\xd8\xff\xe0\0\4ab\xff\xc2\0\x0b\x08" + struct.pack(">HH", 513, 512)), 425),
        (data_url("webp", b"RIFF____WEBPVP8X____\0\0\0\0" + b"\xff\1\0" + b"\0\2\0"), 425),
        (data_url("webp", b"RIFF____WEBPVP8L____\x2f" + struct.pack("<I", 511 | 512 << 14)), 425),
        (data_url("webp", b"RIFF____WEBPVP8 ____\0\0\0\x9d\1\x2a" + struct.pack("<HH", 512, 513)), 425),
    ],
)
def test_images_cost_by_their_size(image: str, tokens: int) -> None:
    assert image_tokens(image) == tokens


@pytest.mark.parametrize(
    "image",
    ["https://a.test/b.png", "data:image/png;base64,???", "data:text/plain,hello", png(0, 5), png(9, 9)[:40], ""],
)
def test_an_image_of_unknown_size_costs_the_most(image: str) -> None:
    assert image_tokens(image) == 85 + 8 * 170


LIGHT = """
import socket, sys

def refused(*_):
    raise AssertionError("counting went to the network")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused
import taskkit, taskkit.tasks.summarise
from taskkit.testing import scripted

assert "toktok" not in sys.modules and "tiktoken" not in sys.modules, "loaded with the package"
for model in ("gpt-4o-mini", "nobody-knows-it"):
    assert scripted("Fine.", model=model).run(taskkit.tasks.summarise.Summarise("A short text.")).text == "Fine."
assert "toktok" not in sys.modules, "what surely fits was counted"
from taskkit.tokens import Counter, counter_for

for encoding in ("o200k_base", "cl100k_base", "o200k_harmony", "p50k_base", "no_such_encoding"):
    assert Counter(encoding).count("How many words are in this?") > 5
for model in ("gpt-4o", "gpt-oss-20b", "text-davinci-003", "nobody-knows-it"):
    assert counter_for(model).count("How many words are in this?") > 5
"""


def test_what_fits_by_its_bytes_loads_no_tokenizer_and_counting_needs_no_network(tmp_path: Path) -> None:
    env = {**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")
