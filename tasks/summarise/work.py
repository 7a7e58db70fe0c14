"""What every part of one summary works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from taskkit.engine.wire import OnText
from taskkit.job import Job
from taskkit.knowledge.languages import guess
from taskkit.prompt import Part, Prompt
from taskkit.spans import sentences
from taskkit.tasks.summarise.documents import Document
from taskkit.tasks.summarise.guard import Facts, Strange, capitals_tell
from taskkit.tasks.summarise.length import Limit, count_words, cut_words
from taskkit.tasks.summarise.nothing import WORD, Held
from taskkit.tasks.summarise.turns import Turn, turns

TOKENS_A_WORD = 2.0  # room to keep for a word of an answer, in any language
LOOKED_AT, LEAST = 20_000, 4  # characters that a made-up summary is taken from, and words of its sentences
SENTENCE = "One thing happened here and another one followed from it there. "  # 11 words, for the planner
LEAST_SAID = len("One")


@dataclass(frozen=True)
class Work:
    """`code` and `language` are that of the summary, and the name that the model is told; `asked_language` whether
    somebody asked for it. `earlier` is a former summary."""

    job: Job
    prompt: Prompt
    documents: Sequence[Document]
    limit: Limit
    focus: str = ""
    code: str = ""
    language: str = ""
    asked_language: bool = False
    earlier: str = ""

    def ask(self, block: str, **values: Any) -> list[Part]:
        language = self.language or "the language of the text"
        return self.prompt.parts(
            block, shape=self.limit.shape, focus=self.focus, language=language, several=len(self.documents) > 1,
            style=self.limit.style, how_many=self.how_many, **values,
        )  # fmt: skip

    @cached_property
    def how_many(self) -> int:
        """Single facts that the model is asked for; 0 for a summary that is more than these."""
        return self.limit.facts(one.view.text for one in self.documents)

    @property
    def room(self) -> int:
        """Tokens to keep for the summary."""
        return int(self.limit.words * TOKENS_A_WORD) + 64

    @property
    def show(self) -> bool | OnText:
        """To whom the summary is shown while it comes."""
        return Held(self.job.emit) if self.focus else True

    @cached_property
    def likely(self) -> str:
        """For the planner; at the upper end of a plan in as many sentences as a summary of its length may have, each
        from another place of the documents, as each is then cited."""
        if not self.job.foresees_faults:
            return self.likely_of(self.limit.words)
        each = LOOKED_AT // len(self.documents)
        texts = [one.view.text[:each] for one in self.documents]
        said = [cut_words(text[start:end], LEAST) for text in texts for start, end in sentences(text)]
        said = list(dict.fromkeys(one for one in said if count_words(one) >= LEAST))
        most = min(self.limit.words // LEAST, self.limit.sentences or self.limit.bullets or len(said))
        return " ".join(said[:: max(1, len(said) // max(1, most))][:most]) or self.likely_of(self.limit.words)

    def likely_of(self, words: int) -> str:
        """For the planner, of an answer that may have so many; of a focus there may be nothing at all."""
        if self.focus and not self.job.foresees_faults:
            return WORD
        return SENTENCE * max(1, words // 11) if self.job.foresees_faults else SENTENCE[:LEAST_SAID]

    @cached_property
    def given(self) -> str:
        """All that a summary may take its facts from."""
        texts = [document.source.text for document in self.documents]
        return "\n".join((*texts, *(document.name for document in self.documents), self.earlier, self.focus))

    @cached_property
    def facts(self) -> Facts:
        return Facts(self.given)

    def strange(self, text: str) -> list[Strange]:
        """What a summary says and nothing given says."""
        return self.facts.strange(text, names=capitals_tell(text, self.given))

    @cached_property
    def crosses(self) -> bool:
        """Whether the summary is to be in another language than the source."""
        spoken = guess(self.documents[0].view.text)
        return bool(self.code and spoken) and spoken != self.code.partition("-")[0]

    @cached_property
    def turns(self) -> list[list[Turn]]:
        """Of each document, where it is a transcript."""
        return [turns(document.view.text) for document in self.documents]
