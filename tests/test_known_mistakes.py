"""The mistakes of earlier implementations, put in on purpose: each is found by a check that would have found it there.

What those checks guard is the code as it is; what is tested here is that they are able to fail.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from fake_llm import FakeLLM
from generation.test_rounds import enrich
from modeling import test_metrics
from torch import Tensor, nn

import genre_tasks.news_text
from genre.generation import RoundSpec
from genre.modeling import blocks, metrics
from genre.modeling.recommender import Recommender
from genre.registry import Registry
from genre.testing import ConformanceError, checks
from genre_baselines import embeddings
from genre_baselines.din import DINUserEncoder
from genre_baselines.embeddings import EmbeddingFieldEncoder
from genre_baselines.interactions import Deep

REGISTRY = Registry.load()
BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models of this size are faster on one core than on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(kind: str, name: str, law: str) -> None:
    """Hold a part against one law."""
    [check] = [each for each in checks(kind, name, registry=REGISTRY) if str(each) == law]
    check()


@pytest.mark.parametrize("name", BASELINES)
def test_a_fused_interest_vector_that_is_thrown_away_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Recommender.encode_users

    def without_fusion(self: Recommender, *arguments: Any) -> Tensor:
        fusion, self.fusion = self.fusion, None
        try:
            return original(self, *arguments)
        finally:
            self.fusion = fusion

    monkeypatch.setattr(Recommender, "encode_users", without_fusion)
    with pytest.raises(ConformanceError, match="scores that did not change"):
        run("baseline", name, "topics-change-their-reader-s-scores-alone")


@pytest.mark.parametrize("figure", ["mrr", "auc"])
def test_another_metric_under_a_known_name_is_found(figure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mistaken = {"mrr": mrr_of_the_first_click, "auc": auc_pooled_over_impressions}[figure]
    two_clicks_and_two_levels = [[(0.9, 0), (0.1, 1), (0.2, 1), (0.8, 0)], [(3.0, 1), (2.0, 0), (2.5, 0)]]
    test_metrics.assert_equal_to_the_references(two_clicks_and_two_levels)
    monkeypatch.setattr(test_metrics, "impression_metrics", mistaken)
    with pytest.raises(AssertionError, match="assert"):
        test_metrics.assert_equal_to_the_references(two_clicks_and_two_levels)


def mrr_of_the_first_click(scores: list[float], labels: list[int], offsets: list[int]) -> pl.DataFrame:
    """The reciprocal rank of the best click, not the mean over the clicks."""
    ranks = []
    for first, last in pairwise(offsets):
        ranked = sorted(zip(scores[first:last], labels[first:last], strict=True), key=lambda pair: -pair[0])
        ranks.append(1.0 / (1 + [label for _, label in ranked].index(1)))
    return metrics.impression_metrics(scores, labels, offsets).with_columns(mrr=pl.Series(ranks))


def auc_pooled_over_impressions(scores: list[float], labels: list[int], offsets: list[int]) -> pl.DataFrame:
    """One AUC over all candidates, whoever they were shown to."""
    pooled = metrics.impression_metrics(scores, labels, [0, len(labels)])["auc"][0]
    return metrics.impression_metrics(scores, labels, offsets).with_columns(auc=pl.lit(pooled))


@pytest.fixture
def padded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sequences are read as an accelerator reads them, with masks, which packed ones do without."""
    monkeypatch.setattr(blocks, "packs", lambda mask: False)
    monkeypatch.setattr(embeddings, "packs", lambda mask: False)


@pytest.mark.usefixtures("padded")
def test_a_self_attention_that_takes_readers_for_clicks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = blocks.SelfAttention.forward

    def sequence_first(self: blocks.SelfAttention, values: Tensor, mask: Tensor) -> Tensor:
        return original(self, values.transpose(0, 1), mask.transpose(0, 1)).transpose(0, 1)

    monkeypatch.setattr(blocks.SelfAttention, "forward", sequence_first)
    with pytest.raises(ConformanceError, match="alone as among others"):
        run("user-encoder", "nrms", "rows-do-not-see-each-other")


@pytest.mark.usefixtures("padded")
@pytest.mark.parametrize(("kind", "name"), [("user-encoder", "nrms"), ("field-encoder", "self-attention")])
def test_a_self_attention_without_its_mask_is_found(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = blocks.SelfAttention.forward

    def unmasked(self: blocks.SelfAttention, values: Tensor, mask: Tensor) -> Tensor:
        return original(self, values, torch.ones_like(mask))

    monkeypatch.setattr(blocks.SelfAttention, "forward", unmasked)
    with pytest.raises(ConformanceError, match="padding"):
        run(kind, name, "padding-changes-nothing")


def test_a_deep_network_that_never_sees_the_candidate_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Deep.forward

    def user_only(self: Deep, user: Tensor, candidates: Tensor, *rest: Any) -> Tensor:
        return original(self, user, user.expand_as(candidates), *rest)

    monkeypatch.setattr(Deep, "forward", user_only)
    with pytest.raises(ConformanceError, match="the candidate changes no score"):
        run("interaction", "deep", "user-and-candidate-both-count")


def test_a_target_attention_that_pools_without_looking_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def pooled(
        self: DINUserEncoder, history: Tensor, mask: Tensor, user: Tensor, candidates: Tensor, candidate_mask: Tensor
    ) -> Tensor:
        return blocks.masked_mean(history, mask).unsqueeze(1).expand_as(candidates)

    monkeypatch.setattr(DINUserEncoder, "forward", pooled)
    with pytest.raises(ConformanceError, match="weight"):
        run("user-encoder", "din", "every-weight-that-is-trained-gets-a-gradient")
    with pytest.raises(ConformanceError, match="the same vector for another candidate"):
        run("user-encoder", "din", "the-vector-depends-on-the-candidate-as-declared")


def test_running_statistics_that_no_file_holds_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nn.Module.register_buffer

    def fleeting(self: nn.Module, name: str, tensor: Tensor) -> None:
        original(self, name, tensor, persistent=False)

    monkeypatch.setattr(blocks.Dice, "register_buffer", fleeting)
    with pytest.raises(ConformanceError, match="register buffers as persistent"):
        run("user-encoder", "din", "weights-survive-a-file")
    with pytest.raises(ConformanceError, match="register buffers as persistent"):
        run("baseline", "din", "a-model-survives-its-folder")


def test_dice_that_counts_padding_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = blocks.Dice.forward

    def counts_all(self: blocks.Dice, values: Tensor, mask: Tensor) -> Tensor:
        return original(self, values, torch.ones_like(mask))

    monkeypatch.setattr(blocks.Dice, "forward", counts_all)
    with pytest.raises(ConformanceError, match="padding alone"):
        run("user-encoder", "din", "training-statistics-leave-padding-out")


@pytest.mark.usefixtures("padded")
@pytest.mark.parametrize("name", ["naml", "nrms"])
def test_an_empty_history_that_gives_no_number_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_no_number(logits: Tensor, mask: Tensor) -> Tensor:
        return torch.softmax(logits.masked_fill(~mask, float("-inf")), dim=-1)

    monkeypatch.setattr(blocks, "masked_softmax", to_no_number)
    with pytest.raises(ConformanceError, match="finite"):
        run("user-encoder", name, "rows-without-anything-are-finite")


def test_a_model_that_silently_leaves_a_field_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = EmbeddingFieldEncoder.forward

    def first_field_only(self: EmbeddingFieldEncoder, news: Any) -> Tensor:
        vectors = original(self, news).clone()
        vectors[:, 1:] = 0.0
        return vectors

    monkeypatch.setattr(EmbeddingFieldEncoder, "forward", first_field_only)
    with pytest.raises(ConformanceError, match="same whatever 'abstract' says"):
        run("baseline", "dcn", "every-field-that-it-is-given-counts")


def test_raw_replies_that_are_taken_as_they_come_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genre_tasks.news_text, "parse_answer", lambda text, _: {"title": text})
    with pytest.raises(ConformanceError):
        run("prompter", "news-text", "an-example-answer-becomes-a-record")
    with pytest.raises(ConformanceError):
        run("prompter", "news-text", "hostile-texts-are-refused-as-malformed")


def test_synthetic_news_that_repeat_themselves_are_counted_and_can_be_filtered(tmp_path: Path) -> None:
    """Not a broken part but a model's habit: it must not pass unseen."""
    always = FakeLLM(lambda _: '{"title": "Déjà vu", "abstract": "again", "category": "health"}')
    seen, filtered = (
        enrich(REGISTRY, tmp_path / name, RoundSpec("news-generator", options=options), generator=always)[1][0]
        for name, options in (("seen", {}), ("filtered", {"gates": {"distinct": {}}}))
    )
    assert (seen.records, seen.distinct["title"]) == (4, 1)
    assert (filtered.records, sum(filtered.quarantined.values())) == (1, 3)
