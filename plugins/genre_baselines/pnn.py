"""PNN (Qu et al., ICDM 2016): products of fields, then a deep network."""

from typing import Literal

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import MLP
from genre_baselines.validators import are_widths, is_ratio


@attrs.frozen(kw_only=True)
class ProductOptions:
    """
    Attributes:
        product: `"inner"` products of every two fields (IPNN), or the `"outer"` product of their sum (OPNN).
        widths: layers of the DNN (the paper: 500 x 3).
        dropout: of the DNN.
    """

    product: Literal["inner", "outer"] = "inner"
    widths: tuple[int, ...] = attrs.field(default=(500, 500, 500), validator=are_widths)
    dropout: float = attrs.field(default=0.1, validator=is_ratio)


class ProductNetwork(nn.Module):
    """`s = w^T MLP([z; p]) + b`: z is the fields themselves, p their products; the user vector is a field like others.

    Inner: `p_ij = <f_i, f_j>` for i <= j. Outer: `p = f f^T` with `f = sum_i f_i`, the paper's superposition.
    """

    field_aware = True

    def __init__(self, options: ProductOptions, *, dim: int, fields: int) -> None:
        super().__init__()
        count = 1 + fields
        self.is_inner = options.product == "inner"
        products = count * (count + 1) // 2 if self.is_inner else dim * dim
        self.hidden = MLP(count * dim + products, options.widths, dropout=options.dropout)
        self.output = nn.Linear(options.widths[-1], 1)

    def forward(
        self, user: Tensor, candidates: Tensor, candidate_mask: Tensor, candidate_fields: Tensor | None = None
    ) -> Tensor:
        """(B, 1 or C, D), (B, C, F, D) -> (B, C)"""
        assert candidate_fields is not None
        fields = torch.cat([user.expand_as(candidates).unsqueeze(2), candidate_fields], dim=2)  # (B, C, 1 + F, D)
        signals = torch.cat([fields.flatten(2), self._products(fields)], dim=-1)
        logits: Tensor = self.output(self.hidden(signals, candidate_mask))
        return logits.squeeze(-1)

    def _products(self, fields: Tensor) -> Tensor:
        """(B, C, 1 + F, D) -> (B, C, products)"""
        if self.is_inner:
            products = fields @ fields.transpose(-1, -2)  # (B, C, 1 + F, 1 + F)
            first, second = torch.triu_indices(products.shape[-1], products.shape[-1], device=products.device)
            return products[..., first, second]
        total = fields.sum(2)
        return (total.unsqueeze(-1) * total.unsqueeze(-2)).flatten(2)
