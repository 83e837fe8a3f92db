"""PLM-NR (Wu et al., SIGIR 2021): a pre-trained language model reads each text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import AdditiveAttention, MaskedMean
from genre.parts import WORDS, FieldKind, FieldSpec, NewsBatch
from genre_baselines.language_model_fit import check_sizes, freeze
from genre_baselines.language_models import configuration, create_model, load_pretrained, weights_key
from genre_baselines.model_files import files_key, find_model, find_tokenizer
from genre_baselines.validators import is_count, is_ratio


def _paper_config() -> dict[str, object]:
    return {"model_type": "bert", "num_hidden_layers": 3, "num_attention_heads": 8}


@attrs.frozen(kw_only=True)
class LanguageModelOptions:
    """
    Attributes:
        model: a pre-trained model: a folder, `package:NAME` or a name on the hub; None makes one from `config`.
        config: of a model from scratch, which reads words: `model_type` and fields of its configuration; `hidden_size`
            is the width of the vectors unless it is given.
        tokenizer: of a model from `config`, the hash of the tokenizer whose ids it reads; a saved model has it.
        layers: keep the first layers of a pre-trained model only.
        tuned_layers: last layers that are trained; 0 freezes the whole model, and what it makes of a news is then
            computed once; None trains all of it.
        pooling: `"attention"`, or `"mean"` as sentence encoders are trained.
        hidden: width of the additive attention.
        dropout: of what the language model returns.
    """

    model: str | None = None
    config: Mapping[str, object] = attrs.field(factory=_paper_config)
    tokenizer: str | None = None
    layers: int | None = attrs.field(default=None, validator=attrs.validators.optional(is_count))
    tuned_layers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    pooling: Literal["attention", "mean"] = "attention"
    hidden: int = attrs.field(default=64, validator=is_count)
    dropout: float = attrs.field(default=0.1, validator=is_ratio)

    def __attrs_post_init__(self) -> None:
        if self.model is None and self.layers is not None:
            raise ValueError("layers are of a pre-trained model: name it, or set num_hidden_layers in config")
        if self.model is not None and (self.tokenizer is not None or self.config != _paper_config()):
            raise ValueError("a pre-trained model has a configuration and a tokenizer of its own: leave them out")


class LanguageModelFieldEncoder(nn.Module):
    """`W POOL(LM(w_1..w_L)) + b`: one language model reads all text fields, each is pooled by itself."""

    kinds: tuple[FieldKind, ...] = ("text",)

    def __init__(self, options: LanguageModelOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        """
        Raises:
            UsageError: the model is not to be found, or cannot read so many tokens.
        """
        super().__init__()
        self.options = options
        self.names = tuple(field.name for field in fields)
        if options.model is None:
            sizes = {"vocab_size": fields[0].size, "hidden_size": dim, "intermediate_size": 4 * dim}
            self.model = create_model(options.config, **sizes)
        else:
            self.model = load_pretrained(find_model(options.model), options.layers)
        self.is_pretrained = options.model is not None or options.tokenizer is not None
        check_sizes(self.model, fields)
        freeze(self.model, options.tuned_layers)
        self.is_frozen = options.tuned_layers == 0
        self._key: str | None = None
        self.register_load_state_dict_post_hook(_forget_key)  # type: ignore[no-untyped-call]
        width = int(self.model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.dropout = nn.Dropout(options.dropout)
        attends = options.pooling == "attention"
        self.pool = nn.ModuleList(
            [AdditiveAttention(width, options.hidden) if attends else MaskedMean() for _ in fields]
        )
        self.project = nn.ModuleList([nn.Linear(width, dim) for _ in fields])

    @staticmethod
    def tokenizer(options: LanguageModelOptions) -> str:
        """A model from scratch reads words, one that was saved what it was trained with."""
        return str(find_tokenizer(options.model)) if options.model is not None else options.tokenizer or WORDS

    @staticmethod
    def content_key(options: LanguageModelOptions) -> str:
        """The files that decide what a pre-trained model is; `""` for one from scratch."""
        return "" if options.model is None else files_key(find_model(options.model))

    def saved_options(self, tokenizer: str) -> Mapping[str, object]:
        """Options that need no file: the configuration is among them, and the weights are in the checkpoint."""
        kept = {"tuned_layers", "pooling", "hidden", "dropout"}
        named = attrs.asdict(self.options, filter=lambda field, value: field.name in kept and value is not None)
        if not self.is_pretrained:
            return {**named, "config": dict(self.options.config)}
        return {**named, "config": configuration(self.model), "tokenizer": tokenizer}

    @property
    def states_key(self) -> str | None:
        """Hash of the weights as they are: those of a trained model need not be those of the folder any more."""
        if self.is_frozen and self._key is None:
            self._key = weights_key(self.model)
        return self._key

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """The weights of a pre-trained language model."""
        if self.is_pretrained:
            yield from self.model.parameters()

    def train(self, mode: bool = True) -> "LanguageModelFieldEncoder":
        """A frozen language model stays in evaluation mode: its dropout would make its states random."""
        super().train(mode)
        if self.is_frozen:
            self.model.eval()
        return self

    def states(self, values: Tensor, mask: Tensor) -> Tensor:
        """(U, L), (U, L) -> (U, L, E); arbitrary where masked."""
        # A row without any token would be all masked, which attention cannot take: its first place stands in.
        seen = mask | (torch.arange(mask.shape[1], device=mask.device) == 0)
        ids = values.masked_fill(~mask, 0)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            states: Tensor = self.model(input_ids=ids.long(), attention_mask=seen.long()).last_hidden_state
        return states

    def forward(self, news: NewsBatch) -> Tensor:
        """(U, F, D)"""
        vectors = []
        for name, pool, project in zip(self.names, self.pool, self.project, strict=True):
            assert isinstance(project, nn.Linear)
            field = news[name]
            kept = field.states
            states = self.states(field.values, field.mask) if kept is None else kept.to(project.weight.dtype)
            vectors.append(project(pool(self.dropout(states), field.mask)))
        return torch.stack(vectors, dim=1)


def _forget_key(encoder: nn.Module, _incompatible: object) -> None:
    assert isinstance(encoder, LanguageModelFieldEncoder)
    encoder._key = None
