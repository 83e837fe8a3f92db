# ruff: noqa: ARG002  the contracts pass more than every part uses
"""NRMS (Wu et al., EMNLP 2019): self-attention over the words of a news, and over the news of a reader."""

from collections.abc import Sequence

import attrs
from torch import Tensor, nn

from genre.modeling.blocks import SelfAttentivePooling, SequenceReader
from genre.parts import FieldKind, FieldSpec
from genre_baselines.embeddings import SequenceFieldEncoder
from genre_baselines.validators import is_count, is_ratio


@attrs.frozen(kw_only=True)
class SelfAttentionOptions:
    """
    Attributes:
        heads: of the self-attention; divides the width.
        hidden: width of the additive attention.
        dropout: of what is read and of what the self-attention returns; clicked news themselves are not dropped.
    """

    heads: int = attrs.field(default=8, validator=is_count)
    hidden: int = attrs.field(default=64, validator=is_count)
    dropout: float = attrs.field(default=0.2, validator=is_ratio)


class SelfAttentionFieldEncoder(SequenceFieldEncoder):
    """Self-attention and additive attention over words or entities; each field has its own, all share the words.

    The original's self-attention has neither a residual nor an output projection; here it is `x + MultiHead(x, x, x)`,
    because without the residual training starts epochs later.
    """

    kinds: tuple[FieldKind, ...] = ("text", "entities")

    def __init__(self, options: SelfAttentionOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        def reader() -> SequenceReader:
            return SelfAttentivePooling(dim, options.heads, options.hidden, options.dropout)

        super().__init__(fields, dim, dropout=options.dropout, reader=reader)


class NRMSUserEncoder(nn.Module):
    """Self-attention (with a residual, unlike the original's) and additive attention over the clicked news.

    Zero for an empty history.
    """

    candidate_aware = False

    def __init__(self, options: SelfAttentionOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.read = SelfAttentivePooling(dim, options.heads, options.hidden, options.dropout)

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        vector: Tensor = self.read(history, mask)
        return vector.unsqueeze(1)
