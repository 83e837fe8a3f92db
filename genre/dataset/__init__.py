"""The data set: columnar, immutable, with lineage.

`tables` holds the `Dataset` itself, `assembly` turns rows with string ids (what files hold) into one, `splits` cuts
its splits, `files` saves and loads one as a folder of Parquet files, `vector_files` reads dense vectors of news, and
`mind_format` writes a data set as MIND's files.
"""

from genre.dataset.assembly import Dangling, assemble
from genre.dataset.files import check_dataset_folder, load_dataset, save_dataset
from genre.dataset.mind_format import BEHAVIORS_COLUMNS, NEWS_COLUMNS, TIME_FORMAT, write_mind
from genre.dataset.splits import split_impressions
from genre.dataset.tables import NEW_READER_CLICKS, Dataset, LineageEntry, TextVersion
from genre.dataset.vector_files import read_vectors

__all__ = [
    "BEHAVIORS_COLUMNS",
    "NEWS_COLUMNS",
    "NEW_READER_CLICKS",
    "TIME_FORMAT",
    "Dangling",
    "Dataset",
    "LineageEntry",
    "TextVersion",
    "assemble",
    "check_dataset_folder",
    "load_dataset",
    "read_vectors",
    "save_dataset",
    "split_impressions",
    "write_mind",
]
