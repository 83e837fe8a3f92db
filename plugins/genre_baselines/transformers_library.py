"""The library transformers: imported on first use, and kept from writing over what the run shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from genre.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType


def import_transformers() -> "ModuleType":
    """
    Raises:
        UsageError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise UsageError(
            "language models need the package transformers", remedy="pip install 'genre-rec[transformers]'"
        ) from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it draws over the run's own
    return transformers


@contextmanager
def quiet(transformers: "ModuleType") -> Iterator[None]:
    """It logs every weight that is left out on purpose."""
    verbosity = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(verbosity)
