"""A task in a package of its own: installed beside taskkit, it is `taskkit haiku` and `taskkit.haiku`."""

import taskkit


@taskkit.task
class Haiku(taskkit.Task[str]):
    """Write a haiku about a subject."""

    subject: str
    season: str = ""
    prompt = taskkit.Prompt("Write a haiku about {{ subject }}{% if season %}, in {{ season }}{% endif %}.")
    temperature = 0.9


haiku = taskkit.function(Haiku)
