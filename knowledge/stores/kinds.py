"""Kinds of FAISS index: which one a base of some size takes, how it is made, how far a search of it goes.

Bytes a vector of width w, measured at a million, with 8 of them for its number: `exact` 2 w + 8, `hnsw` 2 w + 285,
`ivf` w + 16."""

from importlib import import_module
from typing import Any, Literal, TypeAlias, get_args

from taskkit.errors import ConfigurationError

Kind: TypeAlias = Literal["exact", "hnsw", "ivf"]
KINDS: tuple[Kind, ...] = get_args(Kind)

EXACT = 300_000 * 256  # numbers that are scanned in about 20 ms
GRAPH = 1_000_000 * 768  # numbers up to which a graph is made; beyond, it takes too long and too much memory
LINKS, BUILDING, SEARCHING = 32, 200, 128  # of a graph
PROBES = 128  # of the lists; of 1,300 over real sentences they find .96 of the ten nearest, 64 .95, 256 .985
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


def parameters(index: Any, k: int, part: float, only: Any = None) -> Any:
    """Of a search for k vectors among a `part` of all, from 0 to 1: the fewer count, the further it goes. 0 is all
    of the lists."""
    faiss = library()
    chosen = {} if only is None else {"sel": only}
    if hasattr(index, "hnsw"):
        return faiss.SearchParametersHNSW(efSearch=int(max(SEARCHING, k) / max(part, 0.01)), **chosen)
    if hasattr(index, "nprobe"):
        probes = min(index.nlist, PROBES / part) if part else index.nlist
        return faiss.SearchParametersIVF(nprobe=int(probes), **chosen)
    return faiss.SearchParameters(**chosen)


def asked(index: Any, vector: Any, k: int, how: Any) -> tuple[Any, Any]:
    """Scores and rows of one query. More threads than one would wait for each other longer than they work."""
    faiss = library()
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
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
