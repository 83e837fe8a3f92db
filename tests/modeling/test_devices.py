"""Batches on their way to a device. torch's device without memory, `meta`, stands for a card."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from genre.errors import UsageError
from genre.modeling.batches import GroupSampler
from genre.modeling.devices import chosen_device, moved, on_device, random_state, set_random_state
from genre.modeling.features import Features
from genre.modeling.settings import TrainingSettings
from genre.modeling.shares import Share

META = torch.device("meta")
CPU = torch.device("cpu")


@pytest.fixture
def share(features: Features) -> Share:
    return Share(next(GroupSampler(features, TrainingSettings(), 0).epoch(1)), 0.5)


def tensors(share: Share) -> Iterator[Tensor]:
    batch, readers = share.batch, share.batch.readers
    yield from (batch.candidates, batch.mask, batch.labels, readers.history, readers.history_mask, readers.user)
    yield from readers.interests.values()
    for portion in batch.news:
        for field in portion.values():
            yield from (field.values, field.mask)


def test_all_tensors_of_a_batch_are_moved_and_all_else_stays(share: Share) -> None:
    there = moved(share, META)
    assert {each.device for each in tensors(there)} == {META}
    assert [each.shape for each in tensors(there)] == [each.shape for each in tensors(share)]
    assert there.factor == 0.5
    assert all(field.states is None for portion in there.batch.news for field in portion.values())


def test_what_is_there_already_is_not_copied(share: Share) -> None:
    pairs = zip(tensors(moved(share, CPU)), tensors(share), strict=True)
    assert all(there is here for there, here in pairs)


@pytest.mark.parametrize("device", [CPU, META])
def test_batches_come_in_their_order_on_a_device(device: torch.device) -> None:
    batches = [torch.zeros(size) for size in range(5)]
    there = list(on_device(batches, device))
    assert [(len(batch), batch.device) for batch in there] == [(size, device) for size in range(5)]


@pytest.mark.parametrize("device", [CPU, META])
def test_an_error_in_making_a_batch_comes_in_its_turn(device: torch.device) -> None:
    def batches() -> Iterator[Tensor]:
        yield torch.zeros(1)
        raise ValueError("no more")

    there = on_device(batches(), device)
    assert len(next(there)) == 1
    with pytest.raises(ValueError, match="no more"):
        next(there)


def test_a_batch_is_made_ahead_for_a_card_and_one_only() -> None:
    made: list[int] = []

    def batches() -> Iterator[Tensor]:
        for number in range(5):
            made.append(number)
            yield torch.zeros(1)

    there = on_device(batches(), META)
    next(there)
    there.close()  # it waits for what is being made
    assert made == [0, 1]


def test_dropout_goes_on_from_a_random_state() -> None:
    with torch.random.fork_rng(devices=[]):
        state = random_state(CPU)
        first = torch.rand(3)
        set_random_state(state, CPU)
        assert torch.equal(torch.rand(3), first)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_card_that_is_not_there_is_told_with_a_remedy() -> None:
    with pytest.raises(UsageError, match=r"training\.device is 'cuda'") as caught:
        chosen_device("cuda")
    assert "device = 'cpu'" in str(caught.value)
