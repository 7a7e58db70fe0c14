"""An earlier translation, kept where its source is still the same.

Which source it was made from is told by that source itself, where it is given; else by a lock beside the translation,
`page.de.md.lock`: a line a segment, the checksums of its source and its target. Where there is neither, a format that
names its texts is matched by the names; of any other, nothing is taken over, since nobody could tell what has changed."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from taskkit import files
from taskkit.errors import InputError
from taskkit.job import Job
from taskkit.tasks.translate.formats import Opened, opened
from taskkit.tasks.translate.pairing import paired
from taskkit.tasks.translate.record import Pair
from taskkit.tasks.translate.segments import Segment

HEAD = "# What this translation was made from, for the next update: source and target of each text."
NONE = "-"  # in the place of a target's checksum: it was not translated


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def locked(path: Path, lines: str) -> None:
    """Raises `InputError`."""
    try:
        files.replace(path.resolve(), lines)
    except OSError as error:
        raise InputError(f"{path} can not be written: {error.strerror or error}.") from error


def lines_of(segments: Sequence[Segment], targets: Mapping[Segment, str]) -> str:
    rows = (f"{_sum(one.text)} {_sum(targets[one]) if one in targets else NONE}" for one in segments)
    return "\n".join([HEAD, *rows]) + "\n"


def earlier(job: Job, source: Opened, update: Path, was: Path | None = None) -> tuple[dict[Segment, str], list[Pair]]:
    """What to keep of the translation in `update`, and what it made of texts of `was`, the source that it was made
    from, that have changed. Nothing where there is no such file yet."""
    if not update.exists() or not update.stat().st_size:
        return {}, []
    old = opened(update, source.format.name, source.options)
    if any(one.target is not None for one in source.segments):
        return _own(source.segments, old.segments), []
    if was is not None:
        return _by_former(job, source, old, opened(was, source.format.name, source.options))
    rows = _rows(lock_of(update))
    if source.format.named and not rows:
        if not job.engine.rehearses:
            said = f"{update} is matched by the names of its texts: which of them have changed since is not known"
            job.engine.events.emit("notice", f"{said} without {lock_of(update).name}, or --was FILE.")
        return _by_key(source.segments, old.segments), []
    if not rows:
        job.warn(
            "no-lock",
            f"{update} has no {lock_of(update).name} that tells what it was translated from, so nothing of it is kept. "
            "If you have that source: --was FILE. What a --memory has of it serves too.",
        )
        return {}, []
    found = _by_order(source.segments, list(_targets(rows, old.segments)))
    if not found and source.segments:
        job.warn("changed", f"Nothing of {update} could be kept: it is not what its lock speaks of.")
    return found, []


def _by_former(job: Job, source: Opened, old: Opened, former: Opened) -> tuple[dict[Segment, str], list[Pair]]:
    all_ = paired(former.segments, old.segments, source.format.prose)
    pairs = [(one, other) for one, other in all_ if one.text != other.text]  # what says the same was not translated
    found = _by_order(source.segments, [(_sum(one.text), other.text) for one, other in pairs])
    texts = {one.text for one in source.segments}
    unsure = {one.text for one in former.segments} & texts - {one.text for one, _ in all_}
    if unsure:
        job.warn(
            "unpaired",
            f"Of {old.name} it is not sure which of its texts stand for {len(unsure)} of those of {former.name} that "
            f"have not changed: they are translated anew. The first: {min(unsure, key=source.text.find)[:80]!r}.",
        )
    return found, [(one.text, other.text) for one, other in pairs if one.text not in texts]


def _own(segments: Sequence[Segment], old: Sequence[Segment]) -> dict[Segment, str]:
    """Messages that carry their source and their translation."""
    known = {(one.context, one.text, one.key, one.plural): one.target for one in old if not one.new}
    return {
        one: target for one in segments if (target := known.get((one.context, one.text, one.key, one.plural)))
    }  # fmt: skip


def _by_key(segments: Sequence[Segment], old: Sequence[Segment]) -> dict[Segment, str]:
    """What is still as in the source was not translated, and a name that stands for two texts tells of neither."""
    twice = {key for side in (segments, old) for key, count in Counter(one.key for one in side).items() if count > 1}
    known = {one.key: one.text for one in old if one.key not in twice}
    return {
        one: known[one.key] for one in segments if one.key in known and known[one.key] not in {"", one.text}
    }  # fmt: skip


def _targets(rows: Sequence[tuple[str, str]], old: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    """The checksum of each source with the translation that stands there now; a hand may have mended it."""
    was, now = [target for _, target in rows], [_sum(one.text) for one in old]
    for what, start, end, begin, stop in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal" or (what == "replace" and end - start == stop - begin):
            for (source, target), one in zip(rows[start:end], old[begin:stop], strict=True):
                if target != NONE:
                    yield source, one.text


def _by_order(segments: Sequence[Segment], known: Sequence[tuple[str, str]]) -> dict[Segment, str]:
    """In order; what was moved is found by its checksum alone."""
    sums = [_sum(one.text) for one in segments]
    anywhere = dict(known)
    found = {one: anywhere[mine] for one, mine in zip(segments, sums, strict=True) if mine in anywhere}
    matcher = SequenceMatcher(None, [mine for mine, _ in known], sums, autojunk=False)
    for start, begin, size in matcher.get_matching_blocks():
        found |= {segments[begin + at]: known[start + at][1] for at in range(size)}
    return found


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can not be read: {error}.", hint="Remove it to translate all anew.") from error
    rows = [tuple(line.split()) for line in lines if line and not line.startswith("#")]
    if any(len(row) != 2 for row in rows):
        raise InputError(f"{path} is no lock of a translation.", hint="Remove it to translate all anew.")
    return [(row[0], row[1]) for row in rows]


def _sum(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
