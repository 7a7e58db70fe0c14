"""Kinds of FAISS index: which one a base of some size takes, how it is made, how far a search of it goes.

Bytes a vector of width w, with 16 of them for its number and its mark: `exact` 2 w + 16, `hnsw` 2 w + 288 (its links
take 272), `ivf` w + 24. While one is made, room for growth comes to it: a million vectors of 256 took 533 as `exact` in
place of 528, 392 as `ivf` in place of 280."""

from importlib import import_module
from typing import Any, Literal, TypeAlias, get_args

from taskkit.errors import ConfigurationError

Kind: TypeAlias = Literal["exact", "hnsw", "ivf"]
KINDS: tuple[Kind, ...] = get_args(Kind)

EXACT = 300_000 * 256  # numbers that are scanned in about 20 ms
GRAPH = 1_000_000 * 768  # numbers up to which a graph is made; beyond, it takes too long and too much memory
LINKS, BUILDING, SEARCHING = 32, 200, 128  # of a graph
PROBES = 256  # lists; of 1,300 over 111,000 real sentences they find .985 of the ten nearest, 128 .96, 64 .95
TAUGHT = 50  # vectors a list that its centre is learnt from
AGAIN = 4  # times as many as are wanted are looked up in lists, to be ranked by their exact vectors


def named(kind: str) -> Kind | None:
    """None for `auto`. Raises `ConfigurationError`."""
    if kind == "auto":
        return None
    for one in KINDS:
        if one == kind:
            return one
    raise ConfigurationError(f"There is no kind of index called {kind}.", hint=f"There are: auto, {', '.join(KINDS)}.")


def chosen(count: int, width: int) -> Kind:
    """By what a scan would cost."""
    numbers = count * width
    return "exact" if numbers <= EXACT else "hnsw" if numbers <= GRAPH else "ivf"


def lists(count: int) -> int:
    return int(max(1, min(4 * count**0.5, count / TAUGHT)))


def made(kind: Kind, width: int, count: int) -> Any:
    """An empty index for about `count` vectors. Only `ivf` is to be trained: the others hold vectors as the store
    has them, in halves."""
    faiss = library()
    halves, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if kind == "exact":
        return faiss.IndexScalarQuantizer(width, halves, metric)
    if kind == "hnsw":
        graph = faiss.IndexHNSWSQ(width, halves, LINKS, metric)
        graph.hnsw.efConstruction = BUILDING
        graph.is_trained = True
        return graph
    index = faiss.index_factory(width, f"IVF{lists(count)},SQ8", metric)
    index.cp.niter, index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 6, 1, TAUGHT
    return index


def nearest(index: Any, vector: Any, k: int, part: float = 1.0, only: Any = None) -> tuple[Any, Any]:
    """Scores and rows of the k nearest among those that a FAISS selector lets through, a `part` of all: the fewer,
    the further a graph or lists are searched. With 0 all of them are compared."""
    faiss = library()
    chosen = {} if only is None else {"sel": only}
    kind = kind_of(index)
    if kind == "hnsw" and part:
        how = faiss.SearchParametersHNSW(efSearch=int(max(SEARCHING, k) / part), **chosen)
    elif kind == "ivf":
        how = faiss.SearchParametersIVF(nprobe=int(min(index.nlist, PROBES / part) if part else index.nlist), **chosen)
    else:
        index = faiss.downcast_index(index.storage) if kind == "hnsw" else index
        how = faiss.SearchParameters(**chosen)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # for one vector, more would wait for each other longer than they work
    try:
        scores, rows = index.search(vector.reshape(1, -1), k, params=how)
    finally:
        faiss.omp_set_num_threads(threads)
    good = rows[0] >= 0
    return scores[0][good], rows[0][good]


def kind_of(index: Any) -> Kind:
    return "hnsw" if hasattr(index, "hnsw") else "ivf" if hasattr(index, "nprobe") else "exact"


def library() -> Any:
    """Its annotations are those of its C++ face, which Python does not meet."""
    return import_module("faiss")
