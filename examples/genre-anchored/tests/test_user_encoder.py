"""What the user encoder `anchored` makes of a history."""

import torch

from genre_anchored import user_encoder


def test_a_click_that_is_a_half_life_older_counts_for_half() -> None:
    options = user_encoder.AnchoredUserEncoderOptions(half_life=1.0)
    encoder = user_encoder.AnchoredUserEncoder(options, dim=2, users=1)
    history = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])  # the last is padding
    mask = torch.tensor([[True, True, False]])
    vector = encoder(history, mask, torch.zeros(1), torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool))
    torch.testing.assert_close(vector, torch.tensor([[[1 / 3, 2 / 3]]]))
