import pytest
import torch
from torch import nn

from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.settings import TrainingSettings


def model(*, sparse: bool) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(6, 4, padding_idx=0, sparse=sparse), nn.Linear(4, 1))


def test_rows_that_a_batch_does_not_show_stay_as_they_are() -> None:
    network = model(sparse=True)
    before = network[0].weight.clone()
    optimizer = RowwiseAdam(network, TrainingSettings())
    for _ in range(3):
        optimizer.step(network(torch.tensor([0, 2, 5, 2])).sum())
    moved = (network[0].weight != before).any(-1)
    assert moved.tolist() == [False, False, True, False, False, True]


def test_where_every_row_is_shown_it_is_adam() -> None:
    ids = torch.tensor([1, 2, 3, 4, 5, 5])
    rowwise, reference = model(sparse=True), model(sparse=False)
    settings = TrainingSettings(learning_rate=0.01, clip_norm=1e9)
    ours, adam = RowwiseAdam(rowwise, settings), torch.optim.Adam(reference.parameters(), lr=0.01)
    for _ in range(4):
        ours.step(rowwise(ids).square().sum())
        adam.zero_grad()
        reference(ids).square().sum().backward()
        adam.step()
    for got, expected in zip(rowwise.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("taken_after", [0, 1, 3])
def test_an_optimizer_with_the_state_of_another_goes_on_as_it_would(taken_after: int) -> None:
    batches = [torch.tensor(ids) for ids in ([1, 2, 2], [3, 2, 5], [4, 4, 1], [1, 3, 5], [2, 4, 5])]
    undisturbed, stopped, again = (model(sparse=True) for _ in range(3))
    first, second, third = (RowwiseAdam(network, TrainingSettings()) for network in (undisturbed, stopped, again))
    for ids in batches:
        first.step(undisturbed(ids).square().sum())
    for ids in batches[:taken_after]:
        second.step(stopped(ids).square().sum())
    again.load_state_dict(stopped.state_dict())
    third.load_state(second.state())
    for ids in batches[taken_after:]:
        third.step(again(ids).square().sum())
    assert all(torch.equal(*pair) for pair in zip(again.parameters(), undisturbed.parameters(), strict=True))


def test_a_state_of_another_model_is_an_error() -> None:
    network, smaller = model(sparse=True), nn.Sequential(nn.Embedding(6, 4, sparse=True))
    full = RowwiseAdam(network, TrainingSettings())
    full.step(network(torch.tensor([1])).sum())
    with pytest.raises(KeyError):
        RowwiseAdam(smaller, TrainingSettings()).load_state(full.state())
