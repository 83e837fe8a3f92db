"""What a model sees: figures of models that see different things are no comparison of their architectures."""

import torch

from genre.modeling import Recommender, TrainedModel
from genre.parts import Pretrained


def inputs_of(model: TrainedModel) -> dict[str, object]:
    """What a trained model is given, as JSON: kept in `result.json` of its cell.

    Returns:
        `fields` (name: tokens or ids kept), `tokenizers` (of text fields that are not read as words), `word_vectors`
        and `pretrained` (whether weights come from elsewhere), `history_length`, `user_ids` (whether who reads changes
        the user vector), `fusion` (whether interests are fused).
    """
    settings, recommender = model.settings, model.recommender
    lengths: dict[str, int] = dict(settings.texts)
    lengths.update({str(name): length for name, length in settings.entities.items()})
    return {
        "fields": {name: lengths.get(name, 1) for name in settings.field_kinds},
        "tokenizers": sorted(settings.tokenizers),
        "word_vectors": settings.word_vectors is not None,
        "pretrained": any(
            next(iter(module.pretrained_parameters()), None) is not None
            for module in recommender.modules()
            if isinstance(module, Pretrained)
        ),
        "history_length": settings.history_length,
        "user_ids": _reads_user_ids(recommender, len(model.vocabulary.users)),
        "fusion": recommender.fusion is not None,
    }


def _reads_user_ids(recommender: Recommender, known_users: int) -> bool:
    """Whether a user encoder tells a known user from an unknown one who has read the same."""
    if not known_users:
        return False
    encoder, dim = recommender.user_encoder, recommender.baseline.dim
    history = torch.randn(1, 2, dim, generator=torch.Generator().manual_seed(0))
    device = next((weights.device for weights in recommender.parameters()), torch.device("cpu"))
    was_training = recommender.training
    recommender.eval()
    try:
        with torch.no_grad():
            vectors = [
                encoder(
                    history.to(device),
                    torch.ones(1, 2, dtype=torch.bool, device=device),
                    torch.tensor([user], device=device),
                    history[:, :1].to(device),
                    torch.ones(1, 1, dtype=torch.bool, device=device),
                )
                for user in (0, 1)
            ]
    finally:
        recommender.train(was_training)
    return not torch.equal(*vectors)
