"""What the tests of the modeling half share."""

import pytest

from genre.dataset import Dataset
from genre.modeling.features import Features, prepare_features
from genre.modeling.settings import FeatureSettings
from genre.registry import Registry
from modeling.planted_data import planted_dataset, with_topics


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
