"""`Dataset`: news, readers and impressions as immutable columnar tables that refer to each other by position."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset.fingerprint import fingerprint
from genre.dataset.vectors import checked_vectors, vector_column, vector_matrix
from genre.errors import UsageError, nearest

NEW_READER_CLICKS: Final = 5
"""A reader with at most this many clicks in the original history is *new*; all others are *warm* (paper, 4.1)."""

_POSITIONS: Final[pl.DataType | type[pl.DataType]] = pl.List(pl.UInt32)
_LABELS: Final[pl.DataType | type[pl.DataType]] = pl.List(pl.UInt8)
_VECTOR: Final[pl.DataType | type[pl.DataType]] = pl.List(pl.Float32)
_TIME: Final[pl.DataType | type[pl.DataType]] = pl.Datetime("us")

NEWS_SCHEMA: Final = pl.Schema(
    {
        "id": pl.String,
        "origin": pl.String,
        "category": pl.String,
        "subcategory": pl.String,
        "url": pl.String,
        "title_entities": pl.String,
        "abstract_entities": pl.String,
    }
)
TEXT_SCHEMA: Final = pl.Schema(
    {"news": pl.UInt32, "field": pl.String, "version": pl.String, "model": pl.String, "text": pl.String}
)
VECTOR_SCHEMA: Final = pl.Schema({"news": pl.UInt32, "field": pl.String, "vector": _VECTOR})
READER_SCHEMA: Final = pl.Schema(
    {"id": pl.String, "user": pl.String, "history": _POSITIONS, "clicks": pl.UInt32, "kept": _POSITIONS}
)
INTEREST_SCHEMA: Final = pl.Schema(
    {
        "reader": pl.UInt32,
        "kind": pl.String,
        "version": pl.String,
        "model": pl.String,
        "rank": pl.UInt32,
        "value": pl.String,
    }
)
IMPRESSION_SCHEMA: Final = pl.Schema(
    {
        "id": pl.String,
        "split": pl.String,
        "reader": pl.UInt32,
        "time": _TIME,
        "candidates": _POSITIONS,
        "labels": _LABELS,
    }
)
TABLES: Final[Mapping[str, pl.Schema]] = {
    "news": NEWS_SCHEMA,
    "texts": TEXT_SCHEMA,
    "vectors": VECTOR_SCHEMA,
    "readers": READER_SCHEMA,
    "interests": INTEREST_SCHEMA,
    "impressions": IMPRESSION_SCHEMA,
}

UNREADABLE: Final = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises where a Parquet file is damaged; the last one, where it gives up, is no `Exception`."""

TextVersion: TypeAlias = str
"""`"original"`, `"latest"`, or the name of the round that wrote the text."""


@attrs.frozen
class LineageEntry:
    """One step in the making of a data set. Holds no clock time, so that equal work has equal lineage.

    Attributes:
        operation: `"read"`, `"round"`, `"split"`, ...
        details: what the step was told and what it counted; JSON values only.
    """

    operation: str
    details: Mapping[str, object]


@attrs.frozen(eq=False)
class Dataset:
    """News, their texts and vectors, readers, their interests, and impressions. Never changed in place.

    Every reference is a row position (`UInt32`), and news and readers are only ever appended, so that a position
    stays valid through all enrichment rounds.

    Attributes:
        news: one row a news; `origin` is `"original"` or `"generated"`.
        texts: one row for each *version* of each text field of a news, oldest first, with the round (`version`) and
            the model that wrote it (`""` for the original).
        vectors: one row for each dense vector of a news, such as that of its cover image; vectors of one `field` have
            one width. Generated news have none.
        readers: one row for each distinct (user, visible history). `clicks` is the length of the original visible
            history, which synthetic news never change. `kept` says which of these clicks encoders read, as ascending
            indices into `history`; null for all of them.
        interests: one row for each topic, region, ... of a reader, most related first (`rank` 0).
        impressions: one row an impression; `labels` is null in an unlabelled split.
        lineage: how this data set came to be, oldest step first.
    """

    news: pl.DataFrame
    texts: pl.DataFrame
    vectors: pl.DataFrame
    readers: pl.DataFrame
    interests: pl.DataFrame
    impressions: pl.DataFrame
    lineage: tuple[LineageEntry, ...]

    def __attrs_post_init__(self) -> None:
        for name, schema in TABLES.items():
            actual = getattr(self, name).schema
            if actual != schema:
                raise UsageError(f"table {name!r} has the columns {dict(actual)}, expected {dict(schema)}")

    # -- reading ------------------------------------------------------------------------------------------------

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything a model or a prompt can read; equal content has equal fingerprints."""
        return fingerprint(getattr(self, name) for name in TABLES)

    @property
    def text_fields(self) -> list[str]:
        """Names of the text fields that some news has, for example `["abstract", "title"]`."""
        return sorted(self.texts["field"].unique().to_list())

    @property
    def vector_fields(self) -> list[str]:
        """Names of the vectors that some news has, in alphabetical order, for example `["cover"]`."""
        return sorted(self.vectors["field"].unique().to_list())

    @property
    def splits(self) -> list[str]:
        """Names of the impressions' splits, in alphabetical order."""
        return sorted(self.impressions["split"].unique().to_list())

    def text(self, field: str, version: TextVersion = "latest") -> pl.Series:
        """One text per news, aligned with `news`; `""` where a news has none.

        A named `version` falls back to the original for news and fields that this round did not write. A news made
        by an LLM has no original: its first text stands in for it.

        Raises:
            UsageError: no round of that name wrote any text.
        """
        rows = self.texts.filter(pl.col("field") == field)
        if version != "latest":
            written = set(self.texts["version"].unique()) | {"original"}
            if version not in written:
                raise UsageError(f"no version {version!r} of the texts", remedy=nearest(version, written | {"latest"}))
            generated = pl.col("news").is_in(self._positions("generated").implode())
            original = rows.filter((pl.col("version") == "original") | generated).unique(
                "news", keep="first", maintain_order=True
            )
            # The version's own texts come last, so that they win.
            rows = pl.concat([original, rows.filter(pl.col("version") == version)])
        rows = rows.unique("news", keep="last", maintain_order=True)
        positions = pl.DataFrame({"news": pl.arange(0, self.news.height, eager=True, dtype=pl.UInt32)})
        joined = positions.join(rows.select("news", "text"), on="news", how="left", maintain_order="left")
        return joined["text"].fill_null("").alias(field)

    def vectors_of(self, field: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The vectors of one field (N, V), aligned with `news`, zeros where a news has none; and who has one (N,).

        Raises:
            UsageError: no news has such a vector.
        """
        return vector_matrix(self._vector_rows(field), self.news.height)

    def vector_width(self, field: str) -> int:
        """How many numbers the vectors of one field have.

        Raises:
            UsageError: no news has such a vector.
        """
        return int(self._vector_rows(field)["vector"].list.len()[0])

    def _vector_rows(self, field: str) -> pl.DataFrame:
        rows = self.vectors.filter(pl.col("field") == field)
        if rows.is_empty():
            raise UsageError(f"no news has a vector {field!r}", remedy=nearest(field, self.vector_fields))
        return rows

    def interests_of(self, kind: str) -> pl.DataFrame:
        """Columns `reader`, `rank`, `value`: each reader's newest interests of one kind, most related first."""
        rows = self.interests.filter(pl.col("kind") == kind)
        newest = rows.group_by("reader").agg(pl.col("version").last())
        current = rows.join(newest, on=["reader", "version"], how="semi")
        return current.select("reader", "rank", "value").sort("reader", "rank")

    @cached_property
    def encoder_history(self) -> pl.Series:
        """Each reader's history as encoders read it: the kept clicks, then what rounds appended (news positions)."""
        history, kept = pl.col("history"), pl.col("kept")
        # `gather` is null where everything is kept, and so is the list that it begins.
        selected = pl.concat_list(history.list.gather(kept), history.list.slice(pl.col("clicks")))
        return self.readers.select(encoder_history=pl.coalesce(selected, history)).to_series()

    @cached_property
    def is_new(self) -> pl.Series:
        """Whether each reader is *new*: at most five clicks in the original visible history."""
        return (self.readers["clicks"] <= NEW_READER_CLICKS).alias("is_new")

    @property
    def leaked(self) -> bool:
        """Whether some round's answers were made from more than its prompts say; results that rest on it are marked."""
        return any(step.details.get("leaked") for step in self.lineage)

    def stats(self) -> dict[str, int | float]:
        """Counts and means that describe the set, as the field reports them."""
        original = self.news.filter(pl.col("origin") == "original").height
        labels = self.impressions["labels"].drop_nulls().explode(empty_as_null=False)
        splits = self.impressions.group_by("split").len().sort("split")
        vectors = self.vectors.group_by("field").len().sort("field")
        return {
            "news": original,
            "generated_news": self.news.height - original,
            "rewritten_texts": self.texts.filter(
                (pl.col("version") != "original") & pl.col("news").is_in(self._positions("original").implode())
            ).height,
            "users": self.readers["user"].n_unique(),
            "readers": self.readers.height,
            "new_readers": int(self.is_new.sum()),
            "profiled_readers": self.interests["reader"].n_unique(),
            "mean_history": round(float(self.readers["clicks"].mean() or 0.0), 2),  # type: ignore[arg-type]
            "positives": int(labels.sum() or 0),
            "negatives": int(labels.len() - (labels.sum() or 0)),
            **{f"news_with_{field}_vectors": count for field, count in vectors.iter_rows()},
            **{f"impressions_{split}": count for split, count in splits.iter_rows()},
        }

    def _positions(self, origin: Literal["original", "generated"]) -> pl.Series:
        return self.news.with_row_index("position").filter(pl.col("origin") == origin)["position"]

    # -- growing ------------------------------------------------------------------------------------------------

    def with_lineage(self, operation: str, **details: object) -> "Dataset":
        """The same data with one more lineage entry."""
        return attrs.evolve(self, lineage=(*self.lineage, LineageEntry(operation, details)))

    def with_texts(self, rows: pl.DataFrame) -> "Dataset":
        """A data set with new text versions; the old ones stay readable.

        Args:
            rows: columns as in `texts`.
        """
        return attrs.evolve(self, texts=pl.concat([self.texts, rows.select(TEXT_SCHEMA.names()).cast(TEXT_SCHEMA)]))

    def with_vectors(
        self, field: str, ids: Sequence[str], matrix: NDArray[np.generic], *, source: str = ""
    ) -> "Dataset":
        """A data set in which more news have a vector. Ids that name no news are left out and counted in the lineage.

        Args:
            field: name of the vectors, such as `"cover"`.
            ids: M distinct ids of news.
            matrix: their vectors, finite floats (M, V).
            source: where they come from, for the lineage.

        Raises:
            UsageError: the rows are not as they should be, `field` has vectors of another width, or a news has such a
                vector already.
        """
        if not field:
            raise UsageError("vectors need a name", remedy="name them after what they show, such as `cover`")
        floats = checked_vectors(ids, matrix)
        width = floats.shape[1]
        present = self.vectors.filter(pl.col("field") == field)
        if present.height and (other := int(present["vector"].list.len()[0])) != width:
            raise UsageError(f"vectors {field!r} of width {width} are added to some of width {other}")
        positions = self.news.select("id").with_row_index("news")
        given = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String), "vector": vector_column(floats)})
        # In the order of the news, so that equal vectors have equal fingerprints however a file orders them.
        found = given.join(positions, on="id", how="inner").sort("news")
        if (again := found.filter(pl.col("news").is_in(present["news"].implode()))).height:
            raise UsageError(f"the news {again['id'][0]!r} has a vector {field!r} already", remedy="add each news once")
        rows = found.select("news", "vector", field=pl.lit(field)).select(VECTOR_SCHEMA.names()).cast(VECTOR_SCHEMA)
        return attrs.evolve(self, vectors=pl.concat([self.vectors, rows])).with_lineage(
            "vectors", field=field, width=width, news=rows.height, unknown_ids=len(ids) - rows.height, source=source
        )

    def with_interests(self, rows: pl.DataFrame) -> "Dataset":
        """A data set that knows more of its readers; columns as in `interests`."""
        typed = rows.select(INTEREST_SCHEMA.names()).cast(INTEREST_SCHEMA)
        return attrs.evolve(self, interests=pl.concat([self.interests, typed]))

    def with_kept_history(self, rows: pl.DataFrame) -> "Dataset":
        """A data set in which encoders read only some of the clicks of these readers; prompts still see all of them.

        Args:
            rows: `reader` (position) and `kept` (ascending indices into the reader's history, below `clicks`), which
                takes the place of what was kept before.

        Raises:
            UsageError: there is no such reader, one stands twice, or its `kept` is empty or no such indices.
        """
        self._refuse_strangers(rows)
        dtype = rows.schema["kept"]
        if not (isinstance(dtype, pl.List) and dtype.inner.is_integer()):
            raise UsageError(f"the kept clicks are of type {dtype}, and lists of indices are expected")
        kept = pl.col("kept")
        known = self.readers.select("id", "clicks").with_row_index("reader")
        given = rows.select(pl.col("reader").cast(pl.UInt32), kept.cast(pl.List(pl.Int64), strict=False))
        checked = given.join(known, on="reader", how="left", maintain_order="left")
        mistakes = {
            "stands twice": pl.col("reader").is_duplicated(),
            "would keep no click": kept.list.len().fill_null(0) == 0,
            "would keep clicks without an index": kept.list.eval(pl.element().is_null()).list.any(),
            "would keep clicks that it has not": (kept.list.min() < 0) | (kept.list.max() >= pl.col("clicks")),
            "would keep clicks out of order, or one twice": kept.list.diff().list.min() <= 0,
        }
        for mistake, found in mistakes.items():
            if (bad := checked.filter(found)).height:
                row = bad.row(0, named=True)
                raise UsageError(
                    f"the reader {row['id']!r} {mistake}: {row['kept']} of {row['clicks']} clicks",
                    remedy="keep ascending indices of the reader's clicks, counted from 0",
                )
        indexed = self.readers.with_row_index("reader").join(
            checked.select("reader", chosen="kept"), on="reader", how="left", maintain_order="left"
        )
        readers = indexed.with_columns(kept=pl.coalesce(pl.col("chosen").cast(_POSITIONS), kept))
        return attrs.evolve(self, readers=readers.select(READER_SCHEMA.names()).cast(READER_SCHEMA))

    def with_generated_news(self, rows: pl.DataFrame) -> "Dataset":
        """A data set in which some readers' histories end with news that an LLM wrote for them.

        Generated news never become candidates, and `clicks` stays as it was.

        Args:
            rows: `reader` (position), `id`, `version`, `model`, any column of `news`, and a column for each text
                field; in the order in which they join a reader's history.

        Raises:
            UsageError: an id exists already (the same round was applied twice), or there is no such reader.
        """
        self._refuse_strangers(rows)
        taken = rows.filter(pl.col("id").is_in(self.news["id"].implode()))
        if taken.height or rows["id"].n_unique() < rows.height:
            clash = taken["id"][0] if taken.height else rows.filter(rows["id"].is_duplicated())["id"][0]
            raise UsageError(
                f"news {clash!r} is in the data set already",
                remedy="give the second round a `name` of its own",
            )
        positions = pl.arange(self.news.height, self.news.height + rows.height, eager=True, dtype=pl.UInt32)
        rows = rows.with_columns(news=positions)
        structure = {"news", "reader", "version", "model", *NEWS_SCHEMA}
        fields = [name for name in rows.columns if name not in structure]
        texts = (
            rows.unpivot(fields, index=["news", "version", "model"], variable_name="field", value_name="text")
            .filter(pl.col("text").fill_null("") != "")
            .sort("news", "field")
        )
        added = (
            rows.select("news", pl.col("reader").cast(pl.UInt32))
            .group_by("reader", maintain_order=True)
            .agg(added="news")
        )
        indexed = self.readers.with_row_index("reader").join(added, on="reader", how="left", maintain_order="left")
        grown = pl.concat_list(pl.col("history"), pl.col("added").fill_null([]))
        readers = indexed.with_columns(history=grown).select(READER_SCHEMA.names())
        return attrs.evolve(
            self,
            news=pl.concat([self.news, news_rows(rows, origin="generated")]),
            readers=readers.cast(READER_SCHEMA),
        ).with_texts(texts)

    def _refuse_strangers(self, rows: pl.DataFrame) -> None:
        if (strangers := rows.filter(~pl.col("reader").is_between(0, self.readers.height - 1))).height:
            raise UsageError(f"there is no reader {strangers['reader'][0]}: the set has {self.readers.height} readers")


def news_rows(rows: pl.DataFrame, *, origin: Literal["original", "generated"]) -> pl.DataFrame:
    """The columns of `Dataset.news` out of `rows`; what `rows` lacks is empty."""
    columns = {name: pl.col(name).fill_null("") if name in rows.columns else pl.lit("") for name in NEWS_SCHEMA}
    return rows.select(**{**columns, "origin": pl.lit(origin)}).cast(NEWS_SCHEMA)
