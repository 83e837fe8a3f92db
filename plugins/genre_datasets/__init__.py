"""Data sets: readers of files, and one that the project makes itself."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import DatasetPart, Part


@hookimpl
def genre_datasets() -> Iterator[Part]:
    """What experiments can be run on."""
    yield DatasetPart(
        name="mind",
        summary="Reads MIND's format: a folder for each split with news.tsv and behaviors.tsv, plain or gzip",
        source="MIND (Wu et al., ACL 2020)",
        target="genre_datasets.mind:read_mind",
        options="genre_datasets.mind:MindOptions",
        downloads="genre_datasets.mind_downloads:DOWNLOADS",
    )
    yield Part(
        name="ebnerd",
        summary="Reads EB-NeRD: articles.parquet, and behaviors.parquet and history.parquet of each split",
        source="EB-NeRD (Kruse et al., RecSys Challenge 2024)",
        target="genre_datasets.ebnerd:read_ebnerd",
        options="genre_datasets.ebnerd:EbnerdOptions",
    )
    yield Part(
        name="adressa",
        summary="Reads Adressa's event logs, and makes impressions with drawn negatives of them",
        source="Adressa (Gulla et al., WI 2017)",
        target="genre_datasets.adressa:read_adressa",
        options="genre_datasets.adressa:AdressaOptions",
    )
    yield Part(
        name="goodreads",
        summary="Reads books in MIND's format, whose categories say nothing",
        target="genre_datasets.goodreads:read_goodreads",
        options="genre_datasets.goodreads:GoodreadsOptions",
    )
    yield Part(
        name="sample",
        summary="A seeded simulator of readers with interests and of short news; nothing is downloaded",
        target="genre_datasets.sample:make_sample",
        options="genre_datasets.sample:SampleOptions",
    )
