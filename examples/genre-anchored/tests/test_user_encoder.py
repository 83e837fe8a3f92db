"""What the user encoder `anchored` makes of a history."""

import torch

from genre_anchored import user_encoder


def vector_of(mask: list[bool]) -> torch.Tensor:
    options = user_encoder.AnchoredUserEncoderOptions(share=0.25)
    encoder = user_encoder.AnchoredUserEncoder(options, dim=2, users=1)
    history = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])  # the last is padding
    other = torch.zeros(1), torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool)
    vector: torch.Tensor = encoder(history, torch.tensor([mask]), *other)
    return vector


def test_the_latest_click_counts_beside_the_mean() -> None:
    torch.testing.assert_close(vector_of([True, True, False]), torch.tensor([[[0.375, 0.625]]]))


def test_a_reader_without_clicks_is_zero() -> None:
    torch.testing.assert_close(vector_of([False, False, False]), torch.zeros(1, 1, 2))
