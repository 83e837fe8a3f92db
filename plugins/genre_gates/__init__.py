"""Quality gates: which parsed answers become records."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_gates() -> Iterator[Part]:
    """Gates that any task can name in `[tasks.NAME.gates]`."""
    yield Part(
        name="distinct",
        summary="Rejects an answer whose text another answer of the round, or another news, has already",
        source="GENRE's synthetic books: 488 distinct titles among 2,306",
        target="genre_gates.distinct:Distinct",
        options="genre_gates.distinct:DistinctOptions",
    )
    yield Part(
        name="near-distinct",
        summary="Rejects an answer whose text is almost that of an earlier answer of the round, or of a news",
        source="Broder 1997 (MinHash); Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3",
        target="genre_gates.near_distinct:NearDistinct",
        options="genre_gates.near_distinct:NearDistinctOptions",
    )
    yield Part(
        name="vocabulary",
        summary="Rejects an answer with a value that is not in a closed list, such as the data set's categories",
        target="genre_gates.vocabulary:Vocabulary",
        options="genre_gates.vocabulary:VocabularyOptions",
    )
    yield Part(
        name="language",
        summary="Rejects an answer whose text is in none of the wanted languages",
        source="Lui and Baldwin 2012 (langid.py)",
        target="genre_gates.language:Language",
        options="genre_gates.language:LanguageOptions",
    )
    yield Part(
        name="length",
        summary="Rejects an answer whose text has too few or too many words or characters",
        target="genre_gates.length:Length",
        options="genre_gates.length:LengthOptions",
    )
    yield Part(
        name="history-similarity",
        summary="Rejects an answer that is like nothing its reader clicked, or almost a copy of it, by TF-IDF",
        target="genre_gates.history_similarity:HistorySimilarity",
        options="genre_gates.history_similarity:HistorySimilarityOptions",
    )
