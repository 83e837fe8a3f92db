"""What every block promises: padding and other rows change nothing, and a row without anything is finite."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from genre.errors import UsageError
from genre.modeling.blocks import (
    AdditiveAttention,
    CrossNetwork,
    SelfAttention,
    SelfAttentivePooling,
    masked_mean,
    masked_softmax,
)
from genre.modeling.losses import group_binary, group_cross_entropy

DIM = 8
Block = Callable[[Tensor, Tensor], Tensor]


def blocks() -> dict[str, Block]:
    torch.manual_seed(0)
    made: dict[str, nn.Module] = {
        "additive": AdditiveAttention(DIM, 4),
        "self": SelfAttention(DIM, 2),
        "pooling": SelfAttentivePooling(DIM, 2, 4, 0.5),
    }
    return {**{name: block.eval() for name, block in made.items()}, "mean": masked_mean}


@pytest.fixture(params=["additive", "self", "pooling", "mean"])
def block(request: pytest.FixtureRequest) -> Block:
    return blocks()[request.param]


def mask_of(lengths: list[int], width: int) -> Tensor:
    return torch.arange(width) < torch.tensor(lengths)[:, None]


def test_padding_changes_nothing(block: Block) -> None:
    values = torch.randn(3, 4, DIM)
    mask = mask_of([4, 2, 1], 4)
    wide = torch.cat([values, torch.full((3, 5, DIM), 7.0)], dim=1)
    got, expected = block(wide, mask_of([4, 2, 1], 9)), block(values, mask)
    torch.testing.assert_close(got[:, :4] if got.dim() == 3 else got, expected)


def test_what_is_masked_changes_nothing(block: Block) -> None:
    values = torch.randn(2, 4, DIM)
    mask = mask_of([2, 3], 4)
    other = torch.where(mask[..., None], values, torch.randn(2, 4, DIM) * 100)
    torch.testing.assert_close(block(other, mask), block(values, mask))


def test_rows_do_not_see_each_other(block: Block) -> None:
    values, mask = torch.randn(3, 4, DIM), mask_of([4, 2, 3], 4)
    for row in range(3):
        torch.testing.assert_close(block(values[row : row + 1], mask[row : row + 1])[0], block(values, mask)[row])


def test_a_row_without_anything_is_zero_and_so_is_its_gradient(block: Block) -> None:
    values = torch.randn(2, 3, DIM, requires_grad=True)
    got = block(values, mask_of([0, 2], 3))
    assert not got[0].any()
    got.sum().backward()
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()
    assert not values.grad[0].any()


def test_masked_softmax_sums_to_one_where_there_is_something() -> None:
    weights = masked_softmax(torch.randn(3, 4) * 50, mask_of([0, 1, 4], 4))
    torch.testing.assert_close(weights.sum(-1), torch.tensor([0.0, 1.0, 1.0]))


def test_heads_that_do_not_divide_the_width_are_an_error() -> None:
    with pytest.raises(UsageError, match="3 attention heads do not divide the width 8"):
        SelfAttention(8, 3)


def test_the_cross_network_is_its_formula() -> None:
    cross = CrossNetwork(DIM, 2)
    start = torch.randn(3, DIM)
    expected = start
    for weight, bias in zip(cross.weights, cross.biases, strict=True):
        expected = start * (expected * weight).sum(-1, keepdim=True) + bias + expected
    torch.testing.assert_close(cross(start), expected)


def test_the_losses_of_a_masked_group_equal_those_by_hand() -> None:
    logits = torch.tensor([[2.0, 1.0, 99.0], [0.5, -1.0, 0.0]])
    labels = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    first = -torch.log(torch.exp(torch.tensor(2.0)) / torch.exp(torch.tensor([2.0, 1.0])).sum())
    second = -torch.log(torch.exp(torch.tensor(0.5)) / torch.exp(torch.tensor([0.5, -1.0, 0.0])).sum())
    torch.testing.assert_close(group_cross_entropy(logits, labels, mask), (first + second) / 2)
    clicked, others = torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0, 0.0])
    by_hand = -(torch.log(torch.sigmoid(clicked)).sum() + torch.log(1 - torch.sigmoid(others)).sum()) / 5
    torch.testing.assert_close(group_binary(logits, labels, mask), by_hand)
