# ruff: noqa: ARG002  the contracts pass more than every part uses
"""NRMS (Wu et al., EMNLP 2019): self-attention over the words of a news, and over the news of a reader."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genre.modeling.blocks import AdditiveAttention, SelfAttentivePooling
from genre.parts import FieldSpec, NewsBatch
from genre_baselines.embeddings import FieldEmbeddings
from genre_baselines.options import NRMSNewsOptions, NRMSUserOptions


class NRMSNewsEncoder(nn.Module):
    """Each text is read by a self-attention and an additive attention of its own.

    Two departures from the original. Its self-attention has neither a residual nor an output projection; here it is
    `x + MultiHead(x, x, x)`, because without the residual training starts epochs later. And it sees the title only;
    here every field given is a view of the news (a category's view is its embedding), and an additive attention weighs
    the views, as in NAML. A view that a news lacks has no weight.
    """

    tokenizer = "words"

    def __init__(self, options: NRMSNewsOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        super().__init__()
        self.embeddings = FieldEmbeddings(fields, dim)
        self.dropout = nn.Dropout(options.dropout)
        self.readers = nn.ModuleList(
            [
                SelfAttentivePooling(dim, options.heads, options.hidden, options.dropout)
                if field.kind == "text"
                else nn.Identity()
                for field in fields
            ]
        )
        self.views = AdditiveAttention(dim, options.hidden)

    def forward(self, news: NewsBatch) -> Tensor:
        """(U, D)"""
        views, present = [], []
        for name, reader in zip(self.embeddings.names, self.readers, strict=True):
            field = news[name]
            embedded = self.embeddings(name, field)  # (U, L, D)
            if name in self.embeddings.texts:
                views.append(reader(self.dropout(embedded), field.mask))
            else:
                views.append(embedded.squeeze(1))
            present.append(field.mask.any(-1))
        vector: Tensor = self.views(torch.stack(views, dim=1), torch.stack(present, dim=1))
        return vector


class NRMSUserEncoder(nn.Module):
    """Self-attention (with a residual, unlike the original's) and additive attention over the clicked news.

    Zero for an empty history.
    """

    candidate_aware = False

    def __init__(self, options: NRMSUserOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.read = SelfAttentivePooling(dim, options.heads, options.hidden, options.dropout)

    def forward(self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor) -> Tensor:
        """(B, H, D), (B, H) -> (B, 1, D)"""
        vector: Tensor = self.read(history, mask)
        return vector.unsqueeze(1)
