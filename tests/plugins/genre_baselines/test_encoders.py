"""What the news encoders do with fields; that rows and padding are independent is tested with whole models."""

import pytest
import torch

from genre.errors import UsageError
from genre.parts import FieldBatch, FieldSpec, NewsBatch
from genre_baselines.dcn import DeepCross
from genre_baselines.nrms import NRMSNewsEncoder
from genre_baselines.options import DeepCrossOptions, NRMSNewsOptions, PoolingNewsOptions
from genre_baselines.pooling import PoolingNewsEncoder

FIELDS = (FieldSpec("title", "text", 10, 4), FieldSpec("abstract", "text", 10, 6), FieldSpec("category", "category", 3))


def text(*rows: list[int]) -> FieldBatch:
    values = torch.tensor(rows)
    return FieldBatch(values, values != 0)


@pytest.fixture
def news() -> NewsBatch:
    return {
        "title": text([1, 2, 3], [4, 0, 0], [0, 0, 0]),
        "abstract": text([0, 0], [5, 6], [0, 0]),
        "category": text([1], [2], [0]),
    }


def encoders() -> list[torch.nn.Module]:
    torch.manual_seed(0)
    return [
        NRMSNewsEncoder(NRMSNewsOptions(), fields=FIELDS, dim=16).eval(),
        PoolingNewsEncoder(PoolingNewsOptions(), fields=FIELDS, dim=16).eval(),
    ]


@pytest.mark.parametrize("encoder", encoders(), ids=["nrms", "pooling"])
def test_every_field_is_read_and_a_news_without_any_is_finite(encoder: torch.nn.Module, news: NewsBatch) -> None:
    vectors = encoder(news)
    assert vectors.shape == (3, 16)
    assert torch.isfinite(vectors).all()
    for name, other in [("title", [7, 8, 9]), ("abstract", [7, 8]), ("category", [2])]:
        changed = encoder({**news, name: text(other, *news[name].values[1:].tolist())})
        assert not torch.allclose(changed[0], vectors[0])
        torch.testing.assert_close(changed[1:], vectors[1:])


def test_pooling_gives_the_mean_of_a_vector_a_field(news: NewsBatch) -> None:
    encoder = encoders()[1]
    assert isinstance(encoder, PoolingNewsEncoder)
    fields = encoder.field_vectors(news)
    words = encoder.embeddings.words.weight
    torch.testing.assert_close(fields[0, 0], words[1:4].mean(0))
    torch.testing.assert_close(encoder(news), encoder.pool(fields))


def test_a_dense_vector_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'cover'"):
        PoolingNewsEncoder(PoolingNewsOptions(), fields=(FieldSpec("cover", "vector", 512),), dim=16)


def test_dcn_scores_each_candidate_by_itself_for_one_or_many_user_vectors() -> None:
    torch.manual_seed(0)
    interaction = DeepCross(DeepCrossOptions(widths=(8, 8)), dim=4, fields=2).eval()
    users, candidates, fields = torch.randn(3, 1, 4), torch.randn(3, 5, 4), torch.randn(3, 5, 2, 4)
    logits = interaction(users, candidates, fields)
    assert logits.shape == (3, 5)
    torch.testing.assert_close(interaction(users.expand(3, 5, 4), candidates, fields), logits)
    torch.testing.assert_close(interaction(users, candidates[:, 2:3], fields[:, 2:3]), logits[:, 2:3])
