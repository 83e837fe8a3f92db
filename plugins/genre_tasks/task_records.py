"""The tasks of the paper, of its authors' code and of its successor, as compositions of registered parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from genre import hookimpl
from genre.parts import Task

_TEMPLATES: Final = Path(__file__).parent / "templates"


def _template(name: str) -> str:
    return str(_TEMPLATES / f"{name}.jinja")


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
