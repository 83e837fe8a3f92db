"""What a frozen encoder makes of the texts: computed once, kept on disk, memory-mapped."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from genre.errors import RunError, UsageError
from genre.modeling.features import Features
from genre.modeling.ragged import Ragged
from genre.modeling.recommender import Recommender
from genre.modeling.staging import staged
from genre.parts import FrozenStates

_STATES: Final = "states.npy"
_NEWS_AT_A_TIME: Final = 256

OnProgress = Callable[[int, int], None]


def with_frozen_states(
    features: Features, recommender: Recommender, *, cache: Path | None = None, on_progress: OnProgress | None = None
) -> Features:
    """Features with the states of the recommender's frozen encoders; the same features when it has none.

    Args:
        cache: folder that holds a folder for each (weights, tokens); None to keep states in memory.
        on_progress: told of news done and news in all.

    Raises:
        UsageError: the cache is damaged.
        RunError: a state is too large for half precision.
    """
    states = {
        field: _states(encoder, features.news.texts[field], cache, on_progress)
        for encoder, fields in recommender.news_tower.frozen_encoders()
        for field in fields
    }
    return attrs.evolve(features, news=attrs.evolve(features.news, states=states)) if states else features


def _states(
    encoder: FrozenStates, tokens: Ragged, cache: Path | None, on_progress: OnProgress | None
) -> NDArray[np.float16]:
    if cache is None:
        return _compute(encoder, tokens, on_progress)
    folder = cache / f"states-{_key(encoder, tokens)}"
    if not folder.is_dir():
        with staged(folder, replace=False) as staging:
            np.save(staging / _STATES, _compute(encoder, tokens, on_progress))
    try:
        mapped: NDArray[np.float16] = np.load(folder / _STATES, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(
            f"the feature cache is damaged: {error}", where=folder / _STATES, remedy=f"delete the folder {folder}"
        ) from error
    return mapped


@torch.inference_mode()
def _compute(encoder: FrozenStates, tokens: Ragged, on_progress: OnProgress | None) -> NDArray[np.float16]:
    """States (T, E) in the order of the tokens, in half precision; news of like length are encoded together."""
    order = np.argsort(tokens.lengths, kind="stable")
    result: NDArray[np.float16] | None = None
    for start in range(0, len(order), _NEWS_AT_A_TIME):
        rows = order[start : start + _NEWS_AT_A_TIME]
        values, mask = tokens.take(rows).padded()
        states = encoder.states(torch.from_numpy(values), torch.from_numpy(mask)).float().numpy()
        if result is None:
            result = np.empty((len(tokens.values), states.shape[-1]), np.float16)
        for row, position in enumerate(rows):
            first, last = tokens.offsets[position], tokens.offsets[position + 1]
            result[first:last] = states[row, : last - first]
        if on_progress is not None:
            on_progress(min(start + _NEWS_AT_A_TIME, len(order)), len(order))
    if result is None:
        return np.zeros((0, 1), np.float16)
    if not np.isfinite(result).all():
        raise RunError("a state of the frozen encoder is too large for half precision", remedy="tune its last layer")
    return result


def _key(encoder: FrozenStates, tokens: Ragged) -> str:
    digest = hashlib.blake2b(str(encoder.states_key).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(tokens.values, "<i4").tobytes())
    digest.update(np.ascontiguousarray(tokens.offsets, "<i8").tobytes())
    return digest.hexdigest()
