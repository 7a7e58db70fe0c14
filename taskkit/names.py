"""What a class is called elsewhere."""

import re

EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`MeetingNotes` is `meeting_notes`."""
    return EDGE.sub("_", name).lower()
