"""Dropout by bytes keeps the share and the expectation that it says."""

import pytest
import torch

from genre.modeling.dropout import Dropout

COUNT = 200_003


def dropped(probability: float, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return Dropout(probability)(torch.ones(COUNT))


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.2, 0.5, 0.9, 0.999])
def test_the_share_is_the_nearest_of_256_and_the_expectation_stays(probability: float) -> None:
    got = dropped(probability)
    share = min(max(round(256 * probability), 1), 255) / 256
    assert got[got != 0].unique().tolist() == pytest.approx([1 / (1 - share)])
    error = 5 * (share * (1 - share) / COUNT) ** 0.5
    assert (got == 0).double().mean() == pytest.approx(share, abs=error)
    assert got.double().mean() == pytest.approx(1.0, abs=error / (1 - share))


def test_elements_fall_independently_of_their_neighbours() -> None:
    kept = (dropped(0.5) > 0).double()
    assert (kept[1:] * kept[:-1]).mean() == pytest.approx(0.25, abs=0.01)
    assert (kept[8:] * kept[:-8]).mean() == pytest.approx(0.25, abs=0.01)


def test_the_same_seed_drops_the_same() -> None:
    assert torch.equal(dropped(0.3, seed=1), dropped(0.3, seed=1))
    assert not torch.equal(dropped(0.3, seed=1), dropped(0.3, seed=2))


def test_the_gradient_is_the_mask_and_its_scale() -> None:
    torch.manual_seed(0)
    values = torch.full((100,), 2.0, requires_grad=True)
    got = Dropout(0.25)(values)
    got.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, got.detach() / 2)


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_and_all_are_exact(probability: float, expected: float) -> None:
    assert dropped(probability).unique().tolist() == [expected]


def test_nothing_falls_in_evaluation() -> None:
    values = torch.ones(100)
    assert Dropout(0.5).eval()(values) is values
