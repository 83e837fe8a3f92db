"""Whatever the files say, the reader gives a data set or a usage error, and what was written is read again."""

import string
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from dataset.mind_files import NEWS, behavior, read
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.dataset import Dataset, assemble, write_mind
from genre.errors import UsageError

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\t\n"), max_size=20)
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\t\n \ufeff"), min_size=1, max_size=8)
NEWS_ID = WORD.filter(lambda text: not text.endswith(("-0", "-1", "\r")))
PLAIN = settings(max_examples=40)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Data sets that MIND's files can hold."""
    ids = draw(st.lists(NEWS_ID, min_size=1, max_size=5, unique=True))
    news = pl.DataFrame(
        {
            "id": ids,
            **{
                name: draw(st.lists(TEXT, min_size=len(ids), max_size=len(ids)))
                for name in ("category", "subcategory", "title", "abstract", "url", "title_entities")
            },
            "abstract_entities": ["[]"] * len(ids),
        }
    )
    some_ids = st.lists(st.sampled_from(ids), max_size=4)
    rows = []
    for line in range(draw(st.integers(1, 4))):
        candidates = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4))
        labels = st.lists(st.integers(0, 1), min_size=len(candidates), max_size=len(candidates))
        rows.append(
            {
                "impression": draw(WORD),
                "split": "train",
                "user": draw(WORD),
                "time": datetime(1970, 1, 1) + timedelta(seconds=draw(st.integers(0, 4_000_000_000))),
                "history": draw(some_ids),
                "candidates": candidates,
                "labels": draw(st.none() | labels),
                "file": "made",
                "line": line,
            }
        )
    schema = {
        "impression": pl.String(),
        "split": pl.String(),
        "user": pl.String(),
        "time": pl.Datetime("us"),
        "history": pl.List(pl.String()),
        "candidates": pl.List(pl.String()),
        "labels": pl.List(pl.UInt8()),
        "file": pl.String(),
        "line": pl.UInt32(),
    }
    return assemble(news, pl.DataFrame(rows, schema=schema), source={"reader": "made"})


@PLAIN
@given(datasets())
def test_what_is_written_is_read_again(dataset: Dataset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_mind(dataset, Path(folder))
        again = read(Path(folder))
    assert again.fingerprint == dataset.fingerprint
    assert again.text("title").to_list() == dataset.text("title").to_list()


def read_bytes(news: bytes, behaviors: bytes, name: str = "news.tsv") -> Dataset | UsageError:
    with tempfile.TemporaryDirectory() as folder:
        split = Path(folder) / "train"
        split.mkdir()
        (split / name).write_bytes(news)
        (split / "behaviors.tsv").write_bytes(behaviors)
        try:
            return read(Path(folder), dangling="drop")
        except UsageError as error:
            return error


ROWS = "\n".join(NEWS).encode()
NEARLY = st.text(string.printable + "N1-0 \t", max_size=60).map(str.encode)


@PLAIN
@given(st.binary(max_size=80) | NEARLY)
def test_any_bytes_as_behaviors_give_a_data_set_or_a_usage_error(content: bytes) -> None:
    assert isinstance(read_bytes(ROWS, content), Dataset | UsageError)


@PLAIN
@given(st.binary(max_size=80) | NEARLY, st.sampled_from(["news.tsv", "news.tsv.gz"]))
def test_any_bytes_as_news_give_a_data_set_or_a_usage_error(content: bytes, name: str) -> None:
    assert isinstance(read_bytes(content, behavior().encode(), name), Dataset | UsageError)


@PLAIN
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=3))
def test_any_five_columns_give_a_data_set_or_a_usage_error(rows: list[tuple[str, ...]]) -> None:
    content = "\n".join("\t".join(row) for row in rows).encode()
    assert isinstance(read_bytes(ROWS, content), Dataset | UsageError)


@PLAIN
@given(TEXT, TEXT)
def test_any_history_and_candidates_give_a_data_set_or_a_usage_error(history: str, candidates: str) -> None:
    content = behavior(candidates, history=history).encode()
    assert isinstance(read_bytes(ROWS, content), Dataset | UsageError)
