"""Field encoders that start from embeddings of ids, and the plainest of them: the mean of a field's embeddings."""

from collections.abc import Callable, Sequence
from typing import Final, cast

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import MaskedMean, SequenceReader
from genre.modeling.dropout import Dropout
from genre.modeling.packing import Packing, packs
from genre.parts import FieldBatch, FieldKind, FieldSpec, NewsBatch
from genre_baselines.validators import is_ratio

_SCALE: Final = 0.1
"""Standard deviation of fresh embeddings. Adam moves a weight by about the learning rate a step: words start small so
that the few steps in which a rare word occurs can turn it."""


class IdEmbedding(nn.Module):
    """A table of vectors by id, zero at id 0; pre-trained vectors of another width are projected to `dim`."""

    def __init__(self, field: FieldSpec, dim: int) -> None:
        super().__init__()
        pretrained = field.pretrained
        width = dim if pretrained is None else pretrained.width
        # Gradients are sparse: a step touches the rows that a batch shows, not the whole table.
        self.table = nn.Embedding(field.size, width, padding_idx=0, sparse=True)
        self.project = nn.Identity() if width == dim else nn.Linear(width, dim, bias=False)
        with torch.no_grad():
            self.table.weight.normal_(std=_SCALE)
            if pretrained is not None and pretrained.rows is not None:
                known = ~pretrained.rows.isnan().any(-1)
                self.table.weight[known] = pretrained.rows[known].to(self.table.weight.dtype)
            self.table.weight[0].zero_()

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., D)"""
        embedded: Tensor = self.project(self.table(ids))
        return embedded


class SequenceFieldEncoder(nn.Module):
    """Embeds the ids of each field and reads them with a module of the field's own.

    Text fields share one table of words, entity fields one of entities; a category has its own.
    """

    packs_sequences = True

    def __init__(
        self, fields: Sequence[FieldSpec], dim: int, *, dropout: float, reader: Callable[[], SequenceReader]
    ) -> None:
        """`reader`: makes one for each field."""
        super().__init__()
        self.names = tuple(field.name for field in fields)
        self.dropout = Dropout(dropout)
        self.readers = nn.ModuleList([reader() for _ in fields])
        owners = [field.name if field.kind == "category" else field.kind for field in fields]
        distinct = list(dict.fromkeys(owners))
        # A list, because a field's name need not be a valid name of a module.
        self.embeddings = nn.ModuleList([IdEmbedding(fields[owners.index(owner)], dim) for owner in distinct])
        self._table_of = [distinct.index(owner) for owner in owners]

    def forward(self, news: NewsBatch) -> Tensor:
        """(U, F, D)"""
        vectors = []
        for name, reader, table in zip(self.names, self.readers, self._table_of, strict=True):
            vectors.append(self._read(news[name], cast(SequenceReader, reader), self.embeddings[table]))
        return torch.stack(vectors, dim=1)

    def _read(self, field: FieldBatch, reader: SequenceReader, embedding: nn.Module) -> Tensor:
        """(U, D)"""
        if not packs(field.mask):
            return reader.padded(self.dropout(embedding(field.values)), field.mask)
        packing = Packing.of(field.mask)
        return reader.packed(self.dropout(embedding(packing.pack(field.values))), packing)


@attrs.frozen(kw_only=True)
class EmbeddingOptions:
    """
    Attributes:
        dropout: of the embeddings.
    """

    dropout: float = attrs.field(default=0.1, validator=is_ratio)


class EmbeddingFieldEncoder(SequenceFieldEncoder):
    """Mean of the embeddings of a field's ids: of the words of a text, the entities, or the one category."""

    kinds: tuple[FieldKind, ...] = ("text", "category", "entities")

    def __init__(self, options: EmbeddingOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        super().__init__(fields, dim, dropout=options.dropout, reader=MaskedMean)


class ProjectionFieldEncoder(nn.Module):
    """`W x + b` of a dense vector, such as a cover image's from CLIP; each field has its own."""

    kinds: tuple[FieldKind, ...] = ("vector",)
    packs_sequences = True

    def __init__(self, options: None, *, fields: Sequence[FieldSpec], dim: int) -> None:  # noqa: ARG002
        super().__init__()
        self.names = tuple(field.name for field in fields)
        self.project = nn.ModuleList([nn.Linear(field.size, dim) for field in fields])

    def forward(self, news: NewsBatch) -> Tensor:
        """(U, F, D)"""
        return torch.stack(
            [project(news[name].values) for name, project in zip(self.names, self.project, strict=True)], dim=1
        )
