"""A character of a game or a story, one line a call."""

import json
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

import taskkit
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.source import read
from taskkit.taskclass import Task
from taskkit.tasks.sessions import Exchange, keep, recall, session_files, with_history

ROOM = 400
OUT_OF_CHARACTER = re.compile(r"\bas an? (?:ai|language model)\b|\bi(?:'m| am) an ai\b", re.IGNORECASE)


class Said(BaseModel):
    say: str = Field(description="What the character says.")
    action: str = Field(default="", description="What the character does, in a few words; may be empty.")
    emotion: str = Field(default="", description="One word.")


class Line(Result):
    say: str
    action: str = ""
    emotion: str = ""

    def __str__(self) -> str:
        return f"*{self.action}* {self.say}" if self.action else self.say


@taskkit.task
class Character(Task[Line]):
    """Answer as a character of a game or a story."""

    message: Annotated[str, Field(min_length=1)]
    card: Annotated[str, Field(description="A character card (JSON file), or a description in words.")] = ""
    session: Annotated[str, Field(description="A name, or a .jsonl file, that keeps what was said.")] = ""
    player: Annotated[str, Field(description="What the player is called.")] = "Traveller"

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    temperature: ClassVar[float] = 1.0
    conversation: ClassVar[bool] = True
    example: ClassVar[str] = 'taskkit character "Have you a room?" --card "A gruff innkeeper called Brom"'

    def check(self) -> None:
        super().check()
        card_of(self.card)

    def touched(self) -> list[Path]:
        card = [Path(self.card)] if self.card.lower().endswith(".json") else []
        return [*card, *session_files(self.session)]

    async def run(self, job: Job) -> Line:
        card = card_of(self.card)
        said = recall(self.session, "character")
        parts = type(self).prompt.parts("turn", message=self.message, player=self.player, card=card)
        parts = with_history(job, parts, said, max_output=ROOM)
        likely = Said(say="Aye.", action="", emotion="")
        answer = await job.complete(parts, output=Said, max_output=ROOM, likely=likely)
        if OUT_OF_CHARACTER.search(answer.say):
            answer = await job.complete(parts, output=Said, max_output=ROOM, sample=1)
        if OUT_OF_CHARACTER.search(answer.say):
            job.warn("out-of-character", "The line breaks character.")
        say = own_words(answer.say, self.player)
        keep(job, self.session, "character", Exchange(self.message, {**answer.model_dump(), "say": say}))
        return Line(say=say, action=answer.action.strip(" *"), emotion=answer.emotion.strip())


def card_of(given: str) -> dict[str, str]:
    """The parts of a card that go into a prompt. A card of the second or third version keeps them under `data`."""
    if not given.lower().endswith(".json"):
        return {"name": "", "description": given}
    try:
        card: Any = json.loads(read(Path(given)).text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{given} is no JSON: {str(error)[:120]}.") from error
    data = card.get("data", card) if isinstance(card, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        raise InputError(f"{given} is no character card: it has no name.")
    wanted = ("name", "description", "personality", "scenario", "mes_example")
    return {key: str(data.get(key) or "") for key in wanted}


def own_words(text: str, player: str) -> str:
    """Up to where the character would speak for the player."""
    cut = re.search(rf"(?:^|\n)\s*(?:{re.escape(player)}|user|\{{\{{user\}}\}}|player)\s*:", text, re.IGNORECASE)
    return (text[: cut.start()] if cut and cut.start() else text).strip()


character = taskkit.function(Character)
