"""Whether a model knows its users, and the same model without their ids where it does not look at them."""

import attrs
import torch

from genre.modeling.checkpoint import TrainedModel
from genre.modeling.composition import build_recommender
from genre.modeling.recommender import Recommender
from genre.registry import Registry


def without_unread_users(model: TrainedModel, registry: Registry) -> TrainedModel:
    """The same model without the ids of its training's users, unless it reads them: LSTUR embeds users, most do not.

    Raises:
        UsageError: a part of the model is not registered.
    """
    vocabulary = attrs.evolve(model.vocabulary, users=())
    made = build_recommender(
        registry,
        model.recommender.baseline,
        vocabulary,
        model.settings,
        fusion=model.recommender.fusion is not None,
    )
    state = model.recommender.state_dict()
    sizes = {name: value.shape for name, value in made.state_dict().items()}
    if sizes != {name: value.shape for name, value in state.items()}:
        return model  # a weight for each user
    made.load_state_dict(state)
    made.eval()
    return model if _looks_at_users(made) else attrs.evolve(model, recommender=made, vocabulary=vocabulary)


@torch.inference_mode()
def _looks_at_users(recommender: Recommender) -> bool:
    """Whether user vectors differ by user without any weight that does, such as by a hash of the id."""
    draw = torch.Generator().manual_seed(0)
    history = torch.randn(1, 3, recommender.baseline.dim, generator=draw).expand(4, -1, -1)  # (B, H, D)
    candidates = history[:, :1]
    everything = torch.ones(history.shape[:2], dtype=torch.bool)
    vectors = recommender.user_encoder(history, everything, torch.arange(4), candidates, everything[:, :1])
    return not torch.allclose(vectors, vectors[:1].expand_as(vectors), rtol=1e-5, atol=1e-6)
