"""Finish: no answer is handed on that was cut off.

A text that stops at the output limit is continued, round by round, and joined at the seam (see `seam`). Each
round is shown the original messages and what was written so far: all of it up to `SHOWN` characters; past that,
or where the window is short of room, only its last `TAIL` or `SHORT_TAIL`. JSON is never continued: it is asked
for once more, with more room, or livelier where the model went in circles.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from taskkit.engine import seam
from taskkit.engine.call import Call, Message, Reply
from taskkit.errors import InvalidOutputError, RefusedError, TruncatedError

Ask = Callable[[Call], Awaitable[Reply]]
Room = Callable[[Call], int]

SHOWN = 24_000
TAIL = 8_000
SHORT_TAIL = 2_000
LEAST = 64  # tokens of answer below which a round is not worth its price
HEADROOM = 2048  # tokens added at least where all of an answer's room went to thoughts,
JSON_HEADROOM = 512  # and where JSON was cut, which has run away more often than it was long
LOOP = 900  # characters at the end of cut JSON that tell by repeating that the model went in circles
LIVELY = 0.8  # temperature that gets it out of them
REPEATED = 400  # characters which a continuation does not write a second time unless it goes in circles

CIRCLES = "the model went in circles"
GO_ON = (
    "Your answer was cut off at the length limit.{tail} Write the rest of it now. Begin with exactly the words "
    "below, which come right after {place}, and go on from there to the end. Repeat nothing else, and make no "
    "remark about it. The words to begin with:\n\n{held}"
)
GO_ON_AFTER = (
    "Your answer was cut off at the length limit.{tail} Write the rest of it now: go on with the very next "
    "character after the last one above. Repeat nothing, and make no remark about it."
)
ONLY_TAIL = " Only the end of what you wrote is shown above; what comes before it is kept."


async def whole(
    call: Call,
    ask: Ask,
    *,
    rounds: int = 8,
    room: Room | None = None,
    show: Callable[[str], None] | None = None,
) -> Reply:
    """The reply to `call`, continued until it is whole; its usage is that of all rounds.

    `room` tells the most output tokens that a call may ask for. `show` gets the text that comes after the first
    reply, once it is joined (the first one is for `ask` to show as it comes). A text that is still cut after
    `rounds` continuations, or that went in circles, comes back with `finish` "length" and says `why`; the
    fence or table row that it ends in is closed. Raises TruncatedError (cut JSON; nothing but thinking), RefusedError,
    InvalidOutputError (no answer). With no `rounds` a cut text is a TruncatedError too.
    """
    reply = await _answered(call, ask, room, show)
    if reply.finish != "length":
        return reply
    if call.schema is not None:
        return await _roomier(call, reply, ask, room)
    if not rounds:
        raise TruncatedError(
            f"The answer of {call.model} was cut off at {call.max_output} tokens, more than it should have needed.",
            text=reply.text,
        )
    return await _continued(call, reply, ask, rounds=rounds, room=room, show=show)


async def _answered(call: Call, ask: Ask, room: Room | None, show: Callable[[str], None] | None) -> Reply:
    """The first reply with anything in it; nothing at all is asked for once more."""
    reply = _checked(await ask(call))
    if reply.text.strip():
        return reply
    again: Call | None = _anew(call)
    if reply.finish == "length":
        again = _more_room(call, reply, room, HEADROOM)
    if again is None:
        raise _only_thought(call, reply)
    second = _checked(await ask(again))
    second = replace(second, usage=reply.usage + second.usage)
    if not second.text.strip():
        raise _only_thought(again, second) if second.finish == "length" else _nothing(call)
    if show is not None and call.schema is None:
        show(second.text)
    return second


def _anew(call: Call) -> Call:
    """The same call, to which the journal must not give the same answer again."""
    return replace(call, sample=-1 - call.sample)


async def _roomier(call: Call, reply: Reply, ask: Ask, room: Room | None) -> Reply:
    if seam.loops(reply.text, LOOP):  # more room would only be filled with more of it
        again: Call | None = _anew(call).warmer(max(call.temperature or 0.0, LIVELY))
    else:
        again = _more_room(call, reply, room, JSON_HEADROOM)
    if again is not None:
        second = _checked(await ask(again))
        reply = replace(second, usage=reply.usage + second.usage)
        if reply.finish != "length":
            if not reply.text.strip():
                raise _nothing(call)
            return reply
    limit = (again or call).max_output
    raise TruncatedError(
        f"The answer of {call.model} was cut off at {limit or 'its limit of'} tokens, as JSON that is not whole.",
        text=reply.text,
        hint="Give it a smaller piece, or a model that may write more.",
    )


def _more_room(call: Call, reply: Reply, room: Room | None, least: int) -> Call | None:
    """The same call with twice the room for its answer, and `least` tokens more; None when it can not have more."""
    had = call.max_output or reply.usage.output_tokens
    wanted = max(2 * had, had + least)
    most = wanted if room is None else min(wanted, room(call))
    return replace(call, max_output=most) if most > had else None


async def _continued(
    call: Call, reply: Reply, ask: Ask, *, rounds: int, room: Room | None, show: Callable[[str], None] | None
) -> Reply:
    text, usage, last = reply.text, reply.usage, ""
    written, fruitless = len(text), 0
    why = f"it was continued {rounds} times"
    for _ in range(rounds):
        start = seam.hold(text, min(seam.HELD, max(48, written // 4)))
        further = _next(call, text, start, room)
        if further is None:
            why = "the window has no room to continue it"
            break
        if seam.loops(text):
            why = CIRCLES
            break
        reply = _checked(await ask(_anew(further) if fruitless else further), text)
        usage += reply.usage
        joined = _joined(text, reply, text[start:])
        new = joined[len(text) :]
        if _goes_in_circles(text, new, last):
            why = CIRCLES
            break
        if show is not None and new:
            show(new)
        if not new.strip():
            fruitless += 1
            if fruitless == 1 and _came_to_nothing(reply):
                continue
            if not _confirmed(text, reply):
                why = "the model did not go on with it"
                break
        else:
            text, last, written, fruitless = joined, new, len(reply.text), 0
        if reply.finish != "length":
            return replace(reply, text=text, usage=usage)
    return _still_cut(replace(reply, text=text, usage=usage, why=why), show)


def _still_cut(reply: Reply, show: Callable[[str], None] | None) -> Reply:
    ended = seam.closed(reply.text)
    if show is not None and ended != reply.text:
        show(ended[len(reply.text) :])
    return replace(reply, text=ended, finish="length")


def _joined(text: str, reply: Reply, held: str) -> str:
    if reply.finish == "length" and held.startswith(reply.text):
        return text  # cut in the words that it was to begin with
    return seam.join(text, reply.text, held=held)


def _came_to_nothing(reply: Reply) -> bool:
    """A round that was cut or empty itself says nothing of the text: it is asked for once more."""
    return reply.finish == "length" or not reply.text.strip()


def _goes_in_circles(text: str, new: str, last: str) -> bool:
    new = new.strip()
    return (len(new) >= 40 and new == last.strip()) or (len(new) >= REPEATED and new in text)


def _confirmed(text: str, reply: Reply) -> bool:
    """Whether a round that adds nothing says by it that the text had come to its end."""
    if reply.finish == "length":
        return False
    said = reply.text.strip()
    return bool(said) and text.rstrip().endswith(said[-seam.TELLING :])


def _next(call: Call, text: str, start: int, room: Room | None) -> Call | None:
    """The call for the next round; None when the window has no room for one."""
    wanted = call.max_output
    for size, least in ((SHOWN, (wanted or LEAST) // 2), (TAIL, (wanted or LEAST) // 2), (SHORT_TAIL, LEAST)):
        if size == SHOWN and start > size:
            continue
        further = replace(call, messages=(*call.messages, *_go_on(text, start, size)))
        most = room(further) if room else wanted or LEAST
        if most >= min(least, wanted or least):
            return replace(further, max_output=wanted and min(most, wanted))
    return None


def _go_on(text: str, start: int, size: int) -> tuple[Message, ...]:
    held = text[start:]
    begin = max(0, start - size)
    if begin:
        line = text.find("\n", begin, begin + size // 4)
        begin = line + 1 if line >= 0 else begin
    tail = ONLY_TAIL if begin else ""
    if start == 0:
        return (Message("user", GO_ON.format(tail="", place="the question above", held=held)),)
    words = GO_ON.format(tail=tail, place="what is shown above", held=held) if held else GO_ON_AFTER.format(tail=tail)
    return Message("assistant", text[begin:start]), Message("user", words)


def _checked(reply: Reply, before: str = "") -> Reply:
    """The reply, unless it is none: a refusal or a filter."""
    if reply.finish not in {"refused", "filtered"}:
        return reply
    model = reply.model or "The model"
    said = " ".join(reply.text.split())[:200]
    if reply.finish == "refused":
        message = f"{model} declined to answer" + (f": {said}" if said else ".")
    else:
        message = f"A content filter stopped the answer of {model}" + (f" after: {said}" if said else ".")
    raise RefusedError(message, text=before + reply.text, hint="Change the wording or the text, or use another model.")


def _only_thought(call: Call, reply: Reply) -> TruncatedError:
    spent = call.max_output or reply.usage.output_tokens
    return TruncatedError(
        f"{call.model} used up all {spent or 'its'} tokens of output and wrote nothing: it only thought.",
        text=reply.text,
        hint="Allow a longer answer, give it a smaller piece, or use a model that thinks less.",
    )


def _nothing(call: Call) -> InvalidOutputError:
    return InvalidOutputError(
        f"{call.model} answered nothing, twice.",
        problems=("the answer is empty",),
        tries=2,
        hint="Try another model (--model), or a smaller piece of text.",
    )
