"""Beyond accuracy: diversity, coverage, novelty and personalisation of a run's recommendations."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.experiments.results import Cell, UntrainedCell
from genre.experiments.statistics.figures import cells_of, impressions_path, read_impressions
from genre.experiments.statistics.lists import (
    SharedCandidates,
    catalogue_coverage,
    category_coverage,
    category_distance,
    distinct_categories,
    exposure_gini,
    inter_list_distance,
    novelty,
    ranked,
    text_distance,
    top_lists,
)
from genre.modeling import FeatureSettings
from genre.modeling.features import SplitFeatures, split_features
from genre.modeling.ragged import Ragged
from genre.modeling.tf_idf import TfIdf
from genre.modeling.untrained import news_tf_idf

CUTOFFS: Final = (5, 10)


@attrs.frozen(eq=False)
class Catalogue:
    """What of the news does not depend on models, variants and splits.

    Attributes:
        vectors: TF-IDF vectors of the original texts; None where the experiment reads no text.
        categories: number of each news's category (N,).
        train_clicks: of each news (N,).
        originals: how many news are original.
        ties: the order of each news among equal scores (N,), a seeded draw.
    """

    vectors: TfIdf | None
    categories: NDArray[np.int64]
    train_clicks: NDArray[np.int64]
    originals: int
    ties: NDArray[np.int64]

    @classmethod
    def of(cls, dataset: Dataset, features: FeatureSettings, train_clicks: NDArray[np.int64]) -> "Catalogue":
        """The catalogue of a run: original texts, so that variants are measured with one ruler.

        Raises:
            UsageError: a field that the features name does not exist.
        """
        settings = attrs.evolve(features, text_version="original", categories=())
        return cls(
            vectors=news_tf_idf(dataset, settings) if settings.texts else None,
            categories=dataset.news["category"].rank("dense").fill_null(0).to_numpy().astype(np.int64),
            train_clicks=train_clicks,
            originals=int((dataset.news["origin"] == "original").sum()),
            ties=np.random.default_rng(0).permutation(dataset.news.height),
        )


def has_scores(folder: Path, cell: Cell | UntrainedCell, split: str) -> bool:
    """Whether a cell keeps the scores of its candidates, which runs of older versions did not.

    Raises:
        UsageError: its file is missing or damaged.
    """
    path = impressions_path(folder, cell, split)
    try:
        return "scores" in pl.scan_parquet(path, glob=False).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"the scores cannot be read: {error}", where=path, remedy="delete its folder, and run again"
        ) from error


def beyond_rows(
    folder: Path, rows: Sequence[Mapping[str, object]], split_name: str, dataset: Dataset, catalogue: Catalogue
) -> Iterator[dict[str, object]]:
    """A row for each variant, baseline and k: means over the impressions with more than k candidates, and over seeds.

    A figure that cannot be measured is None. There is no row for k where no impression has more than k candidates.

    Args:
        folder: the run folder.
        rows: those of `results.json`, which say what cells there are.
        dataset: of any variant: none changes users and candidates.

    Raises:
        UsageError: the scores of some cell are missing, or not those of the data set's candidates.
    """
    split = split_features(dataset, split_name)
    users = dataset.readers["user"].rank("dense").to_numpy().astype(np.int64)[split.readers]
    possible = distinct_categories(split.candidates, catalogue.categories)
    cutoffs = [k for k in CUTOFFS if (split.candidates.lengths > k).any()]
    shared = {k: SharedCandidates(split.candidates, users, k) for k in cutoffs}
    for (variant, baseline), cells in cells_of(rows, split_name).items():
        measured: dict[int, list[dict[str, float | None]]] = {k: [] for k in cutoffs}
        for cell in cells:
            scores = _scores(folder, cell, split_name, split)
            lists = _Lists(ranked(scores, split.candidates, catalogue.ties), users, possible)
            for k in cutoffs:
                personalisation = shared[k].personalisation(scores, catalogue.ties)
                measured[k].append({**lists.figures(k, catalogue), "personalisation": personalisation})
        for k, each in measured.items():
            yield {
                "variant": variant,
                "baseline": baseline,
                "split": split_name,
                "k": k,
                **_mean(each),
                "impressions": int((split.candidates.lengths > k).sum()),
                "of": len(split.candidates),
                "pairs": len(shared[k]),
            }


@attrs.frozen(eq=False)
class _Lists:
    """What one model recommends.

    Attributes:
        ranking: the candidates of each impression, best first.
        users: number of the user of each impression (I,).
        possible: how many categories the candidates of each impression have (I,).
    """

    ranking: Ragged
    users: NDArray[np.int64]
    possible: NDArray[np.int64]

    def figures(self, k: int, catalogue: Catalogue) -> dict[str, float | None]:
        lists = top_lists(self.ranking, k)
        long = self.ranking.lengths > k
        vectors, categories = catalogue.vectors, catalogue.categories
        return {
            "diversity": None if vectors is None else float(text_distance(lists, vectors).mean()),
            "category_diversity": float(category_distance(lists, categories).mean()),
            "coverage": catalogue_coverage(lists, self.ranking),
            "category_coverage": float(category_coverage(lists, categories, self.possible[long]).mean()),
            "novelty": float(novelty(lists, catalogue.train_clicks, catalogue.originals).mean()),
            "inter_list_distance": inter_list_distance(lists, self.users[long]),
            "gini": exposure_gini(lists, self.ranking),
        }


def _scores(folder: Path, cell: Cell | UntrainedCell, name: str, split: SplitFeatures) -> NDArray[np.float32]:
    scores = read_impressions(folder, cell, name, ("scores",))["scores"]
    if not np.array_equal(scores.list.len().to_numpy(), split.candidates.lengths):
        raise UsageError(
            f"the scores of {cell.variant}, {cell.baseline} on {name} are not those of the data set's candidates",
            where=folder / "cells" / cell.name,
            remedy="delete the folder, and run again",
        )
    return scores.explode(empty_as_null=False).to_numpy().astype(np.float32)


def _mean(seeds: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for name in seeds[0]:
        values = [value for each in seeds if (value := each[name]) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means
