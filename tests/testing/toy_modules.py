"""Parts of a model that keep to the laws, or break one of them."""

from collections.abc import Sequence
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from genre.modeling.blocks import masked_mean, masked_softmax
from genre.parts import FieldKind, FieldSpec, NewsBatch


@attrs.frozen
class ToyOptions:
    """Which law is broken; none."""

    flaw: str = ""


class ToyFieldEncoder(nn.Module):
    """Means of embeddings, and projections of vectors."""

    kinds: tuple[FieldKind, ...] = ("text", "category", "entities", "vector")

    def __init__(self, options: ToyOptions, *, fields: Sequence[FieldSpec], dim: int) -> None:
        super().__init__()
        self.flaw = options.flaw
        self.fields = tuple(fields)
        self.tables = nn.ModuleList([_table(field, dim) for field in fields])

    def forward(self, news: NewsBatch) -> Tensor:
        vectors = [self._read(field, table, news) for field, table in zip(self.fields, self.tables, strict=True)]
        stacked = self.joined(torch.stack(vectors, dim=1), news)
        return stacked.flip(1) if self.flaw == "reversed" else stacked

    def joined(self, vectors: Tensor, news: NewsBatch) -> Tensor:
        """(U, F, D), each field by itself."""
        if self.flaw == "first news first":  # those that have the first field, then the others
            return vectors[torch.argsort(~news[self.fields[0].name].mask.any(-1), stable=True)]
        return vectors

    def _read(self, field: FieldSpec, table: nn.Module, news: NewsBatch) -> Tensor:
        values, mask = news[field.name].values, news[field.name].mask
        if field.kind == "vector":
            return table(values)  # type: ignore[no-any-return]
        return masked_mean(table(values), torch.ones_like(mask) if self.flaw == "unmasked" else mask)


class SharingFieldEncoder(ToyFieldEncoder):
    """Lets the fields of a news see each other, which is allowed."""

    def joined(self, vectors: Tensor, news: NewsBatch) -> Tensor:
        mask = torch.stack([news[field.name].mask.any(-1) for field in self.fields], dim=1)
        read = torch.ones_like(mask) if self.flaw == "reading what is not there" else mask
        return vectors + masked_mean(vectors, read).unsqueeze(1)


def _table(field: FieldSpec, dim: int) -> nn.Module:
    if field.kind == "vector":
        return nn.Linear(field.size, dim)
    table = nn.Embedding(field.size, dim)
    nn.init.normal_(table.weight, std=0.1)
    return table


class ToyNewsEncoder(nn.Module):
    """Mean of the fields."""

    def __init__(self, options: ToyOptions, *, fields: int, dim: int) -> None:
        super().__init__()
        self.flaw = options.flaw

    def forward(self, field_vectors: Tensor, mask: Tensor) -> Tensor:
        return field_vectors[:, 0] if self.flaw == "first field" else masked_mean(field_vectors, mask)


class RunningMean(nn.Module):
    """Takes away the mean of what it has seen in training."""

    mean: Tensor

    def __init__(self, dim: int, *, persistent: bool) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim), persistent=persistent)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """(B, L, D), (B, L) -> (B, L, D)"""
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(masked_mean(values.flatten(0, 1), mask.flatten()), 0.1)
        return values - self.mean


class ToyUserEncoder(nn.Module):
    """Mean of the clicks, and an embedding of the user."""

    candidate_aware = False

    def __init__(self, options: ToyOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.flaw = options.flaw
        self.users = nn.Embedding(users, dim)
        nn.init.normal_(self.users.weight, std=0.1)
        self.center = RunningMean(dim, persistent=self.flaw != "lossy")

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        if self.flaw == "deaf":
            return self.users(user).unsqueeze(1)  # type: ignore[no-any-return]
        read = masked_mean(self.center(history, mask), mask) + self.users(user)
        if self.flaw == "peeping":
            read = read + masked_mean(candidates, candidate_mask)
        return read.unsqueeze(1)


class AwareUserEncoder(nn.Module):
    """Attention over the history with the candidate as the query."""

    candidate_aware = True

    def __init__(self, options: ToyOptions, *, dim: int, users: int) -> None:
        super().__init__()
        self.flaw = options.flaw

    def forward(
        self, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        if self.flaw == "fake":
            return masked_mean(history, mask).unsqueeze(1).expand_as(candidates)
        if self.flaw == "deaf":
            return candidates
        if self.flaw == "crowded":
            candidates = candidates + masked_mean(candidates, candidate_mask).unsqueeze(1)
        logits = candidates @ history.transpose(1, 2)  # (B, C, H)
        attended: Tensor = masked_softmax(logits, mask[:, None].expand_as(logits)) @ history
        return attended


class ToyInteraction(nn.Module):
    """Inner product."""

    field_aware = False

    def __init__(self, options: ToyOptions, *, dim: int, fields: int) -> None:
        super().__init__()
        self.flaw = options.flaw
        self.center = RunningMean(dim, persistent=self.flaw != "lossy")

    def forward(self, user: Tensor, candidates: Tensor, candidate_mask: Tensor, fields: Any = None) -> Tensor:
        if self.flaw == "asserting":
            assert user.shape == candidates.shape, "one user vector a candidate"
        scores = (user * self.center(candidates, candidate_mask)).sum(-1)
        if self.flaw == "centred":
            scores = scores - masked_mean(scores.unsqueeze(-1), candidate_mask)
        return scores
