"""What a model sees: figures of models that see different things are no comparison of their architectures."""

from genre.modeling import TrainedModel
from genre.modeling.user_ids import tells_users_apart
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
        "user_ids": bool(model.vocabulary.users) and tells_users_apart(recommender, (0, 1)),
        "fusion": recommender.fusion is not None,
    }
