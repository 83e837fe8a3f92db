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
