"""Language models: with pre-trained weights, without running their code, or made from a configuration."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from torch import nn

from genre.errors import GenreError, UsageError, nearest
from genre_baselines.model_files import WEIGHTS
from genre_baselines.transformers_library import import_transformers, quiet

_DECIDES_NOTHING: Final = ("_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version")
"""What a configuration says beside what the model is."""


def load_pretrained(folder: Path, layers: int | None) -> nn.Module:
    """A model with its weights in single precision, or with those of its first layers.

    Raises:
        UsageError: transformers is not installed, or the files are not a model.
    """
    transformers = import_transformers()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with quiet(transformers):
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
            f"{WEIGHTS} has no weights {missing[0]!r}", where=folder, remedy="save the model again with its weights"
        )
    return _checked(model, str(folder))


def create_model(config: Mapping[str, object], **sizes: int) -> nn.Module:
    """A model with random weights.

    Args:
        config: `model_type` and the fields of its configuration.
        sizes: fields that the configuration need not name, and that not every type of model has.

    Raises:
        UsageError: transformers is not installed, or the configuration is wrong.
    """
    transformers = import_transformers()
    fields = {name: value for name, value in config.items() if name not in _DECIDES_NOTHING}
    kind = fields.pop("model_type", None)
    try:
        usual = transformers.AutoConfig.for_model(kind)
        _check_fields(usual, kind, fields)
        for name, size in sizes.items():
            if hasattr(usual, name) and usual.attribute_map.get(name) not in fields:
                fields.setdefault(name, size)
        model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **fields)).float()
    except GenreError:
        raise
    except Exception as error:  # every type of model checks its configuration in a way of its own
        raise UsageError(
            f"not a configuration: {error}", where="config", remedy='for example { model_type = "bert" }'
        ) from error
    return _checked(_without_pooler(model), "config")


def configuration(model: nn.Module) -> dict[str, object]:
    """What `create_model` makes a model of the same shape from; JSON values only."""
    config = cast(Any, model).config
    usual = type(config)()  # some files hold fields that their type of model has not, and are read all the same
    fields = {
        name: value for name, value in config.to_dict().items() if name not in _DECIDES_NOTHING and hasattr(usual, name)
    }
    plain: dict[str, object] = json.loads(json.dumps(fields, default=str))
    return plain


def weights_key(model: nn.Module) -> str:
    """Hash of a model's weights and configuration."""
    digest = hashlib.blake2b(json.dumps(configuration(model), sort_keys=True).encode(), digest_size=16)
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.detach().cpu().contiguous().numpy())
    return digest.hexdigest()


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


def _checked(model: Any, where: str) -> nn.Module:
    if getattr(model.config, "is_encoder_decoder", False):
        raise UsageError(
            "the model has a decoder of its own, and only one stack of layers can be read with",
            where=where,
            remedy="choose an encoder such as BERT, or a decoder such as GPT-2",
        )
    for name in ("vocab_size", "hidden_size", "num_hidden_layers"):
        if getattr(model.config, name, None) is None:
            raise UsageError(
                f"the model has no {name}: it does not read tokens with one stack of layers",
                where=where,
                remedy="choose an encoder such as BERT, or a decoder such as GPT-2",
            )
    return cast(nn.Module, model)


def _without_pooler(model: Any) -> Any:
    """Many models end in a layer over their first token, which nobody asks for."""
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model
