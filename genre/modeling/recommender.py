"""`Recommender`: news tower, user encoder, interest fusion and interaction."""

import torch
from torch import Tensor, nn

from genre.modeling.batches import Batch, ReaderBatch
from genre.modeling.fusion import InterestFusion
from genre.modeling.news_tower import NewsTower, NewsVectors
from genre.parts import Baseline, Interaction, NewsBatch, UserEncoder


class Recommender(nn.Module):
    """Scores candidates for readers. `baseline` and `fusion` tell what it was made of."""

    def __init__(
        self,
        baseline: Baseline,
        news_tower: NewsTower,
        user_encoder: UserEncoder,
        interaction: Interaction,
        fusion: InterestFusion | None,
    ) -> None:
        super().__init__()
        self.baseline = baseline
        self.news_tower = news_tower
        self.user_encoder = user_encoder
        self.interaction = interaction
        self.fusion = fusion

    @property
    def candidate_aware(self) -> bool:
        """Whether a reader's vector depends on the candidate."""
        return self.user_encoder.candidate_aware

    def encode_news(self, news: NewsBatch) -> NewsVectors:
        """Vectors of U news."""
        vectors, fields = self.news_tower(news)
        return NewsVectors(vectors, fields if self.interaction.field_aware else None)

    def encode_users(
        self, news: NewsVectors, readers: ReaderBatch, candidates: Tensor, candidate_mask: Tensor | None = None
    ) -> Tensor:
        """User vectors (B, 1, D), or (B, C, D) when candidate-aware.

        Args:
            news: the table that histories and candidates are rows of.
            candidates: (B, C)
            candidate_mask: (B, C), False where a group has fewer candidates; None when all are real.
        """
        history = news.take(readers.history)  # (B, H, D)
        user = self.user_encoder(
            history, readers.history_mask, readers.user, news.take(candidates), _or_all(candidate_mask, candidates)
        )
        fused: Tensor = user if self.fusion is None else self.fusion(user, readers.interests)
        return fused

    def score(
        self, news: NewsVectors, users: Tensor, candidates: Tensor, candidate_mask: Tensor | None = None
    ) -> Tensor:
        """Logits (B, C) of candidates (B, C) for user vectors (B, 1 or C, D)."""
        mask = _or_all(candidate_mask, candidates)
        return self.interaction(users, news.take(candidates), mask, news.take_fields(candidates))

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, C); arbitrary where masked."""
        news = NewsVectors.join([self.encode_news(portion) for portion in batch.news])
        users = self.encode_users(news, batch.readers, batch.candidates, batch.mask)
        return self.score(news, users, batch.candidates, batch.mask)


def _or_all(mask: Tensor | None, candidates: Tensor) -> Tensor:
    return torch.ones_like(candidates, dtype=torch.bool) if mask is None else mask
