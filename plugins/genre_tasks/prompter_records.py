"""What the prompters declare."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Part


@hookimpl
def genre_prompters() -> Iterator[Part]:
    """What is asked about: a news, a reader's interests, the clicks that matter, a news that a reader would click."""
    yield Part(
        name="news-text",
        summary="Asks for one better or missing text of each news",
        source="GENRE, section 3.3",
        target="genre_tasks.news_text:NewsTextPrompter",
        options="genre_tasks.news_text:NewsTextPrompterOptions",
    )
    yield Part(
        name="reader-interests",
        summary="Asks what each reader is interested in: topics and regions",
        source="GENRE, section 3.2",
        target="genre_tasks.reader_interests:ReaderInterestsPrompter",
        options="genre_tasks.reader_interests:ReaderInterestsPrompterOptions",
    )
    yield Part(
        name="synthetic-news",
        summary="Asks for news that a reader with few clicks would click",
        source="GENRE, sections 3.1 and 3.4",
        target="genre_tasks.synthetic_news:SyntheticNewsPrompter",
        options="genre_tasks.synthetic_news:SyntheticNewsPrompterOptions",
    )
    yield Part(
        name="history-selection",
        summary="Asks which few titles of a reader's history matter",
        source="the GENRE authors' code",
        target="genre_tasks.history_selection:HistorySelectionPrompter",
        options="genre_tasks.history_selection:HistorySelectionPrompterOptions",
    )
