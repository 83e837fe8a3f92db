"""`Recommender`: news encoder, user encoder, interest fusion and interaction, composed of registered parts."""

from collections.abc import Sequence
from typing import cast

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genre.errors import UsageError
from genre.modeling.batches import Batch, ReaderBatch
from genre.modeling.features import field_specs
from genre.modeling.fusion import InterestFusion
from genre.modeling.settings import FeatureSettings
from genre.modeling.vocabulary import INTERESTS, WORDS, Vocabulary
from genre.parts import Baseline, FieldAwareNewsEncoder, FieldSpec, Interaction, NewsBatch, NewsEncoder, UserEncoder
from genre.registry import Registry


@attrs.frozen(eq=False)
class NewsVectors:
    """A table of encoded news.

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


class Recommender(nn.Module):
    """Scores candidates for readers. `baseline` and `fusion` tell what it was made of."""

    def __init__(
        self,
        baseline: Baseline,
        news_encoder: NewsEncoder,
        user_encoder: UserEncoder,
        interaction: Interaction,
        fusion: InterestFusion | None,
    ) -> None:
        super().__init__()
        self.baseline = baseline
        self.news_encoder = news_encoder
        self.user_encoder = user_encoder
        self.interaction = interaction
        self.fusion = fusion

    @property
    def candidate_aware(self) -> bool:
        """Whether a reader's vector depends on the candidate."""
        return self.user_encoder.candidate_aware

    def encode_news(self, news: NewsBatch) -> NewsVectors:
        """Vectors of U news."""
        if not self.interaction.field_aware:
            return NewsVectors(self.news_encoder(news), None)
        encoder = cast(FieldAwareNewsEncoder, self.news_encoder)
        fields = encoder.field_vectors(news)
        return NewsVectors(encoder.pool(fields), fields)

    def encode_users(self, news: NewsVectors, readers: ReaderBatch, candidates: Tensor) -> Tensor:
        """User vectors (B, 1, D), or (B, C, D) when candidate-aware.

        Args:
            news: the table that histories and candidates are rows of.
            candidates: (B, C)
        """
        history = news.take(readers.history)  # (B, H, D)
        user = self.user_encoder(history, readers.history_mask, readers.user, news.take(candidates))
        fused: Tensor = user if self.fusion is None else self.fusion(user, readers.interests)
        return fused

    def score(self, news: NewsVectors, users: Tensor, candidates: Tensor) -> Tensor:
        """Logits (B, C) of candidates (B, C) for user vectors (B, 1 or C, D)."""
        return self.interaction(users, news.take(candidates), news.take_fields(candidates))

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, C); arbitrary where masked."""
        news = NewsVectors.join([self.encode_news(portion) for portion in batch.news])
        users = self.encode_users(news, batch.readers, batch.candidates)
        return self.score(news, users, batch.candidates)


def build_recommender(
    registry: Registry,
    baseline: Baseline | str,
    vocabulary: Vocabulary,
    settings: FeatureSettings,
    *,
    fusion: bool,
    dim: int | None = None,
    seed: int = 0,
) -> Recommender:
    """A recommender with random weights.

    Args:
        baseline: a record, or the name of a registered one.
        vocabulary, settings: as of the features that it will see.
        fusion: whether readers' interests join the user vector (equations 1 and 2). The caller states it; it does not
            follow from the data.
        dim: width of the vectors, in place of the baseline's.
        seed: of the weights. The global random state stays as it is.

    Raises:
        UsageError: a part is unknown, disabled or given a wrong option, or the parts do not fit together.
    """
    record = registry.baseline(baseline) if isinstance(baseline, str) else baseline
    record = attrs.evolve(record, dim=dim or record.dim)
    fields = field_specs(vocabulary, settings)
    if not fields:
        raise UsageError("the model sees no field of the news", where="texts", remedy='name one, such as {"title": 20}')
    where = f"baseline {record.name}"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        news_encoder = _create_news_encoder(registry, record, fields, vocabulary, where)
        user_encoder = cast(
            UserEncoder,
            registry.create(
                "user-encoder",
                record.user_encoder,
                record.user_options,
                where=f"{where}, user_options",
                dim=record.dim,
                users=len(vocabulary.users) + 1,
            ),
        )
        interaction = cast(
            Interaction,
            registry.create(
                "interaction",
                record.interaction,
                record.interaction_options,
                where=f"{where}, interaction_options",
                dim=record.dim,
                fields=len(fields),
            ),
        )
        _check_fit(record, news_encoder, interaction, where)
        return Recommender(
            record, news_encoder, user_encoder, interaction, _create_fusion(record.dim, vocabulary) if fusion else None
        )


def _create_news_encoder(
    registry: Registry, record: Baseline, fields: Sequence[FieldSpec], vocabulary: Vocabulary, where: str
) -> NewsEncoder:
    encoder = cast(
        NewsEncoder,
        registry.create(
            "news-encoder",
            record.news_encoder,
            record.news_options,
            where=f"{where}, news_options",
            fields=tuple(fields),
            dim=record.dim,
        ),
    )
    if encoder.tokenizer != vocabulary.tokenizer:
        raise UsageError(
            f"the news encoder {record.news_encoder!r} reads tokens of {encoder.tokenizer!r}, "
            f"and these are of {vocabulary.tokenizer!r}",
            where=where,
            remedy=f"choose a news encoder whose tokenizer is {WORDS!r}",
        )
    return encoder


def _create_fusion(dim: int, vocabulary: Vocabulary) -> InterestFusion:
    # In the order of INTERESTS, which weights depend on; a loaded vocabulary has an order of its own.
    return InterestFusion(dim, {kind: len(vocabulary.interests[kind]) + 1 for kind in INTERESTS})


def _check_fit(record: Baseline, news_encoder: NewsEncoder, interaction: Interaction, where: str) -> None:
    if interaction.field_aware and not isinstance(news_encoder, FieldAwareNewsEncoder):
        raise UsageError(
            f"the interaction {record.interaction!r} asks for a vector of each field, and the news encoder "
            f"{record.news_encoder!r} gives none",
            where=where,
            remedy="choose a news encoder with `field_vectors` and `pool`, such as 'pooling', "
            "or an interaction that is not field-aware, such as 'dot'",
        )
