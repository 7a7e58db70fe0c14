"""A lesson, turn by turn: it asks more than it tells."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

import taskkit
from taskkit.job import Job
from taskkit.prompt import Prompt
from taskkit.results import Result
from taskkit.taskclass import Task
from taskkit.tasks.sessions import Exchange, keep, recall, session_files, with_history

ROOM = 500
Move = Literal["ask", "hint", "explain", "praise", "correct"]


class Said(BaseModel):
    move: Move
    say: str = Field(description="What the learner is told, in a few sentences.")
    correct: bool | None = Field(description="Whether the learner's answer is right; null when it was no answer.")


class Turn(Result):
    say: str
    move: Move
    level: int = 0
    correct: bool | None = None

    def __str__(self) -> str:
        return self.say


@taskkit.task
class Tutor(Task[Turn]):
    """Teach a topic, a step at a time."""

    message: Annotated[str, Field(min_length=1)]
    topic: Annotated[str, Field(description="What is being learnt.")] = ""
    problem: Annotated[str, Field(description="The exercise at hand.")] = ""
    session: Annotated[str, Field(description="A name, or a .jsonl file, that keeps what was said.")] = ""

    prompt: ClassVar[Prompt] = Prompt.beside(__file__)
    temperature: ClassVar[float] = 0.5
    conversation: ClassVar[bool] = True
    example: ClassVar[str] = 'taskkit tutor "Is 51 a prime?" --topic "prime numbers" --session maths'

    def touched(self) -> list[Path]:
        return session_files(self.session)

    async def run(self, job: Job) -> Turn:
        said = recall(self.session, "tutor")
        parts = type(self).prompt.parts("turn", message=self.message, topic=self.topic, problem=self.problem)
        answer = await job.complete(
            with_history(job, parts, said, max_output=ROOM), output=Said, max_output=ROOM,
            likely=Said(move="ask", say="Why?", correct=None),
        )  # fmt: skip
        level = sum(one.answer.get("move") == "hint" for one in said) + (answer.move == "hint")
        keep(job, self.session, "tutor", Exchange(self.message, answer.model_dump()))
        return Turn(say=answer.say.strip(), move=answer.move, level=level, correct=answer.correct)


tutor = taskkit.function(Tutor)
