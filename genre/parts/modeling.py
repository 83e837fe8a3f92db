"""Contracts of the modeling half: what encoders and interactions are given and must return.

Parts are pure `torch.nn.Module`s. In eval mode each is batch-row independent, padding invariant, and finite on empty
histories. Shapes: B groups or impressions, C candidates, H history, U distinct news of a batch, F fields, L tokens,
D width.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

if TYPE_CHECKING:
    from torch import Tensor


@attrs.frozen
class FieldSpec:
    """A field of the news that a model sees.

    Attributes:
        name: for example `"title"` or `"category"`.
        kind: `"text"` (token ids), `"category"` (one id) or `"vector"` (a dense vector).
        size: number of tokens or categories (id 0 is padding or missing), or the vector's width.
        length: tokens kept of a text; 1 otherwise.
    """

    name: str
    kind: Literal["text", "category", "vector"]
    size: int
    length: int = 1


@attrs.frozen(eq=False)
class FieldBatch:
    """One field of U distinct news.

    Attributes:
        values: token ids (U, L), category ids (U, 1), or vectors (U, V).
        mask: (U, L) or (U, 1); False where there is no token, no category, no vector.
    """

    values: "Tensor"
    mask: "Tensor"


NewsBatch: TypeAlias = Mapping[str, FieldBatch]
"""Fields of the U distinct news of a batch, by name."""


@runtime_checkable
class NewsEncoder(Protocol):
    """Called `target(options, fields=tuple[FieldSpec, ...], dim=D)`.

    A class attribute `tokenizer` names what makes its token ids.
    """

    tokenizer: str

    def __call__(self, news: NewsBatch) -> "Tensor":
        """News vectors (U, D)."""


@runtime_checkable
class FieldAwareNewsEncoder(NewsEncoder, Protocol):
    """A news encoder whose vector is pooled from one vector a field; what field-aware interactions ask for."""

    def field_vectors(self, news: NewsBatch) -> "Tensor":
        """One vector for each field (U, F, D)."""

    def pool(self, field_vectors: "Tensor") -> "Tensor":
        """(..., F, D) -> (..., D); the encoder's call is `pool(field_vectors(news))`."""


class UserEncoder(Protocol):
    """Called `target(options, dim=D, users=N)`; user ids are below N, and 0 is a user not seen in training.

    A class attribute `candidate_aware` says whether its vector depends on the candidate.
    """

    candidate_aware: bool

    def __call__(self, history: "Tensor", mask: "Tensor", user: "Tensor", candidates: "Tensor") -> "Tensor":
        """User vectors.

        Args:
            history: (B, H, D), oldest first; arbitrary where masked.
            mask: (B, H), True where there is a news; a row may be all False.
            user: (B,)
            candidates: (B, C, D); a user encoder that is not candidate-aware must not look at it.

        Returns:
            (B, 1, D), or (B, C, D) when candidate-aware.
        """


class Interaction(Protocol):
    """Called `target(options, dim=D, fields=F)`.

    A class attribute `field_aware` asks for the candidates' field vectors.
    """

    field_aware: bool

    def __call__(self, user: "Tensor", candidates: "Tensor", candidate_fields: "Tensor | None" = None) -> "Tensor":
        """Logits (B, C).

        Args:
            user: (B, 1, D) or (B, C, D).
            candidates: (B, C, D).
            candidate_fields: (B, C, F, D) for a field-aware interaction, else None.
        """
