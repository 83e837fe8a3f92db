"""Packed sequences give what padded ones give, forward and backward, whatever their lengths."""

from collections.abc import Iterable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from genre.modeling.blocks import ConvolutionalPooling, MaskedMean, SelfAttentivePooling, SequenceReader
from genre.modeling.packing import Packing, packs, softmax

DIM = 12
READERS = {
    "self-attention": lambda: SelfAttentivePooling(DIM, 3, 5, 0.0),
    "narrow convolution": lambda: ConvolutionalPooling(DIM, 3, 5, 0.0),
    "wide convolution": lambda: ConvolutionalPooling(DIM, 7, 5, 0.0),
    "mean": MaskedMean,
}
lengths_of_sequences = st.lists(st.integers(0, 9), max_size=12)


def mask_of(lengths: list[int]) -> Tensor:
    return torch.arange(max([1, *lengths])) < torch.tensor(lengths, dtype=torch.long)[:, None]


def values_of(mask: Tensor, *, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return torch.randn(*mask.shape, DIM, dtype=torch.double, requires_grad=True)


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> SequenceReader:
    torch.manual_seed(1)
    made: SequenceReader = READERS[request.param]()
    return made.double()


def gradients(of: Tensor, weights: Iterable[Tensor]) -> tuple[Tensor, ...]:
    torch.manual_seed(2)
    return torch.autograd.grad((of * torch.randn_like(of)).sum(), list(weights))


@pytest.mark.parametrize("name", READERS)
@given(lengths=lengths_of_sequences)
def test_packed_and_padded_reading_agree_forward_and_backward(name: str, lengths: list[int]) -> None:
    torch.manual_seed(1)
    reader: SequenceReader = READERS[name]()
    reader.double()
    mask = mask_of(lengths)
    values, packing = values_of(mask), Packing.of(mask)
    padded, packed = reader.padded(values, mask), reader.packed(packing.pack(values), packing)
    torch.testing.assert_close(packed, padded)
    weights = [values, *reader.parameters()]
    for got, expected in zip(gradients(packed, weights), gradients(padded, weights), strict=True):
        torch.testing.assert_close(got, expected)


def test_the_gradients_are_those_of_finite_differences(reader: SequenceReader) -> None:
    mask = mask_of([3, 0, 1, 3])
    packing = Packing.of(mask)
    assert torch.autograd.gradcheck(lambda values: reader.packed(packing.pack(values), packing), [values_of(mask)])


def test_a_cpu_reads_packed(reader: SequenceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = mask_of([3, 2])
    assert packs(mask)
    expected = reader.padded(values_of(mask), mask)
    monkeypatch.delattr(type(reader), "padded")
    torch.testing.assert_close(reader(values_of(mask), mask), expected)


def test_an_accelerator_reads_padded(reader: SequenceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not packs(mask_of([3, 2]).to("meta"))
    monkeypatch.setattr("genre.modeling.blocks.packs", lambda mask: False)
    monkeypatch.delattr(type(reader), "packed")
    assert reader(values_of(mask_of([3, 2])), mask_of([3, 2])).shape == (2, DIM)


@given(lengths=lengths_of_sequences)
def test_every_position_is_packed_once_and_sequences_of_one_length_are_rectangles(lengths: list[int]) -> None:
    mask = mask_of(lengths)
    packing = Packing.of(mask)
    assert sorted(packing.index.tolist()) == mask.flatten().nonzero().flatten().tolist()
    assert packing.empty == lengths.count(0)
    rows = torch.arange(mask.shape[0])[:, None].expand_as(mask)
    for (view,), (count, length) in zip(packing.views(packing.pack(rows)), packing.groups, strict=True):
        assert view.shape == (count, length)
        assert all(len(set(sequence)) == 1 and lengths[sequence[0]] == length for sequence in view.tolist())


@given(lengths=lengths_of_sequences)
def test_each_sequence_gets_its_own_row_back(lengths: list[int]) -> None:
    mask = mask_of(lengths)
    packing = Packing.of(mask)
    first = torch.cat([view[:, 0] for (view,) in packing.views(packing.pack(numbered(mask)))] or [torch.empty(0, 1)])
    expected = [[float(row)] if length else [0.0] for row, length in enumerate(lengths)]
    assert packing.spread(first).tolist() == expected


def numbered(mask: Tensor) -> Tensor:
    """The number of its row at each position (B, L, 1)."""
    return torch.arange(float(mask.shape[0]))[:, None, None].expand(*mask.shape, 1)


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), max_size=8))
def test_the_softmax_is_torch_s(logits: list[float]) -> None:
    torch.testing.assert_close(softmax(torch.tensor(logits)), torch.tensor(logits).softmax(-1))
