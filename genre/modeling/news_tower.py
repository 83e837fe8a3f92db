"""`NewsTower`: from the fields of news to field vectors and news vectors, composed of registered encoders."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.parts import FieldEncoder, FieldSpec, FrozenStates, NewsBatch, NewsEncoder


class NewsVectors(NamedTuple):
    """A table of encoded news; a tuple, because torch's compiler does not follow records of attrs.

    Attributes:
        vectors: (N, D)
        fields: (N, F, D) when the interaction is field-aware, else None.
    """

    vectors: Tensor
    fields: Tensor | None

    @classmethod
    def join(cls, portions: Sequence["NewsVectors"]) -> "NewsVectors":
        """One table of several, whose rows are counted through."""
        fields = [portion.fields for portion in portions if portion.fields is not None]
        return cls(torch.cat([portion.vectors for portion in portions]), torch.cat(fields) if fields else None)

    def take(self, rows: Tensor) -> Tensor:
        """Vectors (..., D) of rows (...)."""
        return F.embedding(rows, self.vectors)

    def take_fields(self, rows: Tensor) -> Tensor | None:
        """Field vectors (..., F, D) of rows (...), if there are any."""
        if self.fields is None:
            return None
        taken: Tensor = F.embedding(rows, self.fields.flatten(1))
        return taken.view(*rows.shape, *self.fields.shape[1:])


_PORTIONS: Final = 6
"""Most texts are far shorter than the longest. In so many portions of like length there is little padding."""


class NewsTower(nn.Module):
    """Field encoders, each for some of the fields, and the news encoder that fuses their vectors."""

    def __init__(
        self,
        fields: Sequence[FieldSpec],
        field_encoders: Mapping[str, tuple[FieldEncoder, Sequence[str]]],
        news_encoder: NewsEncoder,
    ) -> None:
        """`field_encoders`: by name, each with the names of its fields, in the order of its vectors."""
        super().__init__()
        self.names = tuple(field.name for field in fields)
        self.encoder_names = tuple(field_encoders)
        self.field_encoders = nn.ModuleList([cast(nn.Module, encoder) for encoder, _ in field_encoders.values()])
        self.encoder_fields = tuple(tuple(names) for _, names in field_encoders.values())
        self.news_encoder = news_encoder
        encoded = [name for names in self.encoder_fields for name in names]
        self._order = [encoded.index(name) for name in self.names]

    @property
    def portions(self) -> int:
        """How many portions of like length a batch's news are best encoded in: one where no encoder reads padding."""
        packed = all(getattr(encoder, "packs_sequences", False) for encoder in self.field_encoders)
        return 1 if packed else _PORTIONS

    def encode_fields(self, news: NewsBatch) -> tuple[Tensor, Tensor]:
        """Field vectors (U, F, D), zero where missing, and their mask (U, F)."""
        encoded = [
            encoder({name: news[name] for name in names})  # (U, fields of this encoder, D)
            for encoder, names in zip(self.field_encoders, self.encoder_fields, strict=True)
        ]
        vectors = torch.cat(encoded, dim=1)[:, self._order]
        mask = torch.stack([news[name].mask.any(-1) for name in self.names], dim=1)
        return vectors.masked_fill(~mask.unsqueeze(-1), 0.0), mask

    def forward(self, news: NewsBatch) -> tuple[Tensor, Tensor]:
        """News vectors (U, D) and field vectors (U, F, D)."""
        vectors, mask = self.encode_fields(news)
        return self.news_encoder(vectors, mask), vectors

    def frozen_encoders(self) -> Iterator[tuple[FrozenStates, tuple[str, ...]]]:
        """Field encoders whose first layers are frozen, and the fields that they read."""
        for encoder, names in zip(self.field_encoders, self.encoder_fields, strict=True):
            if isinstance(encoder, FrozenStates) and encoder.states_key is not None:
                yield encoder, names
