"""Embeddings of the fields of news, shared by the encoders that learn their own."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from genre.errors import UsageError
from genre.parts import FieldBatch, FieldSpec

_SCALE: Final = 0.1
"""Standard deviation of fresh embeddings. Adam moves a weight by about the learning rate a step: words start small so
that the few steps in which a rare word occurs can turn it."""


class FieldEmbeddings(nn.Module):
    """One table of words for all text fields, and one for each categorical field."""

    def __init__(self, fields: Sequence[FieldSpec], dim: int) -> None:
        """
        Raises:
            UsageError: a field is neither a text nor a category.
        """
        super().__init__()
        for field in fields:
            if field.kind == "vector":
                raise UsageError(
                    f"this news encoder has no use for the vectors of {field.name!r}", remedy="leave it out"
                )
        self.names = tuple(field.name for field in fields)
        self.texts = frozenset(field.name for field in fields if field.kind == "text")
        sizes = [field.size for field in fields if field.kind == "text"]
        self.words = _embedding(max(sizes, default=1), dim)
        categories = [field for field in fields if field.kind == "category"]
        # A list, because a field's name need not be a valid name of a module.
        self.categories = nn.ModuleList([_embedding(field.size, dim) for field in categories])
        self._category_index = {field.name: index for index, field in enumerate(categories)}

    def forward(self, name: str, field: FieldBatch) -> Tensor:
        """(U, L) -> (U, L, D) of a text, (U, 1) -> (U, 1, D) of a category; zero at id 0."""
        table = self.words if name in self.texts else self.categories[self._category_index[name]]
        embedded: Tensor = table(field.values)
        return embedded


def _embedding(size: int, dim: int) -> nn.Embedding:
    """Gradients are sparse: a step touches the rows that a batch shows, not the whole table."""
    table = nn.Embedding(size, dim, padding_idx=0, sparse=True)
    with torch.no_grad():
        table.weight.normal_(std=_SCALE)
        table.weight[0].zero_()
    return table
