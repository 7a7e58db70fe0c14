"""The store in a PostgreSQL database: pgvector for the meaning, its full-text index for the words.

Vectors are halves (`halfvec`), which an HNSW index takes up to a width of 4,000; wider ones are compared one by one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskkit.errors import ConfigurationError
from taskkit.knowledge.filters import OfPostgres, condition
from taskkit.knowledge.languages import guess
from taskkit.knowledge.lexical import LEAST, chosen, missing, single, within
from taskkit.knowledge.pieces import Piece, digest
from taskkit.knowledge.records import Listed, Passage
from taskkit.knowledge.stores import kinds, terms
from taskkit.knowledge.stores.coding import Made
from taskkit.knowledge.stores.documents import OF_DOCUMENTS
from taskkit.knowledge.stores.server import Server, as_json, as_text, sent
from taskkit.knowledge.stores.store import (
    BEGIN,
    PATIENCE,
    Counts,
    Facts,
    Incoming,
    Taken,
    Unembedded,
    Vector,
    changed,
    listed,
    several,
    widened,
)

WIDEST = 4_000  # numbers of a vector that can be indexed
SMALL = 0.1  # an allowed part under this is compared one by one
BUDGET = 3_000  # passages that the words may score
COUNTED = 50_000  # passages of a frequent word are counted no further: it weighs next to nothing
LISTED = 20_000  # passages whose words are listed, in one to five seconds
REMEMBERED = 200_000  # stems
LATE = f"at <= now() - interval '{PATIENCE} seconds'"  # awaited for too long


@dataclass(frozen=True, slots=True)
class Allowed:
    """A condition on documents; `few` where less than a tenth of the passages meet it."""

    sql: str
    values: Sequence[Any]
    count: int
    few: bool


class Postgres(Server):
    """A `Store`."""

    def __init__(self, address: str, *, create: bool, index: str = "", wait: float = 30.0) -> None:
        if kinds.named(index or "auto") == "ivf":
            raise ConfigurationError("PostgreSQL has no index of the kind ivf here.", hint="Give hnsw, exact or auto.")
        super().__init__(address, create=create, wait=wait)
        self._stems: dict[str, str] = {}
        self._known = Facts("-", "", {}, labelled=False)
        self._frequencies: dict[str, int] = {}
        self._words = "", ""  # of which generation, and all long ones, a line each
        self._average = 1.0  # words of a passage
        self._width, self._exact = 0, False
        if index and index != (self.setting("index") or "auto"):
            with self.change():
                self._set({"index": index})

    def facts(self) -> Facts:
        """Asked for once in a snapshot: nothing changes in it."""
        inside = self._of_snapshot
        if "facts" in inside:
            return inside["facts"]
        settings = {str(key): str(value) for key, value in self.rows("SELECT key, value FROM settings")}
        generation = settings.get("generation", "")
        known = self._known  # other threads may be in other snapshots
        if known.generation != generation:
            counted = self.rows(
                "SELECT language, sum(passages)::bigint, sum(length)::bigint FROM documents WHERE passages > 0 GROUP BY language"
            )
            languages = {str(language): int(count) for language, count, _ in counted}
            labelled = bool(self.rows("SELECT 1 FROM documents WHERE access <> '{}' LIMIT 1"))
            self._average = sum(length for *_, length in counted) / max(1, sum(languages.values())) or 1.0
            self._frequencies = {}
            self._known = known = Facts(generation, settings.get("embedder", ""), languages, labelled)
            self._width, self._exact = int(settings.get("width", 0)), settings.get("index") == "exact"
        inside["facts"] = known
        return known

    # Documents in and out --------------------------------------------------------------------------------------

    def known(self, keys: Iterable[str]) -> set[str]:
        return {key for (key,) in self.rows("SELECT key FROM vectors WHERE key = ANY (?::text[])", (list(keys),))}

    def keep_vectors(self, keys: Sequence[str], rows: Vector, made: Made) -> None:
        if made.precision != "float16":
            raise ConfigurationError("PostgreSQL keeps vectors as float16.", hint="Leave the precision out.")
        width = rows.shape[1]
        with self.change():
            self._indexed(width)
            kept = self.setting("embedder")
            if kept == made.embedder:
                widened(made, int(self.setting("width")), width)
            order = sorted(range(len(keys)), key=keys.__getitem__)  # so that no two writers wait for each other
            self.rows(
                "INSERT INTO vectors SELECT key, ?::int, vector FROM unnest(?::text[], ?::halfvec[]) AS new (key, vector) "
                "ON CONFLICT (key) DO NOTHING",
                (width, [keys[n] for n in order], [sent(rows[n]) for n in order]),
            )
            self.rows(
                "INSERT INTO awaited SELECT key, now() FROM unnest(?::text[]) AS key ON CONFLICT (key) DO NOTHING",
                (sorted(keys),),
            )
            if not kept:
                self._tell(made, width)

    def _indexed(self, width: int) -> None:
        """An index for vectors so wide, which is made for the first ones."""
        if width > WIDEST or self.rows("SELECT to_regclass(?::text)::text", (f"vectors_{width}",))[0][0]:
            return
        self.rows("SELECT pg_advisory_xact_lock(hashtext('taskkit'))")
        self.rows(
            f"CREATE INDEX IF NOT EXISTS vectors_{width} ON vectors USING hnsw ((vector::halfvec({width})) halfvec_ip_ops) "
            f"WHERE width = {width}"
        )

    def put(self, documents: Sequence[Incoming], made: Made, homes: Mapping[str, str] | None = None) -> None:
        if not documents:
            return
        documents = list({one[0].name: one for one in documents}.values())  # of two of one name the later
        cut = [[(terms.cut(part.words[0]), terms.cut(part.words[1])) for part in parts] for _, parts, _ in documents]
        stems = self._stemmed(word for some in cut for pair in some for words in pair for word in words)
        with self.change():
            kept = self.setting("embedder")
            if kept not in {"", made.embedder}:
                raise changed(self.place, Made(kept))
            self.rows("LOCK TABLE passages IN ROW EXCLUSIVE MODE")  # nobody takes out vectors meanwhile
            new: list[tuple[Any, ...]] = []
            lengths = [sum(len(a) + len(b) for a, b in words) for words in cut]
            places = self._places(documents, lengths, homes or {})
            for home, (_, parts, _), words in zip(places, documents, cut, strict=True):
                new += [self._row(home, part, pair, stems, made) for part, pair in zip(parts, words, strict=True)]
            if not new:
                return
            columns = [list(column) for column in zip(*new, strict=True)]
            self.rows(
                "INSERT INTO passages (document, start, stop, headings, key, line, page, columns, length, words) "
                "SELECT document, start, stop, headings::jsonb, key, line, page, columns, length, words::tsvector "
                "FROM unnest(?::bigint[], ?::int[], ?::int[], ?::text[], ?::text[], ?::int[], ?::int[], ?::text[], ?::int[], "
                "?::text[]) WITH ORDINALITY "
                "AS new (document, start, stop, headings, key, line, page, columns, length, words, place) ORDER BY place",
                columns,
            )
            keys = {row[4] for row in new}
            if missing := keys - self.known(keys):
                raise Unembedded(missing)
            self.rows(
                "DELETE FROM awaited WHERE key IN "
                "(SELECT key FROM awaited WHERE key = ANY (?::text[]) ORDER BY key FOR UPDATE)",
                (list(keys),),
            )

    def _places(self, documents: Sequence[Incoming], lengths: Sequence[int], homes: Mapping[str, str]) -> list[int]:
        """The documents kept, each in its old place if there is one, without passages; their numbers."""
        rows = [
            (as_text(one.name), as_text(one.title), digest(one), one.format, guess(one.text), as_text(origin),
             as_json(dict(one.metadata)), as_json({key: several(some) for key, some in one.access.items()}), len(parts), length,
             as_text(one.text))
            for (one, parts, origin), length in zip(documents, lengths, strict=True)
        ]  # fmt: skip
        names = "name, title, digest, format, language, origin, metadata, access, passages, length, text"
        replaced = ", ".join(f"{one} = excluded.{one}" for one in names.split(", ")[1:])
        kept = self.rows(
            f"INSERT INTO documents ({names}) SELECT name, title, digest, format, language, origin, metadata::jsonb, "
            "access::jsonb, passages, length, text FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], "
            f"?::text[], ?::text[], ?::text[], ?::int[], ?::bigint[], ?::text[]) AS new ({names}) ORDER BY name "
            f"ON CONFLICT (name) DO UPDATE SET {replaced} WHERE '' IN (documents.origin, excluded.origin) OR "
            "documents.origin = excluded.origin OR (documents.name, documents.origin) IN (SELECT * FROM "
            "unnest(?::text[], ?::text[])) RETURNING name, id",
            (*(list(column) for column in zip(*rows, strict=True)), [*homes], [*homes.values()]),
        )
        places = {str(name): int(place) for name, place in kept}
        if taken := [one.name for (one, _, _), row in zip(documents, rows, strict=True) if row[0] not in places]:
            raise Taken(taken)
        self.rows("DELETE FROM passages WHERE document = ANY (?::bigint[])", (list(places.values()),))
        return [places[row[0]] for row in rows]

    def _row(
        self, home: int, part: Piece, words: tuple[list[str], list[str]], stems: Mapping[str, str], made: Made
    ) -> tuple[Any, ...]:
        return (
            home, part.start, part.end, as_json(part.headings), part.key(made.mark), part.line, part.page,
            as_text(part.table), len(words[0]) + len(words[1]), as_text(terms.vector(*words, stems)),
        )  # fmt: skip

    def _stemmed(self, words: Iterable[str]) -> Mapping[str, str]:
        """Stems of words, as the server sees them; those that it leaves out stay as they are."""
        stems = self._stems = self._stems if len(self._stems) < REMEMBERED else {}  # others may still read the old one
        new = [word for word in set(words).difference(stems) if word.isascii()]
        if new:
            sql = "SELECT word, coalesce((ts_lexize('english_stem', word))[1], word) FROM unnest(?::text[]) AS word"
            stems |= {str(word): str(stem) for word, stem in self.rows(sql, (new,))}
        return stems

    def switch(self, keys: Mapping[int, str], made: Made) -> bool:
        with self.change():
            self.rows("LOCK TABLE passages IN SHARE ROW EXCLUSIVE MODE")
            if self.all_numbers() != sorted(keys) or not self.known(set(keys.values())).issuperset(keys.values()):
                return False
            self.rows(
                "UPDATE passages SET key = new.key FROM unnest(?::bigint[], ?::text[]) AS new (id, key) WHERE new.id = passages.id",
                (list(keys), list(keys.values())),
            )
            self.rows("DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM passages WHERE passages.key = vectors.key)")
            self.rows("DELETE FROM awaited")
            self.rows("DELETE FROM settings WHERE key IN ('embedder', 'precision', 'width')")
            for (width,) in self.rows("SELECT width FROM vectors LIMIT 1"):
                self._tell(made, width)
        return True

    def drop(self, names: Iterable[str]) -> int:
        with self.change():
            return len(self.rows("DELETE FROM documents WHERE name = ANY (?::text[]) RETURNING id", (sorted(names),)))

    def prepare(self) -> None:
        """The server keeps its indexes by itself. After much has come it is told of it: its plans would be of old."""
        known = self.rows("SELECT reltuples::bigint FROM pg_class WHERE oid = 'passages'::regclass")[0][0]
        if self.facts().passages > 2 * max(known, 500):
            self.rows("ANALYZE documents, passages, vectors")

    # Finding -----------------------------------------------------------------------------------------------------

    def allowed(self, where: Mapping[str, Any] | None, allow: Mapping[str, Any] | None) -> Allowed | None:
        facts = self.facts()
        if not where and not facts.labelled:
            return None
        sql, values = condition(where, allow, OfPostgres())
        most = int(SMALL * facts.passages) + 1
        found = self.rows(
            f"SELECT count(*) FROM (SELECT 1 FROM {OF_DOCUMENTS} WHERE {sql} LIMIT {most}) AS met", values
        )
        count = int(found[0][0])
        return Allowed(sql, values, count, few=count < most)

    def by_words(self, words: tuple[str, ...], k: int, allowed: Allowed | None = None) -> dict[int, float]:
        total = self.facts().passages
        frequencies = self._frequencies  # of this state; another thread may begin those of the next
        parts = {word: terms.cut(word) for word in words}
        stems = self._stemmed(part for some in parts.values() for part in some)
        queries = {word: terms.query(some, stems, prefix=single(word)) for word, some in parts.items() if some}
        self._count(queries, frequencies)
        if compounds := self._compounds(missing(queries, frequencies, self.facts().languages)):
            parts |= {word: [word] for word in compounds}
            queries |= {word: terms.query([word], {}) for word in compounds}
            self._count(queries, frequencies)
        part = 1.0 if allowed is None else max(0.01, allowed.count / max(1, total))
        scored, rare = chosen(tuple(queries), frequencies.__getitem__, total, int(BUDGET / part))
        if not scored:
            return {}
        single_words = [len(parts[word]) == 1 and not single(word) for word in scored]
        rows = self.rows(
            f"WITH found AS MATERIALIZED (SELECT passages.id, words, passages.length FROM {OF_DOCUMENTS} "
            f"WHERE words @@ ?::text::tsquery AND {allowed.sql if allowed else 'true'}) "
            f"SELECT id, sum(weight * often * {terms.K1 + 1} / (often + {terms.K1} * ({1 - terms.B} + {terms.B} * length / ?::float8))) AS score "
            "FROM found CROSS JOIN unnest(?::text[], ?::float8[], ?::bool[]) AS asked (term, weight, one) CROSS JOIN LATERAL "
            "(SELECT CASE WHEN one THEN width_bucket(ts_rank('{1,1,1,1}', words, term::tsquery)::float8, ?::float8[]) "
            "WHEN words @@ term::tsquery THEN 1 ELSE 0 END AS often) AS counted "
            f"GROUP BY id ORDER BY score DESC, id LIMIT {k}",
            (
                " | ".join(f"({queries[word]})" for word in rare or scored), *(allowed.values if allowed else ()), self._average,
                [queries[word] for word in scored], [terms.weight(frequencies[word], total) for word in scored],
                single_words, terms.STEPS,
            ),
        )  # fmt: skip
        return {int(number): float(score) for number, score in rows}

    def _count(self, queries: Mapping[str, str], frequencies: dict[str, int]) -> None:
        if new := [word for word in queries if word not in frequencies]:
            counted = self.rows(
                "SELECT word, met.count FROM unnest(?::text[], ?::text[]) AS asked (word, query) CROSS JOIN LATERAL (SELECT count(*) "
                f"FROM (SELECT 1 FROM passages WHERE words @@ query::tsquery LIMIT {COUNTED}) AS some_of_them) AS met",
                (new, [queries[word] for word in new]),
            )
            frequencies |= {str(word): int(count) for word, count in counted}

    def _compounds(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Stems of words that have one of these parts."""
        facts, listed = self.facts(), self._words  # other threads may be in other snapshots
        if not parts or facts.passages > LISTED:
            return ()
        if listed[0] != facts.generation:
            found = self.rows(
                "SELECT DISTINCT word FROM passages CROSS JOIN LATERAL unnest(tsvector_to_array(words)) AS word "
                f"WHERE length(word) > {LEAST}"
            )
            listed = self._words = facts.generation, "".join(f"{word}\n" for (word,) in found)
        return tuple(dict.fromkeys(one for part in parts for one in within(part, listed[1])))

    def by_meaning(self, vector: Vector, k: int, allowed: Allowed | None = None) -> dict[int, float]:
        self.facts()
        width = self._width
        if not width:
            return {}
        sql = allowed.sql if allowed else "true"
        values = allowed.values if allowed else ()
        documents = "JOIN documents ON documents.id = document" if allowed else ""
        home = f"vectors JOIN passages USING (key) {documents} WHERE width = {width} AND {sql}"
        if width > WIDEST or self._exact or (allowed is not None and allowed.few):
            rows = self.rows(
                f"WITH met AS MATERIALIZED (SELECT passages.id, vector FROM {home}) "
                f"SELECT id, -(vector <#> ?::halfvec) AS score FROM met ORDER BY score DESC, id LIMIT {k}",
                (*values, sent(vector)),
            )
        else:
            near = f"vector::halfvec({width}) <#> ?::halfvec"
            rows = self.rows(
                f"SELECT passages.id, -({near}) FROM {home} ORDER BY {near} LIMIT {k}",
                (sent(vector), *values, sent(vector)),
            )
        found = {int(number): float(score) for number, score in rows}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def scores(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        rows = self.rows(
            "SELECT passages.id, -(vector <#> ?::halfvec) FROM passages JOIN vectors USING (key) "
            "WHERE passages.id = ANY (?::bigint[])",
            (sent(vector), list(ids)),
        ) if len(ids) else []  # fmt: skip
        return {int(number): float(score) for number, score in rows}

    def vectors(self, ids: Sequence[int]) -> dict[int, Vector]:
        sql = "SELECT passages.id, vector FROM passages JOIN vectors USING (key) WHERE passages.id = ANY (?::bigint[])"
        return {int(number): vector for number, vector in self.rows(sql, (list(ids),))}

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        rows = self.rows(
            "SELECT passages.id, substr(text, start + 1, stop - start), name, title, headings, start, stop, metadata, "
            f"line, page, columns FROM {OF_DOCUMENTS} WHERE passages.id = ANY (?::bigint[])",
            (list(ids),),
        )
        return {
            row: Passage(text, name, title, tuple(json.loads(headings)), start, stop, json.loads(metadata), row, *where)
            for row, text, name, title, headings, start, stop, metadata, *where in rows
        }

    # Looking after it ---------------------------------------------------------------------------------------------

    def listed(self) -> list[Listed]:
        columns = (
            "name, title, passages, length(text), language, metadata, access, origin, (SELECT headings FROM passages "
            "WHERE document = documents.id AND headings <> '[]' ORDER BY id LIMIT 1), "
            "CASE format WHEN 'markdown' THEN substr(text, 1, ?::int) END"
        )
        return listed(self.rows(f'SELECT {columns} FROM documents ORDER BY name COLLATE "C"', (BEGIN,)))

    def counts(self) -> Counts:
        count = self.rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), "
            "(SELECT coalesce(sum(length(text)), 0)::bigint FROM documents), (SELECT count(*) FROM vectors), "
            "(SELECT count(*) FROM vectors WHERE NOT EXISTS (SELECT 1 FROM passages WHERE passages.key = vectors.key)), "
            f"(SELECT count(*) FROM awaited WHERE NOT {LATE}), "
            "pg_total_relation_size('documents') + pg_total_relation_size('passages') + pg_total_relation_size('vectors')"
        )[0]
        exact = self.setting("index") == "exact" or int(self.setting("width") or 0) > WIDEST
        documents, passages, characters, vectors, unused, awaited, size = map(int, count)
        return Counts(documents, passages, characters, vectors, unused, awaited, size, "exact" if exact else "hnsw")

    def problems(self) -> list[str]:
        checks = {
            "passages have no vector": "SELECT count(*) FROM passages WHERE NOT EXISTS "
            "(SELECT 1 FROM vectors WHERE vectors.key = passages.key)",
            "passages have no words": "SELECT count(*) FROM passages WHERE words IS NULL",
            "passages have no document": "SELECT count(*) FROM passages WHERE NOT EXISTS "
            "(SELECT 1 FROM documents WHERE documents.id = document)",
            "documents do not have the passages that they are said to": "SELECT count(*) FROM documents WHERE passages <> "
            "(SELECT count(*) FROM passages WHERE document = documents.id)",
        }
        try:
            return [f"{n} {what}" for what, sql in checks.items() if (n := self.rows(sql)[0][0])]
        except ConfigurationError as error:
            return [str(error)]

    def compact(self) -> int:
        with self.change():
            self.rows("LOCK TABLE passages IN SHARE MODE")  # who puts passages in, waits
            self.rows(f"DELETE FROM awaited WHERE {LATE}")
            gone = self.rows(
                "DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM passages WHERE passages.key = vectors.key) "
                "AND NOT EXISTS (SELECT 1 FROM awaited WHERE awaited.key = vectors.key) RETURNING 1"
            )
        self.rows("VACUUM documents, passages, vectors")
        return len(gone)
