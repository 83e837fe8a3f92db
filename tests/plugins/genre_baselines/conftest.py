"""What the tests of language models share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_bert import write_model

from genre.dataset import Dataset
from genre.registry import Registry
from genre.testing.planted import planted_dataset


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return planted_dataset(users=24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("bert"))
