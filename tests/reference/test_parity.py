"""Every baseline scores as its slow reference does, whatever fills its batches up."""

import copy
import itertools
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.modeling.composition import build_recommender
from genre.modeling.recommender import Recommender
from genre.parts import PretrainedEmbedding
from genre.registry import Registry
from reference import bst, dcn, din, lstur, naml, nrms, plmnr, pnn
from reference.worlds import SETTINGS, SIZE, VOCABULARY, World, batch_of, random_world

MODELS: dict[str, tuple[Callable[..., list[float]], str, dict[str, Any]]] = {
    "naml": (naml.logits, "naml", {}),
    "lstur, ini": (lstur.logits, "lstur", {}),
    "lstur, con": (partial(lstur.logits, mode="con"), "lstur", {"user_options": {"long_term": "con"}}),
    "nrms": (nrms.logits, "nrms", {}),
    "plmnr": (plmnr.logits, "plmnr", {}),
    "bst": (bst.logits, "bst", {"user_options": {"positions": 4}}),
    "dcn": (dcn.logits, "dcn", {}),
    "pnn, inner": (pnn.logits, "pnn", {}),
    "pnn, outer": (partial(pnn.logits, outer=True), "pnn", {"interaction_options": {"product": "outer"}}),
    "din": (din.logits, "din", {}),
}


@cache
def recommender(name: str, fusion: bool, seed: int) -> Recommender:
    """With random values for all weights and statistics, those that start at zero or are never read too."""
    registry = Registry.load()
    record = attrs.evolve(registry.baseline(MODELS[name][1]), **MODELS[name][2])
    words = PretrainedEmbedding(10, torch.full((SIZE, 10), torch.nan)) if seed % 2 else None
    model = build_recommender(registry, record, VOCABULARY, SETTINGS, fusion=fusion, dim=16, word_vectors=words)
    generator = torch.Generator().manual_seed(seed)
    for key, values in model.state_dict().items():
        if key.endswith("running_variance"):
            values.uniform_(0.2, 2.0, generator=generator)
        elif values.is_floating_point():
            values.normal_(std=1.5 * values[0].numel() ** -0.5 if values.ndim > 1 else 0.5, generator=generator)
        if key == "user_encoder.users.weight":
            values[0] = 0.0  # by contract: a user not seen in training
    return model.eval()


@torch.inference_mode()
def both(name: str, fusion: bool, seed: int, world: World, dtype: torch.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Logits of all real candidates, the recommender's and the reference's."""
    model = copy.deepcopy(recommender(name, fusion, seed)).to(dtype)
    batch = batch_of(world, np.random.default_rng(seed), dtype)
    weights = {key: values.double().numpy() for key, values in model.state_dict().items()}
    if name == "plmnr":
        for news in world.news:
            for field, tokens in news.texts.items():
                ids, encoder = torch.tensor([tokens]), model.double().news_tower.field_encoders[0]
                news.states[field] = encoder.states(ids, ids > 0)[0].numpy() if tokens else np.zeros((0, 16))
    expected = [
        MODELS[name][0](weights, world.news, reader, candidates)
        for reader, candidates in zip(world.readers, world.candidates, strict=True)
    ]
    return model.to(dtype)(batch)[batch.mask].numpy(), np.concatenate(expected)


def world_of(seed: int) -> World:
    return random_world(np.random.default_rng(seed), news=9, clicks=[0, 9, 2, 0, 5], candidates=[3, 1, 4, 2, 5])


CASES = list(itertools.product(MODELS, (False, True), range(3)))
every_case = pytest.mark.parametrize(("name", "fusion", "seed"), CASES)


@every_case
def test_logits_are_the_references_in_double_precision(name: str, fusion: bool, seed: int) -> None:
    made, expected = both(name, fusion, seed, world_of(seed), torch.float64)
    np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-9)


@every_case
def test_logits_are_the_references_in_single_precision(name: str, fusion: bool, seed: int) -> None:
    made, expected = both(name, fusion, seed, world_of(seed), torch.float32)
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["naml", "lstur, ini", "dcn", "din"])
@settings(max_examples=8)
@given(
    news=st.integers(1, 6),
    rows=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=3),
    seed=st.integers(0, 999),
)
def test_logits_are_the_references_whatever_the_shapes(
    name: str, news: int, rows: list[tuple[int, int]], seed: int
) -> None:
    clicks, candidates = zip(*rows, strict=True)
    world = random_world(np.random.default_rng(seed), news=news, clicks=clicks, candidates=candidates)
    made, expected = both(name, True, 0, world, torch.float64)
    np.testing.assert_allclose(made, expected, rtol=1e-9, atol=1e-9)
