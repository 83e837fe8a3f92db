"""Whether a language model can read what it is given, and which of its layers are trained."""

from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from genre.errors import UsageError
from genre.parts import FieldSpec


def check_sizes(model: nn.Module, fields: Sequence[FieldSpec]) -> None:
    """
    Raises:
        UsageError: a text is longer than the model reads, or a token unknown to it.
    """
    limit = _readable_length(model)
    length = max(field.length for field in fields)
    if limit is not None and length > limit:
        raise UsageError(
            f"the language model reads {limit} tokens, and a text has up to {length}",
            where="texts",
            remedy=f"keep at most {limit} tokens of each text",
        )
    known = int(cast(Any, model).config.vocab_size)
    size = max(field.size for field in fields)
    if size > known:
        raise UsageError(
            f"the language model knows {known} tokens, and there are {size}",
            where="config",
            remedy="leave vocab_size out, or name a model whose tokenizer is its own",
        )


def freeze(model: nn.Module, tuned_layers: int | None) -> None:
    """Train the last layers only; None trains all, 0 none.

    Raises:
        UsageError: there are not so many, or they cannot be told.
    """
    if tuned_layers is None:
        return
    model.requires_grad_(requires_grad=False)
    if tuned_layers == 0:
        return
    count = int(model.config.num_hidden_layers)  # type: ignore[union-attr, arg-type]
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList) and len(module) == count]
    if not stacks or tuned_layers > count:
        raise UsageError(
            f"the language model has {count} layers, and the last {tuned_layers} cannot be told",
            where="tuned_layers",
            remedy="choose fewer, or 0 or none",
        )
    for layer in stacks[0][count - tuned_layers :]:
        layer.requires_grad_(requires_grad=True)


def _readable_length(model: Any) -> int | None:
    """How many tokens a model can read; None when there is no limit."""
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is None:
        return None
    for name, module in model.named_modules():
        # RoBERTa and its kin count positions from the one after the padding's.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(limit) - int(module.padding_idx) - 1
    return int(limit)
