"""Recommending: a trained model ranks news for one reader of a data set, or for somebody new."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset, load_dataset
from genre.errors import UsageError, nearest
from genre.experiments.candidates import clicked_news, listed_news, original_news, shown_news
from genre.experiments.model_folders import load
from genre.modeling import TrainedModel, prepare_features, with_frozen_states
from genre.modeling.ranking import new_reader, only_reader, rank_news
from genre.registry import Registry


@attrs.frozen
class RecommendedNews:
    """A recommended news.

    Attributes:
        rank: from 1.
        id: of the news.
        score: the model's logit. It orders the candidates of one reader, and means nothing across models.
        title: as it was published, `""` if there is none.
        category, subcategory: `""` if there is none.
    """

    rank: int
    id: str
    score: float
    title: str
    category: str
    subcategory: str


@attrs.frozen
class Recommendations:
    """What a model recommends to a reader.

    Attributes:
        user, reader: who, by the data set's ids; None for somebody who is not in it.
        segment: `new` or `warm`.
        clicks: length of the visible history.
        candidates: how many news were ranked.
        leaked: model or data set rest on answers that were made from more than the prompts say.
        told_apart: whether the scores differ at all. For a reader without any click, a model such as NRMS gives every
            news the same score; the order is that of the data set then, and recommends nothing.
        news: the best, best first. News of equal scores are in the order of the data set.
    """

    user: str | None
    reader: str | None
    segment: str
    clicks: int
    candidates: int
    leaked: bool
    told_apart: bool
    news: tuple[RecommendedNews, ...]


def recommend(
    model: TrainedModel | Path | str,
    dataset: Dataset | Path | str,
    *,
    user: str | None = None,
    history: Sequence[str] | None = None,
    top: int = 10,
    pool: Path | str | Sequence[str] | None = None,
    split: str | None = None,
    since: datetime | None = None,
    exclude_history: bool = True,
    cell: str | None = None,
    cache: Path | None = None,
    registry: Registry | None = None,
) -> Recommendations:
    """Rank news for one reader.

    Args:
        model: a trained model, or its folder (see `genre.load`).
        dataset: a data set, or its folder; not necessarily the one that the model was trained on.
        user: a user, whose latest reader state is taken; or the id of a reader.
        history: in place of `user`, the ids of what somebody clicked who is not in the data set, oldest first; may be
            empty.
        top: how many; fewer if there are not so many candidates.
        pool: the candidates, as ids or as a file with an id a line; by default all news that are not generated. A text
            is the path of a file.
        split, since: in place of `pool`, the news that were shown in this split, or since this time, or both.
        exclude_history: leave out what the reader's history shows as clicked.
        cell: which cell, if `model` is a run folder.
        cache: folder for prepared features; None to prepare them anew.
        registry: as for `genre.load`.

    Raises:
        UsageError: an unknown user, news, split or cell, no candidate, or a wrong combination of arguments.
    """
    _check_call(user, history, top, pool, narrowed=split is not None or since is not None)
    trained = model if isinstance(model, TrainedModel) else load(model, cell=cell, registry=registry)
    data = dataset if isinstance(dataset, Dataset) else load_dataset(Path(dataset))
    if history is None:
        reader = only_reader(data, latest_reader(data, str(user)))
    else:
        reader = new_reader(data, clicked_news(data, history))
    candidates = _candidates(data, pool, split, since)
    if exclude_history:
        candidates = np.setdiff1d(candidates, reader.readers["history"][0].to_numpy())
    if not len(candidates):
        raise UsageError("no news is left to recommend", remedy="name another pool, or include the reader's history")
    features = prepare_features(data, trained.settings, vocabulary=trained.vocabulary, cache=cache)
    features = with_frozen_states(features, trained.recommender, cache=cache)
    ranking = rank_news(trained.recommender, features, reader, candidates)
    who = reader.readers.row(0, named=True)
    return Recommendations(
        user=None if history is not None else who["user"],
        reader=None if history is not None else who["id"],
        segment="new" if reader.is_new[0] else "warm",
        clicks=who["clicks"],
        candidates=len(candidates),
        leaked=trained.leaked or data.leaked,
        told_apart=len(candidates) == 1 or not np.allclose(ranking.scores, ranking.scores[0], rtol=1e-6, atol=1e-7),
        news=_described(data, ranking.news[:top], ranking.scores[:top]),
    )


def latest_reader(dataset: Dataset, name: str) -> int:
    """Position of a user's latest reader state by impression time, or of the reader of that id.

    Of several states at one time, that with the most clicks is the latest; states without a time come first.

    Raises:
        UsageError: there is neither.
    """
    readers = dataset.readers.select("id", "user", "clicks").with_row_index("reader")
    found = readers.filter(pl.col("user") == name)
    if found.is_empty():
        found = readers.filter(pl.col("id") == name)
    if found.is_empty():
        raise UsageError(
            f"there is no user or reader {name!r}",
            remedy=f"{nearest(name, dataset.readers['user'])}; for somebody new, give their clicks as a history",
        )
    times = dataset.impressions.filter(pl.col("reader").is_in(found["reader"].implode()))
    latest = times.group_by("reader").agg(pl.col("time").max())
    states = found.join(latest, on="reader", how="left").sort("time", "clicks", "reader", nulls_last=False)
    return int(states["reader"][-1])


def _check_call(
    user: str | None,
    history: Sequence[str] | None,
    top: int,
    pool: Path | str | Sequence[str] | None,
    *,
    narrowed: bool,
) -> None:
    if isinstance(history, str):  # it would be read as ids of one character each
        raise UsageError(f"the history {history!r} is no list", remedy="give the ids as a list, such as ['N10', 'N25']")
    if (user is None) == (history is None):
        raise UsageError("name either a user or the history of somebody new")
    if top < 1:
        raise UsageError(f"{top} news cannot be recommended", remedy="ask for one or more")
    if pool is not None and narrowed:
        raise UsageError("a pool is given, and a split or time, too", remedy="leave one of them out")


def _candidates(
    dataset: Dataset, pool: Path | str | Sequence[str] | None, split: str | None, since: datetime | None
) -> NDArray[np.int64]:
    if pool is not None:
        return listed_news(dataset, Path(pool) if isinstance(pool, str) else pool)
    if split is not None or since is not None:
        return shown_news(dataset, split=split, since=since)
    return original_news(dataset)


def _described(
    dataset: Dataset, positions: NDArray[np.int64], scores: NDArray[np.float32]
) -> tuple[RecommendedNews, ...]:
    news = dataset.news[positions].select("id", "category", "subcategory")
    titles = dataset.text("title", "original").gather(positions)
    return tuple(
        RecommendedNews(rank, news_id, float(score), title, category, subcategory)
        for rank, ((news_id, category, subcategory), title, score) in enumerate(
            zip(news.iter_rows(), titles, scores, strict=True), start=1
        )
    )
