"""Embeddings of the fields of news, shared by the encoders that learn their own."""

from collections.abc import Sequence

from torch import Tensor, nn

from genre.errors import UsageError
from genre.parts import FieldBatch, FieldSpec


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
        self.words = nn.Embedding(max(sizes, default=1), dim, padding_idx=0)
        categories = [field for field in fields if field.kind == "category"]
        # A list, because a field's name need not be a valid name of a module.
        self.categories = nn.ModuleList([nn.Embedding(field.size, dim, padding_idx=0) for field in categories])
        self._category_index = {field.name: index for index, field in enumerate(categories)}

    def forward(self, name: str, field: FieldBatch) -> Tensor:
        """(U, L) -> (U, L, D) of a text, (U, 1) -> (U, 1, D) of a category; zero at id 0."""
        table = self.words if name in self.texts else self.categories[self._category_index[name]]
        embedded: Tensor = table(field.values)
        return embedded
