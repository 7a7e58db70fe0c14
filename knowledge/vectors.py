"""Vectors of length 1, as rows of float32."""

from collections.abc import Sequence
from typing import Any

from taskkit.errors import EndpointError

Matrix = Any  # numpy's, (texts, width), float32
KEPT = "None of them is kept."


def rows_of(vectors: Sequence[Sequence[float]], embedder: str) -> Matrix:
    """Of what a model answered. Raises `EndpointError` where that is no matrix of numbers."""
    import numpy as np

    widths = sorted({len(one) for one in vectors})
    if len(widths) > 1 or 0 in widths:
        told = " and ".join(map(str, widths))
        raise EndpointError(f"The embedder {embedder} gave vectors of {told} numbers at once.", kept=KEPT)
    try:
        rows = np.array(vectors, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        rows = np.array([[np.nan]])
    if not np.isfinite(rows).all():  # before they are brought to length 1, which would hide it
        raise EndpointError(f"The embedder {embedder} gave vectors with numbers that are none.", kept=KEPT)
    if not rows.any(axis=1).all():
        raise EndpointError(f"The embedder {embedder} gave a vector of nothing but zeros.", kept=KEPT)
    return unit(rows).astype(np.float32)


def unit(rows: Matrix) -> Matrix:
    import numpy as np

    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, size, out=np.zeros_like(rows), where=size > 0)
