"""Enrichment tasks of the paper and its authors' code, as compositions of four prompters and four updaters.

A task is data: a prompter, an updater, a template and a few options. The tasks for books differ from those for news
in nothing else.
"""

from collections.abc import Iterator
from pathlib import Path

from genre import hookimpl
from genre.parts import Part, Task

_TEMPLATES = Path(__file__).parent / "templates"


def _template(name: str) -> str:
    return str(_TEMPLATES / f"{name}.jinja")


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


@hookimpl
def genre_updaters() -> Iterator[Part]:
    """Where answers go."""
    yield Part(
        name="text-version",
        summary="Adds a version of a text field of the news; the original stays readable",
        target="genre_tasks.news_text:TextVersionUpdater",
        options="genre_tasks.news_text:TextVersionUpdaterOptions",
    )
    yield Part(
        name="interests",
        summary="Adds topics and regions to readers, for the interest fusion of equations 1 and 2",
        target="genre_tasks.reader_interests:InterestsUpdater",
    )
    yield Part(
        name="append-history",
        summary="Appends synthetic news to readers' histories, never to candidates",
        target="genre_tasks.synthetic_news:AppendHistoryUpdater",
        options="genre_tasks.synthetic_news:AppendHistoryUpdaterOptions",
    )
    yield Part(
        name="keep-history",
        summary="Keeps the clicks that matter for encoders; prompts and segments see the whole history",
        target="genre_tasks.history_selection:KeepHistoryUpdater",
    )


@hookimpl
def genre_tasks() -> Iterator[Task]:
    """The paper's four tasks for news, the fifth of its authors' code, and the forms for books."""
    yield Task(
        name="news-summarizer",
        summary="A more informative title for each news, which replaces the title that encoders read",
        source="GENRE, section 3.3",
        prompter="news-text",
        updater="text-version",
        defaults={"template": _template("news_summarizer"), "answer": "title", "field": "title", "max_length": 120},
    )
    yield Task(
        name="user-profiler",
        summary="Topics and regions that a reader is interested in, from the titles of the history",
        source="GENRE, section 3.2",
        prompter="reader-interests",
        updater="interests",
        defaults={"template": _template("user_profiler")},
    )
    yield Task(
        name="news-generator",
        summary="Synthetic news for readers with one to five clicks, appended to their histories",
        source="GENRE, section 3.1",
        prompter="synthetic-news",
        updater="append-history",
        defaults={"template": _template("news_generator")},
    )
    yield Task(
        name="chain-generator",
        summary="Synthetic news that also knows the reader's profile from an earlier round",
        source="GENRE, section 3.4",
        prompter="synthetic-news",
        updater="append-history",
        defaults={"template": _template("chain_generator"), "with_interests": True},
    )
    yield Task(
        name="history-compressor",
        summary="The few titles that matter of a longer history, which encoders then read instead of all",
        source="the GENRE authors' code",
        prompter="history-selection",
        updater="keep-history",
        defaults={"template": _template("history_compressor")},
    )
    yield Task(
        name="book-describer",
        summary="A one-line description for each book, which fills the empty abstract",
        source="GENRE's successor ONCE, on Goodreads",
        prompter="news-text",
        updater="text-version",
        defaults={
            "template": _template("book_describer"),
            "answer": "description",
            "field": "abstract",
            "max_length": 1200,
            "sampling": {"max_tokens": 400},
        },
    )
    yield Task(
        name="book-profiler",
        summary="At most five interests of a reader of books, in words of the model's choice",
        source="GENRE's successor ONCE, on Goodreads",
        prompter="reader-interests",
        updater="interests",
        defaults={"template": _template("book_profiler"), "topics": [], "with_regions": False},
    )
    yield Task(
        name="book-generator",
        summary="Synthetic books for readers with one to five books, appended to their histories",
        source="GENRE's successor ONCE, on Goodreads",
        prompter="synthetic-news",
        updater="append-history",
        defaults={
            "template": _template("book_generator"),
            "with_category": False,
            "fields": {"title": "title", "description": "abstract"},
            "max_lengths": {"title": 200, "description": 1200},
        },
    )
