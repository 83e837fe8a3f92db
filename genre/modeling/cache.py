"""Arrays of the feature cache: memory-mapped, and checked, since anything may have happened to a file meanwhile."""

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from genre.errors import UsageError

Scalar = TypeVar("Scalar", bound=np.generic)


def mapped(path: Path, dtype: type[Scalar]) -> NDArray[Scalar]:
    """The array of a file, read as it is used.

    Raises:
        UsageError: the file is missing, is no array, or one of another type.
    """
    try:
        array: object = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(array, np.ndarray):
        raise damaged(path, "several arrays")
    if array.dtype != dtype:
        raise damaged(path, f"{array.dtype} in place of {np.dtype(dtype)}")
    return array


def damaged(path: Path, what: str) -> UsageError:
    """The error that a file of the cache is not what was written."""
    return UsageError(f"the feature cache is damaged: {what}", where=path, remedy=f"delete the folder {path.parent}")
