"""A data set for the data browser: rewritten and generated news, interests, a selected history, and hostile texts."""

import polars as pl
from small_data import small_dataset

from genre.dataset import Dataset

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
LINK = "javascript:document.title='owned'"
LONG = "without_any_blank" * 40


def shown_dataset() -> Dataset:
    """The small data set with all of that; `hostile` is a reader whose history is hostile news."""
    dataset = small_dataset(more_news=60, more_histories=[[f"M{number}" for number in range(12)]])
    news = dataset.news.with_columns(url=pl.when(pl.col("id") == "N1").then(pl.lit(LINK)).otherwise("url"))
    grown = Dataset(
        news=news,
        texts=dataset.texts,
        vectors=dataset.vectors,
        readers=dataset.readers,
        interests=dataset.interests,
        impressions=dataset.impressions,
        lineage=dataset.lineage,
    )
    rewritten = [
        {"news": 0, "field": "title", "version": "summaries", "model": "gpt <b>x</b>", "text": "A winner, at the last"},
        {"news": 1, "field": "title", "version": "summaries", "model": "m", "text": SCRIPT},
        {"news": 2, "field": "abstract", "version": "summaries", "model": "m", "text": LONG},
    ]
    interests = [
        {"reader": 1, "kind": "topics", "version": "profiles", "model": "m", "rank": rank, "value": value}
        for rank, value in enumerate(["tennis", SCRIPT, LINK])
    ]
    generated = [
        {"reader": 0, "id": "G-1", "version": "made", "model": "m", "title": "Written for one reader", "abstract": ""},
        {"reader": 0, "id": 'G"&<2>', "version": "made", "model": "m", "title": LINK, "category": "sports"},
    ]
    kept = pl.DataFrame({"reader": [1], "kept": [[0, 2]]})
    return (
        grown.with_texts(pl.DataFrame(rewritten))
        .with_interests(pl.DataFrame(interests))
        .with_generated_news(pl.DataFrame(generated))
        .with_kept_history(kept)
        .with_lineage("round", round=SCRIPT, task="news-summarizer")
    )
