"""What the tests of the modeling half share."""

from collections.abc import Iterator

import pytest
import torch

from genre.dataset import Dataset
from genre.modeling.features import Features, prepare_features
from genre.modeling.settings import FeatureSettings
from genre.registry import Registry
from genre.testing.planted import planted_dataset, with_topics


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Models of this size are faster on one core than on two, and much faster when the other one is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Planted preferences, and topics of the first ten readers."""
    topics = {reader: ["football", "money"][: 1 + reader % 2] for reader in range(10)}
    return with_topics(planted_dataset(users=40), topics)


@pytest.fixture(scope="session")
def features(dataset: Dataset) -> Features:
    return prepare_features(dataset, FeatureSettings())
