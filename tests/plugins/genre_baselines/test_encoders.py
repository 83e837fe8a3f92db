"""What the encoders do, by hand; that rows and padding are independent is tested with whole models."""

from collections.abc import Callable

import attrs
import pytest
import torch
from torch import Tensor, nn

from genre.errors import UsageError
from genre.modeling.blocks import Dice
from genre.modeling.news_tower import NewsTower
from genre.parts import FieldBatch, FieldSpec, NewsBatch, PretrainedEmbedding
from genre_baselines.bst import BSTUserEncoder, BSTUserOptions
from genre_baselines.din import DINUserEncoder, DINUserOptions
from genre_baselines.embeddings import (
    EmbeddingFieldEncoder,
    EmbeddingOptions,
    IdEmbedding,
    ProjectionFieldEncoder,
    SequenceFieldEncoder,
)
from genre_baselines.lstur import LSTURUserEncoder, LSTURUserOptions
from genre_baselines.naml import CNNFieldEncoder, CNNOptions, NAMLUserEncoder
from genre_baselines.news import AttentionNewsEncoder, AttentionOptions, ConcatenationNewsEncoder, MeanNewsEncoder
from genre_baselines.nrms import NRMSUserEncoder, SelfAttentionFieldEncoder, SelfAttentionOptions
from genre_baselines.pooling import PoolingUserEncoder

DIM = 16
TEXTS = (FieldSpec("title", "text", 10, 4), FieldSpec("abstract", "text", 10, 6))
CATEGORIES = (FieldSpec("category", "category", 3), FieldSpec("subcategory", "category", 5))
ENTITIES = (FieldSpec("title_entities", "entities", 7, 3), FieldSpec("abstract_entities", "entities", 7, 3))


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def ids(*rows: list[int]) -> FieldBatch:
    values = torch.tensor(rows)
    return FieldBatch(values, values != 0)


@pytest.fixture
def news() -> NewsBatch:
    return {
        "title": ids([1, 2, 3], [4, 0, 0], [0, 0, 0]),
        "abstract": ids([5, 6], [7, 0], [0, 0]),
        "category": ids([1], [2], [0]),
        "subcategory": ids([4], [1], [0]),
        "title_entities": ids([1, 6], [2, 0], [0, 0]),
        "abstract_entities": ids([6], [0], [0]),
    }


# -- fields ---------------------------------------------------------------------------------------------------------

SEQUENCES: dict[str, Callable[[tuple[FieldSpec, ...]], SequenceFieldEncoder]] = {
    "embedding": lambda fields: EmbeddingFieldEncoder(EmbeddingOptions(), fields=fields, dim=DIM),
    "cnn": lambda fields: CNNFieldEncoder(CNNOptions(), fields=fields, dim=DIM),
    "self-attention": lambda fields: SelfAttentionFieldEncoder(SelfAttentionOptions(), fields=fields, dim=DIM),
}


def test_the_embedding_encoder_gives_the_mean_of_the_words(news: NewsBatch) -> None:
    encoder = SEQUENCES["embedding"](TEXTS).eval()
    words = encoder.embeddings[0].table.weight
    vectors = encoder(news)
    torch.testing.assert_close(vectors[0, 0], words[1:4].mean(0))
    torch.testing.assert_close(vectors[0, 1], words[5:7].mean(0))
    torch.testing.assert_close(vectors[1, 0], words[4])


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_vector_is_that_of_its_own_field_and_news(name: str, news: NewsBatch) -> None:
    encoder = SEQUENCES[name](TEXTS).eval()
    vectors = encoder(news)
    assert vectors.shape == (3, 2, DIM)
    changed = encoder({**news, "title": ids([1, 2, 8], [4, 0, 0], [0, 0, 0])})
    assert not torch.allclose(changed[0, 0], vectors[0, 0])
    torch.testing.assert_close(changed[0, 1], vectors[0, 1])
    torch.testing.assert_close(changed[1:], vectors[1:])


@pytest.mark.parametrize("name", SEQUENCES)
def test_texts_share_one_table_of_words(name: str) -> None:
    encoder = SEQUENCES[name](TEXTS)
    assert [table.table.num_embeddings for table in encoder.embeddings] == [10]
    assert len(encoder.readers) == 2


def test_a_category_has_a_table_of_its_own() -> None:
    tables = SEQUENCES["embedding"]((*TEXTS, *CATEGORIES)).embeddings
    assert [table.table.num_embeddings for table in tables] == [10, 3, 5]


def test_entity_fields_share_one_table(news: NewsBatch) -> None:
    encoder = SEQUENCES["embedding"]((*CATEGORIES, *ENTITIES)).eval()
    assert [table.table.num_embeddings for table in encoder.embeddings] == [3, 5, 7]
    entities = encoder.embeddings[2].table.weight
    vectors = encoder(news)
    torch.testing.assert_close(vectors[0, 2], (entities[1] + entities[6]) / 2)
    torch.testing.assert_close(vectors[0, 3], entities[6])


def test_a_field_s_name_need_not_be_the_name_of_a_module(news: NewsBatch) -> None:
    encoder = SEQUENCES["embedding"]((FieldSpec("a.b", "category", 3), FieldSpec("train", "category", 3)))
    assert encoder({"a.b": news["category"], "train": news["category"]}).shape == (3, 2, DIM)


def test_the_order_of_words_matters_to_the_cnn_and_not_to_the_mean(news: NewsBatch) -> None:
    turned = {**news, "title": ids([3, 2, 1], [4, 0, 0], [0, 0, 0])}
    mean, cnn = SEQUENCES["embedding"](TEXTS).eval(), SEQUENCES["cnn"](TEXTS).eval()
    torch.testing.assert_close(mean(turned), mean(news))
    assert not torch.allclose(cnn(turned)[0, 0], cnn(news)[0, 0])


def test_a_dense_vector_is_projected_by_its_field_s_own_layer() -> None:
    fields = (FieldSpec("cover", "vector", 4), FieldSpec("logo", "vector", 2))
    encoder = ProjectionFieldEncoder(None, fields=fields, dim=DIM)
    covers, logos, seen = torch.randn(3, 4), torch.randn(3, 2), torch.ones(3, 1, dtype=torch.bool)
    vectors = encoder({"cover": FieldBatch(covers, seen), "logo": FieldBatch(logos, seen)})
    first, second = encoder.project
    torch.testing.assert_close(vectors[:, 0], covers @ first.weight.T + first.bias)
    torch.testing.assert_close(vectors[:, 1], logos @ second.weight.T + second.bias)


def test_rows_without_a_pre_trained_vector_are_random_and_id_zero_is_zero() -> None:
    rows = torch.full((4, 3), torch.nan)
    rows[0], rows[2] = 9.0, torch.tensor([1.0, 2.0, 3.0])
    table = IdEmbedding(FieldSpec("title", "text", 4, 5, PretrainedEmbedding(3, rows)), dim=3).table.weight
    assert table[0].tolist() == [0, 0, 0]
    assert table[2].tolist() == [1, 2, 3]
    assert torch.isfinite(table).all()
    assert table[[1, 3]].all()


def test_pre_trained_vectors_of_another_width_are_projected() -> None:
    embedding = IdEmbedding(FieldSpec("title", "text", 4, 5, PretrainedEmbedding(3)), dim=DIM)
    vectors = embedding(torch.tensor([[1, 0]]))
    torch.testing.assert_close(vectors[0, 0], embedding.project.weight @ embedding.table.weight[1])
    assert not vectors[0, 1].any()


# -- news -----------------------------------------------------------------------------------------------------------


def news_encoders(fields: int) -> dict[str, nn.Module]:
    return {
        "attention": AttentionNewsEncoder(AttentionOptions(), fields=fields, dim=DIM),
        "concatenation": ConcatenationNewsEncoder(None, fields=fields, dim=DIM),
        "mean": MeanNewsEncoder(None, fields=fields, dim=DIM),
    }


@pytest.mark.parametrize("name", ["attention", "mean"])
def test_a_missing_field_has_no_say(name: str) -> None:
    encoder = news_encoders(3)[name].eval()
    vectors = torch.randn(2, 3, DIM)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    vectors = vectors.masked_fill(~mask.unsqueeze(-1), 0.0)
    fused = encoder(vectors, mask)
    torch.testing.assert_close(fused[0], encoder(vectors[:1, [0, 2]], mask[:1, [0, 2]])[0])
    assert not fused[1].any()


def test_the_mean_and_the_concatenation_by_hand() -> None:
    encoders = news_encoders(2)
    vectors, mask = torch.randn(3, 2, DIM), torch.ones(3, 2, dtype=torch.bool)
    torch.testing.assert_close(encoders["mean"](vectors, mask), vectors.mean(1))
    project = encoders["concatenation"].project
    expected = torch.cat([vectors[:, 0], vectors[:, 1]], -1) @ project.weight.T + project.bias
    torch.testing.assert_close(encoders["concatenation"](vectors, mask), expected)


def test_the_tower_keeps_the_fields_order_and_zeroes_what_is_missing(news: NewsBatch) -> None:
    fields = (TEXTS[0], CATEGORIES[0], TEXTS[1])
    categories, texts = SEQUENCES["embedding"](CATEGORIES[:1]), SEQUENCES["cnn"](TEXTS)
    encoders = {"embedding": (categories, ["category"]), "cnn": (texts, ["title", "abstract"])}
    tower = NewsTower(fields, encoders, MeanNewsEncoder(None, fields=3, dim=DIM)).eval()
    vectors, mask = tower.encode_fields(news)
    assert mask.tolist() == [[True] * 3, [True] * 3, [False] * 3]
    torch.testing.assert_close(vectors[:2, [0, 2]], texts(news)[:2])
    torch.testing.assert_close(vectors[:2, 1], categories(news)[:2, 0])
    assert not vectors[2].any()


# -- users ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Readers:
    """Three readers: of two news, of three, of none."""

    history: Tensor
    mask: Tensor
    user: Tensor
    candidates: Tensor
    candidate_mask: Tensor

    def encode(self, encoder: nn.Module, **changes: Tensor) -> Tensor:
        vectors: Tensor = encoder(**{**attrs.asdict(self, recurse=False), **changes})
        return vectors


@pytest.fixture
def readers() -> Readers:
    return Readers(
        history=torch.randn(3, 3, DIM),
        mask=torch.tensor([[True, True, False], [True, True, True], [False, False, False]]),
        user=torch.tensor([1, 2, 1]),
        candidates=torch.randn(3, 4, DIM),
        candidate_mask=torch.ones(3, 4, dtype=torch.bool),
    )


USERS: dict[str, Callable[[], nn.Module]] = {
    "pooling": lambda: PoolingUserEncoder(None, dim=DIM, users=3),
    "naml": lambda: NAMLUserEncoder(AttentionOptions(), dim=DIM, users=3),
    "nrms": lambda: NRMSUserEncoder(SelfAttentionOptions(), dim=DIM, users=3),
    "din": lambda: DINUserEncoder(DINUserOptions(), dim=DIM, users=3),
}


@pytest.mark.parametrize("name", USERS)
def test_an_empty_history_is_zero(name: str, readers: Readers) -> None:
    vectors = readers.encode(USERS[name]().eval())
    assert vectors.shape[-1] == DIM
    assert not vectors[2].any()
    assert vectors[:2].any()


def test_pooling_is_the_mean_of_the_clicks(readers: Readers) -> None:
    vectors = readers.encode(USERS["pooling"]().eval())
    torch.testing.assert_close(vectors[0, 0], readers.history[0, :2].mean(0))


def lstur(long_term: str, user_dropout: float = 0.5) -> LSTURUserEncoder:
    options = LSTURUserOptions(long_term=long_term, user_dropout=user_dropout)  # type: ignore[arg-type]
    return LSTURUserEncoder(options, dim=DIM, users=3)


@pytest.mark.parametrize("long_term", ["ini", "con"])
def test_lstur_hides_users_in_training_only(long_term: str, readers: Readers) -> None:
    encoder = lstur(long_term, user_dropout=0.99)
    unseen = readers.encode(encoder.eval(), user=torch.zeros(3, dtype=torch.long))
    known = readers.encode(encoder)
    hidden = readers.encode(encoder.train())
    torch.testing.assert_close(hidden, unseen)
    assert not torch.allclose(known, unseen)


def test_lstur_hides_about_the_share_of_users_it_is_told() -> None:
    encoder = lstur("con", user_dropout=0.25).train()
    hidden = ~encoder._long_term(torch.ones(4000, dtype=torch.long)).any(-1)
    assert 0.22 < hidden.float().mean() < 0.28


@pytest.mark.parametrize(("long_term", "width"), [("ini", DIM), ("con", DIM // 2)])
def test_an_unseen_user_has_no_long_term_part(long_term: str, width: int, readers: Readers) -> None:
    encoder = lstur(long_term).eval()
    unseen = readers.encode(encoder, user=torch.zeros(3, dtype=torch.long))
    states, last = encoder.read(readers.history)
    expected = torch.zeros(3, DIM)
    expected[0, :width], expected[1, :width] = states[0, 1], last[0, 1]
    torch.testing.assert_close(unseen[:, 0], expected)


def test_a_user_without_history_is_the_embedding_at_the_start_and_beside(readers: Readers) -> None:
    at_start, beside = lstur("ini").eval(), lstur("con").eval()
    torch.testing.assert_close(readers.encode(at_start)[2, 0], at_start.users.weight[1])
    torch.testing.assert_close(readers.encode(beside)[2, 0], torch.cat([torch.zeros(DIM // 2), beside.users.weight[1]]))


def test_din_s_weights_do_not_sum_to_one(readers: Readers) -> None:
    """A history twice over makes an interest twice as strong; a softmax would not let it."""
    encoder = DINUserEncoder(DINUserOptions(), dim=DIM, users=3).eval()
    once = readers.encode(encoder)
    twice = readers.encode(
        encoder,
        history=torch.cat([readers.history, readers.history], dim=1),
        mask=torch.cat([readers.mask, readers.mask], dim=1),
    )
    torch.testing.assert_close(twice, 2 * once)


def test_din_by_hand(readers: Readers) -> None:
    encoder = DINUserEncoder(DINUserOptions(widths=(5,), activation="relu"), dim=DIM, users=3).eval()
    expected = torch.zeros(DIM)
    candidate = readers.candidates[0, 1]
    for click in readers.history[0, :2]:
        joined = torch.cat([candidate, click, candidate - click, candidate * click])
        expected += encoder.weight(torch.relu(encoder.hidden.layers[0](joined))) * click
    torch.testing.assert_close(readers.encode(encoder)[0, 1], expected)


@pytest.mark.parametrize("encoder", ["din", "bst"])
def test_a_candidate_aware_encoder_gives_a_vector_a_candidate(encoder: str, readers: Readers) -> None:
    module: nn.Module = (
        DINUserEncoder(DINUserOptions(), dim=DIM, users=3)
        if encoder == "din"
        else BSTUserEncoder(BSTUserOptions(), dim=DIM, users=3)
    )
    vectors = readers.encode(module.eval())
    assert vectors.shape == (3, 4, DIM)
    changed = readers.candidates.clone()
    changed[0, 0] += 1
    other = readers.encode(module, candidates=changed)
    assert not torch.allclose(other[0, 0], vectors[0, 0])
    torch.testing.assert_close(other[0, 1:], vectors[0, 1:])


# -- Dice -----------------------------------------------------------------------------------------------------------


def test_dice_normalises_with_the_batch_in_training_and_leaves_masked_positions_out() -> None:
    dice = Dice(2).train()
    with torch.no_grad():
        dice.alpha.copy_(torch.tensor([0.5, -1.0]))
    values = torch.tensor([[1.0, 2.0], [3.0, 6.0], [99.0, -99.0]])
    mask = torch.tensor([True, True, False])
    got = dice(values, mask)
    mean, variance = torch.tensor([2.0, 4.0]), torch.tensor([1.0, 4.0])
    gate = torch.sigmoid((values - mean) / torch.sqrt(variance + 1e-8))
    torch.testing.assert_close(got[:2], (gate * values + (1 - gate) * dice.alpha * values)[:2])
    torch.testing.assert_close(dice.running_mean, 0.1 * mean)
    torch.testing.assert_close(dice.running_variance, 0.9 + 0.1 * variance)


def test_dice_uses_what_it_saw_in_training_when_it_is_evaluated() -> None:
    dice = Dice(2)
    dice.running_mean.copy_(torch.tensor([1.0, -1.0]))
    dice.running_variance.copy_(torch.tensor([4.0, 9.0]))
    values = torch.tensor([[3.0, 2.0]])
    got = dice.eval()(values, torch.tensor([True]))
    torch.testing.assert_close(got, values * torch.sigmoid(torch.tensor([[1.0, 1.0]])))
    assert dice.running_mean.tolist() == [1, -1]


def test_a_batch_without_any_position_changes_no_statistic() -> None:
    dice = Dice(2).train()
    assert torch.isfinite(dice(torch.randn(3, 2), torch.zeros(3, dtype=torch.bool))).all()
    assert (dice.running_mean.tolist(), dice.running_variance.tolist()) == ([0, 0], [1, 1])


# -- options --------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "an even kernel": (lambda: CNNFieldEncoder(CNNOptions(kernel=4), fields=TEXTS, dim=DIM), "the kernel 4 is even"),
    "heads of a text": (
        lambda: SelfAttentionFieldEncoder(SelfAttentionOptions(heads=3), fields=TEXTS, dim=DIM),
        "3 attention heads do not divide the width 16",
    ),
    "heads of a reader": (
        lambda: NRMSUserEncoder(SelfAttentionOptions(heads=5), dim=DIM, users=3),
        "5 attention heads do not divide the width 16",
    ),
    "heads of BST": (
        lambda: BSTUserEncoder(BSTUserOptions(heads=6), dim=DIM, users=3),
        "6 attention heads do not divide the width 16",
    ),
    "an odd width for con": (
        lambda: LSTURUserEncoder(LSTURUserOptions(long_term="con"), dim=7, users=3),
        "the width 7 is odd",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_option_that_does_not_fit_is_an_error_with_a_remedy(wrong: str) -> None:
    make, message = WRONG[wrong]
    with pytest.raises(UsageError, match=message) as raised:
        make()
    assert raised.value.remedy


@pytest.mark.parametrize(
    "make",
    [
        lambda: CNNOptions(kernel=0),
        lambda: CNNOptions(dropout=1.0),
        lambda: DINUserOptions(widths=()),
        lambda: DINUserOptions(widths=(0,)),
        lambda: BSTUserOptions(layers=0),
        lambda: LSTURUserOptions(user_dropout=-0.1),
    ],
)
def test_an_option_outside_its_range_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  attrs' own messages
        make()
