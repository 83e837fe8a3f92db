import pytest
import torch

from genre.modeling.fusion import InterestFusion


def fusion() -> InterestFusion:
    torch.manual_seed(0)
    return InterestFusion(4, {"topics": 5, "regions": 3}).eval()


def test_interests_are_averaged_by_kind_and_concatenated() -> None:
    block = fusion()
    got = block.interest_vectors({"topics": torch.tensor([[1, 3, 0]]), "regions": torch.tensor([[2]])})
    topics, regions = block.embeddings["topics"].weight, block.embeddings["regions"].weight
    torch.testing.assert_close(got, torch.cat([(topics[1] + topics[3]) / 2, regions[2]])[None])


def test_a_trainable_vector_that_starts_at_zero_stands_in_where_there_are_none() -> None:
    block = fusion()
    got = block.interest_vectors({"topics": torch.tensor([[0]]), "regions": torch.tensor([[0]])})
    assert not got.any()
    assert all(vector.requires_grad for vector in block.missing.values())
    got.sum().backward()
    assert block.missing["topics"].grad is not None
    assert block.missing["topics"].grad.all()


def test_one_vector_a_reader_and_one_a_candidate_are_fused_alike() -> None:
    block = fusion()
    interests = {"topics": torch.tensor([[1, 2], [0, 0]]), "regions": torch.tensor([[1], [2]])}
    users = torch.randn(2, 3, 4)
    together = block(users, interests)
    assert together.shape == (2, 3, 4)
    for candidate in range(3):
        torch.testing.assert_close(block(users[:, candidate : candidate + 1], interests)[:, 0], together[:, candidate])


def test_fusion_starts_near_the_user_vector() -> None:
    torch.manual_seed(0)
    block = InterestFusion(16, {"topics": 5, "regions": 3}).eval()
    users = torch.randn(50, 1, 16)
    interests = {"topics": torch.randint(0, 5, (50, 2)), "regions": torch.randint(0, 3, (50, 1))}
    similarity = torch.cosine_similarity(block(users, interests), users, dim=-1)
    assert similarity.min() > 0.8


def test_each_reader_without_interests_gets_the_stand_in_and_no_other() -> None:
    block = fusion()
    with torch.no_grad():
        block.missing["topics"].fill_(7.0)
    interests = {"topics": torch.tensor([[0, 0], [2, 0], [0, 4]]), "regions": torch.tensor([[1], [0], [2]])}
    got = block.interest_vectors(interests)
    topics, regions = block.embeddings["topics"].weight, block.embeddings["regions"].weight
    torch.testing.assert_close(got[:, :4], torch.stack([torch.full((4,), 7.0), topics[2], topics[4]]))
    torch.testing.assert_close(got[:, 4:], torch.stack([regions[1], torch.zeros(4), regions[2]]))


def test_padding_has_no_vector_to_learn() -> None:
    block = fusion()
    ids = torch.tensor([[0, 1, 2]])
    for embedding in block.embeddings.values():
        assert not embedding.weight[0].any()
        embedding(ids).sum().backward()
        assert embedding.weight.grad[:3].any(1).tolist() == [False, True, True]


@pytest.mark.parametrize(("kinds", "hidden"), [(1, 3), (2, 3), (3, 4)])
def test_the_hidden_layer_is_three_vectors_wide_and_wider_for_more_than_two_kinds(kinds: int, hidden: int) -> None:
    block = InterestFusion(8, {f"kind{number}": 3 for number in range(kinds)})
    first, _, last = block.mlp
    assert first.weight.shape == (8 * hidden, 8 * (1 + kinds))
    assert last.weight.shape == (8, 8 * hidden)
    interests = {f"kind{number}": torch.ones(2, 1, dtype=torch.int64) for number in range(kinds)}
    assert block(torch.randn(2, 5, 8), interests).shape == (2, 5, 8)


def test_two_thirds_of_the_hidden_units_pass_the_user_vector_through_exactly() -> None:
    block = fusion()
    first, _, last = block.mlp
    with torch.no_grad():
        last.weight[:, 8:].zero_()
    users = torch.randn(3, 1, 4)
    interests = {"topics": torch.tensor([[1], [2], [0]]), "regions": torch.tensor([[2], [0], [1]])}
    torch.testing.assert_close(block(users, interests), users)
    assert first.weight[8:].any()


def test_embeddings_start_at_a_tenth_of_the_usual_scale() -> None:
    torch.manual_seed(0)
    block = InterestFusion(64, {"topics": 500})
    assert block.embeddings["topics"].weight[1:].std().item() == pytest.approx(0.1, rel=0.05)
