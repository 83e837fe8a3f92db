# ruff: noqa: ARG002  the contracts pass more than every part uses
"""NAML (Wu et al., IJCAI 2019): a CNN and attention read each text, and attention weighs clicks."""

from collections.abc import Sequence

import attrs
from torch import Tensor, nn

from genre.modeling.blocks import AdditiveAttention, ConvolutionalPooling, SequenceReader
from genre.parts import FieldKind, FieldSpec
from genre_baselines.embeddings import SequenceFieldEncoder
from genre_baselines.news import AttentionOptions
from genre_baselines.validators import is_count, is_ratio


@attrs.frozen(kw_only=True)
class CNNOptions:
    """
    Attributes:
        kernel: words that the convolution sees at a time; odd.
        hidden: width of the additive attention.
        dropout: of word vectors and of what the convolution returns.
    """

    kernel: int = attrs.field(default=3, validator=is_count)
    hidden: int = attrs.field(default=64, validator=is_count)
    dropout: float = attrs.field(default=0.1, validator=is_ratio)


class CNNFieldEncoder(SequenceFieldEncoder):
    """`c_i = ReLU(F w_(i-K):(i+K) + b)`, then additive attention; each text has its own, all share the words."""

    kinds: tuple[FieldKind, ...] = ("text",)

    def __init__(self, options: CNNOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        def reader() -> SequenceReader:
            return ConvolutionalPooling(dim, options.kernel, options.hidden, options.dropout)

        super().__init__(fields, dim, dropout=options.dropout, reader=reader)


class NAMLUserEncoder(nn.Module):
    """Additive attention over the clicked news; zero for an empty history."""

    candidate_aware = False

    def __init__(self, options: AttentionOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.pool = AdditiveAttention(dim, options.hidden)

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        vector: Tensor = self.pool(history, mask)
        return vector.unsqueeze(1)
