"""The data set: columnar, immutable, with lineage.

`tables` holds the `Dataset` itself, `rows` is what files say, `assembly` turns their string ids into positions,
`checks` tells what is wrong with either, `splits` cuts splits, `files` saves and loads a data set as a folder of
Parquet files, `vector_files` reads dense vectors of news, and `mind_format` writes a data set as MIND's files.
"""

from genre.dataset.assembly import Dangling, assemble
from genre.dataset.checks import Finding, check_dataset, check_rows
from genre.dataset.files import check_dataset_folder, load_dataset, save_dataset
from genre.dataset.mind_format import BEHAVIORS_COLUMNS, NEWS_COLUMNS, TIME_FORMAT, write_mind
from genre.dataset.rows import Rows, RowsReader
from genre.dataset.splits import split_impressions
from genre.dataset.tables import NEW_READER_CLICKS, UNREADABLE, Dataset, LineageEntry, TextVersion
from genre.dataset.vector_files import read_vectors

__all__ = [
    "BEHAVIORS_COLUMNS",
    "NEWS_COLUMNS",
    "NEW_READER_CLICKS",
    "TIME_FORMAT",
    "UNREADABLE",
    "Dangling",
    "Dataset",
    "Finding",
    "LineageEntry",
    "Rows",
    "RowsReader",
    "TextVersion",
    "assemble",
    "check_dataset",
    "check_dataset_folder",
    "check_rows",
    "load_dataset",
    "read_vectors",
    "save_dataset",
    "split_impressions",
    "write_mind",
]
