"""The data set: columnar, immutable, with lineage.

`tables` holds the `Dataset` itself, `assembly` turns rows with string ids (what files hold) into one, and `files`
saves and loads one as a folder of Parquet files.
"""

from genre.dataset.assembly import Dangling, assemble
from genre.dataset.files import load_dataset, save_dataset
from genre.dataset.tables import NEW_READER_CLICKS, Dataset, LineageEntry, TextVersion

__all__ = [
    "NEW_READER_CLICKS",
    "Dangling",
    "Dataset",
    "LineageEntry",
    "TextVersion",
    "assemble",
    "load_dataset",
    "save_dataset",
]
