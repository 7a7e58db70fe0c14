"""Files written in one step: whole, or as they were."""

import contextlib
import os
import tempfile
from pathlib import Path


def replace(path: Path, content: str | bytes) -> None:
    """Beside the file first, then in its place. A text is UTF-8, its line ends as they are. Raises `OSError`."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    name = ""
    try:
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            name = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask()
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
