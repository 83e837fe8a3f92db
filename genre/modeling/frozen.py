"""What a frozen encoder makes of the texts: computed once, kept on disk, memory-mapped."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genre.errors import RunError
from genre.modeling.cache import damaged, mapped
from genre.modeling.devices import device_of, moved
from genre.modeling.features import Features
from genre.modeling.ragged import Ragged, concatenated_ranges
from genre.modeling.recommender import Recommender
from genre.parts import FrozenStates
from genre.staging import staged_folder

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
        RunError: a state is too large for half precision, or the states cannot be written.
    """
    was_training = recommender.training
    recommender.eval()  # dropout would make states random
    try:
        states = {
            field: _states(encoder, features.news.texts[field], cache, on_progress)
            for encoder, fields in recommender.news_tower.frozen_encoders()
            for field in fields
        }
    finally:
        recommender.train(was_training)
    return attrs.evolve(features, news=attrs.evolve(features.news, states=states)) if states else features


def _states(
    encoder: FrozenStates, tokens: Ragged, cache: Path | None, on_progress: OnProgress | None
) -> NDArray[np.float16]:
    if cache is None:
        return _compute(encoder, tokens, on_progress, lambda shape: np.zeros(shape, np.float16))
    folder = cache / f"states-{_key(encoder, tokens)}"
    path = folder / _STATES
    if not folder.is_dir():
        with staged_folder(folder, "states of the frozen encoder", existing="keep") as staging:

            def on_disk(shape: tuple[int, int]) -> NDArray[np.float16]:
                # numpy cannot map a file without any content.
                size = max(shape[0], 1), shape[1]
                return np.lib.format.open_memmap(staging / _STATES, mode="w+", dtype=np.float16, shape=size)

            _compute(encoder, tokens, on_progress, on_disk)
    states = mapped(path, np.float16)
    if states.ndim != 2 or len(states) != max(len(tokens.values), 1):
        raise damaged(path, f"numbers of the shape {states.shape}")
    return states


@torch.inference_mode()
def _compute(
    encoder: FrozenStates,
    tokens: Ragged,
    on_progress: OnProgress | None,
    allocate: Callable[[tuple[int, int]], NDArray[np.float16]],
) -> NDArray[np.float16]:
    """States (T, E) in the order of the tokens, in half precision; news of like length are encoded together."""
    order = np.argsort(tokens.lengths, kind="stable")
    result: NDArray[np.float16] | None = None
    device = device_of(encoder) if isinstance(encoder, nn.Module) else torch.device("cpu")
    for start in range(0, len(order), _NEWS_AT_A_TIME):
        rows = order[start : start + _NEWS_AT_A_TIME]
        taken = tokens.take(rows)
        values, mask = taken.padded()
        given = moved((torch.from_numpy(values), torch.from_numpy(mask)), device)
        states = encoder.states(*given).float().cpu().numpy()
        if result is None:
            result = allocate((len(tokens.values), states.shape[-1]))
        with np.errstate(over="ignore"):  # told of below
            half = states[mask].astype(np.float16)
        if not np.isfinite(half).all():
            raise RunError(
                "a state of the frozen encoder is too large for half precision", remedy="tune its last layer"
            )
        result[concatenated_ranges(tokens.offsets[rows], taken.lengths)] = half
        if on_progress is not None:
            on_progress(min(start + _NEWS_AT_A_TIME, len(order)), len(order))
    return allocate((0, 1)) if result is None else result


def _key(encoder: FrozenStates, tokens: Ragged) -> str:
    digest = hashlib.blake2b(str(encoder.states_key).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(tokens.values, "<i4").tobytes())
    digest.update(np.ascontiguousarray(tokens.offsets, "<i8").tobytes())
    return digest.hexdigest()
