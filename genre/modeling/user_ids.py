"""Whether a model knows its users, and the same model without their ids where it does not look at them."""

from collections.abc import Sequence

import attrs
import torch

from genre.modeling.checkpoint import TrainedModel
from genre.modeling.composition import build_recommender
from genre.modeling.devices import device_of
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
    if tells_users_apart(made, range(4)):
        return model  # without any weight that does, such as by a hash of the id
    return attrs.evolve(model, recommender=made, vocabulary=vocabulary)


@torch.inference_mode()
def tells_users_apart(recommender: Recommender, users: Sequence[int]) -> bool:
    """Whether user vectors of the same history differ by who reads it.

    Args:
        users: at least two ids, 0 for a user not seen in training.
    """
    draw, device = torch.Generator().manual_seed(0), device_of(recommender)
    history = torch.randn(1, 3, recommender.baseline.dim, generator=draw).to(device).expand(len(users), -1, -1)
    candidates = history[:, :1]  # (B, 1, D)
    everything = torch.ones(history.shape[:2], dtype=torch.bool, device=device)  # (B, H)
    training = recommender.training
    recommender.eval()
    try:
        ids = torch.tensor(users, device=device)
        vectors = recommender.user_encoder(history, everything, ids, candidates, everything[:, :1])
    finally:
        recommender.train(training)
    return not torch.allclose(vectors, vectors[:1].expand_as(vectors), rtol=1e-5, atol=1e-6)
